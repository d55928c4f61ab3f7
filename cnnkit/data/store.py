"""Where data lives, and how files and folders get there."""

import os
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from io import StringIO
from pathlib import Path

from cnnkit.files import CHECKOUT

import platformdirs

CONTENTS = "contents.txt"  # in each folder that `build_once` made
OR_SAMPLE = 'Or work at the sample scale, which needs no download: "sample".'
ANTS_AND_BEES = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
KAGGLE_NAMES = ("KAGGLE_API_TOKEN", "KAGGLE_USERNAME", "KAGGLE_KEY")


def home() -> Path:
    """Return the folder of the data sets, which need not exist yet.

    It is ``CNNKIT_DATA`` where that is set, else ``data/`` of the checkout that cnnkit is installed
    from, else the user's cache directory.
    """
    if chosen := os.environ.get("CNNKIT_DATA"):
        if Path(chosen).expanduser().is_file():
            raise ValueError(f"CNNKIT_DATA is {chosen}, a file; expected a folder.")
        return Path(chosen).expanduser()
    return CHECKOUT / "data" if CHECKOUT else Path(platformdirs.user_cache_dir("cnnkit"))


def place(name: str) -> Path:
    """Return where a file or folder of the data folder is, or where to make it.

    It lies in `home`. Where `home` lacks it and is read-only, as a folder that a classroom shares
    may be, it lies in the user's cache directory.
    """
    path = home() / name
    nearest = next(parent for parent in path.parents if parent.exists())
    if path.exists() or os.access(nearest, os.W_OK):
        return path
    return Path(platformdirs.user_cache_dir("cnnkit")) / name


def fetch(name: str, url: str, file_hash: str | None = None, hint: str = "") -> Path:
    """Return a file of the data folder; download it where it is missing.

    A file that is there is used as it is. `file_hash` is the SHA-256 or MD5 of that at `url`, in
    hexadecimal. Where the download fails, the error says how to get the file by hand, and `hint`.
    """
    path = place(name)
    if path.is_file():
        return path
    from keras.utils import get_file

    part = f".{name}.{os.getpid()}.part"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        get_file(part, url, file_hash=file_hash, cache_dir=path.parent, cache_subdir="")
        path.with_name(part).replace(path)
    except Exception as error:  # Keras raises plain ones
        raise FileNotFoundError(
            f"{path} is missing, and it could not be downloaded: {error}.\n"
            f'Get it where there is internet:  curl -L -o "{name}" {url}\n'
            f"Put it into {path.parent}, or into any folder that you name in the environment "
            f"variable CNNKIT_DATA. {hint}\n{OR_SAMPLE}"
        ) from None
    finally:
        path.with_name(part).unlink(missing_ok=True)
    return path


def from_kaggle(competition: str, hint: str) -> Path:
    """Return the archive of a Kaggle competition; download it with a token where it is missing.

    The token is a file, an environment variable, or in Colab a secret of the notebook. Whatever is
    wrong, one message says what to do, and `hint`.
    """
    path = place(f"{competition}.zip")
    if path.is_file():
        return path
    with suppress(ImportError):
        from google.colab import userdata

        for name in KAGGLE_NAMES:
            with suppress(Exception):  # no such secret, or no access to it
                os.environ.setdefault(name, userdata.get(name))
    part = path.with_name(f".{competition}.part")
    try:
        part.mkdir(parents=True, exist_ok=True)
        with redirect_stdout(StringIO()):  # advice for Kaggle's own command line
            # It signs in when it is imported, and may end the process where that fails.
            from kaggle.api.kaggle_api_extended import KaggleApi

            client = KaggleApi()
            client.authenticate()
            client.competition_download_files(competition, path=str(part), quiet=False)
        (part / path.name).replace(path)
        part.rmdir()
    except (Exception, SystemExit) as error:
        raise FileNotFoundError(
            f"{path} is missing, and Kaggle did not give it ({error!r}).\nSign in to Kaggle and "
            f'click "Download All" on https://www.kaggle.com/c/{competition}/data, which also asks '
            f"for your consent to the rules. Put the archive into {path.parent}, or into any folder"
            " that you name in the environment variable CNNKIT_DATA.\nOr let cnnkit download it: "
            "give that consent once, make a token on https://www.kaggle.com/settings/api "
            '("Generate New Token"), and save its text as ~/.kaggle/access_token, or in Colab as a '
            f"secret named KAGGLE_API_TOKEN.\n{hint}\n{OR_SAMPLE}"
        ) from None
    return path


def build_once(folder: Path, contents: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` fills, which happens once.

    It is made beside its place and then renamed, so that an interruption leaves nothing that looks
    whole. Of several processes, the first to end is kept. A folder that holds anything else than
    `contents` is refused, and not touched.
    """
    if not folder.exists() or not any(folder.iterdir()):
        part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(parents=True)
            make(part)
            (part / CONTENTS).write_text(contents, encoding="utf-8")
            part.rename(folder)
        except OSError:
            if not (folder / CONTENTS).exists():  # else another process was first
                raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
    note = folder / CONTENTS
    found = note.read_text(encoding="utf-8") if note.is_file() else "other files"
    if found != contents:
        cure = "Name another folder, or delete this one"
        raise ValueError(f"{folder} holds {found}; expected {contents}. {cure}.")
    return folder


def ants_and_bees() -> Path:
    """Return the training photos of PyTorch's tutorial on transfer learning: 123 ants, 121 bees.

    The folder also holds a file that is no photo, as folders of own photos do.
    """
    folder = home() / "hymenoptera_data" / "train"
    if not folder.is_dir():
        get = f'curl -L -O {ANTS_AND_BEES} && unzip hymenoptera_data.zip -d "{home()}"'
        where = "Get the photos (47 MB) where there is internet"
        raise FileNotFoundError(f"{folder} is missing. {where}:\n  {get}")
    return folder
