"""All chapters on what Colab has: its Python and its versions, and cnnkit's wheel.

By hand, before a release: it installs TensorFlow and JAX. The constraints are what ``pip freeze``
prints in Colab.
"""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

from tools import notebooks

import pytest

TESTS = Path(__file__).resolve().parents[1]
CONSTRAINTS = TESTS / "constraints-colab-2026-08.txt"
CHAPTERS = sorted(path.stem for path in notebooks.SCRIPTS.glob("*.py"))
COLAB_HAS = ("ipywidgets", "jax", "scikit-image")  # which chapters use where they are installed


def run(*command: object, **options) -> None:
    subprocess.run([*map(str, command)], check=True, **options)


@pytest.fixture(scope="module")
def colab(tmp_path_factory) -> Path:
    """A folder outside the checkout with an environment like Colab's, which has the wheel."""
    folder = tmp_path_factory.mktemp("colab")
    try:
        run("python3.13", "-m", "venv", folder / "venv")
    except (OSError, subprocess.CalledProcessError):
        warnings.warn(f"Without python3.13, as Colab has it, this is {sys.version}", stacklevel=1)
        run(sys.executable, "-m", "venv", folder / "venv")
    python = folder / "venv" / "bin" / "python"
    run(python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, notebooks.ROOT)
    (wheel,) = folder.glob("cnnkit-*.whl")
    run(python, "-m", "pip", "install", "-q", "-c", CONSTRAINTS, wheel, *COLAB_HAS, "nbval")
    return folder


@pytest.mark.colab
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_runs_in_colab(name, colab):
    shutil.copy(notebooks.NOTEBOOKS / f"{name}.ipynb", colab)
    command = [
        *(
            colab / "venv" / "bin" / "python",
            "-m",
            "pytest",
            "-q",
            "--nbval",
            "--nbval-current-env",
        ),
        *("--nbval-cell-timeout=600", f"--nbval-sanitize-with={TESTS / 'nbval_sanitize.cfg'}"),
        f"{name}.ipynb",
    ]
    environment = os.environ | {"CNNKIT_DATA": str(colab / "data"), "PYTHONPATH": ""}
    chapter = subprocess.run(command, cwd=colab, env=environment, text=True, capture_output=True)
    assert chapter.returncode == 0, chapter.stdout
