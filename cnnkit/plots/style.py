"""The look that all figures share."""

import functools
from collections.abc import Callable, Collection
from typing import Any, ParamSpec

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN = "#0072B2", "#E69F00", "#009E73"
VERMILION, PURPLE, GREY = "#D55E00", "#CC79A7", "#7F7F7F"
COLORS = [BLUE, VERMILION, GREEN, ORANGE, PURPLE]  # of lines, one after the other
SIGNED = "PuOr_r"  # orange above zero, purple below
STRENGTH = "magma"  # from 0, black, to bright
BARE: Any = {"xticks": [], "yticks": [], "frame_on": False}  # a panel without axes
MIDDLE: Any = {"ha": "center", "va": "center"}  # of a text

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
    "axes.titlesize": 10,
    "axes.prop_cycle": plt.cycler(color=COLORS, marker=list("o^sDv")),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "image.cmap": "gray",
    "legend.frameon": False,
    "text.parse_math": False,  # a class may be named $5
}

P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in the house style, and close the figure so that a notebook shows it once."""

    @functools.wraps(draw)
    def draw_styled(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with plt.rc_context(RC):
            figure = draw(*args, **kwargs)
            for ax in figure.axes:
                ax.get_xticklabels()  # which are made when asked for, and no formulas here
        plt.close(figure)
        if (side := max(figure.get_size_inches())) > 400:
            raise ValueError(f"{draw.__name__} would be {side:,.0f} inches a side; show less.")
        figure.set_dpi(min(figure.dpi, 4_000 / side))  # pixels a side
        return figure

    return draw_styled


def panels(
    width: float, height: float, titles: Collection[str] = ("",), sharey: bool = False, **look: Any
) -> tuple[Figure, list[Axes]]:
    """Make a figure of one panel or several side by side, each of this size in inches.

    All `look` the same; with `sharey`, the first one alone shows the labels of the y-axis.
    """
    size = (width * len(titles), height)
    figure, axes = plt.subplots(1, len(titles), figsize=size, sharey=sharey, squeeze=False)
    for ax, title in zip(axes.flat, titles, strict=True):
        ax.set(title=title, **look)
        if sharey:
            ax.label_outer()
    return figure, list(axes.flat)
