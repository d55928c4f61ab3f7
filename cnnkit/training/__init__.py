"""The learning algorithm: recipes, schedules, resumable runs, transfer learning."""

from cnnkit.training import recipes, transfer
from cnnkit.training.callbacks import Evaluations, ReduceOnPlateau
from cnnkit.training.distribution import distributed
from cnnkit.training.recipes import Recipe
from cnnkit.training.runs import check_data, fit, reproducible

__all__ = ["Evaluations", "Recipe", "ReduceOnPlateau", "check_data", "distributed", "fit"]
__all__ += ["recipes", "reproducible", "transfer"]
