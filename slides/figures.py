"""Draw the pictures of the slides: ``python -m slides.figures [NAME…]``."""

from pathlib import Path
from typing import Annotated

from slides import drawing
from slides.drawing import (  # noqa: F401  (each registers its figures)
    chapters_1_to_3,
    chapters_4_to_6,
    chapters_7_to_9,
    chapters_10_and_11,
)

import keras
import matplotlib.pyplot as plt
import typer

FIGURES = drawing.FIGURES
FOLDER = drawing.SLIDES / "figures"


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


if __name__ == "__main__":
    typer.run(main)
