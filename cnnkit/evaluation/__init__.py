"""Performance evaluation: prediction, reports, what a network looks at."""

from cnnkit.evaluation import explain
from cnnkit.evaluation.branches import BranchCorrelation, branch_correlation
from cnnkit.evaluation.predict import predict
from cnnkit.evaluation.recorded import Spread, history, spread
from cnnkit.evaluation.report import Report, confusion, report, worst_mistakes
from cnnkit.evaluation.similar import Neighbour, SimilarImages

__all__ = ["BranchCorrelation", "Neighbour", "Report", "SimilarImages", "Spread", "confusion"]
__all__ += ["branch_correlation", "explain", "history", "predict", "report", "spread"]
__all__ += ["worst_mistakes"]
