"""Chapters 5 and 6: a head on the features of VGG16, and fine-tuning."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.experiments.experiment import History, Outcome, accuracy, photos
from cnnkit import data, models, training

import keras

SIZE = {"sample": 112, "full": 180}
WEIGHTS = {"sample": "drawn", "full": "imagenet"}
VIEWS = 10
AUGMENTED_HEAD_RATE = {"sample": 2e-4, "full": training.recipes.FEATURES_AUGMENTED.learning_rate}


def features(scale: str, seed: int) -> Outcome:
    """Chapter 5: a head on the features of VGG16. The published figure is on validation photos."""
    parts = photos(scale, SIZE[scale], seed)
    model, history = _on_features(scale, parts, seed)
    return accuracy(model, parts[2], parts[2].labels, history=history)


def features_augmented(scale: str, seed: int) -> Outcome:
    """Chapter 5: the same with augmentation in front of the frozen base."""
    parts = photos(scale, SIZE[scale], seed)
    model, history = _on_features(scale, parts, seed, augmented=True)
    return accuracy(model, parts[2], parts[2].labels, history=history)


def fine_tuning(scale: str, seed: int) -> Outcome:
    """Chapter 6: the same, and then with the last four layers of the base free."""
    parts = photos(scale, SIZE[scale], seed)
    model, _ = _on_features(scale, parts, seed, augmented=True)
    training.transfer.unfreeze_top(model.get_layer("vgg16"), 4)
    history = _fit_best(model, parts, training.recipes.FINE_TUNING, VIEWS)
    return accuracy(model, parts[2], parts[2].labels, history=history)


def _on_features(
    scale: str, parts: tuple[Any, Any, Any], seed: int, augmented: bool = False
) -> tuple[keras.Model, History]:
    side = SIZE[scale]
    training.reproducible(seed)
    base = models.vgg16_base(WEIGHTS[scale], (side, side, 3))
    base.trainable = False
    augmentation = data.augment.flip_rotate_zoom() if augmented else None  # it draws a seed
    model = models.transfer_classifier(base, augmentation=augmentation)
    recipe, views = training.recipes.FEATURES, None
    if augmented:
        recipe, views = training.recipes.FEATURES_AUGMENTED, VIEWS
        recipe = dataclasses.replace(recipe, learning_rate=AUGMENTED_HEAD_RATE[scale])
    return model, _fit_best(model, parts, recipe, views)


def _fit_best(
    model: keras.Model, parts: tuple[Any, Any, Any], recipe: training.Recipe, views: int | None
) -> History:
    """Train, leave the best state in the model, and return the metrics of each epoch."""
    recipe.compile(model)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "best.weights.h5"
        best = keras.callbacks.ModelCheckpoint(
            path, monitor="val_loss", save_best_only=True, save_weights_only=True
        )
        trained = training.transfer.fit_from_frozen(
            model, *parts[:2], recipe.epochs, views=views, callbacks=[best], verbose=0
        )
        model.load_weights(path)
    return trained.history
