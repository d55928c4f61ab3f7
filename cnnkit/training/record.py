"""What `fit` does around each epoch: its order and figures, and the record of the run."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from cnnkit import backend
from cnnkit.training import processes, state
from cnnkit.training.callbacks import as_figures, monitored
from cnnkit.training.directory import RunDirectory
from cnnkit.training.evaluations import Evaluations
from cnnkit.training.identity import network_key
from cnnkit.training.recipe import Recipe

import keras
import numpy as np
from keras.callbacks import EarlyStopping

Evaluate = Callable[[keras.Model, Any], Mapping[str, float]]


class Epoch(keras.callbacks.Callback):
    """Begins an epoch with its order of the photos, and ends it with the figures of all others."""

    def __init__(self, train: Any, validation: Any, evaluate: Evaluate | None) -> None:
        super().__init__()
        self._train, self._validation, self._evaluate = train, validation, evaluate

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the order."""
        for photos in (self._train, self._validation):
            if hasattr(photos, "set_epoch"):
                photos.set_epoch(epoch)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Add the learning rate and the evaluation to the figures."""
        if logs is None:
            return
        evaluate, replica, team = self._evaluate, self.model, processes.current()
        if evaluate is not None and self._validation is not None:
            figures = team.from_first(
                lambda: as_figures(evaluate(team.own(replica), self._validation))
            )
            logs.update({f"val_{name}": value for name, value in figures.items()})
        rate = replica.optimizer.learning_rate
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))


class Record(keras.callbacks.Callback):
    """Keeps a run in its directory, epoch by epoch."""

    def __init__(
        self, run: RunDirectory, recipe: Recipe, kept: list[keras.callbacks.Callback]
    ) -> None:
        super().__init__()
        self._run, self._recipe, self._kept = run, recipe, kept
        self._keeps_best = not any(isinstance(each, Evaluations) for each in kept)
        self._counted: list[state.Counters] = []
        self._generators: list[np.ndarray] = []
        self._found: tuple[dict[str, Any], list[np.ndarray]] | None = None
        self.history: list[state.Figures] = []
        self.stopped = False
        self.begun = self.given = ""  # keys of the model as the run began, and as the call did

    def begin(self, model: keras.Model) -> None:
        """Let the run begin with the model that was given, unless it has begun."""
        self.given = network_key(model)
        self._found = self._run.read_state()
        if self._found is None:
            self.begun = self.given
            self._write(model)

    def restore(self, model: keras.Model) -> int:
        """Bring the model to where the run is; return how many epochs are done."""
        found, self._found = self._found or self._run.read_state(), None
        if found:
            about, values = found
            self.history, self._counted = about["history"], about["callbacks"]
            self.stopped, self.begun = about["stopped"], about["begun"]
            self._generators = state.set_values(model, values)
            if self.history:
                self._follow(model)
        return len(self.history)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Let the callbacks count on, and the generators draw on, from where they were."""
        state.set_counters(self._kept, self._counted)
        if self.history:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the state, with which the epoch counts, and what follows from it."""
        self.history.append(state.numbers_among(logs or {}))
        self.stopped = any(
            isinstance(each, EarlyStopping) and each.stopped_epoch for each in self._kept
        )
        self._counted = state.counters(self._kept)
        self._write(self.model)
        self._follow(self.model)

    def _write(self, model: keras.Model) -> None:
        about = {"history": self.history, "callbacks": self._counted}
        about |= {"stopped": self.stopped, "begun": self.begun}
        self._run.write_state(about, state.values(model))

    def _follow(self, model: keras.Model) -> None:
        """Write the models, and what shows how the run went."""
        sign = -1 if self._recipe.mode == "min" else 1
        *before, now = (sign * monitored(self._recipe.monitor, each) for each in self.history)
        with processes.current().apart():
            if self._keeps_best and all(now > figure or np.isnan(figure) for figure in before):
                self._run.save(model, "best")
            elif self._keeps_best and not (self._run.path / "best.keras").exists():
                warnings.warn(f"{self._run.path / 'best.keras'} was deleted.", stacklevel=2)
            self._run.save(model, "last")
        self._run.show(self.history)
