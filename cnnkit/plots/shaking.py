"""Shake-shake: a block as a drawing, its coefficients, and how alike its branches are."""

import itertools
from collections.abc import Mapping, Sequence

from cnnkit.plots.style import BLUE, GREEN, GREY, MARKERS, SIGNED, VERMILION, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STEPS = ("ReLU", "3×3 conv", "BN", "ReLU", "3×3 conv", "BN")
Pairs = tuple[np.ndarray, np.ndarray]


@styled
def shake_block() -> Figure:
    """Draw a block of ShakeNet on its way forward, on its way back, and in inference."""
    figure, axes = plt.subplots(1, 3, figsize=(9, 4.2))
    titles = {
        "training, forward": ("α", "1 − α", BLUE),
        "training, backward": ("β", "1 − β", VERMILION),
        "inference": ("½", "½", GREEN),
    }
    for ax, (title, (first, second, color)) in zip(axes, titles.items(), strict=True):
        backward = title.endswith("backward")
        _draw_block(ax, (first, second), color, backward)
        ax.set_title(title)
    return figure


def _draw_block(ax: Axes, coefficients: Sequence[str], color: str, backward: bool) -> None:
    top, bottom = len(STEPS) + 1.0, -1.4
    box = {"boxstyle": "square,pad=0.3", "fc": "white", "ec": GREY}
    ring = {"boxstyle": "round,pad=0.3,rounding_size=0.8", "fc": "white", "ec": color, "lw": 1.6}
    for x, coefficient in zip((1.0, 2.6), coefficients, strict=True):
        for place, step in enumerate(STEPS):
            height = len(STEPS) - place
            ax.text(x, height, step, ha="center", va="center", bbox=box, fontsize=8, zorder=5)
        ax.text(x, -0.2, coefficient, ha="center", va="center", bbox=ring, color=color, zorder=5)
        _arrow(ax, [(1.0, top), (x, top), (x, len(STEPS) + 0.4)], GREY, backward)
        _arrow(ax, [(x, len(STEPS)), (x, 0.2)], GREY, backward)
        _arrow(ax, [(x, -0.6), (x, bottom), (1.55 if x < 1.8 else 2.05, bottom)], color, backward)
    _arrow(ax, [(1.0, top), (-0.3, top), (-0.3, -2.1), (1.8, -2.1), (1.8, -1.7)], GREY, backward)
    ax.text(-0.45, 3, "skip", rotation=90, ha="right", va="center", color=GREY)
    ax.text(1.0, top + 0.15, "x", ha="center", va="bottom")
    plus = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": "black"}
    ax.text(1.8, bottom, "+", ha="center", va="center", bbox=plus, zorder=5)
    ax.set(xlim=(-1, 3.5), ylim=(bottom - 1, top + 0.7))
    ax.set_axis_off()


def _arrow(ax: Axes, points: list[tuple[float, float]], color: str, backward: bool) -> None:
    """Draw a line through points, with its head at the last one, or at the first."""
    xs, ys = zip(*points, strict=True)
    ax.plot(xs, ys, color=color, lw=1.2, zorder=0, solid_joinstyle="round")
    tip, tail = (points[0], points[1]) if backward else (points[-1], points[-2])
    arrow = {"arrowstyle": "->", "color": color, "lw": 1.2}
    ax.annotate("", tip, tail, arrowprops=arrow, zorder=1)


@styled
def coefficients(modes: Mapping[str, Pairs]) -> Figure:
    """Show α and β of the pictures of one batch, for several modes.

    Parameters
    ----------
    modes : mapping of str to (ndarray, ndarray)
        The title of each mode, and α and β of the pictures, (n,).
    """
    figure, axes = plt.subplots(
        1, len(modes), figsize=(2.25 * len(modes), 2.5), sharey=True, squeeze=False
    )
    for ax, (title, (alpha, beta)) in zip(axes.flat, modes.items(), strict=True):
        places = np.arange(1, len(alpha) + 1)
        ax.axhline(0.5, color=GREY, lw=0.8, ls=":")
        ax.vlines(places, alpha, beta, color=GREY, lw=0.8)
        ax.plot(places, alpha, "o", ms=7, color=BLUE, label="α, forward")
        ax.plot(places, beta, "D", ms=4.5, color=VERMILION, label="β, backward")
        ax.set(title=title, xlabel="picture", ylim=(-0.05, 1.05), xticks=places)
    axes.flat[0].set_ylabel("coefficient of branch 1")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False)
    return figure


@styled
def histograms(values: Mapping[str, np.ndarray], xlabel: str) -> Figure:
    """Show how often values in [0, 1] occur, side by side.

    Parameters
    ----------
    values : mapping of str to ndarray, (n,)
        The title of each, and the values.
    xlabel : str
        What they are.
    """
    figure, axes = plt.subplots(
        1, len(values), figsize=(3.6 * len(values), 2.3), sharey=True, squeeze=False
    )
    for ax, (title, numbers) in zip(axes.flat, values.items(), strict=True):
        ax.hist(numbers, bins=25, range=(0, 1), density=True, color=BLUE, ec="white", lw=0.4)
        ax.axhline(1, color=VERMILION, ls="--", label="uniform")
        ax.set(title=title, xlabel=xlabel)
    axes.flat[0].set_ylabel("density")
    axes.flat[0].legend(frameon=False)
    return figure


@styled
def learning_rates(rates: Mapping[str, Sequence[float]], steps: int) -> Figure:
    """Show how learning rates change, step by step.

    Parameters
    ----------
    rates : mapping of str to sequence of float
        The name of each schedule, and its learning rate in every step.
    steps : int
        Steps an epoch.
    """
    figure, ax = plt.subplots(figsize=(7, 2.6))
    styles = itertools.cycle(("-", "--", ":", "-."))
    for (name, values), style in zip(rates.items(), styles, strict=False):
        ax.plot(np.arange(len(values)) / steps, values, style, label=name)
    ax.set(xlabel="epoch", ylabel="learning rate", ylim=(0, None))
    ax.legend(frameon=False, ncols=len(rates), loc="lower left", bbox_to_anchor=(0, 1))
    return figure


@styled
def correlations(matrices: Mapping[str, np.ndarray], blocks: Sequence[str]) -> Figure:
    """Show how alike the branches of each block are, and those of different blocks, if known.

    Parameters
    ----------
    matrices : mapping of str to ndarray, (k, k)
        The title of each network, and the matrix of `evaluation.branch_correlation`.
    blocks : sequence of str, k of them
        Short names of the blocks.
    """
    across = ~np.eye(len(blocks), dtype=bool)
    shown = any(np.isfinite(matrix[across]).any() for matrix in matrices.values())
    count = len(matrices) if shown else 0
    figure, axes = plt.subplots(1, 1 + count, figsize=(3.4 + 2.7 * count, 2.9), squeeze=False)
    lines, *panels = axes.flat
    for (title, matrix), marker in zip(matrices.items(), itertools.cycle(MARKERS), strict=False):
        lines.plot(blocks, np.diag(matrix), marker=marker, label=title)
    lines.axhline(0, color=GREY, lw=0.8, ls=":")
    lines.set(xlabel="block", ylabel="correlation of its branches")
    lines.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1))
    if not shown:
        return figure
    for (title, matrix), ax in zip(matrices.items(), panels, strict=True):
        picture = ax.imshow(matrix, cmap=SIGNED, vmin=-1, vmax=1)
        ax.set_xticks(range(len(blocks)), blocks)
        ax.set_yticks(range(len(blocks)), blocks)
        ax.set(title=title, xlabel="branch 2 of block", ylabel="branch 1 of block")
    figure.colorbar(picture, ax=panels, fraction=0.04, label="correlation")
    return figure
