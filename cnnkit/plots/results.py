"""What came out: confusion matrices, points in the plane, and the coefficients of Shake-Shake."""

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

from cnnkit.plots.lines import ABOVE, draw_lines
from cnnkit.plots.style import BLUE, GREY, MARKERS, SIGNED, VERMILION, side_by_side, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

LINE = 24  # letters of a name, before it goes on in the next line
Pairs = tuple[np.ndarray, np.ndarray]


@styled
def confusion(
    matrix: np.ndarray, class_names: Sequence[str] | None = None, percent: bool = False
) -> Figure:
    """Show a confusion matrix: how often each class was taken for each.

    The figure grows with the number of classes, so that names stay readable up to a hundred.

    Parameters
    ----------
    matrix : ndarray, (classes, classes)
        Row: true class; column: predicted class. Counts, or shares of each row.
    class_names : sequence of str, optional
        Their numbers if not given.
    percent : bool
        Show whole per cents of each true class. A class without images shows "–".
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
    values, form = (shares, ".0f") if percent else (matrix, ",d" if counts else ".2f")
    picture = ax.imshow(
        values, cmap="Blues", vmin=0 if percent else None, vmax=100 if percent else None
    )
    ax.set_xticks(range(len(names)), names, rotation="vertical" if upright else "horizontal")
    ax.set_yticks(range(len(names)), names)
    if crowded := len(names) > 20:
        ax.tick_params(labelsize=7)
    for (row, column), value in np.ndenumerate(values):
        if value != 0 or not crowded:  # zeros of a large matrix stay blank
            text = "–" if np.isnan(value) else format(value, form)
            color = "white" if np.greater(picture.norm(value), 0.5) else "black"
            size = 6 if crowded else None
            ax.text(column, row, text, ha="center", va="center", fontsize=size, color=color)
    label = "% of the class" if percent else "pictures" if counts else "share of the class"
    figure.colorbar(picture, ax=ax, label=label, shrink=min(1, 6 / cells), aspect=20)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.spines[:].set_visible(False)
    return figure


def _letters(text: str) -> int:
    """Return how many letters wide a text is; those of East Asia count twice."""
    return sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)


@styled
def point_maps(
    maps: Mapping[str, np.ndarray], labels: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Show images as points, coloured by class, in several maps side by side.

    `maps` maps titles to the coordinates of the images, (n, 2); `labels`, (n,), are their class
    numbers. Five classes can be told apart.
    """
    figure, axes = side_by_side(len(maps), 4, 3.6)
    for ax, (title, points) in zip(axes, maps.items(), strict=True):
        for number, name in enumerate(class_names):
            of_class = points[labels == number]
            ax.plot(*of_class.T, MARKERS[number % len(MARKERS)], ms=4, alpha=0.6, mew=0, label=name)
        ax.set(title=title, xticks=[], yticks=[], xlabel="first axis", ylabel="second axis")
        ax.spines[:].set_color(GREY)
    figure.legend(handles=axes[0].lines, loc="outside lower center", ncols=5)
    return figure


@styled
def coefficients(modes: Mapping[str, Pairs]) -> Figure:
    """Show α and β, in [0, 1], of the images of one batch, for several modes.

    `modes` maps the title of each to α and β, both (n,).
    """
    figure, axes = side_by_side(len(modes), 2.25, 2.5, sharey=True)
    for ax, (title, (alpha, beta)) in zip(axes, modes.items(), strict=True):
        places = np.arange(1, len(alpha) + 1)
        ax.axhline(0.5, color=GREY, lw=0.8, ls=":")
        ax.vlines(places, alpha, beta, color=GREY, lw=0.8)
        ax.plot(places, alpha, "o", ms=7, color=BLUE, label="α, forward")
        ax.plot(places, beta, "D", ms=4.5, color=VERMILION, label="β, backward")
        ax.set(title=title, xlabel="picture", ylim=(-0.05, 1.05), xticks=places)
    axes[0].set_ylabel("coefficient of branch 1")
    figure.legend(handles=axes[0].lines[1:], loc="outside upper center", ncols=2)
    return figure


@styled
def histograms(values: Mapping[str, np.ndarray], xlabel: str) -> Figure:
    """Show how often values in [0, 1] occur; `values` maps titles to these arrays, each (n,)."""
    figure, axes = side_by_side(len(values), 3.6, 2.3, sharey=True)
    for ax, (title, numbers) in zip(axes, values.items(), strict=True):
        ax.hist(numbers, bins=25, range=(0, 1), density=True, color=BLUE, ec="white", lw=0.4)
        ax.axhline(1, color=VERMILION, ls="--", label="uniform")
        ax.set(title=title, xlabel=xlabel)
    axes[0].set_ylabel("density")
    axes[0].legend()
    return figure


@styled
def correlations(matrices: Mapping[str, np.ndarray], blocks: Sequence[str]) -> Figure:
    """Show how alike the branches of each block are, and those of different blocks, if known.

    `matrices` maps the title of each network to the matrix of `evaluation.branch_correlation`,
    (k, k), in [-1, 1]; `blocks` are k short names.
    """
    across = ~np.eye(len(blocks), dtype=bool)
    shown = any(np.isfinite(matrix[across]).any() for matrix in matrices.values())
    count = len(matrices) if shown else 0
    figure, axes = plt.subplots(1, 1 + count, figsize=(3.4 + 2.7 * count, 2.9), squeeze=False)
    lines, *panels = axes.flat
    draw_lines(lines, {title: list(np.diag(each)) for title, each in matrices.items()}, blocks)
    lines.axhline(0, color=GREY, lw=0.8, ls=":")
    lines.set(xlabel="block", ylabel="correlation of its branches")
    lines.legend(**ABOVE)
    if not shown:
        return figure
    for (title, matrix), ax in zip(matrices.items(), panels, strict=True):
        picture = ax.imshow(matrix, cmap=SIGNED, vmin=-1, vmax=1)
        ax.set_xticks(range(len(blocks)), blocks)
        ax.set_yticks(range(len(blocks)), blocks)
        ax.set(title=title, xlabel="branch 2 of block", ylabel="branch 1 of block")
    figure.colorbar(picture, ax=panels, fraction=0.04, label="correlation")
    return figure
