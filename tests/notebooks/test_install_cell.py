"""A chapter's first cell installs cnnkit where it is missing, in both of its forms."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tools import notebooks

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://forge.example/someone/course"


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
    if not shutil.which("git"):
        pytest.skip("git is not installed")
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
        shutil.copytree(Path(__import__(module).__file__).parent, site / module)
    return tmp_path / "bare" / ("Scripts" if os.name == "nt" else "bin") / "python"


def run_install_cell(python: Path, address: str, folder: Path, offline: dict[str, str]):
    folder.mkdir(exist_ok=True)
    cell = notebooks.install_cell(address)
    check = "\nfrom importlib.metadata import version; print(version('cnnkit'))"
    return subprocess.run(
        [python, "-c", cell + check], cwd=folder, env=offline, text=True, capture_output=True
    )


@pytest.mark.slow
def test_the_install_cell_installs_an_uploaded_wheel(checkout, bare, offline, tmp_path):
    folder = tmp_path / "notebooks"
    missing = run_install_cell(bare, "", folder, offline)
    assert "upload cnnkit-*.whl next to this notebook" in missing.stderr

    build = [sys.executable, "-m", "pip", "wheel", "-q", "-w", folder, checkout]
    subprocess.run(build, env=offline, check=True)
    assert run_install_cell(bare, "", folder, offline).stdout == "0.1.0\n"
    assert run_install_cell(bare, "", folder, offline | {"PATH": ""}).stdout == "0.1.0\n"


@pytest.mark.slow
def test_the_install_cell_installs_from_the_projects_address(checkout, bare, offline, tmp_path):
    run = run_install_cell(bare, checkout.as_uri(), tmp_path / "notebooks", offline)
    assert run.stdout == "0.1.0\n", run.stderr
