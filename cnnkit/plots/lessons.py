"""Drawings that explain: a kernel on its way over the input, padding, stride, shapes."""

from collections.abc import Sequence

from cnnkit.plots.style import BLUE, GREEN, GREY, SIGNED, VERMILION, outline, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure


@styled
def number_grids(grids: Sequence[np.ndarray], titles: Sequence[str]) -> Figure:
    """Show small matrices side by side with their numbers, all cells of one size.

    Parameters
    ----------
    grids : sequence of ndarray, each (rows, columns)
        A matrix without a negative value is shown in grey, bright where it is large; the others
        in two colours around 0.
    titles : sequence of str
        One above each.
    """
    cell, gap = 0.5, 0.4
    widths = [grid.shape[1] for grid in grids]
    height = max(len(grid) for grid in grids)
    figure, axes = plt.subplots(
        1,
        len(grids),
        figsize=(cell * sum(widths) + gap * (len(grids) + 1), cell * height + 3 * gap),
        width_ratios=widths,
        squeeze=False,
    )
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

    Parameters
    ----------
    image : ndarray, (h, w)
    kernel : ndarray, (k, k)
    response : ndarray
        The response map, stride 1, no padding.
    row, column : int
        Position in the response map.
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

    Parameters
    ----------
    cases : sequence of (input size, kernel size, padding, stride)
        One panel each. A dot marks the centre of every window.

    Raises
    ------
    ValueError
        A kernel that does not fit anywhere, or a stride of 0.
    """
    for size, kernel, padding, stride in cases:
        if not (1 <= kernel <= size + 2 * padding and stride >= 1):
            raise ValueError(
                f"A kernel of {kernel} with stride {stride} has no window on an input of {size} "
                f"with padding {padding}; expected a kernel of 1 to {size + 2 * padding}, and a "
                "stride from 1."
            )
    figure, axes = plt.subplots(1, len(cases), figsize=(2.3 * len(cases), 3.0), squeeze=False)
    for ax, (size, kernel, padding, stride) in zip(axes.flat, cases, strict=True):
        padded = size + 2 * padding
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
        output = len(steps)
        ax.set_title(
            f"i = {size}, f = {kernel}, p = {padding}, s = {stride}\n→ {output} × {output}"
        )
    figure.supxlabel(
        "upper left: the first window; lower right: the last; a dot for each output", fontsize=9
    )
    return figure


@styled
def heatmap(values: np.ndarray, xlabel: str, ylabel: str) -> Figure:
    """Show a matrix in colour, orange above zero and purple below.

    Parameters
    ----------
    values : ndarray, (rows, columns)
    xlabel, ylabel : str
        What columns and rows stand for.
    """
    rows, columns = values.shape
    figure, ax = plt.subplots(figsize=(8, 1 + 6.5 * rows / columns))
    bound = np.abs(values).max() or 1.0
    picture = ax.imshow(values, cmap=SIGNED, vmin=-bound, vmax=bound)
    figure.colorbar(picture, ax=ax, fraction=0.04, label="value")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return figure


@styled
def layer_by_layer(
    image: np.ndarray,
    outputs: Sequence[np.ndarray],
    names: Sequence[str],
) -> Figure:
    """Show one picture on its way through a network, with the shape after each layer.

    Parameters
    ----------
    image : ndarray, (h, w, channels)
    outputs : sequence of ndarray
        What each layer makes of it: feature maps (h, w, channels), of which the strongest
        six are shown, or a vector. The last one holds the class probabilities.
    names : sequence of str
        The layers' names.
    """
    figure = plt.figure(figsize=(1.75 * (1 + len(outputs)), 2.6))
    panels = figure.subfigures(1, 1 + len(outputs), squeeze=False)[0]
    ax = panels[0].subplots()
    ax.imshow(np.squeeze(image))
    ax.set_axis_off()
    panels[0].suptitle(f"input\n{_form(image)}", fontsize=10)
    for panel, output, name in zip(panels[1:], outputs, names, strict=True):
        panel.suptitle(f"{name}\n{_form(output)}", fontsize=10)
        if output.ndim == 3:
            strongest = np.argsort(-output.max(axis=(0, 1)), kind="stable")[:6]
            axes = panel.subplots(3, 2).ravel()
            for ax in axes:
                ax.set_axis_off()
            for ax, channel in zip(axes, strongest, strict=False):
                ax.imshow(output[..., channel], vmin=0, vmax=output.max())
        elif output is not outputs[-1]:
            ax = panel.subplots()
            columns = next(n for n in range(20, 0, -1) if output.size % n == 0)
            ax.imshow(output.reshape(-1, columns), aspect="auto")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_color(GREY)
        else:
            _probability_bars(panel.subplots(), output)
    return figure


def _probability_bars(ax: plt.Axes, probabilities: np.ndarray) -> None:
    names = [str(number) for number in range(len(probabilities))]
    colors = [VERMILION if p == probabilities.max() else BLUE for p in probabilities]
    ax.barh(names, probabilities, color=colors)
    ax.invert_yaxis()
    ax.set(xlim=(0, 1), xlabel="probability")
    ax.tick_params(labelsize=8)


def _form(array: np.ndarray) -> str:
    return " × ".join(str(size) for size in array.shape)
