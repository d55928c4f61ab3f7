"""Where data lives, and how files and folders get there."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from cnnkit.files import CHECKOUT

from platformdirs import user_cache_path

CONTENTS = "contents.txt"  # in each folder that `build_once` made
ANTS_AND_BEES = "https://download.pytorch.org/tutorial/hymenoptera_data.zip"
TOKEN = "KAGGLE_API_TOKEN"


def home() -> Path:
    """Return the folder of the data sets, which need not exist yet.

    It is ``CNNKIT_DATA`` where that is set, else ``data/`` of the checkout, else the user's cache.
    """
    chosen = os.environ.get("CNNKIT_DATA") or (CHECKOUT and CHECKOUT / "data")
    return Path(chosen or user_cache_path("cnnkit")).expanduser()


def place(name: str) -> Path:
    """Return where a file or folder of the data folder is, or where to make it.

    It lies in `home`, or in the user's cache where `home` lacks it and is shared read-only.
    """
    path = home() / name
    nearest = next(parent for parent in path.parents if parent.exists())
    is_ours = path.exists() or os.access(nearest, os.W_OK)
    return path if is_ours else user_cache_path("cnnkit") / name


def fetch(name: str, url: str, file_hash: str | None = None, hint: str = "") -> Path:
    """Return a file of the data folder; download it where it is missing.

    `file_hash` is its SHA-256 or MD5, in hexadecimal: any other file is refused. Where the download
    fails, the error says how to get the file by hand, and `hint`.
    """
    path = place(name)
    if not path.is_file():
        how = f'Get it where there is internet:  curl -L -o "{name}" {url}'
        with _explained(path, how, hint), TemporaryDirectory(prefix=".", dir=path.parent) as part:
            from keras.utils import get_file

            print(f"Downloading {url}. {hint}")
            get_file(name, url, file_hash=file_hash, cache_dir=part, cache_subdir="")
            Path(part, name).replace(path)
    if file_hash:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "md5" if len(file_hash) == 32 else "sha256")
        if digest.hexdigest() != file_hash:
            problem = f"{path} is damaged, or another file: its hash is not {file_hash}"
            raise ValueError(f"{problem}. Delete it and call again to download it.")
    return path


def from_kaggle(competition: str, hint: str) -> Path:
    """Return the archive of a Kaggle competition; download it with a token where it is missing.

    The token may be a secret of a Colab notebook. Whatever is wrong, one message says what to do.
    """
    path = place(f"{competition}.zip")
    if path.is_file():
        return path
    with suppress(Exception):  # not in Colab, no such secret, or no access to it
        from google.colab import userdata

        os.environ.setdefault(TOKEN, userdata.get(TOKEN))
    how = f'Sign in and click "Download All" on https://www.kaggle.com/c/{competition}/data.'
    token = (
        "Or let cnnkit download it: click there once to give your consent to the rules, make a "
        'token on https://www.kaggle.com/settings/api ("Generate New Token"), and save its text as '
        f"~/.kaggle/access_token, or in Colab as a secret named {TOKEN}."
    )
    part = path.with_name(f".{competition}.part")  # stays, so that the next call goes on
    with _explained(path, how, f"\n{token}\n{hint}"), redirect_stdout(StringIO()):
        # It signs in when it is imported, and may end the process where that fails.
        from kaggle.api.kaggle_api_extended import KaggleApi

        part.mkdir(exist_ok=True)
        client = KaggleApi()
        client.authenticate()
        client.competition_download_files(competition, path=str(part), quiet=False)
        (part / path.name).replace(path)
    shutil.rmtree(part, ignore_errors=True)
    return path


@contextmanager
def _explained(path: Path, how: str, hint: str) -> Iterator[None]:
    """Make the folder of a download, and say what to do instead where the download fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except (Exception, SystemExit) as error:  # Keras raises plain ones
        raise FileNotFoundError(
            f"{path} is missing, and it could not be downloaded: {error!r}.\n{how}\n"
            f"Put it into {path.parent}, or into any folder that you name in the environment "
            f"variable CNNKIT_DATA. {hint}\n"
            'Or work at the sample scale, which needs no download: "sample".'
        ) from None


def build_once(folder: Path, contents: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` fills, which happens once.

    It is made beside its place and then renamed, so that an interruption leaves nothing that looks
    whole. Of several processes, the first to end is kept. A folder that holds anything else than
    `contents` is refused, and not touched.
    """
    note = folder / CONTENTS
    if not folder.exists() or not any(folder.iterdir()):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as directory:
            part = Path(directory, folder.name)
            part.mkdir()  # with the permissions of any folder
            make(part)
            (part / CONTENTS).write_text(contents, encoding="utf-8")
            try:
                part.rename(folder)
            except OSError:
                if not note.exists():  # else another process was first
                    raise
    found = note.read_text(encoding="utf-8") if note.is_file() else "other files"
    if found != contents:
        cure = "Name another folder, or delete this one"
        raise ValueError(f"{folder} holds {found}; expected {contents}. {cure}.")
    return folder


def ants_and_bees() -> Path:
    """Return PyTorch's tutorial's photos, 123 ants and 121 bees, and a file that is no photo."""
    folder = home() / "hymenoptera_data" / "train"
    if not folder.is_dir():
        get = f'curl -L -O {ANTS_AND_BEES} && unzip hymenoptera_data.zip -d "{home()}"'
        raise FileNotFoundError(f"{folder} is missing (47 MB). Where there is internet:\n  {get}")
    return folder
