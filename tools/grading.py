"""Collect what students handed in, and let Otter grade it: what `tools.homework` works with.

Nothing that a student hands in may stop the grading of the others.
"""

import contextlib
import json
import lzma
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
import zipfile
import zlib
from pathlib import Path

from tools import notebooks

import nbformat
import psutil

ANSWER = "otter_answer_cell"
# What zipfile and its decoders raise, as in cnnkit, which would take seconds to import.
DAMAGED_ZIP = (
    ValueError, OverflowError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error,
    lzma.LZMAError,
)  # fmt: skip


def collect(name: str, source: Path, submitted: Path) -> tuple[int, dict[str, str]]:
    """Copy the latest notebook of each student into a folder, under the student's name.

    Parameters
    ----------
    name : str
        Of the assignment; it is part of a notebook's name.
    source : Path
        A folder with a folder or a notebook for each student, or a zip file of one.
    submitted : Path
        The folder for the notebooks.

    Returns
    -------
    found : int
        The number of notebooks.
    missing : dict of str to str
        Who handed in something, but no notebook of this name, and an example of what; or nothing.

    Raises
    ------
    FileNotFoundError
        No such source.
    ValueError
        A file that is no zip file or needs a password, or not a single notebook.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = source if source.is_dir() else _unpacked(source, Path(place))
        while (inner := _only_folder(folder)) and _holds_many(inner, name):
            folder = inner  # such as the folder that was compressed
        latest: dict[str, Path] = {}
        others: dict[str, str] = {}
        for path in sorted(_files(folder), key=lambda path: path.stat().st_mtime):
            student, *rest = path.relative_to(folder).parts
            if path.suffix == ".ipynb" and name.casefold() in path.stem.casefold():
                if not rest:
                    student = _before(path, name) or path.stem
                latest[unicodedata.normalize("NFC", student)] = path
            else:
                others[unicodedata.normalize("NFC", student)] = path.name
        for entry in filter(Path.is_dir, _visible(folder)):
            if not any(_files(entry)):
                others[unicodedata.normalize("NFC", entry.name)] = "an empty folder"
        if not latest:
            raise ValueError(f"In {source} no notebook has {name} in its name.")
        submitted.mkdir(parents=True, exist_ok=True)
        for student, path in latest.items():
            shutil.copy(path, submitted / f"{student}.ipynb")
    return len(latest), {who: file for who, file in others.items() if who not in latest}


def _before(path: Path, name: str) -> str:
    """Return what precedes the assignment's name, such as kim in kim_01_convolution-1.ipynb."""
    return path.stem[: path.stem.casefold().index(name.casefold())].strip(" _-")


def _only_folder(folder: Path) -> Path | None:
    inside = _visible(folder)
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else None


def _holds_many(folder: Path, name: str) -> bool:
    """Whether a folder has folders, or notebooks, of several students, and is not one student's."""
    inside = _visible(folder)
    named = [path for path in inside if name.casefold() in path.stem.casefold()]
    several = len({_before(path, name) for path in named if path.is_file()} - {""}) > 1
    return several or any(path.is_dir() for path in inside)


def _visible(folder: Path) -> list[Path]:
    """Return what is in a folder, without what systems leave there, and without links."""
    return [
        path
        for path in folder.iterdir()
        if not path.name.startswith((".", "__MACOSX")) and not path.is_symlink()
    ]


def _files(folder: Path) -> list[Path]:
    found = []
    for path in _visible(folder):
        found += _files(path) if path.is_dir() else [path]
    return found


def _unpacked(source: Path, folder: Path) -> Path:
    """Unpack a zip file, with the times of its files; nothing lands outside of the folder."""
    try:
        with _opened(source) as archive:
            for each in archive.infolist():
                path = archive.extract(each, folder)
                written = time.mktime((*each.date_time, 0, 0, -1))
                os.utime(path, (written, written))
    except DAMAGED_ZIP as error:  # or it wants a password, or a date is none
        raise ValueError(f"{source} cannot be unpacked: {error}") from None
    return folder


def _opened(source: Path) -> zipfile.ZipFile:
    """Open a zip file, whose names may be those of a Korean Windows."""
    for encoding in ("utf-8", "cp949"):
        try:
            return zipfile.ZipFile(source, metadata_encoding=encoding)
        except UnicodeDecodeError:
            continue
    return zipfile.ZipFile(source)


def grade(
    path: Path, student: Path, autograder: Path, seconds: int
) -> tuple[dict[str, float], str]:
    """Let Otter grade a notebook.

    Parameters
    ----------
    path, student : Path
        The notebook that was handed in, and the one that was handed out.
    autograder : Path
        The zip file that Otter made.
    seconds : int
        After which it is stopped.

    Returns
    -------
    points : dict of str to float
        Of each question; empty where it could not be graded.
    feedback : str
        A line for each question, or the reason.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try:
            restore(path, student, Path(place, student.name))
        except Exception as error:
            return {}, f"This is not a notebook: {type(error).__name__}: {error}"
        command = [sys.executable, "-m", "otter", "run", "--no-logo", "-a", str(autograder)]
        run = subprocess.Popen(
            [*command, "-o", place, student.name],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
        try:
            said, _ = run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill(run.pid)
            run.communicate()
            return {}, f"It was stopped after {seconds} seconds."
        try:
            tests = json.loads(Path(place, "results.json").read_text(encoding="utf-8"))["tests"]
        except (OSError, ValueError, KeyError):
            *_, last = ["", *said.strip().splitlines()]
            return (
                {},
                f"It could not be graded. Does a cell end the program, as exit() does? {last}",
            )
    graded = [test for test in tests if "score" in test]
    return {test["name"]: test["score"] for test in graded}, "\n".join(map(hint, graded))


def _kill(pid: int) -> None:
    """End a process and those that it started, the notebook's kernel among them."""
    process = psutil.Process(pid)
    for each in [*process.children(recursive=True), process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()


def restore(path: Path, student: Path, copy: Path) -> None:
    """Copy a notebook that was handed in, with what was handed out as it was.

    Answers and cells of the student's own stay. Other cells that were changed or deleted are put
    back, where the cells still have the names that the handed-out ones had.
    """
    submission, original = (nbformat.read(each, as_version=4) for each in (path, student))
    nbformat.validate(submission)
    cells = submission.cells
    places = {cell.id: number for number, cell in enumerate(cells) if "id" in cell}
    place = 0
    for cell in original.cells if places else []:
        if cell.id not in places:
            cells.insert(place, cell)
            places = {each.get("id"): number for number, each in enumerate(cells)}
        elif ANSWER not in notebooks.tags(cell):
            cells[places[cell.id]].source = cell.source
        place = places[cell.id] + 1
    submission.metadata["kernelspec"] = notebooks.KERNEL
    nbformat.write(submission, copy)


def hint(test: dict) -> str:
    """Return a line about a question: its points, and what its check said last."""
    points = f"{test['name']}: {test['score']:g} of {test['max_score']:g}."
    said = test["output"].strip().splitlines()
    if test["score"] == test["max_score"] or not said:
        return points
    return f"{points} {said[-1].strip().removeprefix('AssertionError: ')}"
