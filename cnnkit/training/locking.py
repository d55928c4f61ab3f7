"""Keeping other processes out of a directory in which a run trains."""

from pathlib import Path

import filelock


def lock(directory: Path) -> filelock.BaseFileLock:
    """Lock a directory, which is made where it is missing; `release` what is returned.

    Raises
    ------
    OSError
        The directory cannot be written.
    ValueError
        Another process trains in it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    taken = filelock.FileLock(directory / ".lock")
    try:
        taken.acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(
            f"Another process is training in {directory}. Wait for its end, or name another "
            "directory."
        ) from None
    return taken
