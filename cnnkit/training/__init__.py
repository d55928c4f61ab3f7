"""The learning algorithm: recipes, schedules, resumable runs, transfer learning."""

from cnnkit.training import recipes, transfer
from cnnkit.training.callbacks import ReduceOnPlateau
from cnnkit.training.distribution import distributed
from cnnkit.training.evaluations import Evaluations
from cnnkit.training.fitting import fit
from cnnkit.training.processes import Processes
from cnnkit.training.recipe import Recipe
from cnnkit.training.starting import check_data, reproducible

__all__ = [
    "Evaluations",
    "Processes",
    "Recipe",
    "ReduceOnPlateau",
    "check_data",
    "distributed",
    "fit",
    "recipes",
    "reproducible",
    "transfer",
]
