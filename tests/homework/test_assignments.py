"""Every assignment: its solution has all points, an untouched notebook none, a mistake its hint.

The notebooks run in this process, and Otter's checks look at what they leave; how Otter itself
runs and grades a folder is tested once, in test_grading.py.
"""

import re
from pathlib import Path
from time import perf_counter

from tools import homework, notebooks

import nbformat
import pytest
from nbformat import NotebookNode
from otter.test_files import ExceptionTestFile

from .wrong_answers import WRONG

SECONDS = 60  # a limit for one assignment on two cores
CONSTRUCTION = re.compile(r"^(def|class) ", re.MULTILINE)


@pytest.fixture(scope="module", params=homework.masters())
def made(request, tmp_path_factory) -> Path:
    """The folder of an assignment, freshly made from its master."""
    folder = tmp_path_factory.mktemp("homework")
    homework.make(request.param, folder)
    return folder / request.param


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that executes a notebook and returns points and hint of each question."""
    monkeypatch.chdir(tmp_path)
    return execute


def execute(path: Path, changes=()) -> dict[str, tuple[float, str]]:
    notebook = nbformat.read(path, as_version=4)
    variables: dict[str, object] = {"__name__": "__main__"}
    for cell in changed(notebook, changes):
        if is_answer_or_given(cell):
            source = cell.source.replace(f'otter.Notebook("{path.name}")', "None")
            exec(compile(source, path.name, "exec"), variables)
    results = {}
    for question, source in notebook.metadata["otter"]["tests"].items():
        check = ExceptionTestFile.from_string(source, question)
        check.run(variables)
        said = [result.message for result in check.test_case_results if not result.passed]
        results[question] = check.score, "\n".join(said)
    return results


def is_answer_or_given(cell: NotebookNode) -> bool:
    runs = cell.cell_type == "code" and "install" not in notebooks.tags(cell)
    return runs and not re.search(r"\bgrader\.", cell.source)


def changed(notebook: NotebookNode, changes) -> list[NotebookNode]:
    for old, new in changes:
        (cell,) = [cell for cell in notebook.cells if old in cell.source]
        cell.source = cell.source.replace(old, new)
    return notebook.cells


def points(made: Path) -> dict[str, float]:
    tests = nbformat.read(made / "student" / f"{made.name}.ipynb", as_version=4).metadata["otter"]
    checks = map(ExceptionTestFile.from_string, tests["tests"].values())
    return {check.name: check.possible for check in checks}


@pytest.mark.homework
def test_the_solution_has_all_points_in_time(made, run):
    begun = perf_counter()
    results = run(made / "autograder" / f"{made.name}.ipynb")
    assert {question: score for question, (score, _) in results.items()} == points(made), results
    assert perf_counter() - begun < SECONDS


@pytest.mark.homework
def test_an_untouched_notebook_runs_and_has_no_point(made, run):
    results = run(made / "student" / f"{made.name}.ipynb")
    for question in points(made):
        score, said = results[question]
        assert score == 0
        assert re.search(r"AssertionError: .{20,}", said), f"{question} has no hint: {said}"


def handed_in_together(wrong: dict) -> list[dict]:
    """Deal wrong answers to as few notebooks as have no question twice."""
    pages: list[dict] = []
    for (question, hint, *kept), changes in wrong.items():
        page = next((page for page in pages if question not in page), None)
        if page is None:
            pages.append(page := {})
        page[question] = hint, sum(kept), changes
    return pages


@pytest.mark.homework
@pytest.mark.parametrize(
    ("made", "wrong"),
    [
        pytest.param(name, page, id=f"{name}-{'-'.join(page)}")
        for name, wrong in WRONG.items()
        for page in handed_in_together(wrong)
    ],
    indirect=["made"],
)
def test_wrong_answers_lose_exactly_their_points_and_get_their_hints(made, wrong, run):
    changes = [change for _, _, changes in wrong.values() for change in changes.items()]
    results = run(made / "autograder" / f"{made.name}.ipynb", changes)
    left = points(made) | {question: kept for question, (_, kept, _) in wrong.items()}
    assert {question: score for question, (score, _) in results.items()} == left, results
    for question, (hint, _, _) in wrong.items():
        assert hint in results[question][1]


def test_there_are_two_wrong_answers_for_each_assignment():
    assert set(WRONG) == set(homework.masters())
    assert all(len({question for question, *_ in wrong}) >= 2 for wrong in WRONG.values())


def test_every_chapter_up_to_the_tenth_has_an_assignment():
    chapters = sorted(path.stem for path in notebooks.SCRIPTS.glob("*.py"))
    assert list(homework.masters()) == chapters[:10]


def test_the_students_notebook_is_the_masters(made):
    committed = (homework.HOMEWORK / f"{made.name}.ipynb").read_text(encoding="utf-8")
    student = (made / "student" / f"{made.name}.ipynb").read_text(encoding="utf-8")
    cure = f"python -m tools.homework build {made.name}"
    assert committed == student, f"The master has changed since: {cure}"


def test_an_assignment_keeps_to_the_rules(made):
    student = nbformat.read(made / "student" / f"{made.name}.ipynb", as_version=4)
    text = "\n".join(cell.source for cell in student.cells)
    assert "SOLUTION" not in text and "PROMPT" not in text and "BEGIN" not in text
    assert 4 <= len(points(made)) <= 6
    answers = [cell for cell in student.cells if "otter_answer_cell" in notebooks.tags(cell)]
    assert len(answers) == len(points(made))
    assert any(CONSTRUCTION.search(cell.source) for cell in answers)
    assert all("..." in cell.source for cell in answers), "nothing to fill in"
    assert not any(cell.get("outputs") for cell in student.cells)
    code = [cell.source for cell in student.cells if cell.cell_type == "code"]
    assert max(len(source.splitlines()) for source in code) <= 25
    graded = nbformat.read(made / "autograder" / f"{made.name}.ipynb", as_version=4)
    assert graded.metadata["otter"]["tests"] == student.metadata["otter"]["tests"], "hidden ones"
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("http") or (homework.HOMEWORK / target).exists(), target
