"""How training went, and how good the result is."""

import itertools
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

from cnnkit.plots.style import BLUE, GREY, MARKERS, VERMILION, styled

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import ConfusionMatrixDisplay

MISSING = "–"
LINE = 24  # letters of a name, before it goes on in the next line
Curves = Mapping[str, Sequence[float]]


@styled
def learning_curves(
    history: keras.callbacks.History | Curves, steps: Sequence[int] | None = None
) -> Figure:
    """Show loss and accuracy while training, with those of the validation set if there are any.

    Parameters
    ----------
    history : keras.callbacks.History, or mapping of str to sequence of float
        As ``fit`` returns it, or such curves by name: ``loss``, ``accuracy``, and each with
        ``val_`` in front.
    steps : sequence of int, optional
        Where the figures were taken, if not once an epoch.
    """
    curves: Curves = getattr(history, "history", history)
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.8))
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        keys = {name: "training", f"val_{name}": "validation"}
        for (key, label), marker in zip(keys.items(), MARKERS, strict=False):
            if key in curves:
                x = steps if steps is not None else range(1, len(curves[key]) + 1)
                ax.plot(x, curves[key], label=label, marker=marker, markersize=3)
        ax.set(xlabel="epoch" if steps is None else "step", ylabel=name)
        if ax.lines:
            ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return figure


@styled
def confusion(
    matrix: np.ndarray, class_names: Sequence[str] | None = None, percent: bool = False
) -> Figure:
    """Show a confusion matrix: how often each class was taken for each.

    The picture grows with the number of classes, so that names stay readable up to a hundred.

    Parameters
    ----------
    matrix : ndarray, (classes, classes)
        Row: true class; column: predicted class. Counts, or shares of each row.
    class_names : sequence of str, optional
        Their numbers where not given.
    percent : bool
        Show whole per cents of each true class. A class without pictures shows "–".
    """
    names = [str(name) for name in (range(len(matrix)) if class_names is None else class_names)]
    names = [textwrap.fill(name, LINE) for name in names]
    longest = max(_letters(line) for name in names for line in name.splitlines())
    upright = len(names) * longest > 40  # or else they would run into one another
    cells, beside = max(3.2, 0.28 * len(names)), 0.09 * longest
    side = 1.1 + cells + (beside if upright else 0.1)
    figure, ax = plt.subplots(figsize=(1.9 + cells + beside, side))
    sums = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(100 * matrix, sums, out=np.full(matrix.shape, np.nan), where=sums != 0)
    counts = np.issubdtype(matrix.dtype, np.integer)
    display = ConfusionMatrixDisplay(shares if percent else matrix, display_labels=names)
    display.plot(
        ax=ax,
        cmap="Blues",
        include_values=False,
        im_kw={"vmin": 0, "vmax": 100} if percent else None,
        xticks_rotation="vertical" if upright else "horizontal",
        colorbar=False,
    )
    _write_values(display, ".0f" if percent else ",d" if counts else ".2f")
    label = "% of the class" if percent else "pictures" if counts else "share of the class"
    figure.colorbar(display.im_, ax=ax, label=label, shrink=min(1, 6 / cells), aspect=20)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.spines[:].set_visible(False)
    return figure


def _write_values(display: ConfusionMatrixDisplay, form: str) -> None:
    """Write each value into its cell; where these are many and small, zeros stay blank."""
    ax, matrix = display.ax_, display.confusion_matrix
    crowded = len(matrix) > 20
    if crowded:
        ax.tick_params(labelsize=7)
    for (row, column), value in np.ndenumerate(matrix):
        if value == 0 and crowded:
            continue
        text = MISSING if np.isnan(value) else format(value, form)
        color = "white" if display.im_.norm(value) > 0.5 else "black"
        size = 6 if crowded else None
        ax.text(column, row, text, ha="center", va="center", fontsize=size, color=color)


def _letters(text: str) -> int:
    """Return how many letters wide a text is; those of East Asia count twice."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


@styled
def spread(figures: Sequence[float], live: float, published: float | None = None) -> Figure:
    """Show this run's accuracy beside those of other seeds and the published one.

    Parameters
    ----------
    figures : sequence of float
        Test accuracies of repeated runs, in [0, 1].
    live : float
        Test accuracy of the run to compare.
    published : float, optional
        What the source reports.
    """
    figure, ax = plt.subplots(figsize=(7, 1.6))
    ax.plot(figures, np.zeros(len(figures)), "o", ms=9, alpha=0.6, label="recorded seeds")
    mean = float(np.mean(figures))
    ax.plot([mean], [0], "|", ms=26, mew=2, color=BLUE, label=f"their mean, {mean:.3f}")
    ax.plot([live], [0], "D", ms=8, color=VERMILION, label="this run")
    if published is not None:
        ax.axvline(published, color=GREY, ls="--", label=f"published, {published:.3f}")
    ax.set(xlabel="test accuracy", yticks=[])
    ax.spines["left"].set_visible(False)
    figure.legend(loc="outside upper center", ncols=4, frameon=False)
    return figure


@styled
def spreads(
    recorded: Mapping[str, Sequence[float]],
    live: Mapping[str, float] | None = None,
    published: Mapping[str, float] | None = None,
    xlabel: str = "test accuracy",
) -> Figure:
    """Show the accuracies of several experiments, one below the other.

    Parameters
    ----------
    recorded : mapping of str to sequence of float
        Test accuracies of repeated runs of each experiment, in [0, 1].
    live : mapping of str to float, optional
        Test accuracies of this notebook's runs.
    published : mapping of str to float, optional
        What the sources report.
    xlabel : str
        Title of the axis.

    Raises
    ------
    ValueError
        A live or published figure of an experiment that is not among the recorded.
    """
    if strange := {*(live or {}), *(published or {})} - set(recorded):
        raise ValueError(
            f"There is nothing recorded for {sorted(strange)}; expected some of {list(recorded)}."
        )
    figure, ax = plt.subplots(figsize=(7, 1 + 0.55 * len(recorded)))
    rows = {name: row for row, name in enumerate(recorded)}
    for name, figures in recorded.items():
        label = "recorded seeds" if rows[name] == 0 else None
        height = np.full(len(figures), rows[name])
        ax.plot(figures, height, "o", ms=9, alpha=0.6, color=BLUE, label=label)
    if published:
        heights = [rows[name] for name in published]
        ax.plot(list(published.values()), heights, "|", ms=24, mew=2, color=GREY, label="published")
    if live:
        heights = [rows[name] for name in live]
        ax.plot(list(live.values()), heights, "D", ms=8, color=VERMILION, label="this run")
    ax.set(xlabel=xlabel, yticks=range(len(rows)), yticklabels=rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.spines["left"].set_visible(False)
    ax.tick_params(left=False)
    figure.legend(loc="outside upper center", ncols=3, frameon=False)
    return figure


@styled
def accuracies(
    lines: Mapping[str, Sequence[float]],
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
        Where they were taken: after each epoch, from 1, where it is not given.
    xlabel, ylabel : str
        Titles of the axes.
    """
    figure, ax = plt.subplots(figsize=(6.5, 3))
    for (name, values), marker in zip(lines.items(), itertools.cycle(MARKERS), strict=False):
        x = places if places is not None else range(1, len(values) + 1)
        ax.plot(x, values, marker=marker, label=name)
    if places is None:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend(frameon=False)
    return figure
