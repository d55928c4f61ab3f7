"""How training went, and how good the results are: as lines, and as points on one line."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from cnnkit.plots.style import BLUE, GREY, MARKERS, VERMILION, styled

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

Curves = Mapping[str, Sequence[float]]
SEEDS: Any = {"ms": 9, "alpha": 0.6, "color": BLUE}
THIS_RUN: Any = {"ms": 8, "color": VERMILION, "label": "this run"}
ABOVE: Any = {"loc": "lower left", "bbox_to_anchor": (0, 1)}  # of a legend


def draw_lines(ax: Axes, curves: Curves, x: Sequence | None = None, **options: Any) -> None:
    """Draw each series as a line with its own marker, over `x` or over 1, 2 and so on."""
    for (name, values), marker in zip(curves.items(), itertools.cycle(MARKERS), strict=False):
        places = range(1, len(values) + 1) if x is None else x
        ax.plot(places, values, marker=marker, label=name, **options)


@styled
def learning_curves(
    history: keras.callbacks.History | Curves, steps: Sequence[int] | None = None
) -> Figure:
    """Show loss and accuracy while training, with those of the validation set if there are any.

    Parameters
    ----------
    history : keras.callbacks.History, or mapping of str to sequence of float
        As ``fit`` returns it, or such curves by name: ``loss``, ``accuracy``, ``val_loss``, …
    steps : sequence of int, optional
        Where the metrics were taken, if not once an epoch.
    """
    curves: Curves = getattr(history, "history", history)
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        keys = {name: "training", f"val_{name}": "validation"}
        found = {label: curves[key] for key, label in keys.items() if key in curves}
        draw_lines(ax, found, steps, markersize=3)
        ax.set(xlabel="epoch" if steps is None else "step", ylabel=name)
        if found:
            ax.legend(ncols=2, **ABOVE)
    return figure


@styled
def accuracies(
    lines: Curves,
    places: Sequence[str] | None = None,
    xlabel: str = "epoch",
    ylabel: str = "validation accuracy",
) -> Figure:
    """Show several series of accuracies as lines.

    Parameters
    ----------
    lines : mapping of str to sequence of float
        Accuracies in [0, 1] of each series.
    places : sequence of str, optional
        Where they were taken; without it, after each epoch, from 1.
    """
    figure, ax = plt.subplots(figsize=(6.5, 3))
    draw_lines(ax, lines, places)
    if places is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return figure


@styled
def activation_spreads(spreads: Curves, layers: Sequence[str]) -> Figure:
    """Show the standard deviation of each layer's outputs, on a logarithmic scale.

    `spreads` maps the name of each network to these numbers, one for each name in `layers`.
    """
    figure, ax = plt.subplots(figsize=(8, 3.4))
    draw_lines(ax, spreads, layers)
    ax.set(yscale="log", xlabel="layer", ylabel="standard deviation of the outputs")
    figure.legend(loc="outside upper center", ncols=2)
    return figure


@styled
def scaling(efficiencies: Curves, workers: Sequence[int]) -> Figure:
    """Show how much of each worker's time is left for computing, as their number grows.

    `efficiencies` maps the name of each case to efficiencies in [0, 1], one for each number in
    `workers`, powers of two. A dotted line shows 0.8, below which one more hardly pays.
    """
    figure, ax = plt.subplots(figsize=(7, 3))
    draw_lines(ax, efficiencies, workers)
    ax.axhline(0.8, color=GREY, lw=0.8, ls=":")
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(workers), [str(number) for number in workers])
    ax.set(xlabel="workers", ylabel="efficiency", ylim=(0, 1.05), yticks=np.linspace(0, 1, 6))
    figure.legend(loc="outside right center")
    return figure


@styled
def learning_rates(rates: Curves, steps: float) -> Figure:
    """Show how learning rates change.

    `rates` maps the name of each schedule to its learning rate in every step, `steps` an epoch.
    """
    figure, ax = plt.subplots(figsize=(7, 2.6))
    styles = itertools.cycle(("-", "--", ":", "-."))
    for (name, values), style in zip(rates.items(), styles, strict=False):
        ax.plot(np.arange(len(values)) / steps, values, style, label=name)
    ax.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
    ax.legend(ncols=len(rates), **ABOVE)
    return figure


@styled
def spread(figures: Sequence[float], live: float, published: float | None = None) -> Figure:
    """Show the test accuracy of this run beside those of other seeds and the published one.

    Parameters
    ----------
    figures : sequence of float
        Accuracies of the recorded runs, in [0, 1].
    live, published : float
        Accuracy of this run, and the one that the source reports, if it does.
    """
    figure, ax = plt.subplots(figsize=(7, 1.6))
    mean = float(np.mean(figures))
    ax.plot(figures, [0] * len(figures), "o", **SEEDS, label="recorded seeds")
    ax.plot([mean], [0], "|", ms=26, mew=2, color=BLUE, label=f"their mean, {mean:.3f}")
    ax.plot([live], [0], "D", **THIS_RUN)
    if published is not None:
        ax.axvline(published, color=GREY, ls="--", label=f"published, {published:.3f}")
    ax.set(xlabel="test accuracy", yticks=[])
    ax.spines["left"].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4)
    return figure


@styled
def spreads(
    recorded: Curves,
    live: Mapping[str, float] | None = None,
    published: Mapping[str, float] | None = None,
    xlabel: str = "test accuracy",
) -> Figure:
    """Show the accuracies, in [0, 1], of several experiments, one below the other.

    Parameters
    ----------
    recorded : mapping of str to sequence of float
        Accuracies of the recorded runs of each experiment.
    live, published : mapping of str to float, optional
        Accuracies of this notebook's runs, and of the sources, of some of these experiments.
    """
    figure, ax = plt.subplots(figsize=(7, 1 + 0.55 * len(recorded)))
    rows = {name: number for number, name in enumerate(recorded)}
    for name, figures in recorded.items():
        label = None if rows[name] else "recorded seeds"
        ax.plot(figures, [rows[name]] * len(figures), "o", **SEEDS, label=label)
    if published:
        heights = [rows[name] for name in published]
        ax.plot(list(published.values()), heights, "|", ms=24, mew=2, color=GREY, label="published")
    if live:
        ax.plot(list(live.values()), [rows[name] for name in live], "D", **THIS_RUN)
    ax.set(xlabel=xlabel, yticks=range(len(rows)), yticklabels=rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)
    figure.legend(loc="outside upper center", ncols=3)
    return figure
