"""Figures: arrays and histories in, matplotlib figures out.

Each function returns a closed `matplotlib.figure.Figure`: as the last line of a notebook cell it
shows itself once, and in a script ``figure.savefig(path)`` keeps it. All share one style and one
palette that colour-blind readers can tell apart.
"""

from cnnkit.plots.diagrams import data_parallel, shake_block, shortcuts
from cnnkit.plots.lessons import convolution_step, heatmap, number_grids, sliding_windows
from cnnkit.plots.lines import (
    accuracies,
    activation_spreads,
    learning_curves,
    learning_rates,
    scaling,
    spread,
    spreads,
)
from cnnkit.plots.networks import channel_growth, layer_by_layer, layer_states, trained_layers
from cnnkit.plots.pictures import (
    feature_maps,
    heat_overlays,
    image_grid,
    kernels,
    mistakes,
    picture_rows,
)
from cnnkit.plots.results import coefficients, confusion, correlations, histograms, point_maps

__all__ = ["data_parallel", "shake_block", "shortcuts"]
__all__ += ["convolution_step", "heatmap", "number_grids", "sliding_windows"]
__all__ += ["accuracies", "activation_spreads", "learning_curves", "learning_rates", "scaling"]
__all__ += ["spread", "spreads"]
__all__ += ["channel_growth", "layer_by_layer", "layer_states", "trained_layers"]
__all__ += ["feature_maps", "heat_overlays", "image_grid", "kernels", "mistakes", "picture_rows"]
__all__ += ["coefficients", "confusion", "correlations", "histograms", "point_maps"]
