"""Where data lives, and how a file gets there."""

import hashlib
import lzma
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from http.client import HTTPException
from pathlib import Path

from cnnkit.files import CHECKOUT

import platformdirs
from tqdm import tqdm

# What zipfile and its decoders raise on damaged archives, beside an OSError.
DAMAGED_ZIP = (
    ValueError,
    EOFError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)

OR_SAMPLE = 'Or work at the sample scale, which needs no download: "sample".'
OWN_FOLDER = "Where you may not, name a folder of your own in the environment variable CNNKIT_DATA."


def home() -> Path:
    """Return the folder that holds the data sets.

    Returns
    -------
    Path
        ``CNNKIT_DATA`` where it is set, else ``data/`` of the checkout that cnnkit is
        installed from, else the user's cache directory. It need not exist yet.

    Raises
    ------
    ValueError
        ``CNNKIT_DATA`` names a file.
    """
    if chosen := os.environ.get("CNNKIT_DATA"):
        folder = Path(chosen).expanduser()
        if folder.is_file():
            raise ValueError(
                f"CNNKIT_DATA is {chosen}, a file; expected a folder. Name its folder."
            )
        return folder
    if CHECKOUT:
        return CHECKOUT / "data"
    return Path(platformdirs.user_cache_dir("cnnkit"))


def place(name: str) -> Path:
    """Return where a file or folder of the data folder is, or where to make it.

    Parameters
    ----------
    name : str
        Its name in `home`.

    Returns
    -------
    Path
        In `home`; where it is not there and nobody may write there, as in a folder that a
        classroom shares, in the user's cache directory.
    """
    folder = home() / name
    nearest = next(parent for parent in folder.parents if parent.exists())
    if folder.exists() or os.access(nearest, os.W_OK):
        return folder
    return Path(platformdirs.user_cache_dir("cnnkit")) / name


def fetch(name: str, url: str, sha256: str) -> Path:
    """Return a file of the data folder, downloading it where it is missing.

    A file that is already there is used as it is, so that a classroom can share one
    read-only folder. A download takes its place only when it is complete and its hash is
    right.

    Parameters
    ----------
    name : str
        The file's name in `home`.
    url : str
        Where to get it.
    sha256 : str
        Hash of the file at `url`, in hexadecimal.

    Returns
    -------
    Path

    Raises
    ------
    FileNotFoundError
        The file is missing and cannot be had: no internet, a folder that cannot be
        written, a download cut short or changed. The message says how to get it by hand.
    """
    path = place(name)
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=path.parent) as directory:
            part = Path(directory) / name
            _download(url, part)
            with part.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != sha256:
                raise OSError("the download is damaged: its SHA-256 hash is not the published one")
            part.replace(path)
    except (OSError, HTTPException) as error:
        # The urllib errors behind it fill a page and say no more.
        raise FileNotFoundError(_how_to_get(path, url, error)) from None
    return path


def _download(url: str, path: Path) -> None:
    with urllib.request.urlopen(url, timeout=30) as response, path.open("wb") as file:
        size = response.length
        with tqdm.wrapattr(response, "read", total=size, desc=path.name, leave=False) as stream:
            shutil.copyfileobj(stream, file)
    if size is not None and path.stat().st_size != size:
        raise OSError(f"the download stopped after {path.stat().st_size:,} of {size:,} bytes")


def _how_to_get(path: Path, url: str, error: Exception) -> str:
    if isinstance(error, urllib.error.URLError):
        problem = f"{url} could not be reached ({error.reason})"
    elif isinstance(error, OSError) and error.filename:
        problem = f"the folder cannot be written ({error.strerror})"
    elif isinstance(error, HTTPException):
        problem = f"{url} gave no proper answer ({error!r})"
    else:
        problem = str(error)
    return (
        f"{path} is missing, and {problem}.\n"
        f'Get the file where there is internet:  curl -L -o "{path.name}" {url}\n'
        f"Put it into {path.parent}, or into any folder that you name in the environment "
        "variable CNNKIT_DATA.\n"
        f"{OR_SAMPLE}"
    )
