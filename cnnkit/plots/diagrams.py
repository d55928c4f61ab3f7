"""Drawings without data: connections of layers, a block of ShakeNet, a step of two processes."""

from typing import Any

from cnnkit.plots.style import BLUE, GREEN, GREY, VERMILION, side_by_side, styled

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch
from matplotlib.path import Path

Point = tuple[float, float]
RADIUS = 0.34  # of a joint
STEPS = ("ReLU", "3×3 conv", "BN", "ReLU", "3×3 conv", "BN")
BATCH = 8  # pictures of the drawn step


def _box(ax: Axes, x: float, y: float, text: str, shape: str, edge: str = GREY, lw: float = 1,
         **options: Any) -> None:  # fmt: skip
    """Write a text into a white box; `shape` is matplotlib's box style."""
    box = {"boxstyle": shape, "fc": "white", "ec": edge, "lw": lw}
    ax.text(x, y, text, ha="center", va="center", bbox=box, **options)


def _arrow(ax: Axes, start: Point, end: Point, color: str = GREY, lw: float = 1.2,
           **options: Any) -> None:  # fmt: skip
    style = {"arrowstyle": "->", "color": color, "lw": lw}
    ax.annotate("", end, start, arrowprops=style, **options)


@styled
def shortcuts(layers: int = 4) -> Figure:
    """Draw a residual block and a dense block of `layers` layers, at least 2, and connections."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 2))
    residual = [(place, place + 1) for place in range(layers)]
    dense = [(first, last) for last in range(1, layers + 1) for first in range(last)]
    _chain(axes[0], layers, residual, "+", BLUE)
    _chain(axes[1], layers, dense, "[ ]", VERMILION)
    axes[0].set_title(f"ResNet: {layers} layers, {layers} skip connections, whose ends are added")
    axes[1].set_title(f"DenseNet: {layers} layers, {len(dense)} connections, whose ends are joined")
    return figure


def _chain(ax: Axes, layers: int, arcs: list[tuple[int, int]], joint: str, color: str) -> None:
    """Draw layers in a row between their joints, and the connections that lead around them."""
    for place in range(layers + 1):
        ax.add_patch(Circle((2 * place, 0), RADIUS, fc="white", ec="black", zorder=3))
        name = joint if place else "x"
        ax.text(2 * place, 0, name, ha="center", va="center", zorder=4)
    for layer in range(layers):
        _arrow(ax, (2 * layer + RADIUS, 0), (2 * layer + 2 - RADIUS, 0), lw=1)
        _box(ax, 2 * layer + 1, 0, f"F{layer + 1}", "square,pad=0.35")
    for first, last in arcs:
        points = [
            (2 * first, RADIUS),
            (first + last, 0.3 + 0.95 * (last - first)),
            (2 * last, RADIUS),
        ]
        curve = Path(points, [Path.MOVETO, Path.CURVE3, Path.CURVE3])
        ax.add_patch(FancyArrowPatch(path=curve, arrowstyle="->", mutation_scale=9, color=color))
    ax.set(xlim=(-0.5, 2 * layers + 0.5), ylim=(-0.5, 2.3), aspect="equal")
    ax.set_axis_off()


@styled
def shake_block() -> Figure:
    """Draw a block of ShakeNet on its way forward, on its way back, and in inference."""
    figure, (forward, back, inference) = side_by_side(3, 3, 4.2)
    _shake(forward, "training, forward", ("α", "1 − α"), BLUE)
    _shake(back, "training, backward", ("β", "1 − β"), VERMILION, backward=True)
    _shake(inference, "inference", ("½", "½"), GREEN)
    return figure


def _shake(ax: Axes, title: str, factors: tuple[str, str], color: str,
           backward: bool = False) -> None:  # fmt: skip
    top, bottom = len(STEPS) + 1.0, -1.4

    def way(points: list[Point], color: str = GREY) -> None:
        """Draw a line through points, with its head at the last one, or at the first."""
        ax.plot(*zip(*points, strict=True), color=color, lw=1.2, zorder=0, solid_joinstyle="round")
        tail, tip = points[1::-1] if backward else points[-2:]
        _arrow(ax, tail, tip, color, zorder=1)

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
    ax.set(title=title, xlim=(-1, 3.5), ylim=(bottom - 1, top + 0.7))
    ax.set_axis_off()


@styled
def data_parallel() -> Figure:
    """Draw a training step of two processes that share a batch."""
    figure, ax = plt.subplots(figsize=(8.2, 3.1))
    ax.set(xlim=(0, 10.6), ylim=(0, 4))
    ax.set_axis_off()
    half, colors, rounded = BATCH // 2, (BLUE, VERMILION), "round,pad=0.45,rounding_size=0.25"
    for place in range(BATCH):
        height = 3.45 - 2.9 * place / (BATCH - 1)
        edge = colors[place >= half]
        _box(ax, 0.45, height, str(place + 1), "square,pad=0.25", edge, 1.4, size=9)
    ax.text(0.45, 3.95, "a batch", ha="center", va="center")
    for number, (color, height) in enumerate(zip(colors, (3.0, 1.0), strict=True)):
        _box(ax, 2.5, height, f"process {number}:\nall weights w", rounded, color, 1.6)
        gradient = f"gradient of\n{half} pictures, g{'₀₁'[number]}"
        _box(ax, 4.8, height, gradient, rounded, color, 1.6)
        _box(ax, 9.3, height, "w − η · mean", rounded, color, 1.6)
        middle = 2 + 0.25 * (1 - 2 * number)
        _arrow(ax, (0.8, height), (1.65, height))
        _arrow(ax, (3.35, height), (3.85, height))
        _arrow(ax, (5.75, height), (6.5, middle))
        _arrow(ax, (7.7, middle), (8.5, height))
    _box(ax, 7.1, 2, "all-reduce:\n(g₀ + g₁) / 2", rounded, GREY, 1.6)
    return figure
