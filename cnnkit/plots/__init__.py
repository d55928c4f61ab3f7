"""Figures: arrays and histories in, matplotlib figures out.

Each function returns a closed `matplotlib.figure.Figure`: as the last line of a notebook cell it
shows itself once, and in a script ``figure.savefig(path)`` keeps it. All share one style and one
palette that colour-blind readers can tell apart.
"""

from cnnkit.plots.lessons import (
    convolution_step,
    heatmap,
    layer_by_layer,
    number_grids,
    sliding_windows,
)
from cnnkit.plots.pictures import feature_maps, image_grid, kernels, mistakes, picture_rows
from cnnkit.plots.results import confusion, learning_curves, spread, spreads

__all__ = [
    "confusion",
    "convolution_step",
    "feature_maps",
    "heatmap",
    "image_grid",
    "kernels",
    "layer_by_layer",
    "learning_curves",
    "mistakes",
    "number_grids",
    "picture_rows",
    "sliding_windows",
    "spread",
    "spreads",
]
