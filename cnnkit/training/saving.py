"""Saving a model so that neither a full disk nor a kill spoils the one that is there."""

import errno
import os
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO

from cnnkit import files
from cnnkit.training import state

import keras

MARGIN = 2**20  # bytes that a saved model has beside its weights


def save(model: keras.Model, path: Path) -> None:
    """Write a compiled model to a ``.keras`` file.

    Without a copy of it in memory, as ``model.save`` would make.

    Raises
    ------
    OSError
        The folder cannot be written, or has no room. What was there before is there still.
    """

    def pack(file: IO[bytes]) -> None:
        with tempfile.TemporaryDirectory(prefix=".model-", dir=path.parent) as folder:
            model.save(Path(folder) / "model", zipped=False)
            with zipfile.ZipFile(file, "w") as archive:
                for part in sorted((Path(folder) / "model").rglob("*")):
                    archive.write(part, part.relative_to(Path(folder) / "model"))

    path.parent.mkdir(parents=True, exist_ok=True)
    _make_sure_of_room(path.parent, 2 * state.size(model) + MARGIN)
    files.replace(path, pack)


def _make_sure_of_room(folder: Path, size: int) -> None:
    """Raise OSError unless so many bytes can be written: HDF5, in a full disk, ends the process."""
    with tempfile.TemporaryFile(dir=folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        elif shutil.disk_usage(folder).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
