"""Figures: arrays and histories in, matplotlib figures out.

Each function returns a closed `matplotlib.figure.Figure`: as the last line of a notebook cell it
shows itself once, and in a script ``figure.savefig(path)`` keeps it. All share one style and one
palette that colour-blind readers can tell apart.
"""

from cnnkit.plots.connections import channel_growth, shortcuts
from cnnkit.plots.inside import heat_overlays
from cnnkit.plots.lessons import (
    convolution_step,
    heatmap,
    layer_by_layer,
    number_grids,
    sliding_windows,
)
from cnnkit.plots.machines import data_parallel, scaling
from cnnkit.plots.networks import activation_spreads, layer_states, point_maps, trained_layers
from cnnkit.plots.pictures import feature_maps, image_grid, kernels, mistakes, picture_rows
from cnnkit.plots.results import (
    accuracies,
    confusion,
    learning_curves,
    spread,
    spreads,
)
from cnnkit.plots.shaking import (
    coefficients,
    correlations,
    histograms,
    learning_rates,
    shake_block,
)

__all__ = [
    "accuracies",
    "activation_spreads",
    "channel_growth",
    "coefficients",
    "confusion",
    "convolution_step",
    "correlations",
    "data_parallel",
    "feature_maps",
    "heat_overlays",
    "heatmap",
    "histograms",
    "image_grid",
    "kernels",
    "layer_by_layer",
    "layer_states",
    "learning_curves",
    "learning_rates",
    "mistakes",
    "number_grids",
    "picture_rows",
    "point_maps",
    "scaling",
    "shake_block",
    "shortcuts",
    "sliding_windows",
    "spread",
    "spreads",
    "trained_layers",
]
