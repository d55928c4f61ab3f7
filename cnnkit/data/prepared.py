"""Folders of pictures that are either whole or not there."""

import csv
import errno
import os
import platform
import shutil
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

MANIFEST = "manifest.csv"

NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your share of the disk is full",
    errno.EACCES: "you may not write there",
    errno.EROFS: "the disk is read-only",
}


def prepare(folder: Path, contents: str, make: Callable[[Path], None]) -> Path:
    """Return a folder, making it where it is missing and mending it where files are.

    It is made under another name and takes its place when it is complete, so that an interrupted
    call leaves nothing that looks whole. A manifest in the folder lists its files, and a second
    call is instant. Of several processes at once, one makes it and the others wait; of several
    machines or users that share a disk, each may make it, and the first to end is kept.

    Parameters
    ----------
    folder : Path
        What to make.
    contents : str
        What it holds. A folder of something else is never touched.
    make : callable
        Writes all files into the folder that it is given. Called again, it writes the same.

    Returns
    -------
    Path
        `folder`.

    Raises
    ------
    ValueError
        The folder exists and holds something else.
    OSError
        The disk is full, or the folder cannot be written.
    """
    if _is_whole(folder, contents):
        return folder
    part = part_of(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"{folder.parent} cannot be made, {error.strerror}"
        problem = NO_ROOM.get(error.errno or 0, problem)
        raise OSError(error.errno, _no_room(folder, problem)) from None
    try:
        with FileLock(lock_for(folder)):
            if _is_whole(folder, contents):
                return folder
            shutil.rmtree(part, ignore_errors=True)
            try:
                part.mkdir()
                make(part)
                _write_manifest(part, contents)
                _move(part, folder)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise OSError(error.errno, _no_room(folder, NO_ROOM[error.errno])) from None
        raise
    return folder


def lock_for(path: Path) -> Path:
    """Return the file that locks a path among this machine's processes.

    It lies apart from the data, and is never deleted, since others may wait for it.
    """
    name = zlib.crc32(str(path.resolve()).encode())
    return Path(tempfile.gettempdir(), f"cnnkit-{_user()}-{name:08x}.lock")


def part_of(path: Path) -> Path:
    """Return where a path is made until it is whole: a place for those whom `lock_for` excludes.

    Beside it, and not that of another user or machine.
    """
    who = zlib.crc32(f"{platform.node()} {_user()}".encode())
    return path.with_name(f".{path.name}.{who:08x}.part")


def _user() -> int:
    return getattr(os, "getuid", int)()


def _is_whole(folder: Path, contents: str) -> bool:
    """Whether a folder holds these contents, and every file as long as it was written."""
    if not folder.exists():
        return False
    cure = "Name another folder, or delete this one."
    try:
        with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
            (found, _), *files = csv.reader(file)
        sizes = {folder / name: int(size) for name, size in files}
    except (OSError, ValueError, csv.Error):
        if folder.is_dir() and all(path.name.startswith(".") for path in folder.iterdir()):
            return False
        if (folder / MANIFEST).exists():
            found = f"a {MANIFEST} that cannot be read"
        else:
            found, cure = "files that cnnkit did not write", "Name another folder."
    if found != contents:
        raise ValueError(f"{folder} holds {found}; expected {contents}. {cure}")
    return all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())


def _write_manifest(folder: Path, contents: str) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with (folder / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow((contents, "bytes"))
        rows.writerows((path.relative_to(folder).as_posix(), path.stat().st_size) for path in files)


def _move(part: Path, folder: Path) -> None:
    """Let a complete folder take its place, or mend with it the one that is there."""
    if not folder.exists():
        try:
            part.rename(folder)
            return
        except OSError:
            if not folder.exists():  # else another machine was first
                raise
    (part / MANIFEST).replace(folder / MANIFEST)  # first: from now on it can be mended
    for path in sorted(part.rglob("*")):
        target = folder / path.relative_to(part)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif not (target.is_file() and target.stat().st_size == path.stat().st_size):
            path.replace(target)


def _no_room(folder: Path, problem: str) -> str:
    return (
        f"{folder} was not made: {problem}. Mend that, or choose another place: name a "
        "folder of your own in the call, or in the environment variable CNNKIT_DATA."
    )
