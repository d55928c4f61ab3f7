"""Build the notebooks: ``python -m tools.notebooks [NAME…]``.

A chapter is written as ``notebooks/scripts/NN_name.py``. Building it renews the cells that depend
on the project's address, executes it, and stores ``notebooks/NN_name.ipynb`` with its outputs.
Where no code has changed, ``--prose`` keeps the outputs that are stored.
"""

import copy
import itertools
import os
import re
import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Annotated
from urllib.parse import urlparse

import jupytext
import nbformat
import typer
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
SCRIPTS = NOTEBOOKS / "scripts"
SECONDS_PER_CELL = 150
PICTURES = ("cover", "photos")
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
ALT = re.compile(r"\s*<!-- alt: (.*?) -->", re.DOTALL)
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

INSTALL = """\
# @title Install cnnkit in Colab{first}
None if "google.colab" not in str(get_ipython()) else \
get_ipython().run_line_magic("pip", "install -q {source}")  # fmt: skip"""
KEPT = ("accelerator", "colab", "otter")  # what Colab and Otter read of a notebook


def repository() -> str:
    """Return the project's public address, or an empty string while it has none."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return settings["tool"]["cnnkit"]["repository"]


def install_cell(address: str) -> str:
    """Return the code that installs cnnkit in Colab.

    Parameters
    ----------
    address : str
        The project's public address. While it is empty, the student uploads a wheel.
    """
    first = "" if address else ": upload cnnkit-*.whl first"
    return INSTALL.format(first=first, source=f"git+{address}" if address else "cnnkit-*.whl")


def badge_cell(address: str, name: str) -> str:
    """Return the Markdown of a badge that opens chapter `name` in Colab."""
    colab = "https://colab.research.google.com"
    project = urlparse(address).path.removesuffix("/").removesuffix(".git")
    page = f"{colab}/github{project}/blob/main/notebooks/{name}.ipynb"
    return f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({page})"


def renew_generated_cells(notebook: NotebookNode, name: str, address: str) -> None:
    """Bring the badge and the install cell, known by their tags, up to date with `address`."""
    notebook.cells = [cell for cell in notebook.cells if "badge" not in tags(cell)]
    if address:
        badge = nbformat.v4.new_markdown_cell(badge_cell(address, name))
        badge.metadata["tags"] = ["badge"]
        notebook.cells.insert(0, badge)
    for cell in notebook.cells:
        if "install" in tags(cell):
            cell.source = install_cell(address)


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def tidy(notebook: NotebookNode) -> None:
    """Make a notebook's file depend on its content alone, and give each figure its text.

    Text that a cell prints is one output, however it arrived. A widget's view shows nothing without
    its kernel, and is left out. A figure's alternative text follows its caption, the paragraph
    below it that begins with ``*Figure``, as a comment ``<!-- alt: … -->``; without one, the
    caption is all there is to say. A page has it when it is exported by
    ``nbconvert --to html --template classic``.
    """
    metadata = {key: notebook.metadata[key] for key in KEPT if key in notebook.metadata}
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}, **metadata}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        if cell.cell_type == "code":
            kept = [out for out in cell.outputs if WIDGET_VIEW not in out.get("data", {})]
            cell.outputs = _joined(kept)
    shown = [cell for cell in notebook.cells if "check" not in tags(cell)]
    for cell, below in itertools.pairwise(shown):
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}) and below.source.startswith("*Figure"):
                paragraph, *_ = below.source.split("\n\n")
                described = ALT.search(paragraph)
                text = described[1] if described else paragraph.replace("*", "").replace("`", "")
                output.metadata["image/png"] = {"alt": " ".join(text.split())}


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join what a cell printed in several pieces."""
    joined: list[NotebookNode] = []
    for out in outputs:
        if joined and out.output_type == "stream" and joined[-1].get("name") == out.name:
            joined[-1].text += out.text
        else:
            joined.append(out)
    return joined


def build(script: Path, prose: bool = False) -> None:
    """Execute a chapter, or take over what is stored of it, and store it beside its script."""
    notebook = jupytext.read(script)
    written = copy.deepcopy(notebook.cells)
    renew_generated_cells(notebook, script.stem, repository())
    if notebook.cells != written:
        jupytext.write(notebook, script)
    stored = NOTEBOOKS / f"{script.stem}.ipynb"
    if prose:
        take_over_outputs(notebook, nbformat.read(stored, as_version=4))
    else:
        execute(notebook)
    tidy(notebook)
    nbformat.write(notebook, stored)
    save_pictures(notebook)


def execute(notebook: NotebookNode) -> None:
    """Run all cells of a notebook."""
    os.environ["TQDM_DISABLE"] = "1"  # a stored progress bar says nothing
    client = NotebookClient(
        notebook,
        timeout=SECONDS_PER_CELL,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(NOTEBOOKS)}},
    )
    client.execute()


def take_over_outputs(notebook: NotebookNode, stored: NotebookNode) -> None:
    """Give the cells of a notebook the outputs of another one that has the same code.

    Raises
    ------
    ValueError
        The code differs.
    """
    here, there = ([c for c in each.cells if c.cell_type == "code"] for each in (notebook, stored))
    codes = [[c.source for c in each if "install" not in tags(c)] for each in (here, there)]
    if codes[0] != codes[1]:
        raise ValueError("The code has changed as well; build the chapter without --prose.")
    for cell, executed in zip(here, there, strict=True):
        cell.outputs, cell.execution_count = executed.outputs, executed.execution_count


def save_pictures(notebook: NotebookNode) -> None:
    """Store the figures of cells tagged with a name of `PICTURES` for the README."""
    for cell in notebook.cells:
        for name in set(PICTURES) & set(tags(cell)):
            (picture,) = (out.data["image/png"] for out in cell.outputs if "data" in out)
            (NOTEBOOKS / f"{name}.png").write_bytes(b64decode(picture))


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Such as 02_mnist.")] = None,
    prose: Annotated[bool, typer.Option(help="Keep the outputs; no code has changed.")] = False,
) -> None:
    """Execute chapters and store them as notebooks with their outputs."""
    chapters = {script.stem: script for script in sorted(SCRIPTS.glob("*.py"))}
    for name in names or ():
        if name not in chapters:
            raise typer.BadParameter(f"There is no {name!r}; there are {', '.join(chapters)}.")
    for name in names or chapters:
        typer.echo(f"building {name}")
        build(chapters[name], prose)


if __name__ == "__main__":
    typer.run(main)
