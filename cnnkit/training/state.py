"""What a run needs to go on bit for bit, in the process and in a file."""

import errno
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cnnkit import backend, files

import keras
import numpy as np

Figures = dict[str, float]  # of an epoch, by name

# What callbacks remember: Keras's EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, and our own.
Counters = tuple[str, dict[str, Any]]  # of a callback: its kind, and what it remembers
COUNTERS = ("best", "best_epoch", "wait", "cooldown_counter")


def random_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of a model's random number generators."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    return list({id(state): state for state in states}.values())


def values(model: keras.Model) -> list[Any]:
    """Return all that training changes in a compiled model, and the backend's generators.

    The variables themselves, of which `write` makes arrays one by one.
    """
    return [*_variables(model), *backend.generator_states()]


def set_values(model: keras.Model, found: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Bring a model to where `values` found it; return the states of the backend's generators.

    ``fit`` may draw from these before the first epoch, so set them again when it has begun.
    """
    variables = _variables(model)
    for variable, value in zip(variables, found[: len(variables)], strict=True):
        variable.assign(value)
    generators = list(found[len(variables) :])
    backend.set_generator_states(generators)
    return generators


def numbers_among(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what is a number, and leave out what else a callback may keep or add."""
    figures = {}
    for name, value in found.items():
        if not isinstance(value, str):
            with suppress(TypeError, ValueError, RuntimeError):  # PyTorch raises the last
                figures[name] = float(value)
    return figures


def counters(callbacks: Sequence[keras.callbacks.Callback]) -> list[Counters]:
    """Return what the callbacks count, each with its kind."""
    counted: list[Counters] = []
    for callback in callbacks:
        found = {name: getattr(callback, name, None) for name in COUNTERS}
        if figures := numbers_among(found):
            counted.append((type(callback).__name__, figures))
    return counted


def set_counters(
    callbacks: Sequence[keras.callbacks.Callback], counted: Sequence[Counters]
) -> None:
    """Let callbacks count on from where those of their kind were, in the same order."""
    left = list(counted)
    for callback in callbacks:
        for found in left:
            if found[0] == type(callback).__name__:
                vars(callback).update(found[1])
                left.remove(found)
                break


def curves(history: Sequence[Figures]) -> dict[str, list[float]]:
    """Return the figures of all epochs by name; NaN where an epoch lacks one."""
    names = dict.fromkeys(name for figures in history for name in figures)
    return {name: [figures.get(name, np.nan) for figures in history] for name in names}


def write(
    path: Path, about: dict[str, Any], found: Sequence[Any], keep: Path | None = None
) -> None:
    """Write a state to a file, as `files.replace` does."""
    arrays: dict[str, Any] = {str(number): value for number, value in enumerate(found)}
    files.replace(path, lambda file: np.savez(file, about=json.dumps(about), **arrays), keep)


def read(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Read what `write` wrote.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        The file is damaged.
    """
    try:
        with np.load(path) as file:
            about = json.loads(str(file["about"]))
            return about, [file[str(number)] for number in range(len(file.files) - 1)]
    except MemoryError:
        raise
    except Exception as error:  # a damaged archive makes its readers raise nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a reader
        raise ValueError(f"{path} is damaged") from error


def size(model: keras.Model) -> int:
    """Return the bytes of the variables that training changes in a compiled model."""
    shapes = [(variable.shape, np.dtype(variable.dtype)) for variable in _variables(model)]
    return sum(int(np.prod(shape)) * dtype.itemsize for shape, dtype in shapes)


def _variables(model: keras.Model) -> list[keras.Variable]:
    return [*model.weights, *random_states(model), *model.optimizer.variables]
