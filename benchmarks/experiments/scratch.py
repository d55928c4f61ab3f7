"""Chapters 1 to 4: networks trained from scratch."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.experiments.experiment import History, Outcome, Run, accuracy, photos
from cnnkit import data, models, training

import keras
import numpy as np
from keras import layers

DIGITS_EPOCHS = {"sample": 600, "full": training.recipes.DIGITS.epochs}
MNIST_EPOCHS = {"sample": 10, "full": training.recipes.MNIST.epochs}
MNIST_HELD_BACK = {"sample": 1 / 10, "full": 1 / 60}  # for validation
PHOTO_SIZE = {"sample": 80, "full": 180}
AUGMENTED_EPOCHS = {"sample": 45, "full": training.recipes.CATS_VS_DOGS_AUGMENTED.epochs}


def digits(scale: str, seed: int) -> Outcome:
    """Chapter 1: one convolution on scikit-learn's digits; the seed also splits them."""
    (x_train, y_train), test = data.digits(seed)
    training.reproducible(seed)
    model = models.digits_cnn()
    training.recipes.DIGITS.compile(model)
    epochs = DIGITS_EPOCHS[scale]
    trained = model.fit(x_train, y_train, batch_size=len(x_train), epochs=epochs, verbose=0)
    return accuracy(model, *test, history=trained.history)


def dense() -> keras.Model:
    """Build chapter 2's network without convolutions."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


class HalfTurns(data.augment.Augmentation):
    """Turns about half of the pictures of a batch by half a turn, which is wrong for digits."""

    def change(self, images: Any) -> Any:
        """Turn about half of them."""
        each = (keras.ops.shape(images)[0], 1, 1, 1)
        turned = keras.random.uniform(each, seed=self.random) < 0.5
        return keras.ops.where(turned, images[:, ::-1, ::-1], images)


def translation(**options: Any) -> keras.Layer:
    """Move each digit by up to three whole pixels."""
    options |= {"fill_mode": "constant", "interpolation": "nearest"}
    return layers.RandomTranslation(3 / 28, 3 / 28, **options)


CLASSES = {"6 and 9": (6, 9), "0, 1 and 8": (0, 1, 8)}  # half a turn swaps these, or changes none
AUGMENTATIONS: dict[str, Callable[[], keras.Layer]] = {
    "none": layers.Identity,
    "moved": translation,
    "mirrored": functools.partial(layers.RandomFlip, "horizontal"),
    "quarter_turns": data.augment.QuarterTurns,
    "half_turns": HalfTurns,
}


def mnist(
    tested: str = "in place",
    augmentation: str | None = None,
    network: Callable[[], keras.Model] = models.mnist_cnn,
) -> Run:
    """Return an experiment on MNIST of chapter 2 or 4.

    It tests on all test digits ``"in place"``, on the same ``"moved"`` by up to three pixels, or on
    some classes. Experiments that differ in this alone share their training. Chapter 2 keeps the
    last epoch; with one of `AUGMENTATIONS`, it is the one with the lowest validation loss.
    """

    def run(scale: str, seed: int) -> Outcome:
        pictures, labels = data.mnist(scale)[1]
        model, history = _train_mnist(scale, seed, augmentation, network)
        if tested == "moved":
            pictures = np.asarray(translation(seed=0)(pictures, training=True))
        elif tested in CLASSES:
            kept = np.isin(labels, CLASSES[tested])
            pictures, labels = pictures[kept], labels[kept]
        first = tested == "in place"  # of those that share a training, it has its history
        return accuracy(model, pictures, labels, history=history if first else {})

    return run


@functools.cache
def _train_mnist(
    scale: str, seed: int, augmentation: str | None, network: Callable[[], keras.Model]
) -> tuple[keras.Model, History]:
    training.reproducible(seed)
    moved = [AUGMENTATIONS[augmentation]()] if augmentation else []
    model = network()
    trained = keras.Sequential([keras.Input((28, 28, 1)), *moved, model])
    recipe = training.recipes.MNIST
    recipe.compile(trained)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "best.weights.h5")
        best = keras.callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
        history = trained.fit(
            *data.mnist(scale)[0],
            batch_size=recipe.batch_size,
            epochs=MNIST_EPOCHS[scale],
            validation_split=MNIST_HELD_BACK[scale],
            callbacks=[best] if augmentation else [],
            verbose=0,
        )
        if augmentation:
            trained.load_weights(path)
    return model, history.history


def cats_vs_dogs(chosen: str = "val_loss") -> Run:
    """Return chapter 3's experiment: five convolutions from scratch on few photos.

    The epoch is the one with the best ``"val_loss"`` or ``"val_accuracy"``, or the ``"last"``.
    """
    epochs = dict.fromkeys(("sample", "full"), training.recipes.CATS_VS_DOGS.epochs)
    return _cats_vs_dogs(epochs, False, 0.0, chosen, first=chosen == "val_loss")


def cats_vs_dogs_longer(
    augmented: bool = False, dropout: float = 0.0, chosen: str = "val_accuracy"
) -> Run:
    """Return chapter 4's experiment: as many epochs with and without augmentation and dropout."""
    first = chosen == "val_accuracy"
    return _cats_vs_dogs(AUGMENTED_EPOCHS, augmented, dropout, chosen, first)


def _cats_vs_dogs(
    epochs: dict[str, int], augmented: bool, dropout: float, chosen: str, first: bool
) -> Run:
    """Return an experiment; the `first` of those that share a training has its history."""

    def run(scale: str, seed: int) -> Outcome:
        test = photos(scale, PHOTO_SIZE[scale], seed)[2]
        states, history = _train_cats_vs_dogs(scale, seed, epochs[scale], augmented, dropout)
        return accuracy(states[chosen], test, test.labels, history=history if first else {})

    return run


@functools.cache
def _train_cats_vs_dogs(
    scale: str, seed: int, epochs: int, augmented: bool, dropout: float
) -> tuple[dict[str, keras.Model], History]:
    """Train, and return the network after the best epochs and after the last, and the history."""
    side = PHOTO_SIZE[scale]
    train, validation, _ = photos(scale, side, seed)
    training.reproducible(seed)
    augmentation = data.augment.flip_rotate_zoom() if augmented else None  # it draws a seed
    model = models.cats_vs_dogs_cnn((side, side, 3), augmentation, dropout)
    training.recipes.CATS_VS_DOGS.compile(model)
    with tempfile.TemporaryDirectory() as directory:
        paths = {name: Path(directory, f"{name}.keras") for name in ("val_loss", "val_accuracy")}
        best = [
            keras.callbacks.ModelCheckpoint(path, monitor=name, save_best_only=True)
            for name, path in paths.items()
        ]
        trained = model.fit(
            train, validation_data=validation, epochs=epochs, callbacks=best, verbose=0
        )
        states = {name: keras.models.load_model(path) for name, path in paths.items()}
    return states | {"last": model}, trained.history
