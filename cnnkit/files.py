"""Writing files so that there always is a whole one."""

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import filelock
import numpy as np


def replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Put a new file in the place of an old one, so that there always is a whole one.

    Parameters
    ----------
    path : Path
        Of the file.
    write : callable
        Writes to the open file that it is given. A process that is killed meanwhile leaves a file
        whose name begins with a dot and ends with ``.part``.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())  # before it takes its place, should the power fail
        part.replace(path)
    except OSError as error:
        if error.filename == str(part):
            error.filename = str(path)  # which the reader knows
        raise
    finally:
        part.unlink(missing_ok=True)


def visible(folder: Path) -> list[str]:
    """Return the names of what a folder holds, in order, but for those that begin with a dot.

    Nothing where there is no such folder.
    """
    if not folder.exists():
        return []
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))


def write_table(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write rows to a CSV file, as `replace` does.

    With letters beyond ASCII, it begins with the mark by which spreadsheets know UTF-8.
    """
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(rows)
    text = table.getvalue()
    replace(path, lambda file: file.write(text.encode("ascii" if text.isascii() else "utf-8-sig")))


@contextmanager
def locked(directory: Path | None) -> Iterator[None]:
    """Make a directory, if one is given, and keep other processes from training in it."""
    if directory is None:
        yield
        return
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(directory / ".lock", timeout=0):
            yield
    except filelock.Timeout:
        raise ValueError(f"Another process is training in {directory}.") from None


def columns(rows: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the columns of a table by name; NaN where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name, np.nan) for row in rows] for name in names}


def write_array(path: Path, count: int, batches: Iterable[np.ndarray]) -> None:
    """Write `count` rows of float32 to an .npy file, as `replace` does, batch by batch."""

    def write(file: IO[bytes]) -> None:
        for number, rows in enumerate(batches):
            if number == 0:
                shape = (count, *rows.shape[1:])
                header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
            file.write(np.ascontiguousarray(rows, "<f4").data)

    replace(path, write)


def write_state(path: Path, about: dict[str, Any], values: Iterable[Any]) -> None:
    """Write arrays, and what JSON can carry about them, to one file, as `replace` does."""
    arrays: dict[str, Any] = {str(number): np.asarray(value) for number, value in enumerate(values)}
    replace(path, lambda file: np.savez(file, about=json.dumps(about), **arrays))


def read_state(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read what `write_state` wrote."""
    with np.load(path) as file:
        values = [file[str(number)] for number in range(len(file.files) - 1)]
        return json.loads(str(file["about"])), values
