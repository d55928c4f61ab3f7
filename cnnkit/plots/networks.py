"""Networks: what is trained, what comes out of each layer, and how often classes are right."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

from cnnkit.plots.lines import ABOVE, draw_lines
from cnnkit.plots.style import BARE, BLUE, GREY, MIDDLE, SIGNED, STRENGTH, VERMILION, panels, styled

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

__all__ = ["coefficients", "confusion", "correlations"]
__all__ += ["layer_by_layer", "layer_states", "point_maps", "trained_layers"]

LINE = 24  # letters of a name, before it goes on in the next line
Names = Sequence[str]
LayerStates = list[tuple[str, int, bool]]  # name, number of parameters, whether it is trained


def layer_states(model: keras.Model) -> LayerStates:
    """Return (name, number of parameters, whether it is trained) of each layer with weights.

    Layers of models within the model are listed one by one.
    """
    states: LayerStates = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            states += layer_states(layer)
        elif layer.weights:
            states.append((layer.name, layer.count_params(), bool(layer.trainable_weights)))
    return states


@styled
def trained_layers(rows: Mapping[str, LayerStates]) -> Figure:
    """Show which layers are trained and which are frozen, one row for each state of a model.

    `rows` maps the title of each row to what `layer_states` returned for it.
    """
    figure, axes = plt.subplots(len(rows), 1, figsize=(8, 1 + 1.2 * len(rows)), squeeze=False)
    for ax, (title, states) in zip(axes.flat, rows.items(), strict=True):
        names, counts, trained = zip(*states, strict=True)
        heights = np.sqrt(counts)
        ax.bar(range(len(names)), heights / heights.max(), color=np.where(trained, VERMILION, BLUE))
        ax.set(ylim=(0, 1.05), **BARE)
        total = np.dot(counts, trained)
        ax.set_title(f"{title}: {total:,} of {sum(counts):,} parameters are trained", loc="left")
    axes.flat[-1].set_xticks(range(len(names)), labels=names, rotation=60, ha="right", fontsize=8)
    axes.flat[-1].tick_params(length=0)
    figure.supylabel("√ parameters", fontsize=9)
    key = [Patch(color=BLUE, label="frozen"), Patch(color=VERMILION, label="trained")]
    figure.legend(handles=key, loc="outside upper right", ncols=2)
    return figure


@styled
def layer_by_layer(image: np.ndarray, outputs: Sequence[np.ndarray], names: Names) -> Figure:
    """Show one image on its way through a network, with the shape after each layer.

    The `outputs` of the layers with these `names` are feature maps (h, w, channels), of which the
    strongest six are shown, or vectors (n,). A vector at the end holds the class probabilities.
    """
    figure = plt.figure(figsize=(1.75 * (1 + len(outputs)), 2.6))
    parts = figure.subfigures(1, 1 + len(outputs), squeeze=False)[0]
    for part, array, name in zip(parts, [image, *outputs], ["input", *names], strict=True):
        part.suptitle(f"{name}\n{' × '.join(map(str, array.shape))}", fontsize=10)
        if array is image:
            part.subplots(subplot_kw=BARE).imshow(np.squeeze(image))
        elif array.ndim == 3:
            axes = part.subplots(3, 2, subplot_kw=BARE).flat
            strongest = np.argsort(-array.max(axis=(0, 1)), kind="stable")[:6]
            for ax, channel in zip(axes, strongest, strict=False):
                ax.imshow(array[..., channel], cmap=STRENGTH, vmin=0, vmax=array.max())
        elif array is not outputs[-1]:
            columns = next(n for n in range(20, 0, -1) if array.size % n == 0)
            ax = part.subplots(subplot_kw={"xticks": [], "yticks": []})
            ax.imshow(array.reshape(-1, columns), cmap=STRENGTH, aspect="auto")
            ax.spines[:].set_color(GREY)
        else:
            ax = part.subplots()
            colors = [VERMILION if p == array.max() else BLUE for p in array]
            ax.barh([str(number) for number in range(len(array))], array, color=colors)
            ax.invert_yaxis()
            ax.set(xlim=(0, 1), xlabel="probability")
            ax.tick_params(labelsize=8)
    return figure


@styled
def confusion(
    matrix: np.ndarray, class_names: Names | None = None, percent: bool = False
) -> Figure:
    """Show a confusion matrix: how often each class was taken for each.

    `matrix`, (classes, classes), has a row for each true class and a column for each predicted
    one, with counts, or shares of each row. Without `class_names` it shows their numbers, and with
    `percent` whole per cents of each true class, or "–" for a class without images. With more than
    a hundred classes, there are only colours.
    """
    classes = range(len(matrix)) if class_names is None else class_names
    classes = classes if len(matrix) <= 100 else [" "]
    names = [textwrap.fill(str(name), LINE) for name in classes]
    lines = "\n".join(names).splitlines() or [""]
    # Letters of East Asia are twice as wide as others.
    longest = max(sum(1 + (east_asian_width(char) in "WF") for char in line) for line in lines)
    upright = len(names) * longest > 40  # or else they would run into one another
    cells, beside = max(3.2, 0.28 * min(len(matrix), 100)), 0.09 * longest
    side = 1.1 + cells + (beside if upright else 0.1)
    figure, (ax,) = panels(1.9 + cells + beside, side, frame_on=False)
    counts = np.issubdtype(matrix.dtype, np.integer)
    form, label = (",d", "pictures") if counts else (".2f", "share of the class")
    if percent:
        sums = matrix.sum(axis=1, keepdims=True)
        matrix = 100 * matrix / np.where(sums, sums, np.nan)
        form, label = ".0f", "% of the class"
    picture = ax.imshow(matrix, cmap="Blues", clim=(0, 100) if percent else None)
    ax.set_xticks(range(len(names)), names, rotation="vertical" if upright else "horizontal")
    ax.set_yticks(range(len(names)), names)
    crowded = len(names) > 20
    ax.tick_params(labelsize=7 if crowded else 10)
    for (row, column), value in np.ndenumerate(matrix if len(matrix) <= 100 else matrix[:0]):
        if value != 0 or not crowded:  # zeros of a large matrix stay blank
            text = "–" if np.isnan(value) else format(value, form)
            color = "white" if np.greater(picture.norm(value), 0.5) else "black"
            ax.text(column, row, text, color=color, size=6 if crowded else 10, **MIDDLE)
    figure.colorbar(picture, ax=ax, label=label, shrink=min(1, 6 / cells), aspect=20)
    ax.set(xlabel="predicted class", ylabel="true class")
    return figure


@styled
def point_maps(maps: Mapping[str, np.ndarray], labels: np.ndarray, class_names: Names) -> Figure:
    """Show images as points, coloured by class, in several maps side by side.

    `maps` maps titles to the coordinates of the images, (n, 2); `labels`, (n,), are their class
    numbers. Five classes can be told apart.
    """
    look: Any = {"xticks": [], "yticks": [], "xlabel": "first axis", "ylabel": "second axis"}
    figure, axes = panels(4, 3.6, maps, **look)
    for ax, points in zip(axes, maps.values(), strict=True):
        for number, name in enumerate(class_names):
            ax.plot(*points[labels == number].T, ls="", ms=4, alpha=0.6, mew=0, label=name)
        ax.spines[:].set_color(GREY)
    figure.legend(handles=axes[0].lines, loc="outside lower center", ncols=min(5, 3 * len(maps)))
    return figure


@styled
def coefficients(modes: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """Show α and β, in [0, 1], of the images of one batch, for several modes.

    `modes` maps the title of each to α and β, both (n,).
    """
    look: Any = {"xlabel": "picture", "ylabel": "coefficient of branch 1", "ylim": (-0.05, 1.05)}
    figure, axes = panels(2.25, 2.5, modes, sharey=True, **look)
    for ax, (alpha, beta) in zip(axes, modes.values(), strict=True):
        places = np.arange(1, len(alpha) + 1)
        ax.axhline(0.5, color=GREY, lw=0.8, ls=":")
        ax.vlines(places, alpha, beta, color=GREY, lw=0.8)
        ax.plot(places, alpha, "o", ms=7, color=BLUE, label="α, forward")
        ax.plot(places, beta, "D", ms=4.5, color=VERMILION, label="β, backward")
        ax.set_xticks(places)
    figure.legend(handles=axes[0].lines[1:], loc="outside upper center", ncols=2)
    return figure


@styled
def correlations(matrices: Mapping[str, np.ndarray], blocks: Names) -> Figure:
    """Show how alike the branches of each block are, and those of different blocks, if known.

    `matrices` maps the title of each network to the matrix of `evaluation.branch_correlation`,
    (k, k), in [-1, 1]; `blocks` are k short names.
    """
    across = ~np.eye(len(blocks), dtype=bool)
    shown = matrices if any(np.isfinite(m[across]).any() for m in matrices.values()) else {}
    figure, (lines, *squares) = panels(2.7 + 0.7 / (1 + len(shown)), 2.9, ["", *shown])
    draw_lines(lines, {title: list(np.diag(each)) for title, each in matrices.items()}, blocks)
    lines.axhline(0, color=GREY, lw=0.8, ls=":")
    lines.set(xlabel="block", ylabel="correlation of its branches")
    lines.legend(**ABOVE)
    for ax, matrix in zip(squares, shown.values(), strict=True):
        picture = ax.imshow(matrix, cmap=SIGNED, vmin=-1, vmax=1)
        ax.set_xticks(range(len(blocks)), blocks)
        ax.set_yticks(range(len(blocks)), blocks)
        ax.set(xlabel="branch 2 of block", ylabel="branch 1 of block")
    if shown:
        figure.colorbar(picture, ax=squares, fraction=0.04, label="correlation")
    return figure
