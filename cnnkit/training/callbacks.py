"""Callbacks: a learning rate that falls on a plateau, evaluations within epochs, and Ctrl-C."""

import math
import signal
import threading
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

    It has improved if it is better than the best by more than `threshold` *times* the best, as in
    PyTorch's ``torch.optim.lr_scheduler.ReduceLROnPlateau``. Keras's `ReduceLROnPlateau` adds its
    `min_delta` instead, and counts one epoch less.

    Parameters
    ----------
    monitor, mode : str, {"min", "max"}
        A metric of the validation data, such as ``"accuracy"``, or else of the training data.
    patience, factor, threshold, min_change : int, float
        In epochs; of the learning rate; the relative improvement that counts; and the change of
        the learning rate that is left out.
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
            rate = float(self.model.optimizer.learning_rate)
            if rate - rate * self.factor > self.min_change:
                self.model.optimizer.learning_rate = rate * self.factor


class Evaluations(keras.callbacks.Callback):
    """Evaluates every `every` steps from epoch `after` on, and at the end of each epoch.

    The metrics at an epoch's end become those of the validation data: ``val_accuracy``. The
    `directory` holds a folder for each evaluation, such as ``epoch-04-step-0100``; the best model,
    ``best.keras``; and ``evaluations.csv``, of which a run that resumes removes what it repeats.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(model, folder)`` returns metrics such as ``{"accuracy": 0.93}``, and may write
        into the folder. (The model's ``evaluate`` in it would reset the metrics of the epoch.)
    every, after : int, optional
        Without `every`, only ends of epochs are evaluated. `after` counts from 0.
    monitor, mode, floor : str, {"min", "max"}, float, optional
        The metric by which models are compared, and what it has to reach for one to be kept.
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
        self._evaluate, self._directory = evaluate, Path(directory).expanduser()
        self._monitor, self._sign = monitor, 1 if mode == "max" else -1
        self._every, self._after, self._table = every, after, self._directory / "evaluations.csv"
        self._floor = -math.inf if floor is None else self._sign * floor

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.best = -math.inf  # times the sign

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch, self._step = epoch, 0
        text = self._table.read_text(encoding="utf-8-sig") if self._table.exists() else ""
        rows = [line.split(",") for line in text.splitlines()[1:]]
        self._rows: list[Any] = [row for row in rows if int(row[0].split("-")[1]) <= epoch]

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._step, self._metrics = batch + 1, None
        if self._every and self._epoch >= self._after and self._step % self._every == 0:
            distribution.current().move(self.model, apart=True)
            self._metrics = self._run()
            distribution.current().move(self.model)

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
            self._rows.append(row.values())
            files.write_table(self._table, [row.keys(), *self._rows])
        return metrics


class BetweenBatches(keras.callbacks.Callback):
    """Lets Ctrl-C end a training after the batch at hand; pressed once more, it ends it at once.

    Within a batch, an exception that Python raises on a signal passes through TensorFlow, which
    then fails with an error of its own, or aborts the process. Used as a context around ``fit``.
    """

    _asked = False

    def __enter__(self) -> None:
        main = threading.current_thread() is threading.main_thread()  # as signal.signal asks
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._wait)

    def _wait(self, *_: Any) -> None:
        self._asked = True
        self.__exit__()

    def __exit__(self, *_: Any) -> None:
        if signal.getsignal(signal.SIGINT) == self._wait:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self._asked:
            raise KeyboardInterrupt

    on_test_batch_end = on_train_end = on_train_batch_end
