"""A chapter's first cell installs cnnkit in Colab, in both of its forms; here it only asks pip."""

import types

from tools import notebooks

import jupytext

ADDRESS = "https://forge.example/someone/course"


def asked(cell: str, shell: str) -> list[tuple[str, str]]:
    """What a cell asks of IPython, in a shell of this name."""
    asked: list[tuple[str, str]] = []
    ipython = types.new_class(shell)()
    ipython.run_line_magic = lambda *line: asked.append(line)
    exec(cell, {"get_ipython": lambda: ipython})
    return asked


def test_without_an_address_there_is_no_badge_and_a_wheel_is_asked_for():
    notebook = jupytext.read(notebooks.SCRIPTS / "01_convolution.py")
    notebooks.renew_generated_cells(notebook, "01_convolution", ADDRESS)
    notebooks.renew_generated_cells(notebook, "01_convolution", "")
    assert not [cell for cell in notebook.cells if "badge" in notebooks.tags(cell)]
    assert notebooks.install_cell("") in [cell.source for cell in notebook.cells]


def test_with_an_address_there_is_one_badge_and_it_is_installed_from():
    notebook = jupytext.read(notebooks.SCRIPTS / "01_convolution.py")
    for _ in range(2):
        notebooks.renew_generated_cells(notebook, "01_convolution", ADDRESS)
    (badge,) = [cell for cell in notebook.cells if "badge" in notebooks.tags(cell)]
    assert "/github/someone/course/blob/main/notebooks/01_convolution.ipynb" in badge.source
    (install,) = [cell for cell in notebook.cells if "install" in notebooks.tags(cell)]
    pip = [("pip", f"install -q git+{ADDRESS}")]
    assert asked(install.source, "google.colab.Shell") == pip


def test_an_uploaded_wheel_is_installed_in_colab_and_nothing_elsewhere():
    cell = notebooks.install_cell("")
    assert asked(cell, "google.colab.Shell") == [("pip", "install -q cnnkit-*.whl")]
    assert asked(cell, "ZMQInteractiveShell") == []
    assert len(cell.splitlines()) == 2 and cell.startswith("# @title")
