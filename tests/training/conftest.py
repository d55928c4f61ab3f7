"""The small run that the tests of training share, and how it is interrupted."""

import dataclasses
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnkit import data, training
from cnnkit.data import augment

import keras
import numpy as np
import pytest

SMALL: dict[str, Any] = {"learning_rate": 0.05, "batch_size": 8, "epochs": 4, "patience": 0}
RECIPE = dataclasses.replace(training.recipes.ALEXNET, **SMALL)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for part, count, seed in (("train", 12, 0), ("validation", 4, 1)):
        data.drawings.write(folder / part, ["cat", "dog"], count, seed, size=20)
    return folder


def load(photos: Path, seed: int = 3, batch_size: int = 8) -> tuple[Any, Any]:
    train = data.image_folder(photos / "train", (20, 20), batch_size, shuffle=True, seed=seed)
    return train, data.image_folder(photos / "validation", (20, 20), 8)


@pytest.fixture
def parts(photos: Path) -> tuple[Any, Any]:
    return load(photos)


def unshuffled(images: Any = None) -> Any:
    """Make a data set that does not come from a folder."""
    tensorflow = pytest.importorskip("tensorflow")
    images = np.linspace(0, 255, 24 * 1200).reshape(24, 20, 20, 3) if images is None else images
    arrays = images.astype("float32"), np.arange(24) % 2
    return tensorflow.data.Dataset.from_tensor_slices(arrays).batch(8)


def build(seed: int = 1, units: int = 8) -> keras.Model:
    """A small network with all that is random, or changes though it is not trained."""
    training.reproducible(seed)
    return keras.Sequential(  # without a name: Keras numbers such models through
        [
            keras.Input((20, 20, 3)),
            augment.crop_and_flip(16),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def fit(parts: Any, directory: Path, model: Any = None, epochs: int = 4, **options: Any) -> Any:
    model, options = model or build(), {"verbose": 0, **options}
    recipe = options.pop("recipe", dataclasses.replace(RECIPE, epochs=epochs))
    return model, training.fit(model, recipe, *parts, directory, **options)


class PullThePlug(keras.callbacks.Callback):
    """Ends a run in the middle of an epoch, as Ctrl-C does."""

    def __init__(self, epoch: int, batch: int = 1) -> None:
        super().__init__()
        self._when = epoch, batch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if (self._epoch, batch) == self._when:
            raise KeyboardInterrupt


def interrupt(run: Callable[..., Any], epoch: int, batch: int = 1) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(callbacks=[PullThePlug(epoch, batch)])


class CtrlC(keras.callbacks.Callback):
    """Presses it within the first batch, once or twice, and keeps which batches ended."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self._times, self.ended = times, list[int]()

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        for _ in range(self._times):
            signal.raise_signal(signal.SIGINT)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.ended.append(batch)


def press_ctrl_c(run: Callable[..., Any], times: int, ended: list[int]) -> None:
    """Press it within the first batch of a run, which ends after these batches."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        pressed = CtrlC(times)
        with pytest.raises(KeyboardInterrupt):
            run(callbacks=pressed)
        assert pressed.ended == ended
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def same(one: Any, other: Any, tolerance: float = 0.0) -> None:
    """Compare the weights of two models, or two lists of weights."""
    one, other = (each if isinstance(each, list) else each.get_weights() for each in (one, other))
    for a, b in zip(one, other, strict=True):
        assert np.abs(a - b).max() <= tolerance * np.abs(a).max(), a.shape


@pytest.fixture(scope="module")
def whole(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    """A run that was never interrupted: model, history, directory."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    return *fit(load(photos), directory), directory


def read(directory: Path) -> dict[str, Any]:
    """What a run ends with: its state, its models and its tables."""
    with np.load(directory / "state.npz") as file:
        found = {name: file[name].tolist() for name in file.files}
    found["about"] = json.loads(found["about"])
    for name in ("best", "last"):
        if (path := directory / f"{name}.keras").exists():
            found[name] = [w.tolist() for w in keras.models.load_model(path).get_weights()]
    return found | {path.name: path.read_text() for path in directory.glob("*.csv")}
