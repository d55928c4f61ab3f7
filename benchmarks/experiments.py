"""The experiments of the chapters, one function each, as the chapters run them.

An experiment takes a scale and a seed, trains once, and returns the test accuracy and the number
of test pictures.
"""

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnkit import data, evaluation, models, training

import keras
import numpy as np

Run = Callable[[str, int], tuple[float, int]]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment of the course beside the figure that was published for it."""

    name: str
    published: float
    source: str
    run: Run


MNIST_EPOCHS = {"sample": 20, "full": training.recipes.MNIST.epochs}
PHOTO_SIZE = {"sample": 80, "full": 180}
AUGMENTED_EPOCHS = {"sample": 45, "full": training.recipes.CATS_VS_DOGS_AUGMENTED.epochs}

EXPERIMENTS: dict[str, Experiment] = {}


def experiment(name: str, published: float, source: str) -> Callable[[Run], Run]:
    """Register the decorated function as an experiment."""

    def register(run: Run) -> Run:
        EXPERIMENTS[name] = Experiment(name, published, source, run)
        return run

    return register


@experiment("digits", published=0.983, source=training.recipes.DIGITS.source)
def digits(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 1: one convolution on scikit-learn's digits; the seed also splits them."""
    train, test = data.digits(seed)
    training.reproducible(seed)
    model = models.digits_cnn()
    training.recipes.DIGITS.compile(model)
    for _ in range(training.recipes.DIGITS.epochs):
        model.train_on_batch(*train)
    return _accuracy(model, *test)


@experiment("mnist", published=0.991, source=training.recipes.MNIST.source)
def mnist(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 2: three convolutions on MNIST."""
    recipe = training.recipes.MNIST
    train, test = data.mnist(scale)
    training.reproducible(seed)
    model = models.mnist_cnn()
    recipe.compile(model)
    model.fit(*train, batch_size=recipe.batch_size, epochs=MNIST_EPOCHS[scale], verbose=0)
    return _accuracy(model, *test)


@experiment("cats_vs_dogs", published=0.70, source=training.recipes.CATS_VS_DOGS.source)
def cats_vs_dogs(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 3: five convolutions from scratch on few photos."""
    recipe = training.recipes.CATS_VS_DOGS
    return _cats_vs_dogs(scale, seed, recipe, recipe.epochs)


@experiment("cats_vs_dogs_augmented", published=0.83, source=training.recipes.CATS_VS_DOGS.source)
def cats_vs_dogs_augmented(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 4: the same with augmentation and dropout."""
    recipe = training.recipes.CATS_VS_DOGS_AUGMENTED
    augmentation = data.augment.flip_rotate_zoom()
    return _cats_vs_dogs(scale, seed, recipe, AUGMENTED_EPOCHS[scale], augmentation, dropout=0.5)


def _cats_vs_dogs(
    scale: str,
    seed: int,
    recipe: training.Recipe,
    epochs: int,
    augmentation: keras.Layer | None = None,
    dropout: float = 0.0,
) -> tuple[float, int]:
    folder, side = data.cats_vs_dogs(scale), PHOTO_SIZE[scale]
    train = data.image_folder(
        folder / "train", (side, side), recipe.batch_size or 32, shuffle=True, seed=seed
    )
    validation = data.image_folder(folder / "validation", (side, side))
    test = data.image_folder(folder / "test", (side, side))
    training.reproducible(seed)
    model = models.cats_vs_dogs_cnn((side, side, 3), augmentation, dropout)
    recipe.compile(model)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "best.keras"
        best = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True)
        history = model.fit(
            train, validation_data=validation, epochs=epochs, callbacks=[best], verbose=0
        )
        model = keras.models.load_model(path)
    print(f"  training accuracy in the last epoch {history.history['accuracy'][-1]:.3f}")
    return _accuracy(model, test, test.labels)


def _accuracy(model: keras.Model, images: Any, labels: np.ndarray) -> tuple[float, int]:
    report = evaluation.report(labels, evaluation.predict(model, images))
    return report.accuracy, report.count
