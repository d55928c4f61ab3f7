"""Callbacks: a learning rate that falls on a plateau, and evaluations within epochs."""

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cnnkit import backend, checks, files
from cnnkit.training import distribution

import keras


def monitored_metric(monitor: str, logs: Mapping[str, float]) -> float:
    """Return a metric of an epoch: that of the validation data if there are any."""
    monitor = monitor.removeprefix("val_")  # as Keras writes it
    name = f"val_{monitor}" if any(key.startswith("val_") for key in logs) else monitor
    if name not in logs:
        raise ValueError(f"There is no metric {name!r} to compare; there are {sorted(logs)}.")
    return float(logs[name])


def validation_metrics(returned: Any) -> dict[str, float]:
    """Return what a function that evaluates has returned, as Keras names it."""
    if not isinstance(returned, Mapping):
        raise ValueError(f"evaluate returned {returned!r}; expected metrics by name.")
    return {f"val_{name}": float(value) for name, value in returned.items()}


class ReduceOnPlateau(keras.callbacks.Callback):
    """Reduces the learning rate when a metric has not improved for more than `patience` epochs.

    It has improved if it is better than the best by more than `threshold` *times* the best.
    Keras's `ReduceLROnPlateau` adds its `min_delta` instead, and counts one epoch less.

    Parameters
    ----------
    monitor, mode : str, {"min", "max"}
        A metric of the validation data, such as ``"accuracy"``, or else of the training data.
    patience : int
    factor, threshold, min_change : float
        By which the learning rate is multiplied, the relative improvement that counts, and the
        change of the learning rate that is left out.

    References
    ----------
    PyTorch's ``torch.optim.lr_scheduler.ReduceLROnPlateau``, with its relative threshold.
    """

    def __init__(
        self,
        monitor: str = "loss",
        mode: str = "min",
        patience: int = 10,
        factor: float = 0.1,
        threshold: float = 1e-4,
        min_change: float = 1e-8,
    ) -> None:
        super().__init__()
        checks.one_of("mode", mode, ("min", "max"))
        checks.whole_number("patience", patience, least=0)
        self.monitor, self.mode, self.patience, self.factor = monitor, mode, patience, factor
        self.threshold, self.min_change = threshold, min_change
        self.on_train_begin()

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.best: float | None = None
        self.wait = 0  # epochs since the best, or since the learning rate was reduced

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        value, sign = monitored_metric(self.monitor, logs or {}), 1 if self.mode == "max" else -1
        best = -sign * math.inf if self.best is None else self.best
        self.wait += 1
        if sign * (value - best) > (0 if self.best is None else self.threshold * abs(best)):
            self.best, self.wait = value, 0
        if self.wait > self.patience:
            self.wait = 0
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            if rate - rate * self.factor > self.min_change:
                self.model.optimizer.learning_rate = rate * self.factor


class Evaluations(keras.callbacks.Callback):
    """Evaluates every `every` steps from epoch `after` on, and at the end of each epoch.

    The metrics at an epoch's end become those of the validation data: ``val_accuracy``. In
    `directory` it keeps a folder for each evaluation, such as ``epoch-04-step-0100``;
    ``evaluations.csv``, the metrics of all; and ``best.keras``, where the `monitor` is best and
    reaches the `floor`. A run that resumes replaces what it repeats.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(model, folder)`` returns metrics by name, such as ``{"accuracy": 0.93}``, and
        writes what it likes into the folder. It judges on the whole validation set, without the
        model's ``evaluate``, which would reset the metrics of the epoch.
    every : int, optional
        Without it, only the ends of epochs are evaluated.
    after : int
        From this epoch on, counted from 0, it also evaluates within epochs.
    monitor, mode : str, {"min", "max"}
        The metric by which models are compared, and whether less or more of it is better.
    floor : float, optional
        What the metric has to reach for a model to be kept.
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
        checks.whole_number("every", 1 if every is None else every, least=1)
        self._evaluate, self._directory, self._monitor = evaluate, Path(directory), monitor
        self._every, self._after, self._sign = every, after, 1 if mode == "max" else -1
        self._floor = -math.inf if floor is None else self._sign * floor

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.best = -math.inf  # times the sign

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch, self._step = epoch, 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._step, self._metrics = batch + 1, None
        if self._every and self._epoch >= self._after and self._step % self._every == 0:
            with distribution.current().apart(self.model):
                self._metrics = self._run()

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        logs.update(self._metrics or self._run())

    def _run(self) -> dict[str, float]:
        name, path = f"epoch-{self._epoch + 1:02}-step-{self._step:04}", self._directory
        (path / name).mkdir(parents=True, exist_ok=True)
        drawn = backend.generator_states()  # which a prediction on PyTorch draws from, too
        metrics = validation_metrics(self._evaluate(self.model, path / name))
        backend.set_generator_states(drawn)
        value = self._sign * monitored_metric(self._monitor, metrics)
        kept = value > self.best and value >= self._floor
        self.best = max(self.best, value)
        if distribution.current().first:
            if kept:
                self.model.save(path / "best.keras")
            row = {"evaluation": name, "kept": "yes" if kept else ""}
            row |= {k.removeprefix("val_"): f"{v:.6g}" for k, v in metrics.items()}
            table, lines = path / "evaluations.csv", list[str]()
            if table.exists():
                lines = table.read_text(encoding="utf-8-sig").splitlines()[1:]
            rows = [line.split(",") for line in lines if _place(line) < _place(name)]
            files.write_table(table, [row.keys(), *rows, row.values()])
        return metrics


def _place(text: str) -> list[int]:
    """Return the epoch and the step of an evaluation."""
    return [int(number) for number in re.findall(r"\d+", text.partition(",")[0])]
