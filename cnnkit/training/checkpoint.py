"""What a run needs to resume bit for bit, in one file that is replaced in one step."""

import hashlib
import json
import re
from collections.abc import Mapping
from numbers import Number
from pathlib import Path
from typing import Any

from cnnkit import backend, files
from cnnkit.training import distribution

import keras
import numpy as np

# What EarlyStopping, ModelCheckpoint, ReduceLROnPlateau and our own callbacks count.
COUNTERS = ("best", "best_epoch", "wait", "cooldown_counter", "stopped_epoch")
Config = dict[str, dict[str, Any]]  # what makes it this run: values by part and name


def network_key(network: keras.Model, weights: bool = True) -> str:
    """Return a key of what a network computes: its layers, and their weights if they count.

    The numbers that Keras adds to names of layers, as in ``dense_3``, and seeds do not count.
    """
    config = json.dumps(network.get_config(), default=str)
    config = re.sub(r'(?<=\w)_\d+(?=")|"seed": \w+', "", config)
    sha = hashlib.sha256(config.encode())
    for weight in network.get_weights() if weights else ():
        sha.update(np.ascontiguousarray(weight).data)
    return sha.hexdigest()


def random_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the random number generators in a model."""
    return [v for v in model.variables if v.name == "seed_generator_state"]


class Checkpoint(keras.callbacks.Callback):
    """Keeps the state of a run in a directory, if there is one, and restores it.

    ``state.npz`` holds all that training changes: variables, states of random number generators,
    what callbacks count, and the history; ``run.json`` says of which run. An epoch counts once its
    state is written, so this callback comes last. Of several processes, the first writes.
    """

    def __init__(
        self, directory: str | Path | None, config: Config, variables: list, callbacks: list
    ) -> None:
        super().__init__()
        self._config, self._variables, self._callbacks = config, variables, callbacks
        self._keeps, self._directory = directory is not None, Path(directory or "").expanduser()
        self._writes = self._keeps and distribution.current().first
        self._state, self._generators = self._directory / "state.npz", list[np.ndarray]()
        self.history: dict[str, list[float]] = {}  # of all epochs, by metric
        self.counters: dict[str, list[dict[str, float]]] = {}  # of callbacks, by their kind

    def restore(self) -> int:
        """Begin or restore the run, and return how many epochs are done."""
        distribution.current().in_turn(self._begin if self._writes else lambda: None)
        if self._keeps:
            self.history, self.counters, self._generators = self._read()
            for variable in self._variables:
                variable.assign(self._generators.pop(0))
        backend.set_generator_states(self._generators)
        self.on_train_begin()  # for who asks callbacks whether they had stopped the run
        return len(self.history.get("loss", ()))

    def _begin(self) -> None:
        """Write the state of a new run, or refuse the directory of another that has an epoch."""
        run, known = self._directory / "run.json", self._state.exists()
        there = json.loads(run.read_text(encoding="utf-8")) if known and run.exists() else {}
        different = [
            f"{part}, {name}: {there[part][name]!r} there and {value!r} here"
            for part in self._config.keys() & there.keys() - {"may change"}
            for name, value in self._config[part].items()
            if there[part].get(name, value) != value
        ]
        if different and self._read()[0]:
            what = f"{self._directory} holds another run: {'; '.join(different)}"
            raise ValueError(f"{what}. Name another directory, or empty this one.")
        text = json.dumps(self._config, indent=2, ensure_ascii=False)
        files.replace(run, lambda file: file.write(text.encode()))
        if different or not known:
            self._write()

    def _read(self) -> tuple[dict, dict, list[np.ndarray]]:
        with np.load(self._state) as file:
            values = [file[str(number)] for number in range(len(file.files) - 1)]
            return *json.loads(str(file["about"])), values

    def _write(self) -> None:
        values = enumerate([*self._variables, *backend.generator_states()])
        arrays: dict[str, Any] = {str(number): np.asarray(value) for number, value in values}
        about = json.dumps([self.history, self.counters])
        files.replace(self._state, lambda file: np.savez(file, about=about, **arrays))

    def forget(self) -> None:
        """Delete the state, so that the directory is free for another run."""
        for path in (self._state, self._directory / "run.json") if self._writes else ():
            path.unlink(missing_ok=True)

    def on_train_begin(self, logs: dict | None = None) -> None:
        left = {kind: list(counts) for kind, counts in self.counters.items()}
        for callback in self._callbacks[::-1]:  # the caller may have added some before the last
            if counts := left.get(type(callback).__name__):
                vars(callback).update(counts.pop())
        if self.history:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any]) -> None:
        metrics, self.counters = _numbers(logs), {}
        for name in {**self.history, **metrics}:  # NaN where an epoch lacks one
            self.history.setdefault(name, [np.nan] * epoch).append(metrics.get(name, np.nan))
        for callback in self._callbacks:
            found = _numbers({name: getattr(callback, name, None) for name in COUNTERS})
            self.counters.setdefault(type(callback).__name__, []).append(found)
        if self._writes:
            rows = zip(range(1, epoch + 2), *self.history.values(), strict=True)
            files.write_table(self._directory / "history.csv", [["epoch", *self.history], *rows])
            self._write()

    def as_history(self, model: keras.Model) -> keras.callbacks.History:
        """Return all epochs as Keras's ``fit`` does, and leave them with the model."""
        found = model.history = keras.callbacks.History()
        found.set_model(model)
        found.history, found.epoch = self.history, [*range(len(self.history.get("loss", ())))]
        return found


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what is a number, and leave out what else a callback may keep or add."""
    scalars = [n for n, v in found.items() if isinstance(v, Number) or getattr(v, "shape", 0) == ()]
    return {name: float(found[name]) for name in scalars}
