"""Figures: arrays and histories in, matplotlib figures out.

Each function returns a closed `matplotlib.figure.Figure`: as the last line of a notebook cell it
shows itself once, and in a script ``figure.savefig(path)`` keeps it. All share one style and one
palette that colour-blind readers can tell apart.
"""

# ruff: noqa: F403  (each module names its functions)
from cnnkit.plots import lessons, lines, networks, pictures
from cnnkit.plots.lessons import *
from cnnkit.plots.lines import *
from cnnkit.plots.networks import *
from cnnkit.plots.pictures import *

__all__ = [*lessons.__all__, *lines.__all__, *networks.__all__, *pictures.__all__]
