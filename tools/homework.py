"""Homework: ``python -m tools.homework build``, then ``collect`` and ``grade``.

An assignment is written once, with its solutions and checks, as a master in
``notebooks/homework/masters/NN_name.py``. Otter makes the students' notebook and the autograder
from it, and grades what students hand in. It needs no network and no Docker.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Annotated

from tools import notebooks

import jupytext
import nbformat
import psutil
import typer
from nbformat import NotebookNode
from otter.assign import main as assign
from otter.test_files import ExceptionTestFile

HOMEWORK = notebooks.NOTEBOOKS / "homework"
MASTERS = HOMEWORK / "masters"
DIST = HOMEWORK / "dist"  # ignored by git
SECONDS = 300
ANSWER = "otter_answer_cell"

INSTALL_OTTER = """

if importlib.util.find_spec("otter") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "otter-grader>=7"], check=True)

if "google.colab" in sys.modules:  # which opens a notebook without its file, where the checks are
    import json

    if not Path("{name}.ipynb").exists():
        raise FileNotFoundError("Upload {name}.ipynb next to this notebook, for its checks.")
    page = json.loads(Path("{name}.ipynb").read_text(encoding="utf-8"))
    Path("tests").mkdir(exist_ok=True)
    for question, check in page["metadata"]["otter"]["tests"].items():
        Path("tests", f"{{question}}.py").write_text(check, encoding="utf-8")"""

app = typer.Typer(help="Build, collect and grade homework.", add_completion=False)
Name = Annotated[str, typer.Argument(help="Of the assignment, such as 01_convolution.")]


def assignments() -> list[str]:
    """Return the names of all assignments."""
    return sorted(path.stem for path in MASTERS.glob("*.py"))


@app.command()
def build(
    names: Annotated[list[str] | None, typer.Argument(help="Such as 01_convolution.")] = None,
) -> None:
    """Make the students' notebooks in notebooks/homework, and the autograders."""
    for name in names or assignments():
        student = make(name, DIST)
        shutil.copy(student, HOMEWORK)
        typer.echo(f"hand out {(HOMEWORK / student.name).relative_to(notebooks.ROOT)}")


def make(name: str, folder: Path) -> Path:
    """Run Otter Assign on a master, and return the path of the students' notebook.

    Parameters
    ----------
    name : str
        Of the assignment.
    folder : Path
        Gets a folder of this name with ``student/``, ``autograder/``, where the notebook has the
        solutions, and ``autograder.zip``.
    """
    if name not in assignments():
        raise typer.BadParameter(f"There is no {name!r}; there are {', '.join(assignments())}.")
    made = folder / name
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    nbformat.write(read_master(name), made / f"{name}.ipynb")
    shutil.copy(MASTERS / "otter.yml", made)
    assign(str(made / f"{name}.ipynb"), str(made), no_run_tests=True)
    (zipped,) = (made / "autograder").glob("*.zip")  # with the time of day in its name
    zipped.rename(made / "autograder.zip")
    for part in ("student", "autograder"):
        tidy(made / part / f"{name}.ipynb")
    return made / "student" / f"{name}.ipynb"


def read_master(name: str) -> NotebookNode:
    """Read a master, and fill in its badge and its install cell."""
    notebook = jupytext.read(MASTERS / f"{name}.py")
    notebooks.renew_generated_cells(notebook, f"homework/{name}", notebooks.repository())
    for cell in notebook.cells:
        if "install" in notebooks.tags(cell):
            cell.source += INSTALL_OTTER.format(name=name)
    return notebook


def tidy(path: Path) -> None:
    """Make a notebook's file depend on its content alone, and keep Otter's checks in it."""
    notebook = nbformat.read(path, as_version=4)
    otter = notebook.metadata["otter"]
    notebooks.tidy(notebook)
    notebook.metadata["otter"] = otter
    nbformat.write(notebook, path)


@app.command()
def collect(
    name: Name,
    source: Annotated[
        Path,
        typer.Argument(help="A folder or zip file: a notebook, or a folder, for each student."),
    ],
    submitted: Annotated[Path, typer.Argument(help="The folder for one notebook a student.")],
) -> None:
    """Gather what was handed in: one notebook a student, under the student's name."""
    if not source.exists():
        raise typer.BadParameter(f"There is no {source}.")
    with tempfile.TemporaryDirectory() as place:
        folder = unpacked(source, Path(place)) if source.is_file() else source
        latest: dict[str, Path] = {}
        for path in sorted(folder.rglob("*.ipynb"), key=lambda path: path.stat().st_mtime):
            if name in path.stem and ".ipynb_checkpoints" not in path.parts:
                student, *inside = path.relative_to(folder).parts
                if not inside:  # such as kim_01_convolution.ipynb
                    student = path.stem.replace(name, "").strip(" _-") or path.stem
                if student in latest:
                    typer.echo(f"{student} handed in several: {path.name} is the latest")
                latest[student] = path
        submitted.mkdir(parents=True, exist_ok=True)
        for student, path in latest.items():
            shutil.copy(path, submitted / f"{student}.ipynb")
    if not latest:
        raise typer.BadParameter(f"In {source} no notebook has {name} in its name.")
    typer.echo(f"{len(latest)} notebooks in {submitted}")


def unpacked(source: Path, folder: Path) -> Path:
    """Unpack a zip file, with the times of its files."""
    try:
        with zipfile.ZipFile(source) as archive:
            for each in archive.infolist():
                path = archive.extract(each, folder)  # never outside of the folder
                written = time.mktime((*each.date_time, 0, 0, -1))
                os.utime(path, (written, written))
    except zipfile.BadZipFile:
        raise typer.BadParameter(f"{source} is neither a folder nor a zip file.") from None
    return folder


@app.command()
def grade(
    name: Name,
    submitted: Annotated[Path, typer.Argument(help="As `collect` leaves it.")],
    seconds: Annotated[int, typer.Option(help="After which a notebook is stopped.")] = SECONDS,
) -> None:
    """Grade a folder: grades.csv, and what each student should read in feedback/.

    It runs the students' code, with your rights: in a container, or as a user without any.
    """
    if not (paths := sorted(submitted.glob("*.ipynb"))):
        raise typer.BadParameter(f"There is no notebook in {submitted}.")
    student = make(name, DIST)
    questions = possible(student)
    feedback = submitted / "feedback"
    feedback.mkdir(exist_ok=True)
    with (submitted / "grades.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["student", "points", "possible", *questions], restval=0)
        table.writeheader()
        for path in paths:
            scores, text = grade_one(path, student, DIST / name / "autograder.zip", seconds)
            points, most = sum(scores.values()), sum(questions.values())
            row = {key: f"{score:g}" for key, score in scores.items()}
            row |= {"student": path.stem, "points": f"{points:g}", "possible": f"{most:g}"}
            table.writerow(row)
            file.flush()
            page = f"{name}: {points:g} of {most:g} points\n\n{text}\n"
            (feedback / f"{path.stem}.txt").write_text(page, encoding="utf-8")
            typer.echo(f"{path.stem:30} {points:g} of {most:g}")
    typer.echo(f"{submitted / 'grades.csv'}, and for each student a page in {feedback}")


def possible(student: Path) -> dict[str, float]:
    """Return the points of each question."""
    tests = nbformat.read(student, as_version=4).metadata["otter"]["tests"]
    return {
        question: ExceptionTestFile.from_string(source, question).possible
        for question, source in tests.items()
    }


def grade_one(
    path: Path, student: Path, autograder: Path, seconds: int
) -> tuple[dict[str, float], str]:
    """Let Otter grade a notebook; return the points of each question, and a page of feedback."""
    with tempfile.TemporaryDirectory() as place:
        try:
            restore(path, student, Path(place, student.name))
        except (ValueError, AttributeError, KeyError) as error:
            return {}, f"This is not a notebook: {error}"
        command = [sys.executable, "-m", "otter", "run", "--no-logo", "-a", str(autograder)]
        run = subprocess.Popen(
            [*command, "-o", place, student.name],
            cwd=place,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said, _ = run.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            for process in [*psutil.Process(run.pid).children(recursive=True), run]:
                process.kill()
            run.communicate()
            return {}, f"It was stopped after {seconds} seconds."
        results = Path(place, "results.json")
        if not results.exists():
            return {}, f"It could not be graded:\n\n{said}"
        tests = json.loads(results.read_text(encoding="utf-8"))["tests"]
    graded = [test for test in tests if "score" in test]
    return {test["name"]: test["score"] for test in graded}, "\n".join(map(hint, graded))


def restore(path: Path, student: Path, copy: Path) -> None:
    """Copy a submission, with all cells but the answers as they were handed out."""
    submission, original = (nbformat.read(each, as_version=4) for each in (path, student))
    given = {cell.id: cell.source for cell in original.cells if ANSWER not in notebooks.tags(cell)}
    for cell in submission.cells:
        cell.source = given.get(cell.get("id"), cell.source)
    submission.metadata["kernelspec"] = notebooks.KERNEL
    nbformat.write(submission, copy)


def hint(test: dict) -> str:
    """Return a line about a question: its points, and what its check said last."""
    points = f"{test['name']}: {test['score']:g} of {test['max_score']:g}."
    if test["score"] == test["max_score"]:
        return points
    *_, last = test["output"].strip().splitlines()
    return f"{points} {last.strip().removeprefix('AssertionError: ')}"


if __name__ == "__main__":
    app()
