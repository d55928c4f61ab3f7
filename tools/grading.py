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
from collections import Counter, defaultdict
from pathlib import Path

from tools import notebooks

import nbformat
import psutil

ASSIGNMENTS = {path.stem for path in (notebooks.NOTEBOOKS / "homework").glob("*.ipynb")}
MOODLE = re.compile(r"^(.+)_(\d+)_assignsubmission_.*$")
CANVAS = re.compile(r"(?i)^([^\d]+?)_(?:late_)?(\d+)_\d+(?:_.*)?$")
COPY = re.compile(r"(?i)(?:^|[ _-])(copy of|사본|kopie von|copia de)\b *")
HIDDEN = re.compile(r"\.|__|.*-checkpoint\.")
HINT = re.compile(r" result:\n +(?:❌(?:.*\n)+?.*?AssertionError: )?(?!✅)(\S.*)")


def collect(name: str, source: Path, submitted: Path) -> tuple[list[str], dict[str, str]]:
    """Copy the latest notebook of each student into a folder, under the student's name.

    In `source`, a folder or a zip file, each student has a folder or a notebook, perhaps below
    sections. Return the students, and what others handed in, by their names.
    """
    with tempfile.TemporaryDirectory() as place:
        folder = source if source.is_dir() else _unpacked(source, Path(place))
        found, taken = defaultdict[tuple[str, ...], list[Path]](list), dict[tuple[str, ...], Path]()
        files = (path for path in folder.rglob("*") if not path.is_symlink())
        for path in sorted(files, key=lambda path: (path.stat().st_mtime, len(path.name))):
            inside = os.fsencode(path.relative_to(folder)).decode("utf-8", "replace")
            parts = unicodedata.normalize("NFC", inside).split(os.sep)  # noqa: PTH206
            seen = parts[: next((n for n, p in enumerate(parts) if HIDDEN.match(p)), len(parts))]
            if path.is_file() and seen == parts:
                found[_whose(parts, name)].append(path)
            elif seen and (path.is_file() or not any(path.iterdir())):
                found[_whose([*seen, ""], name)] += []
        for who, paths in found.items():
            books = [path for path in paths if path.suffix.lower() == ".ipynb"]
            named = [path for path in books if name.casefold() in path.stem.casefold()]
            rest = [path for path in books if not any(map(path.stem.casefold().count, ASSIGNMENTS))]
            if named or rest:
                taken[who] = (named or rest)[-1]
        names, depths = Counter(who[-2] for who in found), set(map(len, taken))
        called = {w: w[-2] if names[w[-2]] == 1 else " ".join(w).strip() for w in found}
        if not taken:
            raise ValueError(f"In {source} there is no notebook for {name}.")
        submitted.mkdir(parents=True, exist_ok=True)
        for who, path in taken.items():
            shutil.copy(path, submitted / f"{called[who]}.ipynb")
        missing = [who for who in found if who not in taken and len(who) in depths]
        others = {called[w]: found[w][-1].name if found[w] else "an empty folder" for w in missing}
    return sorted(called[who] for who in taken), others


def _whose(parts: list[str], name: str) -> tuple[str, ...]:
    """Return whose file it is: sections, the student's name, the number of Moodle or Canvas."""
    *above, file = [part.lstrip("=+-@") for part in parts if part.casefold() != name.casefold()]
    stem = Path(file).stem
    for place, part in enumerate([*above, stem]):
        if known := MOODLE.match(part):
            return (*above[:place], *known.groups())
    named = re.match(f"(?i)(.*?){re.escape(name)}", stem)
    own = COPY.sub("", named[1] if named else stem).strip(" _-")
    if not own or (above and not named):
        return (*(above or [stem]), "")
    return (*above, *(known.groups() if (known := CANVAS.match(own)) else (own, "")))


def _unpacked(source: Path, folder: Path) -> Path:
    """Unpack a zip file, with the times of its files, and with names of a Korean Windows."""
    for encoding in ("utf-8", "cp949", None):
        with contextlib.suppress(UnicodeDecodeError):
            with zipfile.ZipFile(source, metadata_encoding=encoding) as archive:
                for each in archive.infolist():
                    written = time.mktime((*each.date_time, 0, 0, -1))
                    with contextlib.suppress(OSError):  # a name too long, or a file for a folder
                        os.utime(archive.extract(each, folder), (written, written))
            break
    return folder


def grade(path: Path, student: Path, zipped: Path, seconds: int) -> tuple[dict[str, float], str]:
    """Let Otter grade a notebook; return the points of each question, and what to tell its student.

    `student` was handed out, and Otter made `zipped`. Where there are no points, the first word
    says why: the notebook is "damaged", or was "stopped" after so many `seconds`.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        try:
            cells = json.loads(path.read_text(encoding="utf-8-sig"))["cells"]
            code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
            given = nbformat.read(student, as_version=4)
            code = ["import os\nCHECKS = os.getcwd()", *code, "os.chdir(CHECKS)"]  # after a chdir
            given.cells = [nbformat.v4.new_code_cell(each) for each in code]
            nbformat.write(given, Path(place, student.name))
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
            tests = [test for test in tests if "score" in test]
            points = {test["name"]: float(test["score"]) for test in tests}
            return points, "\n".join(map(hint, tests)) or "damaged: its checks are gone."
        except Exception:
            *_, last = ["", *Path(place, "said").read_text("utf-8", "replace").strip().splitlines()]
            return {}, f"damaged: does a cell end the program, as exit() does? {last}"


def hint(test: dict) -> str:
    """Return a line about a question: its points, and what its checks said."""
    said = dict.fromkeys(HINT.findall(test["output"]))
    return " ".join([f"{test['name']}: {test['score']:g} of {test['max_score']:g}.", *said])
