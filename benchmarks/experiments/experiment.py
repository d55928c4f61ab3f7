"""What an experiment of the course is, and what the experiments share."""

import contextlib
import dataclasses
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cnnkit import data, evaluation

import keras
import numpy as np

History = dict[str, list[float]]  # metrics by name: a value for each epoch


class Outcome(NamedTuple):
    """What a run gives.

    Parameters
    ----------
    figure : float
        Nearly always the test accuracy, in [0, 1].
    test_size : int
        The number of pictures that it was taken on.
    history : dict of list of float
        Metrics of each epoch of the run's last training; none where it judges networks again.
    """

    figure: float
    test_size: int
    history: History


Run = Callable[[str, int], Outcome]


class Data(NamedTuple):
    """What an experiment is trained and tested on.

    Parameters
    ----------
    name : str
        In each recorded row, in ASCII. Another name makes the rows obsolete.
    about : str
        What it is, in a table.
    """

    name: str
    about: str


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment of the course, beside what was published for it.

    Parameters
    ----------
    chapter : int
    title : str
        What it is, in a table.
    data : dict of Data
        That of each scale.
    run : callable
        Takes a scale and a seed, trains once, and returns an `Outcome`.
    source : str
        Where the experiment was published.
    published : float, optional
        The figure there, if there is one.
    on : str
        What the published figure was taken on.
    said : str
        What the source says in words, where it gives no figure.
    """

    chapter: int
    title: str
    data: dict[str, Data]
    run: Run
    source: str
    published: float | None = None
    on: str = ""
    said: str = ""

    @property
    def has_source_result(self) -> bool:
        """Whether the source has something to hold the figure against."""
        return self.published is not None or bool(self.said)


def accuracy(
    model: keras.Model,
    images: Any,
    labels: np.ndarray,
    views: Callable[[Any], Any] | None = None,
    history: History | None = None,
) -> Outcome:
    """Return the accuracy of a classifier, beside the history of its training."""
    report = evaluation.report(labels, evaluation.predict(model, images, views))
    return Outcome(report.accuracy, report.count, history or {})


def photos(
    scale: str, side: int, seed: int, split: str = "small", batch_size: int = 32
) -> tuple[Any, Any, Any]:
    """Load training, validation and test photos; only the first are shuffled."""
    folder = data.cats_vs_dogs(scale, split)
    train, validation, test = (
        data.image_folder(folder / part, (side, side), batch_size, part == "train", seed)
        for part in ("train", "validation", "test")
    )
    return train, validation, test


@contextlib.contextmanager
def run_directory(scale: str, name: str) -> Iterator[Path]:
    """Name a directory for a run: at full scale, where it takes days, one that survives."""
    if scale == "full":
        yield Path("runs") / name
    else:
        with tempfile.TemporaryDirectory() as passing:
            yield Path(passing) / name
