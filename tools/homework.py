"""Homework: ``python -m tools.homework build``, then ``collect`` and ``grade``.

An assignment is written once, with its solutions and checks, as a master in
``notebooks/homework/masters/NN_name.py``. Otter makes the students' notebook and the autograder
from it, and grades what students hand in. It needs no network and no Docker.
"""

import csv
import shutil
import textwrap
from pathlib import Path
from typing import Annotated

from tools import grading, notebooks

import jupytext
import nbformat
import typer
from nbformat import NotebookNode
from otter.assign import main as assign
from otter.test_files import ExceptionTestFile

HOMEWORK = notebooks.NOTEBOOKS / "homework"
MASTERS = HOMEWORK / "masters"
DIST = HOMEWORK / "dist"  # ignored by git

INSTALL_OTTER = """\
if importlib.util.find_spec("otter") is None:
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "otter-grader>=7"], check=True)

if "google.colab" in sys.modules:  # which opens a notebook without its file, where the checks are
    import json
    from pathlib import Path

    if not Path("{name}.ipynb").exists():
        raise FileNotFoundError("Upload {name}.ipynb next to this notebook, for its checks.")
    page = json.loads(Path("{name}.ipynb").read_text(encoding="utf-8"))
    Path("tests").mkdir(exist_ok=True)
    for question, check in page["metadata"]["otter"]["tests"].items():
        Path("tests", f"{{question}}.py").write_text(check, encoding="utf-8")"""

# A check in a master returns what to tell the student, or nothing. What it gets is None where a
# cell has not run.
CHECK = """\
{signature}
{numbers}

    def look():
{body}

    problem = None
    if any(answer is None for answer in [{answers}]):
        problem = "There is no answer yet: run its cell, and mend what it complains about."
    try:
        problem = problem or look()
    except Exception as error:
        reason = f"{{type(error).__name__}}: {{error}}".splitlines()[0]
        problem = f"Your code stops, or gives another kind of thing than asked for. {{reason}}"
    assert not problem, problem"""

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
    """Read a master; fill in its badge and install cell, and make its checks those of Otter."""
    notebook = jupytext.read(MASTERS / f"{name}.py")
    notebooks.renew_generated_cells(notebook, f"homework/{name}", notebooks.repository())
    (numbers,) = [cell.source for cell in notebook.cells if "numbers" in notebooks.tags(cell)]
    (place,) = [n for n, cell in enumerate(notebook.cells) if "install" in notebooks.tags(cell)]
    folded = notebook.cells[place].metadata
    otter = nbformat.v4.new_code_cell(INSTALL_OTTER.format(name=name), metadata=folded)
    notebook.cells.insert(place + 1, otter)
    for cell in notebook.cells:
        if cell.source.startswith("def test_"):
            cell.source = framed(cell.source, numbers)
    return notebook


def framed(check: str, numbers: str) -> str:
    """Make a test for Otter of a check: with its own copy of the numbers, it fails with a hint."""
    signature, body = check.split("\n", 1)
    return CHECK.format(
        signature=signature,
        numbers=textwrap.indent(numbers, "    "),
        body=textwrap.indent(body, "    "),
        answers=signature.partition("(")[2].removesuffix("):"),
    )


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
    submitted: Annotated[Path, typer.Argument(help="A new folder, for a notebook a student.")],
) -> None:
    """Gather what was handed in: one notebook a student, under the student's name."""
    if submitted.exists() and any(submitted.iterdir()):
        raise typer.BadParameter(f"{submitted} is not empty; give a new folder.")
    try:
        found, missing = grading.collect(name, source, submitted)
    except OSError as error:
        raise typer.BadParameter(f"{error.filename}: {error.strerror}") from None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    for student, path in missing.items():
        typer.echo(f"{student}: no notebook with {name} in its name, but {path}")
    typer.echo(f"{found} notebooks in {submitted}")


@app.command()
def grade(
    name: Name,
    submitted: Annotated[Path, typer.Argument(help="As `collect` leaves it.")],
    seconds: Annotated[int, typer.Option(help="After which a notebook is stopped.")] = 300,
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
    with (submitted / "grades.csv").open("w", newline="", encoding="utf-8-sig") as file:
        table = csv.DictWriter(file, ["student", "points", "possible", *questions], restval=0)
        table.writeheader()
        for path in paths:
            scores, text = grading.grade(path, student, DIST / name / "autograder.zip", seconds)
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


if __name__ == "__main__":
    app()
