"""What every chapter keeps to, and that the test run really notices when one does not."""

import copy
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from cnnkit import plots
from tools import notebooks

import jupytext
import nbformat
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(path.stem for path in notebooks.SCRIPTS.glob("*.py"))
ADDRESS = "https://forge.example/someone/course"

# An absolute path of a machine, or something that went wrong.
NOT_IN_OUTPUT = re.compile(
    r"(?<![\w.])/(home|root|tmp|usr|work|Users|content|opt|var)/|[A-Z]:\\|warning", re.IGNORECASE
)


def read(name: str) -> tuple[NotebookNode, NotebookNode]:
    """Return a chapter's script and its built notebook."""
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
    for cell, after in zip(code, [*code[1:], None], strict=True):
        if trains(cell) and (after is None or ignored(after) or not after.outputs):
            found.append(f"no cell after it prints what must hold: {cell.source[:60]!r}")
    return found


def problems_of_cell(cell: NotebookNode) -> list[str]:
    found = []
    if len(cell.source.splitlines()) > 25:
        found.append("more than 25 lines")
    if trains(cell) and not ignored(cell):
        found.append("a training cell without the tag nbval-ignore-output")
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
    return re.search(r"\.(fit|train_on_batch)\(", cell.source) is not None


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
    for heading in ("## Exercises", "## Sources", "## Solutions", "**Next:**"):
        assert heading in prose
    assert prose.count("What do you expect?") >= 4
    for target in re.findall(r"\]\(([^)#]+)", prose):
        assert target.startswith("http") or (notebooks.NOTEBOOKS / target).exists(), target
    assert built.metadata.language_info == {"name": "python"}


def first(built: NotebookNode, suitable: Callable[[NotebookNode], bool]) -> NotebookNode:
    return next(cell for cell in built.cells if cell.cell_type == "code" and suitable(cell))


def strip_a_cell(built):
    first(built, lambda cell: cell.outputs).update(outputs=[], execution_count=None)


def strip_an_output(built):
    first(built, lambda cell: cell.source.startswith("print")).outputs = []


def lose_a_figure(built):
    first(built, last_line_draws).outputs = []


def change_the_source(built):
    first(built, lambda cell: cell.outputs).source += "\nprint('new')"


def untag_the_training(built):
    first(built, trains).metadata["tags"] = []


def print_a_path(built):
    output = first(built, lambda cell: cell.outputs and "text" in cell.outputs[0]).outputs[0]
    output.text += "/home/someone/data\n"


def print_a_warning(built):
    cell = first(built, lambda cell: cell.outputs)
    cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="careful"))


def write_a_long_cell(built):
    first(built, lambda cell: cell.outputs).source = "\n".join(["x = 1"] * 26)


SPOILS = [
    strip_a_cell,
    strip_an_output,
    lose_a_figure,
    change_the_source,
    untag_the_training,
    print_a_path,
    print_a_warning,
    write_a_long_cell,
]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_spoiled_chapter_may_not_go_out(spoil):
    script, built = read("02_mnist")
    spoiled = copy.deepcopy(built)
    spoil(spoiled)
    assert problems(script, spoiled) != []


def run_nbval(directory: Path, source: str, stored: str) -> subprocess.CompletedProcess:
    """Test a one-cell notebook, whose stored output is `stored`, with the project's options."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.cells[0].execution_count = 1
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
    nbformat.write(notebook, directory / "one.ipynb")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", ROOT / "pyproject.toml", "--rootdir", ROOT,
         directory / "one.ipynb"],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("source", "stored", "verdict"),
    [
        ("print(6 * 7)", "42\n", "1 passed"),
        ("print(6 * 7)", "43\n", "1 failed"),
        ("print(6 * 7); raise ValueError", "42\n", "1 failed"),
        ("import sys; print(6 * 7); print('careful', file=sys.stderr)", "42\n", "1 failed"),
    ],
)
def test_the_test_run_compares_what_a_cell_prints(tmp_path, source, stored, verdict):
    assert verdict in run_nbval(tmp_path, source, stored).stdout


@pytest.mark.parametrize("installed", [True, False])
def test_the_kernel_slides_where_ipywidgets_is_there_and_stands_still_elsewhere(
    installed, monkeypatch
):
    (cell,) = [c for c in read("01_convolution")[0].cells if "interact(" in c.source]
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda *figures, **_: shown.extend(figures))
    slid = SimpleNamespace(interact=lambda draw, row, column: shown.append((row, column)))
    monkeypatch.setitem(sys.modules, "ipywidgets", slid if installed else None)
    lesson = {"plots": plots, "picture": np.eye(5), "sobel": np.eye(3), "response": np.eye(3)}
    exec(cell.source, lesson)
    assert shown == [((0, 2), (0, 2))] if installed else isinstance(shown[0], Figure)


def test_without_an_address_there_is_no_badge_and_a_wheel_is_asked_for():
    notebook = jupytext.read(notebooks.SCRIPTS / "01_convolution.py")
    notebooks.renew_generated_cells(notebook, "01_convolution", ADDRESS)
    notebooks.renew_generated_cells(notebook, "01_convolution", "")
    assert not [cell for cell in notebook.cells if "badge" in notebooks.tags(cell)]
    assert notebooks.INSTALL_FROM_WHEEL in [cell.source for cell in notebook.cells]


def test_with_an_address_there_is_one_badge_and_it_is_installed_from():
    notebook = jupytext.read(notebooks.SCRIPTS / "01_convolution.py")
    for _ in range(2):
        notebooks.renew_generated_cells(notebook, "01_convolution", ADDRESS)
    (badge,) = [cell for cell in notebook.cells if "badge" in notebooks.tags(cell)]
    assert "/github/someone/course/blob/main/notebooks/01_convolution.ipynb" in badge.source
    (install,) = [cell for cell in notebook.cells if "install" in notebooks.tags(cell)]
    assert f'"git+{ADDRESS}"' in install.source


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A committed copy of the package's sources."""
    copied = tmp_path_factory.mktemp("checkout")
    for name in ("cnnkit", "benchmarks"):
        shutil.copytree(ROOT / name, copied / name)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copied)
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=copied, check=True)
    subprocess.run([*git, "add", "."], cwd=copied, check=True)
    subprocess.run([*git, "commit", "-qm", "copy"], cwd=copied, check=True)
    return copied


@pytest.fixture(scope="module")
def offline() -> dict[str, str]:
    """Settings that keep pip from the network: no dependencies, the build tools of the tests."""
    return {
        **os.environ,
        "PIP_NO_DEPS": "1",
        "PIP_NO_INDEX": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads the value of a "no" option as the option's
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


@pytest.fixture
def bare(tmp_path) -> Path:
    """The Python of an environment that has nothing but pip and the tools that build a wheel."""
    venv.create(tmp_path / "bare", with_pip=True)
    (site,) = (tmp_path / "bare").rglob("site-packages")
    for module in ("hatchling", "packaging", "pathspec", "pluggy", "trove_classifiers"):
        (site / module).symlink_to(Path(__import__(module).__file__).parent)
    return tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"


def run_install_cell(python: Path, address: str, folder: Path, offline: dict[str, str]):
    folder.mkdir(exist_ok=True)
    cell = notebooks.install_cell(address)
    check = "\nfrom importlib.metadata import version; print(version('cnnkit'))"
    return subprocess.run(
        [python, "-c", cell + check], cwd=folder, env=offline, text=True, capture_output=True
    )


def test_the_install_cell_installs_an_uploaded_wheel(checkout, bare, offline, tmp_path):
    folder = tmp_path / "notebooks"
    missing = run_install_cell(bare, "", folder, offline)
    assert "upload cnnkit-*.whl next to this notebook" in missing.stderr

    build = [sys.executable, "-m", "pip", "wheel", "-q", "-w", folder, checkout]
    subprocess.run(build, env=offline, check=True)
    assert run_install_cell(bare, "", folder, offline).stdout == "0.1.0\n"
    assert run_install_cell(bare, "", folder, offline | {"PATH": ""}).stdout == "0.1.0\n"


def test_the_install_cell_installs_from_the_projects_address(checkout, bare, offline, tmp_path):
    run = run_install_cell(bare, checkout.as_uri(), tmp_path / "notebooks", offline)
    assert run.stdout == "0.1.0\n", run.stderr
