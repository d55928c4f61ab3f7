"""What the figures of all decks share: their register, their sizes, and where results come from.

Everything comes from cnnkit, in the notebooks' style. What takes a training is read from
``slides/recorded/``, which `slides.recording` fills.
"""

import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnkit import data, evaluation, plots
from cnnkit.plots.style import panels, styled

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from skimage.data import chelsea

SLIDES = Path(__file__).resolve().parents[1]
RECORDED = SLIDES / "recorded"
FIGURES: dict[str, Callable[[], Figure]] = {}


def figure(draw: Callable[[], Figure]) -> Callable[[], Figure]:
    """Register a figure under the name of its function, such as ``01_step`` for ``ch01_step``."""
    FIGURES[draw.__name__.removeprefix("ch")] = draw
    return draw


def recorded(chapter: str, prefix: str = "") -> dict[str, Any]:
    """Return the arrays recorded of a chapter whose names begin with `prefix`, without it."""
    with np.load(RECORDED / f"{chapter}.npz") as kept:
        return {key.removeprefix(prefix): kept[key] for key in kept if key.startswith(prefix)}


def wide(drawn: Figure, height: float = 2.6, width: float = 7.0) -> Figure:
    """Give a figure the form of a slide, so that its letters can be read from the last row.

    A slide has room for 7.2 × 3.3 inches, or 2.8 above one line of text, or 2.5 above two.
    """
    drawn.set_size_inches(width, height)
    return drawn


def lettered(drawn: Figure, factor: float) -> Figure:
    """Enlarge the letters by a factor, against everything else in a figure."""
    width, height = drawn.get_size_inches()
    drawn.set_size_inches(width / factor, height / factor)
    return drawn


def results(names: Mapping[str, str], published: dict[str, float] | None = None) -> Figure:
    """Draw the recorded figures of experiments at sample scale: title → experiment."""
    return spreads(
        {title: evaluation.spread(name, "sample") for title, name in names.items()}, published
    )


def spreads(
    found: Mapping[str, evaluation.Spread], published: dict[str, float] | None = None
) -> Figure:
    """Draw recorded figures by their titles."""
    figures = {title: spread.figures for title, spread in found.items()}
    return wide(plots.spreads(figures, published=published), 0.9 + 0.28 * len(figures))


@styled
def bars(series: Mapping[str, Sequence[float]], names: Sequence[str], ylabel: str) -> Figure:
    """Draw a bar for each name and series, those of a name side by side."""
    figure, (ax,) = panels(7, 2.6, ylabel=ylabel)
    width = 0.8 / len(series)
    for number, (label, values) in enumerate(series.items()):
        ax.bar(np.arange(len(names)) + number * width, values, width, label=label)
    ax.set_xticks(np.arange(len(names)) + 0.4 - width / 2, names)
    figure.legend(loc="outside upper center", ncols=len(series))
    return figure


def cat(size: int) -> np.ndarray:
    """Return a photo of a cat, (size, size, 3) uint8, of 300 pixels a side at most."""
    return np.asarray(Image.fromarray(chelsea()[:, 75:375]).resize((size, size)))


@functools.cache
def passing() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for drawn photos, which is deleted when Python ends."""
    return tempfile.TemporaryDirectory()


@functools.cache
def cats_and_dogs() -> Path:
    """Return the folder of the drawn cats and dogs."""
    return data.cats_vs_dogs("sample")


def photos_of(paths: Sequence[Path | str], size: int) -> np.ndarray:
    """Load photos as `plots` takes them, (n, size, size, 3) in [0, 1]."""
    return projected(data.load_images(paths, (size, size)))


def projected(photos: np.ndarray) -> np.ndarray:
    """Turn pixels of [0, 255] to [0, 1], with brighter shadows: a projector swallows them."""
    return (np.asarray(photos) / 255) ** 0.6
