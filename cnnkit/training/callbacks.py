"""Callbacks of Keras's kind: the learning rate of a run, and its end where the loss is lost."""

import math
from collections.abc import Mapping
from typing import Any

from cnnkit import checks

import keras


def monitored(monitor: str, logs: dict[str, float]) -> float:
    """Return a figure of an epoch: that of the validation data if there are any."""
    monitor = monitor.removeprefix("val_")  # as Keras writes it
    validated = any(name.startswith("val_") for name in logs)
    name = f"val_{monitor}" if validated else monitor
    if name not in logs:
        raise ValueError(
            f"There is no figure {name!r} to compare; there are {sorted(logs)}. "
            "Let the recipe monitor one of these, or the function that evaluates return it."
        )
    return float(logs[name])


def as_figures(returned: Any) -> dict[str, float]:
    """Return what a function that evaluates has returned, or raise ValueError."""
    if not isinstance(returned, Mapping):
        raise ValueError(
            f"evaluate returned {returned!r}; expected figures by name, such as "
            '{"accuracy": 0.93}.'
        )
    return {name: float(value) for name, value in returned.items()}


class ReduceOnPlateau(keras.callbacks.Callback):
    """Reduces the learning rate when a figure has not improved for more than some epochs.

    A figure has improved if it is better than the best by more than `threshold` *times* the best.
    Keras's `ReduceLROnPlateau` adds its `min_delta` instead, and counts one epoch less.

    Parameters
    ----------
    monitor : str
        A figure of the validation data, such as ``"accuracy"``; without validation data, of the
        training data.
    mode : {"min", "max"}
        Whether less or more of it is better.
    patience : int
        After so many epochs in a row without improvement, the next one reduces the learning rate.
    factor : float
        By which the learning rate is multiplied.
    threshold : float
        Relative improvement that counts.
    min_change : float
        A change of the learning rate that is no larger than this is left out.

    Attributes
    ----------
    best : float or None
        The best figure so far.
    wait : int
        Epochs since then, or since the learning rate was reduced.

    Raises
    ------
    ValueError
        An argument out of range.

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
        if patience < 0:
            raise ValueError(f"patience is {patience}; expected a number of epochs, from 0.")
        if not 0 < factor < 1:
            raise ValueError(f"factor is {factor}; expected a share, above 0 and below 1.")
        self.monitor, self.mode, self.patience, self.factor = monitor, mode, patience, factor
        self.threshold, self.min_change = threshold, min_change
        self.best: float | None = None
        self.wait = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Forget what came before."""
        self.best, self.wait = None, 0

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Compare, count, and reduce."""
        figure = monitored(self.monitor, logs or {})
        if self._improves(figure):
            self.best, self.wait = figure, 0
        else:
            self.wait += 1
        if self.wait > self.patience:
            self.wait = 0
            rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
            if rate - rate * self.factor > self.min_change:
                self.model.optimizer.learning_rate = rate * self.factor

    def _improves(self, figure: float) -> bool:
        if self.best is None:
            return not math.isnan(figure)
        margin = self.threshold * abs(self.best)
        if self.mode == "min":
            return figure < self.best - margin
        return figure > self.best + margin


class StopAtNaN(keras.callbacks.Callback):
    """Stops a run with an error as soon as its loss is no number any more."""

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Take note of the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Look at the loss."""
        loss = float((logs or {})["loss"])
        if not math.isfinite(loss):
            raise FloatingPointError(
                f"The loss is {loss} since step {batch + 1} of epoch {self._epoch + 1}. Take a "
                "smaller learning rate, and look for such values among the pixels and labels."
            )
