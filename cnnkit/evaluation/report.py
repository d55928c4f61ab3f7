"""How good a classifier is: overall, class by class, and where it is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit import checks

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, in [0, 1]; 0 where nothing can be divided by."""

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True)
class Report:
    """Scores of a classifier on a test set. Printing it gives a table."""

    accuracy: float
    classes: tuple[ClassScores, ...]

    @property
    def count(self) -> int:
        """Number of pictures."""
        return sum(scores.count for scores in self.classes)

    def __str__(self) -> str:
        width = max(8, *(len(scores.name) for scores in self.classes))
        lines = [f"{'class':{width}}  precision  recall     f1  pictures"]
        for s in self.classes:
            lines.append(
                f"{s.name:{width}}  {s.precision:9.3f}  {s.recall:6.3f}  {s.f1:5.3f}  {s.count:8,}"
            )
        lines.append(f"{'accuracy':{width}}  {self.accuracy:9.3f}  {'':6}  {'':5}  {self.count:8,}")
        return "\n".join(lines)


def report(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str] | None = None
) -> Report:
    """Score predictions: accuracy, and precision, recall and F1 of each class.

    Parameters
    ----------
    labels : ndarray of int, (n,)
        The true classes.
    probabilities : ndarray, (n, classes)
        As `predict` returns them.
    class_names : sequence of str, optional
        One a class; their numbers where not given.

    Returns
    -------
    Report

    Raises
    ------
    ValueError
        Labels or probabilities out of range, or not as many labels or names as the
        probabilities ask for.
    """
    names = _check(labels, probabilities, class_names)
    predicted = probabilities.argmax(axis=1)
    scores = precision_recall_fscore_support(
        labels, predicted, labels=range(len(names)), zero_division=0
    )
    return Report(
        accuracy=float((predicted == labels).mean()),
        classes=tuple(
            ClassScores(name, float(precision), float(recall), float(f1), int(count))
            for name, precision, recall, f1, count in zip(names, *scores, strict=True)
        ),
    )


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Count how often each class was taken for each.

    Parameters
    ----------
    labels : ndarray of int, (n,)
        The true classes.
    probabilities : ndarray, (n, classes)
        As `predict` returns them.

    Returns
    -------
    ndarray of int, (classes, classes)
        Row: true class; column: predicted class.

    Raises
    ------
    ValueError
        As `report`.
    """
    names = _check(labels, probabilities, None)
    return confusion_matrix(labels, probabilities.argmax(axis=1), labels=range(len(names)))


def worst_mistakes(labels: np.ndarray, probabilities: np.ndarray, count: int = 12) -> np.ndarray:
    """Find the wrong predictions that the classifier was surest of.

    Parameters
    ----------
    labels : ndarray of int, (n,)
        The true classes.
    probabilities : ndarray, (n, classes)
        As `predict` returns them.
    count : int
        How many to return at the most.

    Returns
    -------
    ndarray of int
        Indices of the pictures, the surest mistake first.

    Raises
    ------
    ValueError
        As `report`.
    """
    _check(labels, probabilities, None)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    surest = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[surest][:count]


def _check(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str] | None
) -> Sequence[str]:
    """Check predictions against their labels; return the class names."""
    if np.ndim(probabilities) != 2 or len(probabilities) == 0:
        raise ValueError(
            f"The probabilities have shape {np.shape(probabilities)}; expected (n, classes), "
            "n at least 1, as evaluation.predict returns them."
        )
    if not np.all((probabilities >= 0) & (probabilities <= 1)):
        raise ValueError(
            "The probabilities are not all between 0 and 1. Pass what evaluation.predict returns, "
            "of a model that ends in a softmax; NaN comes from a training that diverged."
        )
    count, classes = probabilities.shape
    checks.labels(labels, classes, count)
    if class_names is not None and len(class_names) != classes:
        raise ValueError(
            f"{len(class_names)} class names were given for {classes} classes; give one a class."
        )
    return class_names if class_names is not None else [str(n) for n in range(classes)]
