"""Where cnnkit's checkout is, and writing files so that there always is a whole one."""

import csv
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

_PARENT = Path(__file__).resolve().parents[1]
CHECKOUT: Path | None = _PARENT if (_PARENT / "pyproject.toml").is_file() else None


def replace(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file beside it, ``.{name}.{process}.part``, then put that in its place."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())  # before it takes its place, should the power fail
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_table(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write rows to a CSV file, as `replace` does.

    With letters beyond ASCII, it begins with the mark by which spreadsheets know UTF-8.
    """
    table = io.StringIO(newline="")
    csv.writer(table, lineterminator="\n").writerows(rows)
    text = table.getvalue()
    replace(path, lambda file: file.write(text.encode("ascii" if text.isascii() else "utf-8-sig")))
