"""A chapter's first cell installs cnnkit where it is missing, in both of its forms.

``.ci/run`` lets the cell install a wheel in a clean environment; here it only asks pip.
"""

import importlib.util
import subprocess
import sys

from tools import notebooks

import jupytext
import pytest

ADDRESS = "https://forge.example/someone/course"


@pytest.fixture
def asked(tmp_path, monkeypatch) -> list[list[str]]:
    """What pip is asked for in an empty folder, in an environment without cnnkit."""
    asked: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda command, check: asked.append(command))
    return asked


def test_without_an_address_there_is_no_badge_and_a_wheel_is_asked_for():
    notebook = jupytext.read(notebooks.SCRIPTS / "01_convolution.py")
    notebooks.renew_generated_cells(notebook, "01_convolution", ADDRESS)
    notebooks.renew_generated_cells(notebook, "01_convolution", "")
    assert not [cell for cell in notebook.cells if "badge" in notebooks.tags(cell)]
    assert notebooks.install_cell("") in [cell.source for cell in notebook.cells]


def test_with_an_address_there_is_one_badge_and_it_is_installed_from(asked):
    notebook = jupytext.read(notebooks.SCRIPTS / "01_convolution.py")
    for _ in range(2):
        notebooks.renew_generated_cells(notebook, "01_convolution", ADDRESS)
    (badge,) = [cell for cell in notebook.cells if "badge" in notebooks.tags(cell)]
    assert "/github/someone/course/blob/main/notebooks/01_convolution.ipynb" in badge.source
    (install,) = [cell for cell in notebook.cells if "install" in notebooks.tags(cell)]
    exec(install.source, {})
    assert asked == [[sys.executable, "-m", "pip", "install", "-q", f"git+{ADDRESS}"]]


def test_the_newest_uploaded_wheel_is_installed_and_pip_says_where_there_is_none(asked, tmp_path):
    exec(notebooks.install_cell(""), {})
    for version in ("0.1.0", "0.2.0"):
        (tmp_path / f"cnnkit-{version}-py3-none-any.whl").touch()
    exec(notebooks.install_cell(""), {})
    assert [command[-1] for command in asked] == ["cnnkit-*.whl", "cnnkit-0.2.0-py3-none-any.whl"]
