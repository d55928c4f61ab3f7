"""Chapters 1 to 4: networks trained from scratch."""

import tempfile
from pathlib import Path

from benchmarks.experiments.experiment import Outcome, accuracy, photos
from cnnkit import data, models, training

import keras

MNIST_EPOCHS = {"sample": 10, "full": training.recipes.MNIST.epochs}
PHOTO_SIZE = {"sample": 80, "full": 180}
AUGMENTED_EPOCHS = {"sample": 45, "full": training.recipes.CATS_VS_DOGS_AUGMENTED.epochs}


def digits(scale: str, seed: int) -> Outcome:
    """Chapter 1: one convolution on scikit-learn's digits; the seed also splits them."""
    train, test = data.digits(seed)
    training.reproducible(seed)
    model = models.digits_cnn()
    training.recipes.DIGITS.compile(model)
    for _ in range(training.recipes.DIGITS.epochs):
        model.train_on_batch(*train)
    return accuracy(model, *test)


def mnist(scale: str, seed: int) -> Outcome:
    """Chapter 2: three convolutions on MNIST."""
    recipe = training.recipes.MNIST
    train, test = data.mnist(scale)
    training.reproducible(seed)
    model = models.mnist_cnn()
    recipe.compile(model)
    size, epochs = recipe.batch_size, MNIST_EPOCHS[scale]
    trained = model.fit(*train, batch_size=size, epochs=epochs, verbose=0)
    return accuracy(model, *test, history=trained.history)


def cats_vs_dogs(scale: str, seed: int) -> Outcome:
    """Chapter 3: five convolutions from scratch on few photos."""
    recipe = training.recipes.CATS_VS_DOGS
    return _cats_vs_dogs(scale, seed, recipe, recipe.epochs)


def cats_vs_dogs_augmented(scale: str, seed: int) -> Outcome:
    """Chapter 4: the same with augmentation and dropout."""
    recipe = training.recipes.CATS_VS_DOGS_AUGMENTED
    return _cats_vs_dogs(scale, seed, recipe, AUGMENTED_EPOCHS[scale], augmented=True)


def _cats_vs_dogs(
    scale: str,
    seed: int,
    recipe: training.Recipe,
    epochs: int,
    augmented: bool = False,
) -> Outcome:
    side = PHOTO_SIZE[scale]
    train, validation, test = photos(scale, side, seed)
    training.reproducible(seed)
    augmentation = data.augment.flip_rotate_zoom() if augmented else None  # it draws a seed
    dropout = 0.5 if augmented else 0.0
    model = models.cats_vs_dogs_cnn((side, side, 3), augmentation, dropout)
    recipe.compile(model)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "best.keras"
        best = keras.callbacks.ModelCheckpoint(path, monitor="val_loss", save_best_only=True)
        trained = model.fit(
            train, validation_data=validation, epochs=epochs, callbacks=[best], verbose=0
        )
        model = keras.models.load_model(path)
    return accuracy(model, test, test.labels, history=trained.history)
