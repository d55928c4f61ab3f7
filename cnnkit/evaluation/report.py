"""How good a classifier is: overall, class by class, and where it is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit import checks, files

import numpy as np


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class with its number of images, or their means over the classes.

    Precision, recall and F1 are in [0, 1]; the precision of a class that was never predicted is 0.
    Those of a class without images are NaN, printed as a dash, and left out of the means.
    """

    name: str
    precision: float
    recall: float
    f1: float
    count: int


@dataclass(frozen=True, eq=False)
class Report:
    """Scores of a classifier on a test set. Printing it gives a table.

    `accuracy` is the share of the images that were classified correctly, in [0, 1]. `macro` and
    `weighted` are means over the classes: plain, and weighted with their number of images.
    `confusion`, (classes, classes), counts images: row, true class; column, predicted class.
    """

    accuracy: float
    classes: tuple[ClassScores, ...]
    macro: ClassScores
    weighted: ClassScores
    confusion: np.ndarray

    @property
    def count(self) -> int:
        """Number of images."""
        return int(self.confusion.sum())

    def _table(self, digits: int, count: str) -> list[list[str]]:
        rows = [["class", "precision", "recall", "f1", "pictures"]]
        for s in (*self.classes, self.macro, self.weighted):
            values = (s.precision, s.recall, s.f1)
            texts = ("–" if np.isnan(value) else f"{value:.{digits}f}" for value in values)
            rows.append([s.name, *texts, f"{s.count:{count}}"])
        return [*rows, ["accuracy", f"{self.accuracy:.{digits}f}", "", "", f"{self.count:{count}}"]]

    def __str__(self) -> str:
        rows = self._table(digits=3, count=",")
        width = max(len(name) for name, *_ in rows)
        form = f"{{:{width}}}  {{:>9}}  {{:>6}}  {{:>5}}  {{:>8}}"
        return "\n".join(form.format(*row) for row in rows)

    def to_csv(self, path: str | Path) -> None:
        """Write the table to a file, with a column for each class that was predicted.

        ``3/40`` in the row *cow* and the column *as horse*: 3 of 40 cows were taken for horses.
        """
        rows = self._table(digits=4, count="d")
        rows[0] += [f"as {scores.name}" for scores in self.classes]
        for row, scores, taken in zip(rows[1:], self.classes, self.confusion, strict=False):
            row += [f"{count}/{scores.count}" if scores.count else "–" for count in taken]
        rows[-1].append(f"{np.trace(self.confusion)}/{self.count}")
        files.write_table(Path(path).expanduser(), rows)


def report(
    labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str] | None = None
) -> Report:
    """Score predictions: accuracy, and precision, recall, F1 and number of images by class.

    Parameters
    ----------
    labels : ndarray of int, (n,)
        The true classes.
    probabilities : ndarray, (n, classes)
        As `predict` returns them.
    class_names : sequence of str, optional
        One a class; their numbers where not given.
    """
    from sklearn.metrics import classification_report  # here, since it takes a second

    labels, probabilities = _check(labels, probabilities)
    matrix = confusion(labels, probabilities)
    numbers = range(len(matrix))
    names = list(map(str, numbers) if class_names is None else class_names)
    if len(names) != len(numbers):
        raise ValueError(f"{len(names)} class names were given for {len(numbers)} classes.")
    options = {"labels": np.unique(labels), "output_dict": True, "zero_division": 0}
    found = classification_report(labels, probabilities.argmax(axis=1), **options)
    nothing = dict.fromkeys(("precision", "recall", "f1-score"), np.nan) | {"support": 0}
    rows = [found.get(str(number), nothing) for number in numbers]
    rows += [found["macro avg"], found["weighted avg"]]
    scores = []
    for name, row in zip([*names, "macro mean", "weighted mean"], rows, strict=True):
        precision, recall, f1, count = map(float, row.values())
        scores.append(ClassScores(name, precision, recall, f1, int(count)))
    accuracy = float(np.trace(matrix) / matrix.sum())
    return Report(accuracy, tuple(scores[:-2]), scores[-2], scores[-1], matrix)


def confusion(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Count how often each class (row) was taken for each (column): (classes, classes).

    Labels and probabilities are as for `report`.
    """
    from sklearn.metrics import confusion_matrix

    labels, probabilities = _check(labels, probabilities)
    classes = range(probabilities.shape[1])
    return confusion_matrix(labels, probabilities.argmax(axis=1), labels=classes)


def worst_mistakes(labels: np.ndarray, probabilities: np.ndarray, count: int = 12) -> np.ndarray:
    """Return the indices of at most `count` wrong predictions, the surest first.

    Labels and probabilities are as for `report`.
    """
    labels, probabilities = _check(labels, probabilities)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    surest = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")
    return wrong[surest][:count]


def _check(labels: Any, probabilities: Any) -> tuple[np.ndarray, np.ndarray]:
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, float)
    shape, sums = probabilities.shape, np.sum(probabilities, axis=-1)
    proper = len(shape) == 2 and 0 not in shape and shape[1] > 1 and np.min(probabilities) >= 0
    if not proper or not np.allclose(sums, 1, atol=1e-2):
        raise ValueError(
            f"The probabilities have shape {shape}; expected what evaluation.predict returns: (n, "
            "classes), each row with a sum of 1. (The one column of a sigmoid model is that of the "
            "second class. NaN comes from a training that diverged.)"
        )
    checks.labels(labels, shape[1], shape[0])
    return labels, probabilities
