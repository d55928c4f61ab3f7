"""Drawings that explain: kernels on their way, connections of layers, shaking, two processes."""

from collections.abc import Sequence
from typing import Any

from cnnkit.plots.style import BARE, BLUE, GREEN, GREY, MIDDLE, SIGNED, VERMILION, panels, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle
from matplotlib.path import Path

__all__ = ["convolution_step", "data_parallel", "number_grids", "shake_block", "shortcuts"]
__all__ += ["sliding_windows"]

Point = tuple[float, float]
RADIUS = 0.34  # of a joint
STEPS = ("ReLU", "3×3 conv", "BN", "ReLU", "3×3 conv", "BN")


@styled
def number_grids(grids: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
    """Show small matrices side by side with their numbers, all cells of one size.

    Each of the `grids`, (rows, columns), is grey if no number is negative, from black at 0 to white
    at the largest of all, and has two colours around 0 otherwise.
    """
    cell, gap = 0.5, 0.4
    widths = [grid.shape[1] for grid in grids]
    height = max(len(grid) for grid in grids)
    size = (cell * sum(widths) + gap * (len(grids) + 1), cell * height + 3 * gap)
    figure, axes = plt.subplots(1, len(grids), figsize=size, width_ratios=widths, squeeze=False)
    grey = max((grid.max() for grid in grids if grid.min() >= 0), default=1) or 1.0
    for ax, grid, title in zip(axes.flat, grids, titles, strict=True):
        signed = grid.min() < 0
        bound = np.abs(grid).max() if signed else grey
        look = {"cmap": SIGNED, "vmin": -2 * bound, "vmax": 2 * bound}  # pale, to write on
        ax.imshow(grid, **(look if signed else {"vmin": 0, "vmax": bound}))
        for (row, column), value in np.ndenumerate(grid):
            color = "black" if signed or value > bound / 2 else "white"
            ax.text(column, row, _number(value), color=color, **MIDDLE)
        ax.set(title=title, **BARE)
        edge = Rectangle((-0.5, -0.5), *grid.shape[::-1], fill=False, ec=GREY, clip_on=False)
        ax.add_patch(edge)
    return figure


@styled
def convolution_step(
    image: np.ndarray, kernel: np.ndarray, response: np.ndarray, row: int, column: int
) -> Figure:
    """Show one step of a convolution: window × kernel, summed, gives one response.

    `image` is (h, w), `kernel` (k, k), and `response` (h - k + 1, w - k + 1), with stride 1 and no
    padding. `row` and `column` are the place in it.
    """
    size = len(kernel)
    figure = number_grids((image, kernel, response), ("input map", "kernel", "response map"))
    for ax, sign in zip(figure.axes[1:], "×=", strict=True):
        ax.annotate(
            sign, (0, 0.5), (-14, 0), "axes fraction", "offset points", fontsize=14, **MIDDLE
        )
    _frame(figure.axes[0], row, column, size, VERMILION)
    _frame(figure.axes[2], row, column, 1, VERMILION)
    pairs = zip(image[row : row + size, column : column + size].flat, kernel.flat, strict=True)
    terms = [f"{_number(value)}·({_number(weight)})" for value, weight in pairs if value and weight]
    total = _number(response[row, column])
    figure.supxlabel(f"{' + '.join(terms) or '0'} = {total}", fontsize=10)
    return figure


def _number(value: float) -> str:
    return f"{value + 0.0:g}".replace("-", "−")  # no −0


def _frame(ax: Axes, row: float, column: float, size: int, color: str) -> None:
    """Draw a frame around `size` × `size` cells."""
    corner = (column - 0.5, row - 0.5)
    ax.add_patch(Rectangle(corner, size, size, fill=False, ec=color, lw=3, clip_on=False))


@styled
def sliding_windows(cases: Sequence[tuple[int, int, int, int]]) -> Figure:
    """Show where a kernel fits on an input map, for several paddings and strides.

    Each of the `cases`, (input size, kernel size, padding, stride), in pixels, has a panel, and
    each window a dot at its centre.
    """
    titles = ["i = {}, f = {}, p = {}, s = {}".format(*case) for case in cases]
    figure, axes = panels(2.3, 3.0, titles)
    for ax, title, (size, kernel, padding, stride) in zip(axes, titles, cases, strict=True):
        padded = size + 2 * padding
        if not (1 <= kernel <= padded and stride >= 1):
            raise ValueError(f"A kernel of {kernel} with stride {stride} fits nowhere in {padded}.")
        steps = np.arange(0, padded - kernel + 1, stride)
        cells = np.pad(np.full((size, size), 0.7), padding, constant_values=0.92)
        ax.imshow(cells, vmin=0, vmax=1)
        edges = np.arange(padded + 1) - 0.5
        ax.set(xticks=edges, yticks=edges, xticklabels=[], yticklabels=[], frame_on=False)
        ax.grid(color="white", lw=1)
        ax.tick_params(length=0)
        centers = steps + (kernel - 1) / 2
        ax.plot(*(axis.ravel() for axis in np.meshgrid(centers, centers)), "o", color=BLUE, ms=4)
        _frame(ax, 0, 0, kernel, VERMILION)
        _frame(ax, steps[-1], steps[-1], kernel, GREEN)
        ax.set_title(f"{title}\n→ {len(steps)} × {len(steps)}")
    note = "upper left: the first window; lower right: the last; a dot for each output"
    figure.supxlabel(note, fontsize=10)
    return figure


def _box(ax: Axes, x: float, y: float, text: str, shape: str, edge: str = GREY, lw: float = 1,
         **options: Any) -> None:  # fmt: skip
    """Write a text into a white box; `shape` is matplotlib's box style."""
    box = {"boxstyle": shape, "fc": "white", "ec": edge, "lw": lw}
    ax.text(x, y, text, bbox=box, **MIDDLE, **options)


def _arrow(ax: Axes, start: Point, end: Point, color: str = GREY, lw: float = 1.2) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": color, "lw": lw})


@styled
def shortcuts(layers: int = 4) -> Figure:
    """Draw a residual block and a dense block of `layers` layers, at least 2, and connections."""
    residual = [(place, place + 1) for place in range(layers)]
    dense = [(first, last) for last in range(1, layers + 1) for first in range(last)]
    figure, (left, right) = panels(4.5, 2, ("", ""), aspect="equal", **BARE)
    _chain(left, layers, residual, "+", BLUE)
    _chain(right, layers, dense, "[ ]", VERMILION)
    left.set_title(f"ResNet: {layers} layers, {layers} skip connections, whose ends are added")
    right.set_title(f"DenseNet: {layers} layers, {len(dense)} connections, whose ends are joined")
    return figure


def _chain(ax: Axes, layers: int, arcs: list[tuple[int, int]], joint: str, color: str) -> None:
    """Draw layers in a row between their joints, and the connections that lead around them."""
    for place in range(layers + 1):
        ax.add_patch(Circle((2 * place, 0), RADIUS, fc="white", ec="black", zorder=3))
        ax.text(2 * place, 0, joint if place else "x", zorder=4, **MIDDLE)
    for layer in range(layers):
        _arrow(ax, (2 * layer + RADIUS, 0), (2 * layer + 2 - RADIUS, 0), lw=1)
        _box(ax, 2 * layer + 1, 0, f"F{layer + 1}", "square,pad=0.35")
    for first, last in arcs:
        top = (first + last, 0.3 + 0.95 * (last - first))
        points = [(2 * first, RADIUS), top, (2 * last, RADIUS)]
        curve = Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        ax.add_patch(FancyArrowPatch(path=curve, arrowstyle="->", mutation_scale=9, color=color))
    ax.set(xlim=(-0.5, 2 * layers + 0.5), ylim=(-0.5, 2.3))


@styled
def shake_block() -> Figure:
    """Draw a block of ShakeNet on its way forward, on its way back, and in inference."""
    titles = ("training, forward", "training, backward", "inference")
    figure, (forward, back, inference) = panels(3, 4.2, titles, **BARE)
    _shake(forward, ("α", "1 − α"), BLUE)
    _shake(back, ("β", "1 − β"), VERMILION, backward=True)
    _shake(inference, ("½", "½"), GREEN)
    return figure


def _shake(ax: Axes, factors: tuple[str, str], color: str, backward: bool = False) -> None:
    top, bottom = len(STEPS) + 1.0, -1.4

    def way(points: list[Point], color: str = GREY) -> None:
        """Draw a line through points, with its head at the last one, or at the first."""
        ax.plot(*np.transpose(points), "-", color=color, lw=1.2, zorder=0, solid_joinstyle="round")
        tail, tip = points[1::-1] if backward else points[-2:]
        _arrow(ax, tail, tip, color)

    for x, factor in zip((1.0, 2.6), factors, strict=True):
        for place, step in enumerate(STEPS):
            _box(ax, x, len(STEPS) - place, step, "square,pad=0.3", fontsize=8, zorder=5)
        ring = "round,pad=0.3,rounding_size=0.8"
        _box(ax, x, -0.2, factor, ring, color, 1.6, color=color, zorder=5)
        way([(1.0, top), (x, top), (x, len(STEPS) + 0.4)])
        way([(x, len(STEPS)), (x, 0.2)])
        way([(x, -0.6), (x, bottom), (1.55 if x < 1.8 else 2.05, bottom)], color)
    way([(1.0, top), (-0.3, top), (-0.3, -2.1), (1.8, -2.1), (1.8, -1.7)])
    ax.text(-0.45, 3, "skip", rotation=90, ha="right", va="center", color=GREY)
    ax.text(1.0, top + 0.15, "x", ha="center", va="bottom")
    _box(ax, 1.8, bottom, "+", "circle,pad=0.2", "black", zorder=5)
    ax.set(xlim=(-1, 3.5), ylim=(bottom - 1, top + 0.7))


@styled
def data_parallel() -> Figure:
    """Draw a training step of two processes that share a batch."""
    figure, (ax,) = panels(8.2, 3.1, xlim=(0, 10.6), ylim=(0, 4), **BARE)
    colors, rounded = (BLUE, VERMILION), "round,pad=0.45,rounding_size=0.25"
    for place, height in enumerate(np.linspace(3.45, 0.55, 8)):
        _box(ax, 0.45, height, str(place + 1), "square,pad=0.25", colors[place >= 4], 1.4, size=9)
    ax.text(0.45, 3.95, "a batch", **MIDDLE)
    for number, (color, height) in enumerate(zip(colors, (3.0, 1.0), strict=True)):
        _box(ax, 2.5, height, f"process {number}:\nall weights w", rounded, color, 1.6)
        _box(ax, 4.8, height, f"gradient of\n4 pictures, g{'₀₁'[number]}", rounded, color, 1.6)
        _box(ax, 9.3, height, "w − η · mean", rounded, color, 1.6)
        middle = 2 + 0.25 * (1 - 2 * number)
        _arrow(ax, (0.8, height), (1.65, height))
        _arrow(ax, (3.35, height), (3.85, height))
        _arrow(ax, (5.75, height), (6.5, middle))
        _arrow(ax, (7.7, middle), (8.5, height))
    _box(ax, 7.1, 2, "all-reduce:\n(g₀ + g₁) / 2", rounded, GREY, 1.6)
    return figure
