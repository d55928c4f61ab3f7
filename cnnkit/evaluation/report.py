"""How good a classifier is: overall, class by class, and where it is wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit import checks, files

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

MISSING = "–"  # in place of a score of a class without pictures
COLUMNS = ("class", "precision", "recall", "f1", "pictures")


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, or an average over classes.

    Parameters
    ----------
    name : str
    precision, recall, f1 : float
        In [0, 1]; NaN without pictures of the class, and a precision of 0 where none was taken for
        it.
    count : int
        Pictures of the class.
    """

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True, eq=False)
class Report:
    """Scores of a classifier on a test set. Printing it gives a table.

    Parameters
    ----------
    accuracy : float
        Share of the pictures that were told right, in [0, 1].
    classes : tuple of ClassScores
        One a class.
    macro, weighted : ClassScores
        Means over the classes that have pictures: plain, and weighted with their number.
    confusion : ndarray of int, (classes, classes)
        Row: true class; column: predicted class.
    """

    accuracy: float
    classes: tuple[ClassScores, ...]
    macro: ClassScores
    weighted: ClassScores
    confusion: np.ndarray

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self.confusion.sum())

    def __str__(self) -> str:
        averages = (self.macro, self.weighted)
        width = max(8, *(len(scores.name) for scores in (*self.classes, *averages)))
        lines = [f"{'class':{width}}  precision  recall     f1  pictures"]
        for s in (*self.classes, *averages):
            values = [
                f"{MISSING if np.isnan(value) else f'{value:.3f}':>{size}}"
                for value, size in ((s.precision, 9), (s.recall, 6), (s.f1, 5))
            ]
            lines.append(f"{s.name:{width}}  {'  '.join(values)}  {s.count:8,}")
        lines.append(f"{'accuracy':{width}}  {self.accuracy:9.3f}  {'':6}  {'':5}  {self.count:8,}")
        return "\n".join(lines)

    def to_csv(self, path: str | Path) -> None:
        """Write the table to a file, with a column for each class that pictures were taken for.

        These hold fractions: ``3/40`` in the row *cow* and the column *as horse* are 3 of 40 cows
        that were taken for horses.

        Parameters
        ----------
        path : str or Path
        """
        files.write_table(Path(path), self._rows())

    def _rows(self) -> Iterator[list[object]]:
        yield [*COLUMNS, *(f"as {scores.name}" for scores in self.classes)]
        for scores, taken in zip(self.classes, self.confusion, strict=True):
            counts = [f"{count}/{scores.count}" if scores.count else MISSING for count in taken]
            yield [*_cells(scores), *counts]
        yield _cells(self.macro)
        yield _cells(self.weighted)
        right = f"{np.trace(self.confusion)}/{self.count}"
        yield ["accuracy", f"{self.accuracy:.4f}", "", "", self.count, right]


def _cells(scores: ClassScores) -> list[object]:
    values = (scores.precision, scores.recall, scores.f1)
    texts = [MISSING if np.isnan(value) else f"{value:.4f}" for value in values]
    return [scores.name, *texts, scores.count]


def report(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str] | None = None
) -> Report:
    """Score predictions: accuracy, and precision, recall, F1 and number of pictures by class.

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
    predicted, present = probabilities.argmax(axis=1), np.unique(labels)
    scores = np.full((3, len(names)), np.nan)
    scores[:, present] = _scores(labels, predicted, present, None)
    matrix = confusion(labels, probabilities)
    rows = zip(names, scores.T, matrix.sum(axis=1), strict=True)
    macro, weighted = (
        _named(f"{kind} mean", _scores(labels, predicted, present, kind), len(labels))
        for kind in ("macro", "weighted")
    )
    return Report(
        accuracy=float((predicted == labels).mean()),
        classes=tuple(_named(name, values, count) for name, values, count in rows),
        macro=macro,
        weighted=weighted,
        confusion=matrix,
    )


def _named(name: str, scores: np.ndarray, count: int) -> ClassScores:
    precision, recall, f1 = map(float, scores)
    return ClassScores(name, precision, recall, f1, int(count))


def _scores(
    labels: np.ndarray, predicted: np.ndarray, present: np.ndarray, average: str | None
) -> np.ndarray:
    """Return precision, recall and F1 of the classes that have pictures, or their means."""
    return np.array(
        precision_recall_fscore_support(
            labels, predicted, labels=present, average=average, zero_division=0
        )[:3]
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
