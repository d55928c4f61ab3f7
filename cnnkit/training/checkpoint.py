"""What a run needs to resume bit for bit, in one file that is replaced in one step."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cnnkit import backend, files

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
    write for the epoch. Of several processes, one `writes`.
    """

    def __init__(
        self,
        directory: Path | None,
        config: Config,
        variables: Sequence[keras.Variable],
        callbacks: Sequence[keras.callbacks.Callback],
        writes: bool = True,
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
        if different and self._read()[0]["history"]:
            raise ValueError(
                f"{self._directory} holds another run: {'; '.join(different)}. Name another "
                "directory, or empty this one."
            )
        text = json.dumps(self._config, indent=2, ensure_ascii=False).encode()
        files.replace(run, lambda file: file.write(text))
        if different or not state.exists():
            self._write()

    def restore(self) -> int:
        """Bring the run to where its state is, and return how many epochs are done."""
        if self._keeps:
            about, values = self._read()
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
        """Let callbacks count on, and generators draw on, from where they were."""
        left = {kind: iter(counts) for kind, counts in self.counters.items()}
        for callback in self._callbacks:
            for name, value in next(left.get(type(callback).__name__, iter(())), {}).items():
                setattr(callback, name, value)
        if self.history:  # fit has drawn a number before, which it did not do here
            backend.set_generator_states(self._generators)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Write the history as a table, and the state, with which the epoch counts."""
        self.history.append(_numbers(logs or {}))
        self.counters = {}
        for callback in self._callbacks:
            found = _numbers({name: getattr(callback, name, None) for name in COUNTERS})
            self.counters.setdefault(type(callback).__name__, []).append(found)
        assert self.model is not None  # on JAX, asking for it brings the variables up to date
        if self._writes:
            table = curves(self.history)
            rows = zip(range(1, len(self.history) + 1), *table.values(), strict=True)
            files.write_table(self._directory / "history.csv", [["epoch", *table], *rows])
            self._write()

    def as_history(self, model: keras.Model) -> keras.callbacks.History:
        """Return all epochs as Keras's ``fit`` does, and leave them with the model."""
        found = model.history = keras.callbacks.History()
        found.set_model(model)
        found.history, found.epoch = curves(self.history), list(range(len(self.history)))
        return found

    def _write(self) -> None:
        values = enumerate([*self._variables, *backend.generator_states()])
        arrays: dict[str, Any] = {str(number): np.asarray(value) for number, value in values}
        about = json.dumps({name: getattr(self, name) for name in ABOUT})
        path = self._directory / "state.npz"
        files.replace(path, lambda file: np.savez(file, about=about, **arrays))

    def _read(self) -> tuple[dict[str, Any], list[np.ndarray]]:
        with np.load(self._directory / "state.npz") as file:
            values = [file[str(number)] for number in range(len(file.files) - 1)]
            return json.loads(str(file["about"])), values


@contextmanager
def locked(directory: Path | None) -> Iterator[None]:
    """Make a directory, and keep other processes from training in it."""
    if directory is None:
        yield
        return
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(directory / ".lock", timeout=0):
            yield
    except filelock.Timeout:
        raise ValueError(f"Another process is training in {directory}.") from None


def random_states(model: keras.Layer) -> list[keras.Variable]:
    """Return the states of the random number generators in a model."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    return list({id(state): state for state in states}.values())


def curves(history: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return the metrics of all epochs by name; NaN where an epoch lacks one."""
    names = dict.fromkeys(name for metrics in history for name in metrics)
    return {name: [metrics.get(name, np.nan) for metrics in history] for name in names}


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what is a number, and leave out what else a callback may keep or add."""
    numbers = {}
    for name, value in found.items():
        with suppress(TypeError, ValueError, RuntimeError):  # PyTorch raises the last
            numbers[name] = float(value)
    return numbers


def _differences(there: Config, here: Config) -> list[str]:
    """Say in which values two runs differ, among those that both have."""
    there, here = json.loads(json.dumps([there, here]))
    return [
        f"{part}, {name}: {there[part][name]!r} there and {value!r} here"
        for part in here.keys() & there.keys() - {"may change"}
        for name, value in here[part].items()
        if there[part].get(name, value) != value
    ]
