"""What every chapter keeps to, and that the test run really notices when one does not."""

import ast
import copy
import functools
import itertools
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable
from types import SimpleNamespace

from cnnkit import plots
from tools import notebooks

import jupytext
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode

CHAPTERS = sorted(path.stem for path in notebooks.SCRIPTS.glob("*.py"))

LESSONS = CHAPTERS[:4]  # chapters that end as follows
ENDINGS = [
    "What you have learned",
    "Quiz",
    "Exercises",
    "Further reading",
    "Where this differs from its sources",
]

# An absolute path of a machine, an object that has no text, or something that went wrong.
NOT_IN_OUTPUT = re.compile(
    r"(?<![\w.])/(home|root|tmp|usr|work|Users|content|opt|var)/|[A-Z]:\\| at 0x|warning",
    re.IGNORECASE,
)


@functools.cache
def read(name: str) -> tuple[NotebookNode, NotebookNode]:
    """Return a chapter's script and its built notebook. Whoever changes them takes a copy."""
    built = nbformat.read(notebooks.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    return jupytext.read(notebooks.SCRIPTS / f"{name}.py"), built


def problems(script: NotebookNode, built: NotebookNode) -> list[str]:
    """List what is wrong with a built chapter, of which most is mended by building it again."""
    found = []
    if [essence(cell) for cell in script.cells] != [essence(cell) for cell in built.cells]:
        found.append("the notebook differs from its script")
    code = [cell for cell in built.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        found.append("a cell was not executed, or not in order")
    for cell in code:
        found += [f"{problem}: {cell.source[:60]!r}" for problem in problems_of_cell(cell)]
    for number, cell in enumerate(code):
        if trains(cell) and not holds_something(code[number + 1 :]):
            found.append(f"no cell after it says what must hold: {cell.source[:60]!r}")
    return found


def holds_something(after: list[NotebookNode]) -> bool:
    """Whether the next cell prints what must hold, or one before the next training asserts it."""
    untrained = list(itertools.takewhile(lambda cell: not trains(cell), after))
    if any("check" in notebooks.tags(cell) for cell in untrained):
        return True
    return bool(after) and not ignored(after[0]) and bool(after[0].outputs)


def problems_of_cell(cell: NotebookNode) -> list[str]:
    found = []
    if len(cell.source.splitlines()) > 25:
        found.append("more than 25 lines")
    if trains(cell) and not ignored(cell):
        found.append("a training cell without the tag nbval-ignore-output")
    if "check" in notebooks.tags(cell) and (cell.outputs or "assert " not in cell.source):
        found.append("a check that prints something, or asserts nothing")
    if re.search(r"^(plots\.|print\()", cell.source, re.MULTILINE) and not cell.outputs:
        found.append("an output was stripped")
    if last_line_draws(cell) and not any("image/png" in o.get("data", {}) for o in cell.outputs):
        found.append("a figure is missing")
    for output in cell.outputs:
        text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
        if output.output_type == "error" or output.get("name") == "stderr":
            found.append("an error or stderr in the output")
        elif bad := NOT_IN_OUTPUT.search(text):
            found.append(f"{bad[0]!r} in the output")
        elif "image/png" in output.get("data", {}) and "image/png" not in output.metadata:
            found.append("a figure without a caption below it")
    return found


def essence(cell: NotebookNode) -> tuple[str, str, list[str]]:
    return cell.cell_type, cell.source, notebooks.tags(cell)


def ignored(cell: NotebookNode) -> bool:
    return "nbval-ignore-output" in notebooks.tags(cell)


def trains(cell: NotebookNode) -> bool:
    """Whether a cell trains a network, and does not just define how."""
    body = [node for node in ast.parse(cell.source).body if not isinstance(node, ast.FunctionDef)]
    for node in itertools.chain.from_iterable(map(ast.walk, body)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""  # such as a program for another process
    runs = "\n".join(map(ast.unparse, body))
    pattern = r"\.(fit|fit_from_frozen|train_on_batch)\(|train_on_"
    return re.search(pattern, runs) is not None


def last_line_draws(cell: NotebookNode) -> bool:
    return cell.source.splitlines()[-1].startswith("plots.")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_may_go_out(name):
    found = problems(*read(name))
    assert not found, f"{found}. Build the chapter again: python -m tools.notebooks {name}"


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_begins_with_its_scale_and_leads_on(name):
    script, built = read(name)
    tagged = [notebooks.tags(cell) for cell in script.cells]
    assert tagged.index(["install"]) < tagged.index(["parameters"])
    parameters = script.cells[tagged.index(["parameters"])].source
    assert parameters == 'SCALE = "sample"  # @param ["sample", "full"]'
    prose = "\n".join(cell.source for cell in script.cells if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.*)", prose, re.MULTILINE)
    assert headings[-len(ENDINGS) :] == ENDINGS or name not in LESSONS
    if name not in LESSONS:
        assert {"Exercises", "Sources", "Solutions"} <= set(headings)
    assert "**Next:**" in prose
    assert prose.count("What do you expect?") >= 4
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert target.startswith("http") or (notebooks.NOTEBOOKS / target).exists(), target
    assert built.metadata.language_info == {"name": "python"}
    gpu = name[:2] in ("03", "04", "05", "06", "07", "09", "10")
    assert built.metadata.get("accelerator") == ("GPU" if gpu else None)
    assert ("colab" in built.metadata) == gpu


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapters_badge_and_install_cell_are_those_of_the_projects_address(name):
    script, _ = read(name)
    renewed = copy.deepcopy(script)
    notebooks.renew_generated_cells(renewed, name, notebooks.repository())
    assert [essence(cell) for cell in renewed.cells] == [essence(cell) for cell in script.cells]


@pytest.mark.parametrize(
    ("more", "alt"),
    [("", "Figure 1. A cat."), ("\n<!-- alt: It sits\non a mat. -->", "It sits on a mat.")],
)
def test_building_tidies_a_chapter(more, alt):
    cells = [
        nbformat.v4.new_code_cell("draw()"),
        nbformat.v4.new_markdown_cell(f"*Figure 1. A\ncat.*{more}\n\nMore."),
    ]
    cells.insert(1, nbformat.v4.new_code_cell("assert 1", metadata={"tags": ["check"]}))
    view = nbformat.v4.new_output("display_data", data={notebooks.WIDGET_VIEW: {}})
    picture = nbformat.v4.new_output("display_data", data={"image/png": b64encode(b"png").decode()})
    printed = [nbformat.v4.new_output("stream", text=text) for text in ("1", "2\n")]
    cells[0].outputs = [view, *printed, picture]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"signature": "x"})
    notebooks.tidy(notebook)
    assert [cell.id for cell in notebook.cells] == ["cell-00", "cell-01", "cell-02"]
    text, kept = notebook.cells[0].outputs
    assert text.text == "12\n"
    assert kept.metadata == {"image/png": {"alt": alt}}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_prose_is_taken_over_where_the_code_is_the_same():
    def notebook(text: str, code: str) -> NotebookNode:
        cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)]
        return nbformat.v4.new_notebook(cells=cells)

    written, stored = notebook("New.", "1 + 1"), notebook("Old.", "1 + 1")
    stored.cells[1].execution_count = 7
    stored.cells[1].outputs = [nbformat.v4.new_output("stream", text="2")]
    notebooks.take_over_outputs(written, stored)
    assert written.cells[0].source == "New."
    assert written.cells[1].execution_count == 7
    assert written.cells[1].outputs == stored.cells[1].outputs
    with pytest.raises(ValueError, match="build the chapter without --prose"):
        notebooks.take_over_outputs(notebook("New.", "1 + 2"), stored)


@pytest.mark.parametrize("name", notebooks.PICTURES)
def test_the_readmes_pictures_are_the_figures_tagged_for_it(name):
    tagged = [
        c for chapter in CHAPTERS for c in read(chapter)[1].cells if name in notebooks.tags(c)
    ]
    (outputs,) = [cell.outputs for cell in tagged]
    (picture,) = [output.data["image/png"] for output in outputs]
    assert (notebooks.NOTEBOOKS / f"{name}.png").read_bytes() == b64decode(picture)


def first(built: NotebookNode, suitable: Callable[[NotebookNode], object]) -> NotebookNode:
    return next(cell for cell in built.cells if cell.cell_type == "code" and suitable(cell))


def checks(cell: NotebookNode) -> bool:
    return "check" in notebooks.tags(cell)


def with_output(built: NotebookNode) -> NotebookNode:
    return first(built, lambda cell: cell.outputs)


def say(built: NotebookNode, more: str) -> None:
    first(built, lambda cell: cell.outputs and "text" in cell.outputs[0]).outputs[0].text += more


WARNING = nbformat.v4.new_output("stream", name="stderr", text="careful")
SPOILS = {  # by the problem that has to be found
    "a cell was not executed": lambda built: with_output(built).update(execution_count=None),
    "an output was stripped": lambda built: first(
        built, lambda cell: re.search("^print", cell.source, re.MULTILINE)
    ).update(outputs=[]),
    "a figure is missing": lambda built: first(built, last_line_draws).update(outputs=[]),
    "differs from its script": lambda built: with_output(built).update(source="print('new')"),
    "training cell without the tag": lambda built: first(built, trains).metadata.update(tags=[]),
    "'/home/' in the output": lambda built: say(built, "/home/someone/data\n"),
    "' at 0x' in the output": lambda built: say(built, "<History object at 0x7f99bb1bc290>"),
    "stderr in the output": lambda built: with_output(built).outputs.append(WARNING),
    "no cell after it says what must hold": lambda built: built.update(
        cells=[cell for cell in built.cells if "check" not in notebooks.tags(cell)]
    ),
    "a check that prints something": lambda built: first(built, checks).update(
        outputs=[nbformat.v4.new_output("stream", text="7")]
    ),
    "more than 25 lines": lambda built: with_output(built).update(source="x = 1\n" * 26),
}


@pytest.mark.parametrize("problem", SPOILS)
def test_a_spoiled_chapter_may_not_go_out(problem):
    script, built = read("02_mnist")
    spoiled = copy.deepcopy(built)
    SPOILS[problem](spoiled)
    assert problem in "; ".join(problems(script, spoiled))


def test_the_sliders_move_the_kernel(monkeypatch):
    (cell,) = [c for c in read("01_convolution")[0].cells if "interact(" in c.source]
    shown = []
    slid = SimpleNamespace(interact=lambda draw, row, column: shown.append((row, column, draw)))
    monkeypatch.setitem(sys.modules, "ipywidgets", slid)
    lesson = {"plots": plots, "picture": np.eye(5), "sobel": np.eye(3), "response": np.eye(3)}
    exec(cell.source, lesson)
    ((row, column, draw),) = shown
    assert row == column == (0, 2)
    assert isinstance(draw(2, 2), Figure)
