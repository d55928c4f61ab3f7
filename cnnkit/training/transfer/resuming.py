"""The state of a run after each epoch, to go on from."""

import hashlib
import json
import re
import time
import warnings
from pathlib import Path
from typing import Any

from cnnkit import backend
from cnnkit.training import state
from cnnkit.training.directory import SPARE, told
from cnnkit.training.identity import form, network_key

import keras
import numpy as np


class Resume(keras.callbacks.Callback):
    """Keeps what a run needs to go on after an interruption, and forgets it at the end.

    First the states of the augmentation's random number generators, which decide the views; then,
    from before the first epoch, the weights, the optimizer's variables, the other generators, the
    history, and what the callbacks count. The file is replaced in one step, so that there always
    is a whole one. Where that takes long for an epoch, some are left out, the last of which
    `close` writes.

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
            **_run_keys(model, frozen),
            "photos": "",
            "history": [],
            "callbacks": [],
        }
        self._values: list[np.ndarray] = []
        self._generators: list[np.ndarray] = []
        self._due = 0.0  # when to write again
        self._unwritten: list[np.ndarray] | None = None
        self._copies: list[np.ndarray] = []
        self._read(used)
        generators = state.random_states(frozen)
        for generator, value in zip(generators, self._values, strict=False):
            generator.assign(value)
        self._views = [keras.ops.convert_to_numpy(generator) for generator in generators]
        self._values = self._values[len(generators) :]
        if not self._path.exists():
            self._write([])

    @property
    def history(self) -> list[state.Figures]:
        """The figures of all epochs so far."""
        return self._about["history"]

    def restore(self, rest: keras.Model, photos: str) -> list[state.Figures]:
        """Bring the part that is trained to where the file was written; return the history."""
        if self._about["photos"] not in ("", photos):
            raise ValueError(self._other("on other photos, labels or views"))
        self._about["photos"] = photos
        past = self.history
        if self._values:
            self._generators = state.set_values(rest, self._values)
        if not past:
            self._write(state.values(rest))
        return list(past)

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Let the callbacks count on from where they were, and the generators draw on."""
        if self.history:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)
        state.set_counters(self._callbacks, self._about["callbacks"])

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Take note of the epoch, and write the file, if it is time."""
        self._unwritten = None  # so that an interrupt in between finds all or nothing
        self.history.append(state.numbers_among(logs or {}))
        self._about["callbacks"] = state.counters(self._callbacks)
        values = state.values(self.model)
        if time.monotonic() >= self._due:
            self._write(values)
        else:
            self._unwritten = self._copied(values)

    def close(self) -> None:
        """Write the last epoch of a run that was interrupted, where this is left to do."""
        try:
            if self._unwritten is not None:
                self._write(self._unwritten)
        except OSError as error:  # which is not to hide what interrupted the run
            warnings.warn(f"The last epochs are lost: {error}", stacklevel=2)

    def forget(self) -> None:
        """Delete the file."""
        self._unwritten = None
        self._path.unlink(missing_ok=True)

    def _read(self, used: bool) -> None:
        try:
            about, values = state.read(self._path)
        except FileNotFoundError:
            return
        except ValueError as error:
            warnings.warn(f"{error}; the run begins anew.", stacklevel=4)
            self.forget()
            return
        # A schedule may have changed the learning rate of an optimizer that was used already.
        compared = "run_at_any_rate" if used else "run"
        if about.get(compared) != self._about[compared]:
            if compared in about and not about["history"]:  # no epoch is lost
                self.forget()
                return
            raise ValueError(self._other("of another model or recipe"))
        self._about, self._values = about, values

    def _write(self, values: list[Any]) -> None:
        begin = time.monotonic()
        with told(self._path.parent):
            state.write(self._path, self._about, [*self._views, *values])
        end = time.monotonic()
        self._due = end + SPARE * (end - begin)

    def _copied(self, values: list[Any]) -> list[np.ndarray]:
        """Copy to the same arrays each time: new ones of some 80 MB take a third of a second."""
        arrays = [np.asarray(value) for value in values]
        self._copies = self._copies or [np.empty_like(array) for array in arrays]
        for copy, array in zip(self._copies, arrays, strict=True):
            np.copyto(copy, array)
        return self._copies

    def _other(self, what: str) -> str:
        return (
            f"{self._path} holds an interrupted run {what}. Name another directory, or delete the "
            "file to give that run up."
        )


def _run_keys(model: keras.Model, frozen: keras.Model) -> dict[str, str]:
    """Return keys of what is trained and how, with the learning rate and without."""
    how = json.dumps(model.get_compile_config(), default=str)
    how = re.sub(r'"name": "[^"]*"', "", how)  # Keras numbers its optimizers through
    recipes = {"run": how, "run_at_any_rate": re.sub(r'"learning_rate": [-+.e\d]+', "", how)}
    what = form(model) + network_key(frozen)
    return {
        name: hashlib.sha256(f"{what}{recipe}".encode()).hexdigest()
        for name, recipe in recipes.items()
    }
