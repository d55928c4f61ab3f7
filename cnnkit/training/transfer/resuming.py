"""The state of a run after each epoch, to go on from."""

import hashlib
import json
import os
import re
import warnings
from pathlib import Path
from typing import Any

from cnnkit import backend
from cnnkit.training.transfer.freezing import random_states
from cnnkit.training.transfer.store import form, network_key

import keras
import numpy as np

# What Keras's EarlyStopping, ModelCheckpoint and ReduceLROnPlateau remember.
COUNTERS = ("best", "best_epoch", "wait", "cooldown_counter")


class Resume(keras.callbacks.Callback):
    """Keeps what a run needs to go on after an interruption, and forgets it at the end.

    First the states of the augmentation's random number generators, which decide the views; then,
    from before the first epoch, the weights, the optimizer's variables, the other generators, the
    history, and what the callbacks count. The file is replaced in one step, so that there always
    is a whole one.

    Parameters
    ----------
    path : Path
        Of the file.
    model, frozen : keras.Model
        What is trained, compiled, and its frozen part.
    callbacks : list of keras.callbacks.Callback
        Of the caller.
    """

    def __init__(
        self,
        path: Path,
        model: keras.Model,
        frozen: keras.Model,
        callbacks: list[keras.callbacks.Callback],
    ) -> None:
        super().__init__()
        self._path, self._callbacks = path, callbacks
        used = int(keras.ops.convert_to_numpy(model.optimizer.iterations)) > 0
        self._about: dict[str, Any] = {
            "run": _run_keys(model, frozen),
            "photos": "",
            "history": [],
            "callbacks": [],
        }
        self._values: list[np.ndarray] = []
        self._generators: list[np.ndarray] = []
        self._read(used)
        states, count = random_states(frozen), len(random_states(frozen))
        for state, value in zip(states, self._values, strict=False):
            state.assign(value)
        self._views = [keras.ops.convert_to_numpy(state) for state in states]
        self._values = self._values[count:]
        if not self._path.exists():
            self._write([])

    def restore(self, rest: keras.Model, photos: str) -> list[dict[str, float]]:
        """Bring the part that is trained to where the file was written; return the history."""
        if self._about["photos"] not in ("", photos):
            raise ValueError(self._other("on other photos, labels or views"))
        self._about["photos"] = photos
        past = self._about["history"]
        if self._values:
            variables = _variables(rest)
            count = len(variables)
            for variable, value in zip(variables, self._values[:count], strict=True):
                variable.assign(value)
            self._generators = self._values[count:]
            backend.set_generator_states(self._generators)
        if not past:
            self._write(_state(rest))
        return list(past)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Let the callbacks count on from where they were, and the generators draw on."""
        if self._about["history"]:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)
        for callback, state in zip(self._callbacks, self._about["callbacks"], strict=False):
            vars(callback).update(state)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the file."""
        self._about["history"].append({name: float(value) for name, value in (logs or {}).items()})
        self._about["callbacks"] = [_counters(callback) for callback in self._callbacks]
        self._write(_state(self.model))

    def forget(self) -> None:
        """Delete the file."""
        self._path.unlink(missing_ok=True)

    def _read(self, used: bool) -> None:
        try:
            with np.load(self._path) as file:
                about = json.loads(str(file["about"]))
                self._values = [file[str(number)] for number in range(len(file.files) - 1)]
        except FileNotFoundError:
            return
        except Exception:  # a damaged archive makes its readers raise nearly anything
            warnings.warn(f"{self._path} is damaged; the run begins anew.", stacklevel=4)
            self.forget()
            return
        # A schedule may have changed the learning rate of an optimizer that was used already.
        if about["run"][used:] != self._about["run"][used:]:
            raise ValueError(self._other("of another model or recipe"))
        self._about = about

    def _write(self, values: list[np.ndarray]) -> None:
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        arrays = {str(number): value for number, value in enumerate([*self._views, *values])}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                np.savez(file, about=json.dumps(self._about), **arrays)
            part.replace(self._path)
        finally:
            part.unlink(missing_ok=True)

    def _other(self, what: str) -> str:
        return (
            f"{self._path} holds an interrupted run {what}. Name another directory, or delete the "
            "file to give that run up."
        )


def _run_keys(model: keras.Model, frozen: keras.Model) -> list[str]:
    """Return keys of what is trained and how, with the learning rate and without."""
    how = json.dumps(model.get_compile_config(), default=str)
    how = re.sub(r'"name": "[^"]*"', "", how)  # Keras numbers its optimizers through
    recipes = how, re.sub(r'"learning_rate": [-+.e\d]+', "", how)
    what = form(model) + network_key(frozen)
    return [hashlib.sha256(f"{what}{recipe}".encode()).hexdigest() for recipe in recipes]


def _counters(callback: keras.callbacks.Callback) -> dict[str, float]:
    found = {name: getattr(callback, name, None) for name in COUNTERS}
    return {name: float(value) for name, value in found.items() if value is not None}


def _state(model: keras.Model) -> list[np.ndarray]:
    values = [keras.ops.convert_to_numpy(variable) for variable in _variables(model)]
    return values + backend.generator_states()


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.weights, *random_states(model), *model.optimizer.variables]
