"""Performance evaluation: prediction, reports, what a network looks at."""

from cnnkit.evaluation.predict import predict
from cnnkit.evaluation.report import Report, confusion, report, worst_mistakes
from cnnkit.evaluation.spread import Spread, spread

__all__ = ["Report", "Spread", "confusion", "predict", "report", "spread", "worst_mistakes"]
