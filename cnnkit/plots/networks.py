"""Networks, layer by layer: what is trained, what comes out, and how channels grow."""

from collections.abc import Iterator, Mapping, Sequence

from cnnkit.plots.style import BLUE, GREY, ORANGE, VERMILION, styled

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

LayerStates = list[tuple[str, int, bool]]  # name, number of parameters, whether it is trained


def layer_states(model: keras.Model) -> LayerStates:
    """Return (name, number of parameters, whether it is trained) of each layer with weights.

    Layers of models within the model are listed one by one.
    """
    return [
        (layer.name, layer.count_params(), bool(layer.trainable_weights))
        for layer in _leaves(model)
        if layer.weights
    ]


def _leaves(model: keras.Model) -> Iterator[keras.Layer]:
    for layer in model.layers:
        yield from _leaves(layer) if isinstance(layer, keras.Model) else [layer]


@styled
def trained_layers(rows: Mapping[str, LayerStates]) -> Figure:
    """Show which layers are trained and which are frozen, one row for each state of a model.

    `rows` maps the title of each row to what `layer_states` returned for it.
    """
    figure, axes = plt.subplots(len(rows), 1, figsize=(8, 1 + 1.2 * len(rows)), squeeze=False)
    for ax, (title, states) in zip(axes.flat, rows.items(), strict=True):
        names, counts, trained = zip(*states, strict=True)
        heights = np.sqrt(counts)
        colors = [VERMILION if free else BLUE for free in trained]
        ax.bar(range(len(names)), heights / heights.max(), color=colors)
        ax.set(xticks=[], yticks=[], ylim=(0, 1.05))
        ax.spines[:].set_visible(False)
        total = np.dot(counts, trained)
        ax.set_title(f"{title}: {total:,} of {sum(counts):,} parameters are trained", loc="left")
    axes.flat[-1].set_xticks(range(len(names)), labels=names, rotation=60, ha="right", fontsize=8)
    axes.flat[-1].tick_params(length=0)
    figure.supylabel("√ parameters", fontsize=9)
    keys = [Patch(color=BLUE, label="frozen"), Patch(color=VERMILION, label="trained")]
    figure.legend(handles=keys, loc="outside upper right", ncols=2)
    return figure


@styled
def channel_growth(blocks: Mapping[str, Sequence[int]]) -> Figure:
    """Show the channels in each dense block: those that come in, and those that each layer adds.

    `blocks` maps the name of each to the channels that enter it, and those after each layer.
    """
    figure, ax = plt.subplots(figsize=(9, 3.2))
    start, middles = 0, []
    for channels in blocks.values():
        places = range(start, start + len(channels))
        before = [channels[0], *channels[:-1]]
        ax.bar(places, before, color=BLUE, width=1, ec="white", lw=0.5)
        new = np.subtract(channels, before)
        ax.bar(places, new, bottom=before, color=ORANGE, width=1, ec="white", lw=0.5)
        ax.text(places[-1], channels[-1], f"{channels[-1]:,}", ha="center", va="bottom")
        ax.text(places[0], channels[0], f"{channels[0]:,}", ha="right", va="bottom")
        middles.append(start + len(channels) / 2 - 0.5)
        start += len(channels) + 2
    ax.set_xticks(middles, labels=blocks)
    ax.tick_params(bottom=False)
    ax.set(xlabel="layer after layer", ylabel="channels", xlim=(-1, start - 2))
    keys = {"there before": BLUE, "added by the layer": ORANGE}
    handles = [Patch(color=color, label=label) for label, color in keys.items()]
    ax.legend(handles=handles, loc="upper left")
    return figure


@styled
def layer_by_layer(
    image: np.ndarray, outputs: Sequence[np.ndarray], names: Sequence[str]
) -> Figure:
    """Show one image on its way through a network, with the shape after each layer.

    The `outputs` of the layers with these `names` are feature maps (h, w, channels), of which the
    strongest six are shown, or vectors (n,). The last one holds the class probabilities.
    """
    figure = plt.figure(figsize=(1.75 * (1 + len(outputs)), 2.6))
    panels = figure.subfigures(1, 1 + len(outputs), squeeze=False)[0]
    for panel, array, name in zip(panels, [image, *outputs], ["input", *names], strict=True):
        panel.suptitle(f"{name}\n{' × '.join(map(str, array.shape))}", fontsize=10)
        if array.ndim == 3 and array is not image:
            strongest = np.argsort(-array.max(axis=(0, 1)), kind="stable")[:6]
            axes = panel.subplots(3, 2).ravel()
            for ax in axes:
                ax.set_axis_off()
            for ax, channel in zip(axes, strongest, strict=False):
                ax.imshow(array[..., channel], vmin=0, vmax=array.max())
            continue
        ax = panel.subplots()
        if array is image:
            ax.imshow(np.squeeze(image))
            ax.set_axis_off()
        elif array is not outputs[-1]:
            columns = next(n for n in range(20, 0, -1) if array.size % n == 0)
            ax.imshow(array.reshape(-1, columns), aspect="auto")
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_color(GREY)
        else:
            colors = [VERMILION if p == array.max() else BLUE for p in array]
            ax.barh([str(number) for number in range(len(array))], array, color=colors)
            ax.invert_yaxis()
            ax.set(xlim=(0, 1), xlabel="probability")
            ax.tick_params(labelsize=8)
    return figure
