"""Homework: ``python -m tools.homework build``, then ``collect`` and ``grade``.

An assignment is written once, with its solutions and checks, as a master, NN_name.py, in
``notebooks/homework/masters/`` or a private folder. Otter makes the notebooks, and grades them.
"""

import csv
import re
import shutil
import textwrap
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

from tools import grading, notebooks

import jupytext
import nbformat
import typer
from nbformat import NotebookNode
from otter.assign import main as assign
from otter.test_files import ExceptionTestFile
from typer import Argument, BadParameter, Option

HOMEWORK = notebooks.NOTEBOOKS / "homework"
MASTERS = HOMEWORK / "masters"
DIST = HOMEWORK / "dist"  # ignored by git

app = typer.Typer(help="Build, collect and grade homework.", add_completion=False)
Name = Annotated[str, Argument(help="Of the assignment, such as 01_convolution.")]
Private = Annotated[Path | None, Option(help="A folder of masters that are not published.")]


def masters(private: Path | None = None) -> dict[str, Path]:
    """Return the public masters, or those of a private folder, by the names of assignments."""
    return {path.stem: path for path in sorted((private or MASTERS).glob("*.py"))}


@app.command()
def build(
    names: Annotated[list[str] | None, Argument(help="Such as 01_convolution.")] = None,
    private: Private = None,
) -> None:
    """Make the students' notebooks, in notebooks/homework or the private folder."""
    for name in names or masters(private):
        typer.echo(f"hand out {shutil.copy(make(name, None, private), private or HOMEWORK)}")


def make(name: str, folder: Path | None = None, private: Path | None = None) -> Path:
    """Run Otter Assign on a master, in a folder of its name; return the students' notebook."""
    if name not in (known := masters(private)):
        raise BadParameter(f"There is no {name!r}; there are {', '.join(known)}.")
    made = (folder or (private / "dist" if private else DIST)) / name
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(parents=True)
    nbformat.write(read_master(known[name]), made / f"{name}.ipynb")
    shutil.copy(MASTERS / "otter.yml", made)
    try:
        assign(str(made / f"{name}.ipynb"), str(made), no_run_tests=True)
    except Exception as error:
        raise BadParameter(f"{known[name]}: {error}") from None
    next((made / "autograder").glob("*.zip")).rename(made / "autograder.zip")  # it bears a date
    student = made / "student" / f"{name}.ipynb"
    notebooks.tidy(notebook := nbformat.read(student, as_version=4))
    nbformat.write(notebook, student)
    return student


def read_master(path: Path) -> NotebookNode:
    """Read a master; add what all assignments share, and make its checks those of Otter."""
    notebook, name = jupytext.read(path), path.stem
    notebook.metadata["kernelspec"] = notebooks.KERNEL
    text = (HOMEWORK / "shared.py").read_text(encoding="utf-8").replace("NAME", name)
    shared = {c.metadata.pop("title", None): c for c in jupytext.reads(text, "py:percent").cells}
    numbers = [cell.source for cell in notebook.cells if "numbers" in notebooks.tags(cell)]
    title, *cells = notebook.cells
    title.source += f"\n\n{shared['hand in'].source}"
    install = notebooks.install_cell(notebooks.repository())
    shared["setup"].source = f"{install}\n\n{shared['setup'].source}"
    notebook.cells = [shared["config"], title, shared["setup"], shared["hints"], shared["grader"]]
    for cell in cells:
        before, mark, check = cell.source.partition("def test_")
        is_check = mark and cell.cell_type == "code"
        tests = framed(mark + check, "\n".join(numbers), shared["check"].source) if is_check else []
        notebook.cells += [nbformat.v4.new_code_cell(before + test) for test in tests] or [cell]
    notebook.cells.append(shared["total"])
    return notebook


def framed(check: str, numbers: str, frame: str) -> list[str]:
    """Turn a check into Otter's tests: test n runs its first n parts, and fails with a hint.

    Lines ``# PART`` divide a check. A test has its own copy of the assignment's numbers.
    """
    _, function, names, body = re.split(r"(?s)^def (\w+)\((.*?)\).*?:\n", check, maxsplit=1)
    frame = frame.replace('    "NUMBERS"', textwrap.indent(numbers or "...", "    "))
    frame = frame.replace('"ANSWERS"', names)
    tests, so_far = [], ""
    for number, part in enumerate(re.split(r" *# PART.*\n", textwrap.indent(body, "    ")), 1):
        so_far += part
        test = frame.replace("def test():", f"def {function}_{number}({names}):")
        tests.append(test.replace('        "BODY"', so_far))
    return tests


@app.command()
def collect(
    name: Name,
    source: Annotated[Path, Argument(help="A folder or zip file, of all that was handed in.")],
    submitted: Annotated[Path, Argument(help="A new folder; it gets one notebook per student.")],
) -> None:
    """Gather what was handed in: one notebook a student, under the student's name."""
    if submitted.exists() and any(submitted.iterdir()):
        raise BadParameter(f"{submitted} is not empty; give a new folder.")
    try:
        found, others = grading.collect(name, source, submitted)
    except Exception as error:  # decoders fail in many ways on damaged files
        raise BadParameter(f"{source} cannot be collected. {error}") from None
    for student, what in others.items():
        (submitted / f"{student}.txt").write_text(what, encoding="utf-8")
        typer.echo(f"{student}: no notebook, but {what}")
    typer.echo(f"{len(found)} notebooks in {submitted}")


@app.command()
def grade(
    name: Name,
    submitted: Annotated[Path, Argument(help="As `collect` leaves it.")],
    private: Private = None,
    students: Annotated[Path | None, Option(help="The names of all, one a line.")] = None,
    seconds: Annotated[int, Option(help="After which a notebook is stopped.")] = 300,
    jobs: Annotated[int, Option(min=1, help="Notebooks at a time.")] = 1,
) -> None:
    """Grade a folder, running the students' code with your rights: grades.csv, and feedback/."""
    if not (paths := {path.stem: path for path in submitted.glob("*.ipynb")}):
        raise BadParameter(f"There is no notebook in {submitted}.")
    rest = {path.stem: path.read_text(encoding="utf-8") for path in submitted.glob("*.txt")}
    listed = students.read_text("utf-8-sig", "replace") if students else ""
    names = map(str.strip, unicodedata.normalize("NFC", listed).splitlines())
    student = make(name, private=private)
    solution = nbformat.read(student.parents[1] / "autograder" / student.name, as_version=4)
    checks = map(ExceptionTestFile.from_string, solution.metadata["otter"]["tests"].values())
    questions, pages = {check.name: check.possible for check in checks}, submitted / "feedback"
    pages.mkdir(exist_ok=True)
    table = (submitted / "grades.csv").open("w", newline="", encoding="utf-8-sig")
    with ThreadPoolExecutor(jobs) as pool, table:
        form = (student, student.parents[1] / "autograder.zip", seconds)
        work = {who: pool.submit(grading.grade, path, *form) for who, path in paths.items()}
        rows = csv.writer(table)
        rows.writerow(["student", "status", "points", "possible", *questions])
        for who in sorted({*paths, *rest, *names} - {""}):
            missing = f"no notebook: {rest.get(who, 'nothing was handed in')}."
            points, said = work[who].result() if who in work else ({}, missing)
            status = "graded" if points else said.partition(":")[0]
            numbers = [points.get(question, 0) for question in questions]
            numbers = [sum(numbers), sum(questions.values()), *numbers]
            rows.writerow([who, status, *(f"{number:g}" for number in numbers)])
            table.flush()
            total = f"{numbers[0]:g} of {numbers[1]:g} points"
            page = f"{name}: {total}\n\n{said}\n".encode("utf-8", "backslashreplace")
            (pages / f"{who.replace('/', ' ')}.txt").write_bytes(page)
            typer.echo(f"{who:30} {status:12} {total}")
    typer.echo(f"{table.name}, and for each student a page in {pages}")


if __name__ == "__main__":
    app()
