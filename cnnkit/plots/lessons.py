"""A kernel on its way over the input: numbers, padding, stride, and the matrix behind it."""

from collections.abc import Sequence

from cnnkit.plots.style import BLUE, GREEN, SIGNED, VERMILION, outline, side_by_side, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


@styled
def number_grids(grids: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
    """Show small matrices side by side with their numbers, all cells of one size.

    Each of the `grids`, (rows, columns), is grey if no number is negative, bright where it is
    large, and has two colours around 0 otherwise.
    """
    cell, gap = 0.5, 0.4
    widths = [grid.shape[1] for grid in grids]
    height = max(len(grid) for grid in grids)
    size = (cell * sum(widths) + gap * (len(grids) + 1), cell * height + 3 * gap)
    figure, axes = plt.subplots(1, len(grids), figsize=size, width_ratios=widths, squeeze=False)
    for ax, grid, title in zip(axes.flat, grids, titles, strict=True):
        bound = np.abs(grid).max() or 1.0
        signed = grid.min() < 0
        # A range wider than the numbers keeps the colours pale enough to write on.
        low, high = (-2 * bound, 2 * bound) if signed else (-2 * bound, 1.2 * bound)
        ax.imshow(grid, cmap=SIGNED if signed else "gray", vmin=low, vmax=high)
        for (row, column), value in np.ndenumerate(grid):
            ax.text(column, row, f"{value:g}", ha="center", va="center")
        ax.set(title=title, xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
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
    grids = (image, kernel, response)
    figure = number_grids(grids, ("input map", "kernel", "response map"))
    outline(figure.axes[0], row, column, size, size, VERMILION)
    outline(figure.axes[2], row, column, 1, 1, VERMILION)
    window = image[row : row + size, column : column + size]
    terms = [
        f"{value:g}·({weight:g})"
        for value, weight in zip(window.flat, kernel.flat, strict=True)
        if value and weight
    ]
    figure.supxlabel(f"{' + '.join(terms) or '0'} = {response[row, column]:g}", fontsize=10)
    return figure


@styled
def sliding_windows(cases: Sequence[tuple[int, int, int, int]]) -> Figure:
    """Show where a kernel fits on an input map, for several paddings and strides.

    Each of the `cases`, (input size, kernel size, padding, stride), in pixels, has a panel, and
    each window a dot at its centre.
    """
    figure, axes = side_by_side(len(cases), 2.3, 3.0)
    for ax, (size, kernel, padding, stride) in zip(axes, cases, strict=True):
        padded = size + 2 * padding
        if not (1 <= kernel <= padded and stride >= 1):
            raise ValueError(
                f"A kernel of {kernel} with stride {stride} has no window on an input of {size} "
                f"with padding {padding}; expected a kernel of 1 to {padded}, and a stride from 1."
            )
        steps = np.arange(0, padded - kernel + 1, stride)
        cells = np.full((padded, padded), 0.08)
        cells[padding : padding + size, padding : padding + size] = 0.3
        ax.imshow(cells, vmin=0, vmax=1)
        ax.set_xticks(np.arange(padded + 1) - 0.5, labels=[])
        ax.set_yticks(np.arange(padded + 1) - 0.5, labels=[])
        ax.grid(color="white", lw=1)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        centers = steps + (kernel - 1) / 2
        ax.plot(*(axis.ravel() for axis in np.meshgrid(centers, centers)), "o", color=BLUE, ms=4)
        outline(ax, 0, 0, kernel, kernel, VERMILION)
        outline(ax, steps[-1], steps[-1], kernel, kernel, GREEN)
        sizes = f"i = {size}, f = {kernel}, p = {padding}, s = {stride}"
        ax.set_title(f"{sizes}\n→ {len(steps)} × {len(steps)}")
    figure.supxlabel(
        "upper left: the first window; lower right: the last; a dot for each output", fontsize=9
    )
    return figure


@styled
def heatmap(values: np.ndarray, xlabel: str, ylabel: str) -> Figure:
    """Show a matrix (rows, columns) in colour, orange above zero and purple below."""
    rows, columns = values.shape
    figure, ax = plt.subplots(figsize=(8, 1 + 6.5 * rows / columns))
    bound = np.abs(values).max() or 1.0
    picture = ax.imshow(values, cmap=SIGNED, vmin=-bound, vmax=bound)
    figure.colorbar(picture, ax=ax, fraction=0.04, label="value")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figure
