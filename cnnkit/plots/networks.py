"""Networks as drawings: what is trained, how far signals carry, and how photos lie in between."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from cnnkit.plots.style import BLUE, GREY, MARKERS, VERMILION, styled

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

LayerStates = list[tuple[str, int, bool]]  # name, number of parameters, whether it is trained


@styled
def trained_layers(rows: Mapping[str, LayerStates]) -> Figure:
    """Show which layers are trained and which are frozen, one row for each state of a model.

    Parameters
    ----------
    rows : mapping of str to list of (str, int, bool)
        The title of each row, and what `layer_states` gave for it.
    """
    figure, axes = plt.subplots(len(rows), 1, figsize=(8, 1 + 1.2 * len(rows)), squeeze=False)
    for ax, (title, states) in zip(axes.flat, rows.items(), strict=True):
        names, counts, trained = zip(*states, strict=True)
        heights = np.sqrt(counts)
        colors = [VERMILION if free else BLUE for free in trained]
        ax.bar(range(len(names)), heights / heights.max(), color=colors)
        ax.set(xticks=[], yticks=[], ylim=(0, 1.05))
        ax.spines[:].set_visible(False)
        total = sum(count for count, free in zip(counts, trained, strict=True) if free)
        ax.set_title(f"{title}: {total:,} of {sum(counts):,} parameters are trained", loc="left")
    axes.flat[-1].set_xticks(range(len(names)), labels=names, rotation=60, ha="right", fontsize=8)
    axes.flat[-1].tick_params(length=0)
    figure.supylabel("√ parameters", fontsize=9)
    keys = [Patch(color=BLUE, label="frozen"), Patch(color=VERMILION, label="trained")]
    figure.legend(handles=keys, loc="outside upper right", ncols=2, frameon=False)
    return figure


@styled
def point_maps(
    maps: Mapping[str, np.ndarray], labels: np.ndarray, class_names: Sequence[str]
) -> Figure:
    """Show photos as points, coloured by class, in several maps side by side.

    Parameters
    ----------
    maps : mapping of str to ndarray, (n, 2)
        Coordinates of the photos in each map.
    labels : ndarray of int, (n,)
        Their class numbers.
    class_names : sequence of str
        Five can be told apart.
    """
    figure, axes = plt.subplots(1, len(maps), figsize=(4 * len(maps), 3.6), squeeze=False)
    for ax, (title, points) in zip(axes.flat, maps.items(), strict=True):
        for number, name in enumerate(class_names):
            of_class = points[labels == number]
            ax.plot(*of_class.T, MARKERS[number % len(MARKERS)], ms=4, alpha=0.6, mew=0, label=name)
        ax.set(title=title, xticks=[], yticks=[], xlabel="first axis", ylabel="second axis")
        ax.spines[:].set_color(GREY)
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=5, frameon=False)
    return figure


@styled
def activation_spreads(spreads: Mapping[str, Sequence[float]], layers: Sequence[str]) -> Figure:
    """Show how far the outputs of each layer spread, on a logarithmic scale.

    Parameters
    ----------
    spreads : mapping of str to sequence of float
        The title of each network, and the standard deviation of each layer's outputs.
    layers : sequence of str
        The layers' names.
    """
    figure, ax = plt.subplots(figsize=(8, 3.4))
    for (title, values), marker in zip(spreads.items(), itertools.cycle(MARKERS), strict=False):
        ax.plot(layers, values, marker=marker, label=title)
    ax.set(yscale="log", xlabel="layer", ylabel="standard deviation of the outputs")
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def layer_states(model: keras.Model) -> LayerStates:
    """Return name, number of parameters and whether it is trained of each layer with weights.

    Parameters
    ----------
    model : keras.Model
        Layers of nested models are listed as its own.

    Returns
    -------
    list of (str, int, bool)
    """
    return [
        (layer.name, layer.count_params(), bool(layer.trainable_weights))
        for layer in _leaves(model)
        if layer.weights
    ]


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _leaves(layer)
        else:
            yield layer
