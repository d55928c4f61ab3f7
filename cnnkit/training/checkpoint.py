"""What a run needs to resume bit for bit, in one file that is replaced in one step."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from numbers import Number
from pathlib import Path
from typing import Any

from cnnkit import backend, files
from cnnkit.training import distribution

import filelock
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
    write for the epoch. Of several processes, the first writes.
    """

    def __init__(
        self, directory: Path | None, config: Config, variables: Any, callbacks: Any
    ) -> None:
        super().__init__()
        self._config, self._variables, self._callbacks = config, variables, callbacks
        self._keeps, self._directory = directory is not None, directory or Path()
        self._writes = self._keeps and distribution.current().first
        self._state, self._generators = self._directory / "state.npz", list[np.ndarray]()
        self.history: list[dict[str, float]] = []  # the metrics of each epoch
        self.counters: dict[str, list[dict[str, float]]] = {}  # of callbacks, by their kind
        self.began_with = ""  # what the caller knows the run's first weights by

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Lock the directory, begin or restore the run, and yield how many epochs are done."""
        lock: Any = nullcontext()
        if self._writes:
            self._directory.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(self._directory / ".lock", timeout=0)
        try:
            with lock:
                distribution.current().in_turn(self._begin)
                if self._keeps:
                    about, values = self._read()
                    self.history, self.counters, self.began_with = (about[name] for name in ABOUT)
                    for variable in self._variables:
                        variable.assign(values.pop(0))
                    self._generators = values
                    backend.set_generator_states(values)
                yield len(self.history)
        except filelock.Timeout:
            raise ValueError(f"Another process is training in {self._directory}.") from None

    def _begin(self) -> None:
        """Write the state of a new run, or refuse the directory of another that has an epoch."""
        if not self._writes:
            return
        run, different = self._directory / "run.json", list[str]()
        if run.exists() and self._state.exists():
            different = _differences(json.loads(run.read_text(encoding="utf-8")), self._config)
        if different and self._read()[0]["history"]:
            what = f"{self._directory} holds another run: {'; '.join(different)}"
            raise ValueError(f"{what}. Name another directory, or empty this one.")
        text = json.dumps(self._config, indent=2, ensure_ascii=False)
        files.replace(run, lambda file: file.write(text.encode()))
        if different or not self._state.exists():
            self._write()

    def _read(self) -> tuple[dict[str, Any], list[np.ndarray]]:
        with np.load(self._state) as file:
            values = [file[str(number)] for number in range(len(file.files) - 1)]
            return json.loads(str(file["about"])), values

    def _write(self) -> None:
        values = enumerate([*self._variables, *backend.generator_states()])
        arrays: dict[str, Any] = {str(number): np.asarray(value) for number, value in values}
        about = json.dumps({name: getattr(self, name) for name in ABOUT})
        files.replace(self._state, lambda file: np.savez(file, about=about, **arrays))

    def forget(self) -> None:
        """Delete the state, so that the directory is free for another run."""
        for name in ("state.npz", "run.json") if self._writes else ():
            (self._directory / name).unlink(missing_ok=True)

    def on_train_begin(self, logs: dict | None = None) -> None:
        left = {kind: list(counts) for kind, counts in self.counters.items()}
        for callback in self._callbacks[::-1]:  # the caller may have added some before the last
            if counts := left.get(type(callback).__name__):
                vars(callback).update(counts.pop())
        if self.history:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.history.append(_numbers(logs or {}))
        self.counters = {}
        for callback in self._callbacks:
            found = _numbers({name: getattr(callback, name, None) for name in COUNTERS})
            self.counters.setdefault(type(callback).__name__, []).append(found)
        if self._writes:
            table = self._columns()
            rows = zip(range(1, len(self.history) + 1), *table.values(), strict=True)
            files.write_table(self._directory / "history.csv", [["epoch", *table], *rows])
            self._write()

    def _columns(self) -> dict[str, list[float]]:
        """Return the metrics by name; NaN where an epoch lacks one."""
        names = dict.fromkeys(name for metrics in self.history for name in metrics)
        return {name: [metrics.get(name, np.nan) for metrics in self.history] for name in names}

    def as_history(self, model: keras.Model) -> keras.callbacks.History:
        """Return all epochs as Keras's ``fit`` does, and leave them with the model."""
        found = model.history = keras.callbacks.History()
        found.set_model(model)
        found.history, found.epoch = self._columns(), list(range(len(self.history)))
        return found


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what is a number, and leave out what else a callback may keep or add."""
    scalars = [n for n, v in found.items() if isinstance(v, Number) or getattr(v, "shape", 0) == ()]
    return {name: float(found[name]) for name in scalars}


def _differences(there: Config, here: Config) -> list[str]:
    """Say in which values two runs differ, among those that both have."""
    there, here = json.loads(json.dumps([there, here]))
    return [
        f"{part}, {name}: {there[part][name]!r} there and {value!r} here"
        for part in here.keys() & there.keys() - {"may change"}
        for name, value in here[part].items()
        if there[part].get(name, value) != value
    ]
