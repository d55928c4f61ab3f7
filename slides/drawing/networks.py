"""Whole networks, drawn to scale from the models: a box for what each layer puts out.

A box is as high and as deep as the maps, and as wide as their number. A bar is a dense layer, as
high as its number of units. In each drawing all boxes have one scale, and all bars another.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cnnkit import models
from cnnkit.plots.style import BLUE, GREEN, GREY, VERMILION, styled
from slides.drawing import figure

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

# In inches: the least width of a label, a gap, the width of a bar, the height of a line.
SLOT, GAP, BAR, LINE = 0.74, 0.12, 0.13, 0.19
DEPTH = 0.3  # how much of a box's depth is visible, as a share of its height
COLORS = {"Conv2D": BLUE, "MaxPooling2D": GREEN, "Dense": VERMILION}


class Part(NamedTuple):
    """Layers of one size, side by side, in each of some parallel streams."""

    label: str
    color: str
    channels: Sequence[int]  # of each layer, in one stream
    side: int  # of the maps, 0 in a dense layer
    streams: int = 1
    joined: bool = True  # each stream sees all streams of the part before


def part(model: keras.Model, label: str, names: Sequence[str] = (), streams: int = 1) -> Part:
    """Describe layers of a model, by default the one whose name is the label."""
    layers = [model.get_layer(name) for name in names or [label]]
    *sides, channels = layers[-1].output.shape[1:]
    size = f"{'×'.join(map(str, sides))}\n×{channels}" if sides else f"{channels:,}"
    color = COLORS.get(type(layers[0]).__name__, GREY)
    each = [layer.output.shape[-1] // streams for layer in layers]
    joined = getattr(layers[0], "groups", 1) == 1
    return Part(f"{label}\n{size}", color, each, max(sides, default=0), streams, joined)


@styled
def network(parts: Sequence[Part], tallest: float, per_channel: float, apart: float = 0) -> Figure:
    """Draw a network; neighbours with the same label share it.

    Parameters
    ----------
    parts : sequence of Part
        From the input to the output.
    tallest, per_channel, apart : float
        Inches of the largest map, of width for each channel, and from stream to stream.
    """
    figure, ax = plt.subplots(subplot_kw={"frame_on": False, "xticks": [], "yticks": []})
    per_pixel = tallest / max(part.side for part in parts)
    units = [part.streams * part.channels[0] for part in parts if not part.side]
    labels, left = [part.label for part in parts], 0.0
    ends: list[tuple[float, float]] = []  # of the part before, one for each stream
    spans: dict[str, list[float]] = {}  # from left to right, by label
    for label, color, channels, side, streams, joined in parts:
        height = per_pixel * side if side else tallest * channels[0] / max(units)
        depth = DEPTH * per_pixel * side
        widths = [per_channel * count if side else BAR for count in channels]
        whole = sum(widths) + depth
        slot = max(SLOT / labels.count(label), whole + GAP)
        start = left + (slot - whole) / 2
        levels = (np.arange(streams) - (streams - 1) / 2) * apart
        for stream, level in enumerate(levels):
            for x, y in ends if joined else ends[stream : stream + 1]:
                ax.plot([x, start + depth / 2], [y, level], "-", marker="", color=GREY, zorder=0)
            for x, width in zip(start + np.cumsum([0, *widths]), widths, strict=False):
                box(ax, x, level - (height + depth) / 2, width, height, depth, color)
        ends = [(start + sum(widths) + depth / 2, level) for level in levels]
        spans.setdefault(label, []).extend((left, left + slot))
        left += slot
    low, high = ax.dataLim.intervaly
    for label, places in spans.items():
        for line, text in enumerate(label.split("\n"), start=1):
            ax.text((places[0] + places[-1]) / 2, low - LINE * line, text, ha="center")
    low, high = low - 3.4 * LINE, high + LINE / 2
    ax.set(xlim=(0, left), ylim=(low, high), position=(0, 0, 1, 1))
    figure.set(figwidth=left, figheight=high - low, layout_engine="none")
    return figure


def box(
    ax: Axes, left: float, low: float, width: float, height: float, depth: float, color: str
) -> None:
    """Draw a box that is seen from the front, from the right and from above."""
    right, high = left + width, low + height
    front = [(left, low), (right, low), (right, high), (left, high)]
    side = [
        (right, low),
        (right + depth, low + depth),
        (right + depth, high + depth),
        (right, high),
    ]
    top = [(left, high), (left + depth, high + depth), (right + depth, high + depth), (right, high)]
    for corners, strength in ((front, 0.6), (side, 0.35), (top, 0.2)):
        ax.add_patch(Polygon(corners, fc="white"))
        ax.add_patch(Polygon(corners, fc=color, alpha=strength))
        ax.add_patch(Polygon(corners, fill=False, ec=color, lw=0.6))


@figure
def ch01_network() -> Figure:
    model = models.digits_cnn()
    layers = [part(model, name) for name in ("digits", "conv1", "pool1", "flatten", "dense1")]
    return network([*layers, part(model, "output", ["predictions"])], 1.5, 0.025)


@figure
def ch05_network() -> Figure:
    model = models.transfer_classifier(models.vgg16_base())
    base = model.get_layer("vgg16")
    convolutions = [layer.name for layer in base.layers if isinstance(layer, keras.layers.Conv2D)]
    blocks = [
        part(base, f"block {n}", [name for name in convolutions if name.startswith(f"block{n}")])
        for n in range(1, 6)
    ]
    head = [part(model, "dense"), part(model, "output", ["predictions"])]
    return network([part(model, "photos"), *blocks, *head], 1.4, 0.0007)


@figure
def ch07_network() -> Figure:
    paper = models.alexnet(classes=1000, groups=2)
    halved = ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7")
    streams = [part(paper, name, streams=2) for name in halved]
    return network([part(paper, "photos"), *streams, part(paper, "fc8")], 1.65, 0.003, 1.05)


@figure
def ch08_network() -> Figure:
    base = models.densenet_base()
    parts = [part(base, "photos"), part(base, "conv1", ["conv1_conv"]), part(base, "pool1")]
    for block, depth in enumerate(models.densenet.PUBLISHED[121], start=1):
        added = [f"conv{block + 1}_block{number}_2_conv" for number in range(1, depth + 1)]
        joined = part(base, f"block {block}", [f"conv{block + 1}_block{depth}_concat"])
        new = part(base, "", added).channels
        old = joined.channels[0] - sum(new)
        parts.append(joined._replace(channels=[old, *new], color=BLUE))
    return network(parts, 1.6, 0.0015)


@figure
def ch09_network() -> Figure:
    model = models.shakenet()
    parts = [part(model, "pictures"), part(model, "conv1")]
    for stage in (1, 2, 3):
        for block in (1, 2, 3, 4):
            one = [f"stage{stage}_block{block}_branch1_conv{number}" for number in (1, 2)]
            parts.append(part(model, f"stage {stage}", one)._replace(streams=2))
    return network([*parts, part(model, "output", ["predictions"])], 0.8, 0.001, 1.15)
