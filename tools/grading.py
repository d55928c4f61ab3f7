"""Collect what students handed in, and let Otter grade it: no notebook may stop the others."""

import contextlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
import unicodedata
import zipfile
from collections import defaultdict
from pathlib import Path

from tools import notebooks

import nbformat
import psutil

MOODLE = re.compile(r"_\d+_assignsubmission_\w+$")
CANVAS = re.compile(r"(?i)_(late_)?\d+_\d+(_.*)?$")
HINT = re.compile(r" result:\n\s+(?:❌(?:.*\n)+?\s*AssertionError: )?(?![✅\s])(.*)")
COPY = re.compile(r"(?i)(copy of|사본|kopie von|copia de)\b")


def collect(name: str, source: Path, submitted: Path) -> tuple[list[str], dict[str, str]]:
    """Copy the latest notebook of each student into a folder, under the student's name.

    In `source`, a folder or a zip file, each student has a folder or a notebook, perhaps below
    folders of sections. It has the assignment's `name` in its own, or is the student's only one.
    Return the students, and what others handed in, by their names.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = source if source.is_dir() else _unpacked(source, Path(place))
        found, taken, others = defaultdict[tuple[str, ...], list[Path]](list), {}, {}
        for path in sorted(folder.rglob("*"), key=lambda path: path.lstat().st_mtime):
            parts = path.relative_to(folder).parts
            hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
            if path.is_file() and not hidden and not path.is_symlink():
                found[_who(parts, name)].append(path)
            elif path.is_dir() and not any(path.iterdir()):
                found[_who((*parts, ""), name)] += []
        for who, paths in found.items():
            student = who[-1] if [each[-1] for each in found].count(who[-1]) == 1 else " ".join(who)
            books = [path for path in paths if path.suffix == ".ipynb"]
            named = [path for path in books if name.casefold() in path.stem.casefold()]
            if named or len(books) == 1:
                taken[student] = (named or books)[-1]
            else:
                others[student] = paths[-1].name if paths else "an empty folder"
        if not taken:
            raise ValueError(f"In {source} there is no notebook for {name}.")
        submitted.mkdir(parents=True, exist_ok=True)
        for student, path in taken.items():
            shutil.copy(path, submitted / f"{student}.ipynb")
    return sorted(taken), others


def _who(parts: tuple[str, ...], name: str) -> tuple[str, ...]:
    """Return a student, by the folder or the file that has the name, with the folders above."""
    *above, file = (unicodedata.normalize("NFC", part) for part in parts)
    for number, part in enumerate(above):
        if MOODLE.search(part):
            return (*above[:number], MOODLE.sub("", part))
    named = re.match(f"(?i)(.*?){name}", file)
    own = CANVAS.sub("", named[1] if named else Path(file).stem).strip(" _-")
    if own and (named or not above) and not COPY.match(own):
        return (*above, own)
    return tuple(above) or (Path(file).stem,)


def _unpacked(source: Path, folder: Path) -> Path:
    """Unpack a zip file, with the times of its files, and with names of a Korean Windows."""
    for encoding in ("utf-8", "cp949", None):
        with contextlib.suppress(UnicodeDecodeError):
            with zipfile.ZipFile(source, metadata_encoding=encoding) as archive:
                for each in archive.infolist():
                    written = time.mktime((*each.date_time, 0, 0, -1))
                    os.utime(archive.extract(each, folder), (written, written))
            break
    return folder


def grade(path: Path, student: Path, zipped: Path, seconds: int) -> tuple[dict[str, float], str]:
    """Let Otter grade a notebook; return the points of each question, and what to tell its student.

    `student` is the notebook that was handed out, and `zipped` the autograder that Otter made.
    Where a notebook is damaged, or stopped after so many `seconds`, there are no points, and what
    to tell begins with that word.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try:
            submission = nbformat.read(path, as_version=4)
            nbformat.validate(submission)
            given = nbformat.read(student, as_version=4).metadata["otter"]  # editors clear it
            submission.metadata.update(kernelspec=notebooks.KERNEL, otter=given)
            nbformat.write(submission, Path(place, student.name))
        except Exception as error:  # whatever a student hands in
            return {}, f"damaged: this is no notebook. {type(error).__name__}: {error}"
        command = [sys.executable, "-m", "otter", "run", "--no-logo", "-a", zipped, "-o", place]
        with Path(place, "said").open("wb") as said:
            run = psutil.Popen([*command, student.name], cwd=place, stdout=said, stderr=said)
            try:
                run.wait(seconds)
            except psutil.TimeoutExpired:
                for each in [*run.children(recursive=True), run]:  # the notebook's kernel, too
                    with contextlib.suppress(psutil.NoSuchProcess):
                        each.kill()
                run.wait()
                return {}, f"stopped: it did not end within {seconds} seconds."
        try:
            tests = json.loads(Path(place, "results.json").read_text(encoding="utf-8"))["tests"]
        except (OSError, ValueError, KeyError):
            *_, last = ["", *Path(place, "said").read_text("utf-8", "replace").strip().splitlines()]
            return {}, f"damaged: does a cell end the program, as exit() does? {last}"
    tests = [test for test in tests if "score" in test]
    return {test["name"]: test["score"] for test in tests}, "\n".join(map(hint, tests))


def hint(test: dict) -> str:
    """Return a line about a question: its points, and what its checks said."""
    said = dict.fromkeys(HINT.findall(test["output"]))
    return " ".join([f"{test['name']}: {test['score']:g} of {test['max_score']:g}.", *said])
