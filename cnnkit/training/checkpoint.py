"""What a run needs to resume bit for bit, in one file that is replaced in one step."""

import json
from collections.abc import Mapping
from numbers import Number
from pathlib import Path
from typing import Any

from cnnkit import backend, files

import keras
import numpy as np

# What callbacks count: Keras's EarlyStopping, ModelCheckpoint and ReduceLROnPlateau, and our own.
COUNTERS = ("best", "best_epoch", "wait", "cooldown_counter", "stopped_epoch")
ABOUT = ("history", "counters", "began_with")  # in a state, beside the variables
Config = dict[str, dict[str, Any]]  # what makes it this run: values by part and name


class Checkpoint(keras.callbacks.Callback):
    """Keeps the state of a run in a directory, if there is one, and restores it.

    ``state.npz`` holds all that training changes: variables, the states of random number
    generators, what callbacks count, and the history; ``run.json`` says which run it is of. An
    epoch counts once its state is written. So this callback comes last, after all that others
    write for the epoch. Of several processes, one `writes`.
    """

    def __init__(
        self, directory: Path | None, config: Config, variables: Any, callbacks: Any, writes: bool
    ) -> None:
        super().__init__()
        self._config, self._variables, self._callbacks = config, variables, callbacks
        self._keeps, self._writes = directory is not None, writes and directory is not None
        self._directory, self._generators = directory or Path(), list[np.ndarray]()
        self.history: list[dict[str, float]] = []  # the metrics of each epoch
        self.counters: dict[str, list[dict[str, float]]] = {}  # of callbacks, by their kind
        self.began_with = ""  # what the caller knows the run's first weights by

    def begin(self) -> None:
        """Write the state of a new run, or refuse the directory of another that has an epoch."""
        if not self._writes:
            return
        state, run = self._directory / "state.npz", self._directory / "run.json"
        there = json.loads(run.read_text(encoding="utf-8")) if run.exists() else {}
        different = _differences(there, self._config) if state.exists() else []
        if different and files.read_state(state)[0]["history"]:
            what = f"{self._directory} holds another run: {'; '.join(different)}"
            raise ValueError(f"{what}. Name another directory, or empty this one.")
        kept = {} if different else there
        config = {part: kept.get(part, {}) | values for part, values in self._config.items()}
        text = json.dumps(config, indent=2, ensure_ascii=False).encode()
        files.replace(run, lambda file: file.write(text))
        if different or not state.exists():
            self._write()

    def restore(self) -> int:
        """Bring the run to where its state is, and return how many epochs are done."""
        if self._keeps:
            about, values = files.read_state(self._directory / "state.npz")
            self.history, self.counters, self.began_with = (about[name] for name in ABOUT)
            for variable in self._variables:
                variable.assign(values.pop(0))
            self._generators = values
            backend.set_generator_states(values)
        return len(self.history)

    def forget(self) -> None:
        """Delete the state, so that the directory is free for another run."""
        for name in ("state.npz", "run.json") if self._writes else ():
            (self._directory / name).unlink(missing_ok=True)

    def on_train_begin(self, logs: dict | None = None) -> None:
        left = {kind: iter(counts[::-1]) for kind, counts in self.counters.items()}
        for callback in self._callbacks[::-1]:  # the caller may have added some before the last
            for name, value in next(left.get(type(callback).__name__, iter(())), {}).items():
                setattr(callback, name, value)
        if self.history:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.history.append(_numbers(logs or {}))
        self.counters = {}
        for callback in self._callbacks:
            found = _numbers({name: getattr(callback, name, None) for name in COUNTERS})
            self.counters.setdefault(type(callback).__name__, []).append(found)
        if self._writes:
            table = files.columns(self.history)
            rows = zip(range(1, len(self.history) + 1), *table.values(), strict=True)
            files.write_table(self._directory / "history.csv", [["epoch", *table], *rows])
            self._write()

    def as_history(self, model: keras.Model) -> keras.callbacks.History:
        """Return all epochs as Keras's ``fit`` does, and leave them with the model."""
        found = model.history = keras.callbacks.History()
        found.set_model(model)
        found.history, found.epoch = files.columns(self.history), list(range(len(self.history)))
        return found

    def _write(self) -> None:
        values = [*self._variables, *backend.generator_states()]
        about = {name: getattr(self, name) for name in ABOUT}
        files.write_state(self._directory / "state.npz", about, values)


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what is a number, and leave out what else a callback may keep or add."""
    scalars = {name: v for name, v in found.items() if getattr(v, "shape", None) == ()}
    return {name: float(v) for name, v in found.items() if isinstance(v, Number) or name in scalars}


def _differences(there: Config, here: Config) -> list[str]:
    """Say in which values two runs differ, among those that both have."""
    there, here = json.loads(json.dumps([there, here]))
    return [
        f"{part}, {name}: {there[part][name]!r} there and {value!r} here"
        for part in here.keys() & there.keys() - {"may change"}
        for name, value in here[part].items()
        if there[part].get(name, value) != value
    ]
