"""One network on several machines."""

import itertools
from collections.abc import Mapping, Sequence

from cnnkit.plots.style import BLUE, GREY, MARKERS, VERMILION, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

COLORS = BLUE, VERMILION
BATCH = 8  # pictures of the drawn step
PAYS = 0.8  # efficiency below which another worker does not pay


@styled
def data_parallel() -> Figure:
    """Show a training step of two processes that share a batch."""
    figure, ax = plt.subplots(figsize=(8.2, 3.1))
    ax.set(xlim=(0, 10.6), ylim=(0, 4))
    ax.set_axis_off()
    half = BATCH // 2
    box = {"boxstyle": "round,pad=0.45,rounding_size=0.25", "fc": "white", "lw": 1.6}
    for place in range(BATCH):
        color = COLORS[place >= half]
        height = 3.45 - 2.9 * place / (BATCH - 1)
        frame = {"boxstyle": "square,pad=0.25", "fc": "white", "ec": color, "lw": 1.4}
        ax.text(0.45, height, str(place + 1), ha="center", va="center", size=9, bbox=frame)
    ax.text(0.45, 3.95, "a batch", ha="center", va="center")
    arrow = {"arrowstyle": "->", "color": GREY, "lw": 1.2}
    for number, (color, height) in enumerate(zip(COLORS, (3.0, 1.0), strict=True)):
        steps = {
            2.5: f"process {number}:\nall weights w",
            4.8: f"gradient of\n{half} pictures, g{'₀₁'[number]}",
            9.3: "w − η · mean",
        }
        for x, text in steps.items():
            ax.text(x, height, text, ha="center", va="center", bbox={**box, "ec": color})
        for start, end in ((0.8, 1.65), (3.35, 3.85)):
            ax.annotate("", (end, height), (start, height), arrowprops=arrow)
        ax.annotate("", (6.5, 2 + 0.25 * (1 - 2 * number)), (5.75, height), arrowprops=arrow)
        ax.annotate("", (8.5, height), (7.7, 2 + 0.25 * (1 - 2 * number)), arrowprops=arrow)
    ax.text(7.1, 2, "all-reduce:\n(g₀ + g₁) / 2", ha="center", va="center",
            bbox={**box, "ec": GREY})  # fmt: skip
    return figure


@styled
def scaling(efficiencies: Mapping[str, Sequence[float]], workers: Sequence[int]) -> Figure:
    """Show how much of each worker's time is left for computing, as their number grows.

    Parameters
    ----------
    efficiencies : mapping of str to sequence of float
        The name of each case, and its efficiency in [0, 1] for each number of
        workers.
    workers : sequence of int
        Their numbers, powers of two. A dotted line shows an efficiency of 0.8.
    """
    figure, ax = plt.subplots(figsize=(7, 3))
    for (name, values), marker in zip(efficiencies.items(), itertools.cycle(MARKERS), strict=False):
        ax.plot(workers, values, marker=marker, label=name)
    ax.axhline(PAYS, color=GREY, lw=0.8, ls=":")
    ax.set_xscale("log", base=2)
    ax.set_xticks(list(workers), [str(number) for number in workers])
    ax.set(xlabel="workers", ylabel="efficiency", ylim=(0, 1.05))
    ax.set_yticks(np.linspace(0, 1, 6))
    figure.legend(loc="outside right center", frameon=False)
    return figure
