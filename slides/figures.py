"""Draw the pictures of the slides: ``python -m slides.figures [NAME…]``."""

import hashlib
import json
from pathlib import Path
from typing import Annotated

from slides import drawing
from slides.drawing import (  # noqa: F401  (each registers its figures)
    chapters_1_to_3,
    chapters_4_to_6,
    chapters_7_to_9,
    chapters_10_and_11,
    networks,
)

import keras
import matplotlib.pyplot as plt
import typer

FIGURES = drawing.FIGURES
FOLDER = drawing.SLIDES / "figures"
HASHES = FOLDER / "sources.json"  # of what each picture was drawn from
SOURCES = (
    *("slides/drawing/__init__.py", "slides/recorded/*.npz", "benchmarks/results/*.csv"),
    *("cnnkit/plots/*.py", "cnnkit/data/augment/*.py", "cnnkit/data/drawings/*.py"),
    "cnnkit/models/*.py",
)


def sources(name: str) -> str:
    """Return a hash of the code and the recorded results that a figure is drawn from."""
    root, module = drawing.SLIDES.parent, FIGURES[name].__module__.replace(".", "/")
    files = [root / f"{module}.py", *(path for each in SOURCES for path in sorted(root.glob(each)))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def draw(name: str, folder: Path = FOLDER) -> Path:
    """Write a figure as SVG, the same bytes for the same figure, and return its path."""
    path = folder / f"{name}.svg"
    keras.utils.set_random_seed(5)
    with plt.rc_context({"svg.hashsalt": "cnnkit"}):
        drawn = FIGURES[name]()
        drawn.savefig(path, metadata={"Date": None})
        plt.close(drawn)
    return path


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="Such as 04_moved; all without.")
    ] = None,
) -> None:
    """Draw the pictures of the slides from cnnkit and from slides/recorded."""
    names = names or list(FIGURES)
    if unknown := set(names) - set(FIGURES):
        raise typer.BadParameter(f"there is no picture {min(unknown)!r}; there are {list(FIGURES)}")
    for name in names:
        typer.echo(f"drawing {name}")
        draw(name)
    known = json.loads(HASHES.read_text("utf-8")) | {name: sources(name) for name in names}
    HASHES.write_text(json.dumps(known, indent=0) + "\n", "utf-8")


if __name__ == "__main__":
    typer.run(main)
