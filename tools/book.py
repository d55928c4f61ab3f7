"""Build the web book from the stored notebooks and the pages: ``python -m tools.book``.

Nothing is executed, and nothing is loaded from outside: formulas are set by a copy of MathJax,
which npm installs from the lock file in ``docs/web``. Decks that have been built are copied.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

from tools import notebooks

import typer
from sphinx.cmd.build import build_main

ROOT = notebooks.ROOT
WEB = ROOT / "docs" / "web"
FIRST = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>cnnkit</title>
<meta http-equiv="refresh" content="0; url=docs/index.html"><a href="docs/index.html">cnnkit</a>
"""


def build(folder: Path) -> int:
    """Write the book into a folder; return 0 unless there was a warning."""
    if not has_mathjax():
        typer.echo("MathJax is not installed (npm ci in docs/web), so formulas stay as typed.")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(ROOT / "docs")]
    with tempfile.TemporaryDirectory() as work:  # myst-nb leaves its own files beside the pages
        pages = Path(work, "pages")
        failed = build_main([*options, "-d", str(Path(work, "read")), str(ROOT), str(pages)])
        shutil.copytree(pages, folder, dirs_exist_ok=True)
    (folder / "index.html").write_text(FIRST, encoding="utf-8")
    decks = sorted((ROOT / "slides/dist").glob("*.html"))
    for deck in decks:
        (folder / "slides").mkdir(exist_ok=True)
        shutil.copy(deck, folder / "slides")
    typer.echo(f"{folder / 'index.html'}, with {len(decks)} decks of slides")
    return failed


def has_mathjax() -> bool:
    """Install what ``docs/web`` needs, unless it is there; return whether it is."""
    installed = WEB / "node_modules/mathjax"
    if not installed.is_dir() and (npm := shutil.which("npm")):
        subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=WEB, check=False)
    return installed.is_dir()


def main(
    folder: Annotated[Path, typer.Argument(help="Where to write it.")] = ROOT / "docs/_build",
) -> None:
    """Build the web book."""
    raise typer.Exit(build(folder))


if __name__ == "__main__":
    typer.run(main)
