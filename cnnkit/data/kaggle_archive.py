"""The archive of a Kaggle competition: found in the data folder, or downloaded."""

import io
import json
import os
import shutil
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from cnnkit.data import store
from cnnkit.data.prepared import NO_ROOM, lock_for, part_of

from filelock import FileLock

SETTINGS = "https://www.kaggle.com/settings/api"


def page(competition: str) -> str:
    """Return the address of a competition's page."""
    return f"https://www.kaggle.com/c/{competition}"


def get(competition: str) -> Path:
    """Return a competition's archive; download it with the `kaggle` package where it is missing.

    The next call continues a download that was cut short, if Kaggle's server allows it.

    Parameters
    ----------
    competition : str
        Its name in the address of its page, such as ``"dogs-vs-cats"``.

    Returns
    -------
    Path
        A zip file in the data folder.

    Raises
    ------
    FileNotFoundError
        The archive is missing and cannot be had: no token, one that Kaggle refuses, rules that
        were not accepted, a download cut short, no internet. The message says what to do next.
    OSError
        The disk is full.
    """
    archive = store.place(f"{competition}.zip")
    if archive.is_file():
        return archive
    token = _token()
    if token is None:
        raise FileNotFoundError(_missing(competition, archive, "there is no Kaggle token", _TOKEN))
    part = part_of(archive)
    part.mkdir(parents=True, exist_ok=True)
    with FileLock(lock_for(archive)):
        if not archive.is_file():
            try:
                _download(competition, part)
            except OSError as error:
                if error.errno in NO_ROOM:
                    problem = (
                        f"{archive} was not downloaded: {NO_ROOM[error.errno]}. "
                        "Make room there, or name another folder in CNNKIT_DATA."
                    )
                    raise OSError(error.errno, problem) from None
                raise FileNotFoundError(_diagnosis(competition, archive, token, error)) from None
            (part / archive.name).replace(archive)
    shutil.rmtree(part, ignore_errors=True)
    return archive


def _download(competition: str, part: Path) -> None:
    """Download an archive. What goes wrong becomes an OSError."""
    try:
        with redirect_stdout(io.StringIO()):  # its advice is for its own command line
            _sign_in().competition_download_files(competition, path=str(part), quiet=False)
    except ValueError as error:  # not as long as was announced
        raise OSError(str(error)) from None
    if not zipfile.is_zipfile(part / f"{competition}.zip"):
        (part / f"{competition}.zip").unlink(missing_ok=True)
        raise OSError("what arrived is no zip file")


def _sign_in() -> Any:
    """Return a client that is signed in.

    The package signs in as it is imported. Where that fails it may end the process, or stumble
    over a file that is no token.
    """
    from requests import RequestException

    try:
        from kaggle.api.kaggle_api_extended import KaggleApi

        client = KaggleApi()
        client.authenticate()
    except RequestException:
        raise
    except (Exception, SystemExit):
        raise PermissionError("the sign-in failed") from None
    return client


def _token() -> str | None:
    """Say where the package will find a token, in its own order."""
    home = Path("~/.kaggle").expanduser()
    if os.environ.get("KAGGLE_API_TOKEN"):
        return "the environment variable KAGGLE_API_TOKEN"
    if os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY"):
        return "the environment variables KAGGLE_USERNAME and KAGGLE_KEY"
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "kaggle"
    config = Path(os.environ.get("KAGGLE_CONFIG_DIR") or (home if home.exists() else config))
    places = [home / "access_token", home / "access_token.txt", config / "kaggle.json"]
    places.append(home / "credentials.json")
    return next((str(place) for place in places if place.is_file()), None)


def _diagnosis(competition: str, archive: Path, token: str, error: OSError) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 403:
        problem = f"the rules of {competition} are not accepted (403)"
        step = f"Sign in, join the competition and accept its rules: {page(competition)}/rules"
    elif status == 401 or isinstance(error, PermissionError):
        problem = f"Kaggle refuses the token in {token} (401)" + _old_form(token)
        step = f"Delete it, and make a new one.\n{_TOKEN}"
    elif status is not None:
        problem = f"Kaggle answered {status} ({error})"
        step = f"Look at {page(competition)}, and call again later."
    else:
        problem = f"the download failed or was cut short ({error})"
        step = "Look at the network, and call again: what has arrived is kept, if it can be."
    return _missing(competition, archive, problem, step)


def _old_form(token: str) -> str:
    """Explain a kaggle.json that is not one."""
    if not token.endswith("kaggle.json"):
        return ""
    try:
        keys = set(json.loads(Path(token).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        keys = set()
    if {"username", "key"} <= keys:
        return ", which has the old form"
    return ", which is not JSON with a username and a key: a token of the new form has its own file"


_TOKEN = (
    f'To get a token, open {SETTINGS} and click "Generate New Token". Save the text that it\n'
    "shows as ~/.kaggle/access_token, or put it into the environment variable KAGGLE_API_TOKEN.\n"
    "(An older kaggle.json with a username and a key does as well, in ~/.kaggle.)\n"
    "Join the competition on its page too, and accept its rules."
)


def _missing(competition: str, archive: Path, problem: str, step: str) -> str:
    return (
        f"{archive} is missing, and {problem}.\n{step}\n"
        f"Or get the archive with a browser from {page(competition)}/data, and put it into\n"
        f"{archive.parent}, or into any folder that you name in the environment variable "
        "CNNKIT_DATA.\n"
        f"{store.OR_SAMPLE}"
    )
