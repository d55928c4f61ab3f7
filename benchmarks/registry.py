"""What an experiment of the course is, and all that there are."""

import dataclasses
from collections.abc import Callable
from typing import Any

from cnnkit import evaluation

import keras
import numpy as np

Run = Callable[[str, int], tuple[float, int]]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment of the course beside the figure that was published for it, if there is one."""

    name: str
    published: float | None
    source: str
    run: Run


EXPERIMENTS: dict[str, Experiment] = {}


def experiment(name: str, published: float | None, source: str) -> Callable[[Run], Run]:
    """Register the decorated function as an experiment."""

    def register(run: Run) -> Run:
        EXPERIMENTS[name] = Experiment(name, published, source, run)
        return run

    return register


def accuracy(
    model: keras.Model,
    images: Any,
    labels: np.ndarray,
    views: Callable[[Any], Any] | None = None,
) -> tuple[float, int]:
    """Return the accuracy of a classifier, and the number of pictures."""
    report = evaluation.report(labels, evaluation.predict(model, images, views))
    return report.accuracy, report.count
