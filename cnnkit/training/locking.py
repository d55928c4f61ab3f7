"""Keeping other processes out of a directory in which a run trains."""

import errno
import shutil
import warnings
from pathlib import Path

import filelock

NO_LOCKS = {errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP}


def lock(directory: Path) -> filelock.BaseFileLock:
    """Lock a directory, and remove what a process that was killed left half written in it.

    It is made where it is missing. To unlock it, `release` what is returned.

    Raises
    ------
    OSError
        The directory cannot be written.
    ValueError
        Another process trains in it.

    Warns
    -----
    UserWarning
        The disk knows no locks, as some network disks: nothing keeps others out.
    """
    directory.mkdir(parents=True, exist_ok=True)
    taken = filelock.FileLock(directory / ".lock")
    try:
        taken.acquire(timeout=0)
    except filelock.Timeout:
        raise ValueError(
            f"Another process is training in {directory}. Wait for its end, or name another "
            f"directory. If there is none, as after a machine was lost, delete {taken.lock_file}."
        ) from None
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in NO_LOCKS:
            raise
        warnings.warn(
            f"The disk of {directory} cannot lock it; let no other process train there.",
            stacklevel=4,
        )
    try:
        for left in filter(Path.is_file, directory.glob(".*.part")):
            left.unlink(missing_ok=True)
        for left in directory.glob(".model-*"):
            shutil.rmtree(left)
    except BaseException:
        taken.release()
        raise
    return taken
