"""The test run really compares what the cells of a notebook print."""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_test_run_compares_what_a_cell_prints(tmp_path):
    """With the project's options, in four cells of which all but the first are wrong."""
    notebook = nbformat.v4.new_notebook()
    for count, (source, stored) in enumerate(
        [
            ("print(6 * 7)", "42\n"),
            ("print(6 * 7)", "43\n"),
            ("print(6 * 7); raise ValueError", "42\n"),
            ("import sys; print(6 * 7); print('careful', file=sys.stderr)", "42\n"),
        ],
        start=1,
    ):
        output = nbformat.v4.new_output("stream", name="stdout", text=stored)
        cell = nbformat.v4.new_code_cell(source, execution_count=count, outputs=[output])
        notebook.cells.append(cell)
    nbformat.write(notebook, tmp_path / "four.ipynb")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n0", "-c", ROOT / "pyproject.toml",
         "--rootdir", ROOT, tmp_path / "four.ipynb"],
        cwd=ROOT,
        text=True,
        capture_output=True,
    )  # fmt: skip
    verdicts = re.findall(r"Cell \d (PASSED|FAILED)", run.stdout)
    assert verdicts == ["PASSED", "FAILED", "FAILED", "FAILED"]
