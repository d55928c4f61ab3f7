"""Transfer learning: what is frozen is computed once, and only the rest is trained."""

from cnnkit.training.transfer.features import as_features, extract_features
from cnnkit.training.transfer.frozen import fit_from_frozen, unfreeze_top

__all__ = ["as_features", "extract_features", "fit_from_frozen", "unfreeze_top"]
