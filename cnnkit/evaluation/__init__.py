"""Performance evaluation: prediction, reports, what a network looks at."""

from cnnkit.evaluation.predict import predict
from cnnkit.evaluation.recorded import Spread, spread
from cnnkit.evaluation.report import Report, confusion, report, worst_mistakes

__all__ = ["Report", "Spread", "confusion", "predict", "report", "spread", "worst_mistakes"]
