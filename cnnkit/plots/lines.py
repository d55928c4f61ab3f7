"""How training went, and how good the results are: as lines, and as points on one line."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnnkit.plots.style import BLUE, GREY, VERMILION, panels, styled

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = ["accuracies", "activation_spreads", "learning_curves", "learning_rates", "scaling"]
__all__ += ["spread", "spreads"]

Curves = Mapping[str, Sequence[float]]
Places = Sequence[Any] | None  # along the x-axis; without them 1, 2 and so on
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
def accuracies(
    lines: Curves, places: Places = None, xlabel: str = "epoch", ylabel: str = "validation accuracy"
) -> Figure:
    """Show several series of accuracies as lines.

    `lines` maps the name of each to accuracies in [0, 1], one for each name in `places`, or
    without it one for each epoch, from 1.
    """
    figure, (ax,) = panels(6.5, 3, xlabel=xlabel, ylabel=ylabel)
    draw_lines(ax, lines, places)
    if places is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return figure


@styled
def activation_spreads(spreads: Curves, layers: Sequence[str]) -> Figure:
    """Show the standard deviation of each layer's outputs, on a logarithmic scale.

    `spreads` maps the name of each network to these numbers, one for each name in `layers`.
    """
    ylabel = "standard deviation of the outputs"
    figure, (ax,) = panels(8, 3.4, yscale="log", xlabel="layer", ylabel=ylabel)
    draw_lines(ax, spreads, layers)
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def scaling(efficiencies: Curves, workers: Sequence[int]) -> Figure:
    """Show how much of each worker's time is left for computing, as their number grows.

    `efficiencies` maps the name of each case to efficiencies in [0, 1], one for each number in
    `workers`, powers of two. A dotted line shows 0.8, below which one more hardly pays.
    """
    figure, (ax,) = panels(7, 3, xlabel="workers", ylabel="efficiency")
    draw_lines(ax, efficiencies, workers)
    ax.axhline(0.8, color=GREY, lw=0.8, ls=":")
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(workers), [str(number) for number in workers])
    ax.set(ylim=(0, 1.05), yticks=np.linspace(0, 1, 6))
    figure.legend(loc="outside right center")
    return figure


@styled
def learning_rates(rates: Curves, steps: float) -> Figure:
    """Show how learning rates change.

    `rates` maps the name of each schedule to its learning rate in every step, `steps` an epoch.
    """
    figure, (ax,) = panels(7, 2.6, xlabel="epoch", ylabel="learning rate")
    styles = ("-", "--", ":", "-.") * len(rates)
    for (name, values), style in zip(rates.items(), styles, strict=False):
        ax.plot(np.arange(len(values)) / steps, values, style, label=name)
    ax.set_ylim(0, None)
    ax.legend(ncols=len(rates), **ABOVE)
    return figure


@styled
def spread(figures: Sequence[float], live: float, published: float | None = None) -> Figure:
    """Show the test accuracy of this run beside those of other seeds and the published one.

    `figures` are accuracies of the recorded runs, `live` is that of this run, and `published` the
    one that the source reports, if it does; all in [0, 1].
    """
    figure, (ax,) = panels(7, 1.6, xlabel="test accuracy", yticks=[])
    mean = float(np.mean(figures))
    ax.plot(figures, [0] * len(figures), "o", **SEEDS, label="recorded seeds")
    ax.plot([mean], [0], "|", ms=26, mew=2, color=BLUE, label=f"their mean, {mean:.3f}")
    ax.plot([live], [0], **THIS_RUN)
    if published is not None:
        ax.axvline(published, color=GREY, ls="--", label=f"published, {published:.3f}")
    ax.spines["left"].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4)
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
