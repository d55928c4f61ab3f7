"""The look that all figures share."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

# Okabe and Ito's palette, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, GREY = "#D55E00", "#CC79A7", "#7F7F7F"
MARKERS = "o^sDv"  # of lines, beside their colours
SIGNED = "PuOr_r"  # orange above zero, purple below

# Fonts with Korean letters, of Linux, Windows and macOS, for names that need them.
KOREAN = (
    *("Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans KR", "NanumGothic", "Malgun Gothic"),
    *("Apple SD Gothic Neo", "AppleGothic", "Noto Serif CJK KR", "Noto Serif CJK JP"),
)
INSTALLED = {font.name for font in font_manager.fontManager.ttflist}

RC: dict[Any, Any] = {
    "font.family": ["DejaVu Sans", *(name for name in KOREAN if name in INSTALLED)],
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.prop_cycle": plt.cycler(color=[BLUE, VERMILION, GREEN, ORANGE, PURPLE]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "image.cmap": "gray_r",
    "legend.frameon": False,
}

P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in the house style, and close the figure so that a notebook shows it once."""

    @functools.wraps(draw)
    def draw_styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with plt.rc_context(RC):
            figure = draw(*args, **kwargs)
        plt.close(figure)
        return figure

    return draw_styled


def side_by_side(
    count: int, width: float, height: float, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels side by side, each of this width and height in inches."""
    size = (width * count, height)
    figure, axes = plt.subplots(1, count, figsize=size, squeeze=False, **options)
    return figure, list(axes.flat)


def grid(
    count: int, columns: int, size: float, titles: Sequence[object] | None, margin: float = 0.0
) -> tuple[Figure, list[Axes]]:
    """Make a figure of square panels of `size` inches without ticks, and `margin` at the right.

    Raises ValueError for no panel, or not a title for each.
    """
    if count == 0:
        raise ValueError("There is no picture to show.")
    if titles is not None and len(titles) != count:
        raise ValueError(f"{len(titles)} titles were given for {count} pictures; give one each.")
    columns = min(columns, count)
    rows = -(-count // columns)
    shape = (size * columns + margin, (size if titles is None else size + 0.25) * rows)
    figure, axes = plt.subplots(rows, columns, figsize=shape, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, title in zip(axes.flat, [] if titles is None else titles, strict=False):
        ax.set_title(str(title))
    return figure, list(axes.flat[:count])


def outline(
    ax: Axes, row: float, column: float, rows: int, columns: int, color: str, **line: Any
) -> None:
    """Draw a frame around a rectangle of cells."""
    line = {"lw": 3, "clip_on": False} | line
    corner = (column - 0.5, row - 0.5)
    ax.add_patch(Rectangle(corner, columns, rows, fill=False, ec=color, **line))
