"""Evaluating between the ends of epochs, and keeping the best weights."""

import csv
import math
import re
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from cnnkit import backend, checks, files
from cnnkit.training import processes, saving
from cnnkit.training.callbacks import as_figures

import keras


class Evaluations(keras.callbacks.Callback):
    """Evaluates a model while it is trained, and keeps its best weights.

    It evaluates after every so many steps, once the first epochs are over, and at each epoch's end,
    with which training ends as well. The figures of an epoch's end become those of the
    validation data: ``val_accuracy``. In `directory` it keeps

    - a folder for each evaluation, such as ``epoch-04-step-0100``, with what `evaluate` writes;
    - ``evaluations.csv``, the figures of all of them, and which were kept as the best so far;
    - ``best.keras``, the model with the best figure so far that is not below `floor`.

    A run that goes on after an interruption replaces the evaluations that it repeats.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(model, folder)`` returns figures by name, such as ``{"accuracy": 0.93}``. It
        judges on the whole validation set, and writes what it likes into the folder, which exists.
        It must not call the model's ``evaluate``, which would reset the figures of the epoch.
    directory : str or Path
        Made where it is missing.
    every : int, optional
        Steps from one evaluation within an epoch to the next; without it, there are none.
    after : int
        How many epochs, at the beginning, are not evaluated before their end.
    monitor, mode : str, {"min", "max"}
        The figure by which models are compared, and whether less or more of it is better.
    floor : float, optional
        What the figure has to reach, for a model to be kept.

    Attributes
    ----------
    best : float or None
        The best figure so far, whether it reaches the floor or not.

    Raises
    ------
    ValueError
        A number out of range, or figures without the one that is monitored.
    """

    def __init__(
        self,
        evaluate: Callable[[keras.Model, Path], Mapping[str, float]],
        directory: str | Path,
        every: int | None = None,
        after: int = 0,
        monitor: str = "accuracy",
        mode: str = "max",
        floor: float | None = None,
    ) -> None:
        super().__init__()
        checks.one_of("mode", mode, ("min", "max"))
        if (every is not None and every < 1) or after < 0:
            raise ValueError(
                f"every is {every} and after {after}; expected numbers of steps, from 1, and of "
                "epochs, from 0."
            )
        self._evaluate, self._directory = evaluate, Path(directory)
        self._every, self._after = every, after
        self._monitor, self._floor, self._sign = monitor, floor, 1 if mode == "max" else -1
        self._epoch = self._step = 0
        self._figures: dict[str, float] | None = None  # of the weights as they are
        self.best: float | None = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget what came before."""
        self.best = None

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Count the steps of a new epoch."""
        self._epoch, self._step = epoch, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Evaluate, where it is time."""
        self._step, self._figures = batch + 1, None
        if self._every and self._epoch >= self._after and self._step % self._every == 0:
            self._run()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Evaluate, unless the last step did, and add the figures to those of the epoch."""
        figures = self._figures or self._run()
        if logs is not None:
            logs.update({f"val_{name}": value for name, value in figures.items()})

    def _run(self) -> dict[str, float]:
        replica, team = self.model, processes.current()
        self._figures = team.from_first(lambda: self._evaluated(team.own(replica)))
        return self._figures

    def _evaluated(self, model: keras.Model) -> dict[str, float]:
        """Evaluate, keep the model where it is the best, and take note."""
        folder = self._directory / f"epoch-{self._epoch + 1:02}-step-{self._step:04}"
        before = list(self._before(folder.name))
        folder.mkdir(parents=True, exist_ok=True)
        drawn = backend.generator_states()  # which a prediction on PyTorch draws from, too
        figures = as_figures(self._evaluate(model, folder))
        backend.set_generator_states(drawn)
        if self._monitor not in figures:
            raise ValueError(f"evaluate returned {figures}; expected {self._monitor!r} among them.")
        figure, kept = figures[self._monitor], False
        if not math.isnan(figure) and (self.best is None or self._sign * (figure - self.best) > 0):
            self.best = figure
            if kept := self._floor is None or self._sign * (figure - self._floor) >= 0:
                saving.save(model, self._directory / "best.keras")
        row = {"evaluation": folder.name, "kept": "yes" if kept else ""}
        row |= {name: f"{value:.6g}" for name, value in figures.items()}
        columns = list(dict.fromkeys(name for each in (*before, row) for name in each))
        table = [[each.get(name, "") for name in columns] for each in (*before, row)]
        try:
            files.write_table(self._directory / "evaluations.csv", [columns, *table])
        except OSError as error:  # such as a table that is open in Excel
            warnings.warn(f"{self._directory} lacks its last evaluation: {error}", stacklevel=2)
        return figures

    def _before(self, name: str) -> Iterator[dict[str, str]]:
        """Yield the rows of earlier evaluations, and delete the folders of this and later ones.

        Where these were kept as the best, others have to be found.
        """
        shutil.rmtree(self._directory / name, ignore_errors=True)
        path = self._directory / "evaluations.csv"
        if path.exists():
            with path.open(newline="", encoding="utf-8-sig") as file:
                for row in csv.DictReader(file):
                    place = _place(row.get("evaluation") or "")
                    if not place:
                        raise ValueError(
                            f"{path} is no table of evaluations any more. Delete it, or name "
                            "another directory."
                        )
                    if place < _place(name):
                        yield row
                    else:
                        self.best = None if row.get("kept") else self.best
                        shutil.rmtree(self._directory / row["evaluation"], ignore_errors=True)


def _place(name: str) -> tuple[int, ...]:
    """Return epoch and step of an evaluation's name, and nothing of another."""
    found = re.fullmatch(r"epoch-(\d+)-step-(\d+)", name)
    return tuple(map(int, found.groups())) if found else ()
