"""Performance evaluation: prediction, reports, what a network looks at."""

from cnnkit.evaluation.predict import predict
from cnnkit.evaluation.recorded import Spread, spread
from cnnkit.evaluation.report import Report, confusion, report, worst_mistakes
from cnnkit.evaluation.similar import Neighbour, SimilarImages

__all__ = [
    "Neighbour",
    "Report",
    "SimilarImages",
    "Spread",
    "confusion",
    "predict",
    "report",
    "spread",
    "worst_mistakes",
]
