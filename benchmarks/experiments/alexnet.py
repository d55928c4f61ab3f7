"""Chapter 7: AlexNet, and how its test photos are looked at."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from benchmarks.experiments.experiment import History, Outcome, accuracy, photos, run_directory
from cnnkit import data, models, training

import keras
import numpy as np

SIZES = {"sample": (130, 115), "full": (256, 227)}  # photos, and the windows of them
WIDTH = {"sample": 1 / 4, "full": 1.0}
RECIPE = {
    "sample": dataclasses.replace(
        training.recipes.ALEXNET, batch_size=16, learning_rate=0.0025, epochs=28
    ),
    "full": training.recipes.ALEXNET,
}
CROPS_EACH_EPOCH = {"sample": False, "full": True}


def ten_crops(scale: str, seed: int, dropout: float = 0.5) -> Outcome:
    """Chapter 7: AlexNet, with ten crops of each test photo."""
    (model, history), test = _train(scale, seed, dropout), _test_photos(scale)
    return accuracy(model, test, test.labels, _ten_crop(scale), history)


def center(scale: str, seed: int) -> Outcome:
    """Chapter 7: the same networks, not trained again, with the middle of each test photo."""
    test = _test_photos(scale)
    return accuracy(_train(scale, seed, 0.5)[0], test, test.labels)


def without_dropout(scale: str, seed: int) -> Outcome:
    """Chapter 7: AlexNet without dropout, with ten crops."""
    return ten_crops(scale, seed, dropout=0.0)


@functools.cache
def _test_photos(scale: str) -> Any:
    """Load the test photos, which are the same for all networks."""
    return photos(scale, SIZES[scale][0], 0, "half", RECIPE[scale].batch_size or 32)[2]


@functools.cache
def _train(scale: str, seed: int, dropout: float) -> tuple[keras.Model, History]:
    """Train AlexNet, and return its best state, to predict with, and its history."""
    side, window = SIZES[scale]
    recipe = RECIPE[scale]
    train, validation, _ = photos(scale, side, seed, "half", recipe.batch_size or 32)
    colours = keras.layers.Normalization()
    colours.adapt(train.map(lambda photos, labels: photos))
    training.reproducible(seed)
    model = models.alexnet(
        (window, window, 3),
        width=WIDTH[scale],
        dropout=dropout,
        mean=np.ravel(colours.mean).tolist(),
        augmentation=data.augment.crop_and_flip(window),
    )

    def evaluate(model: keras.Model, photos: Any) -> dict[str, float]:
        return {"accuracy": accuracy(model, photos, photos.labels, _ten_crop(scale)).figure}

    with run_directory(scale, f"alexnet-dropout{dropout:g}-seed{seed}") as directory:
        each_epoch = evaluate if CROPS_EACH_EPOCH[scale] else None
        trained = training.fit(model, recipe, train, validation, directory, each_epoch, verbose=0)
        best = keras.models.load_model(directory / "best.keras", compile=False)
    return best, trained.history


def _ten_crop(scale: str) -> Callable[[Any], Any]:
    return functools.partial(data.augment.ten_crop, size=SIZES[scale][1])
