"""The test run really compares what the cells of a notebook print."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_nbval(directory: Path, source: str, stored: str) -> subprocess.CompletedProcess:
    """Test a one-cell notebook, whose stored output is `stored`, with the project's options."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    notebook.cells[0].execution_count = 1
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
    nbformat.write(notebook, directory / "one.ipynb")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n0", "-c", ROOT / "pyproject.toml",
         "--rootdir", ROOT, directory / "one.ipynb"],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )  # fmt: skip


@pytest.mark.slow
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
