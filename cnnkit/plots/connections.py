"""How layers are connected: skips that add, connections that join, and channels that grow."""

from collections.abc import Mapping, Sequence

from cnnkit.plots.style import BLUE, GREY, ORANGE, VERMILION, styled

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Patch
from matplotlib.path import Path

RADIUS = 0.34  # of a joint


@styled
def shortcuts(layers: int = 4) -> Figure:
    """Draw a residual block of single layers, and a dense block, with all their connections.

    Parameters
    ----------
    layers : int
        In each block, at least 2.
    """
    figure, axes = plt.subplots(1, 2, figsize=(9, 2))
    residual = [(place, place + 1) for place in range(layers)]
    dense = [(first, last) for last in range(1, layers + 1) for first in range(last)]
    _chain(axes[0], layers, residual, "+", BLUE)
    _chain(axes[1], layers, dense, "[ ]", VERMILION)
    axes[0].set_title(f"ResNet: {layers} layers, {layers} skip connections, whose ends are added")
    axes[1].set_title(f"DenseNet: {layers} layers, {len(dense)} connections, whose ends are joined")
    return figure


def _chain(ax: Axes, layers: int, arcs: Sequence[tuple[int, int]], joint: str, color: str) -> None:
    """Draw layers in a row between their joints, and the connections that lead around them."""
    for place in range(layers + 1):
        ax.add_patch(Circle((2 * place, 0), RADIUS, fc="white", ec="black", zorder=3))
        name = "x" if place == 0 else joint
        ax.text(2 * place, 0, name, ha="center", va="center", zorder=4)
    for layer in range(layers):
        ax.annotate(
            "",
            (2 * layer + 2 - RADIUS, 0),
            (2 * layer + RADIUS, 0),
            arrowprops={"arrowstyle": "->", "color": GREY},
        )
        ax.text(
            2 * layer + 1,
            0,
            f"F{layer + 1}",
            ha="center",
            va="center",
            bbox={"boxstyle": "square,pad=0.35", "fc": "white", "ec": GREY},
        )
    for first, last in arcs:
        middle, height = first + last, 0.3 + 0.95 * (last - first)
        curve = Path(
            [(2 * first, RADIUS), (middle, height), (2 * last, RADIUS)],
            [Path.MOVETO, Path.CURVE3, Path.CURVE3],
        )
        ax.add_patch(FancyArrowPatch(path=curve, arrowstyle="->", mutation_scale=9, color=color))
    ax.set(xlim=(-0.5, 2 * layers + 0.5), ylim=(-0.5, 2.3), aspect="equal")
    ax.set_axis_off()


@styled
def channel_growth(blocks: Mapping[str, Sequence[int]]) -> Figure:
    """Show the channels in each dense block: those that come in, and those that each layer adds.

    Parameters
    ----------
    blocks : mapping of str to sequence of int
        The name of each block; the channels that enter it, and those after each of its layers.
    """
    figure, ax = plt.subplots(figsize=(9, 3.2))
    start, middles = 0, []
    for channels in blocks.values():
        places = range(start, start + len(channels))
        before = [channels[0], *channels[:-1]]
        ax.bar(places, before, color=BLUE, width=1, ec="white", lw=0.5)
        new = [now - old for now, old in zip(channels, before, strict=True)]
        ax.bar(places, new, bottom=before, color=ORANGE, width=1, ec="white", lw=0.5)
        ax.text(places[-1], channels[-1], f"{channels[-1]:,}", ha="center", va="bottom")
        ax.text(places[0], channels[0], f"{channels[0]:,}", ha="right", va="bottom")
        middles.append(start + len(channels) / 2 - 0.5)
        start += len(channels) + 2
    ax.set_xticks(middles, labels=blocks)
    ax.tick_params(bottom=False)
    ax.set(xlabel="layer after layer", ylabel="channels", xlim=(-1, start - 2))
    keys = [
        Patch(color=BLUE, label="there before"),
        Patch(color=ORANGE, label="added by the layer"),
    ]
    ax.legend(handles=keys, frameon=False, loc="upper left")
    return figure
