"""Looking inside a network: what its layers see, what they look for, and where it looks."""

from cnnkit.evaluation.explain.heat import Focus, focus, grad_cam
from cnnkit.evaluation.explain.layers import feature_maps
from cnnkit.evaluation.explain.patterns import filter_patterns

__all__ = ["Focus", "feature_maps", "filter_patterns", "focus", "grad_cam"]
