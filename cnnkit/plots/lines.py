"""How training went, and how good the results are: as lines, and as points on one line."""

from collections.abc import Mapping
from typing import Any

from cnnkit.plots.style import BLUE, GREY, VERMILION, panels, styled

import keras
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["curves", "learning_curves", "spreads"]

Curves = Mapping[str, Any]  # names and their numbers, one after the other
Places = Any  # along the x-axis: numbers or names, or None for 1, 2 and so on
Points = Mapping[str, float] | None
SEEDS: Any = {"ms": 9, "alpha": 0.6, "color": BLUE}
THIS_RUN: Any = {"marker": "D", "ls": "", "ms": 8, "color": VERMILION, "label": "this run"}
SOURCE: Any = {"marker": "|", "ls": "", "ms": 24, "mew": 2, "color": GREY, "label": "published"}
ABOVE: Any = {"loc": "lower left", "bbox_to_anchor": (0, 1)}  # of a legend


def draw_lines(ax: Axes, curves: Curves, x: Places = None, **options: Any) -> None:
    """Draw each series as a line with its own marker."""
    for name, values in curves.items():
        ax.plot(range(1, len(values) + 1) if x is None else x, values, label=name, **options)


@styled
def learning_curves(history: keras.callbacks.History | Curves, steps: Places = None) -> Figure:
    """Show loss and accuracy while training, with those of the validation set if there are any.

    `history` is what ``fit`` returns, or such curves by name: ``loss``, ``accuracy``, ``val_loss``
    and ``val_accuracy``. The metrics were taken in these `steps`, or else after each epoch.
    """
    curves: Curves = getattr(history, "history", history)
    figure, axes = panels(4, 2.8, ("", ""), xlabel="epoch" if steps is None else "step")
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        keys = {name: "training", f"val_{name}": "validation"}
        found = {label: curves[key] for key, label in keys.items() if key in curves}
        draw_lines(ax, found, steps, markersize=3)
        ax.set_ylabel(name)
        if found:
            ax.legend(ncols=2, **ABOVE)
    return figure


@styled
def curves(series: Curves, places: Places = None, **look: Any) -> Figure:
    """Show several series of numbers as lines; of validation accuracies, unless told otherwise.

    `series` maps the name of each to its numbers, one for each of the `places` along the x-axis,
    which may be names; or without these one for each epoch, from 1. The axes have this `look`,
    such as ``ylabel="loss", yscale="log"``.
    """
    look = {"xlabel": "epoch", "ylabel": "validation accuracy"} | look
    figure, (ax,) = panels(7, 2.8 + 0.1 * len(series), **look)
    draw_lines(ax, series, places, markersize=6 if len(next(iter(series.values()))) <= 100 else 0)
    if places is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(handles=ax.lines, loc="outside upper center", ncols=2)
    return figure


@styled
def spreads(
    recorded: Curves, live: Points = None, published: Points = None, xlabel: str = "test accuracy"
) -> Figure:
    """Show the accuracies, in [0, 1], of several experiments, one below the other.

    `recorded` maps the name of each to the accuracies of its recorded runs; `live` and `published`
    map some of these names to the accuracy of this notebook's run, and of the source.
    """
    figure, (ax,) = panels(7, 1 + 0.55 * len(recorded), xlabel=xlabel)
    rows = list(recorded)
    for row, figures in enumerate(recorded.values()):
        ax.plot(figures, [row] * len(figures), "o", **SEEDS, label="" if row else "recorded seeds")
    for marks, look in ((published, SOURCE), (live, THIS_RUN)):
        if marks:
            ax.plot(list(marks.values()), [rows.index(name) for name in marks], **look)
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)
    figure.legend(loc="outside upper center", ncols=3)
    return figure
