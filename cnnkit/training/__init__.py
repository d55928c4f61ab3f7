"""The learning algorithm: recipes, schedules, resumable runs, transfer learning."""

from cnnkit.training import recipes, transfer
from cnnkit.training.callbacks import ReduceOnPlateau
from cnnkit.training.evaluations import Evaluations
from cnnkit.training.fitting import fit
from cnnkit.training.recipe import Recipe
from cnnkit.training.runs import check_data, reproducible

__all__ = [
    "Evaluations",
    "Recipe",
    "ReduceOnPlateau",
    "check_data",
    "fit",
    "recipes",
    "reproducible",
    "transfer",
]
