"""The experiments of the chapters, one function each, as the chapters run them.

An experiment takes a scale and a seed, trains once, and returns a figure, nearly always the test
accuracy, and the number of pictures it was taken on.
"""

import dataclasses
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import own_photos, shake_modes
from benchmarks.registry import EXPERIMENTS, Experiment, accuracy, experiment
from cnnkit import data, models, training

import keras
import numpy as np

MNIST_EPOCHS = {"sample": 20, "full": training.recipes.MNIST.epochs}
PHOTO_SIZE = {"sample": 80, "full": 180}
TRANSFER_SIZE = {"sample": 112, "full": 180}
WEIGHTS = {"sample": "drawn", "full": "imagenet"}
VIEWS = 10
AUGMENTED_HEAD_RATE = {"sample": 2e-4, "full": training.recipes.FEATURES_AUGMENTED.learning_rate}
AUGMENTED_EPOCHS = {"sample": 45, "full": training.recipes.CATS_VS_DOGS_AUGMENTED.epochs}
ALEXNET_SIZES = {"sample": (130, 115), "full": (256, 227)}  # photos, and the windows of them
ALEXNET_WIDTH = {"sample": 1 / 4, "full": 1.0}
ALEXNET_RECIPE = {
    "sample": dataclasses.replace(
        training.recipes.ALEXNET, batch_size=16, learning_rate=0.0025, epochs=28
    ),
    "full": training.recipes.ALEXNET,
}
CROPS_EACH_EPOCH = {"sample": False, "full": True}
ALEXNET_RUNS = Path("runs")  # of the full scale, whose runs take days and have to survive


@experiment("digits", published=0.983, source=training.recipes.DIGITS.source)
def digits(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 1: one convolution on scikit-learn's digits; the seed also splits them."""
    train, test = data.digits(seed)
    training.reproducible(seed)
    model = models.digits_cnn()
    training.recipes.DIGITS.compile(model)
    for _ in range(training.recipes.DIGITS.epochs):
        model.train_on_batch(*train)
    return accuracy(model, *test)


@experiment("mnist", published=0.991, source=training.recipes.MNIST.source)
def mnist(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 2: three convolutions on MNIST."""
    recipe = training.recipes.MNIST
    train, test = data.mnist(scale)
    training.reproducible(seed)
    model = models.mnist_cnn()
    recipe.compile(model)
    model.fit(*train, batch_size=recipe.batch_size, epochs=MNIST_EPOCHS[scale], verbose=0)
    return accuracy(model, *test)


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


@experiment("features", published=0.97, source=training.recipes.FEATURES.source)
def features(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 5: a head on the features of VGG16. The published figure is on validation photos."""
    parts = _parts(scale, TRANSFER_SIZE[scale], seed)
    return accuracy(_on_features(scale, parts, seed), parts[2], parts[2].labels)


@experiment("features_augmented", published=0.977, source=training.recipes.FEATURES.source)
def features_augmented(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 5: the same with augmentation in front of the frozen base."""
    parts = _parts(scale, TRANSFER_SIZE[scale], seed)
    model = _on_features(scale, parts, seed, data.augment.flip_rotate_zoom())
    return accuracy(model, parts[2], parts[2].labels)


@experiment("fine_tuning", published=0.98, source=training.recipes.FINE_TUNING.source)
def fine_tuning(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 6: the same, and then with the last four layers of the base free."""
    parts = _parts(scale, TRANSFER_SIZE[scale], seed)
    model = _on_features(scale, parts, seed, data.augment.flip_rotate_zoom())
    training.transfer.unfreeze_top(model.get_layer("vgg16"), 4)
    _fit_best(model, parts, training.recipes.FINE_TUNING, VIEWS)
    return accuracy(model, parts[2], parts[2].labels)


@experiment("alexnet", published=0.92768, source=training.recipes.ALEXNET.source)
def alexnet(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 7: AlexNet, with ten crops of each test photo."""
    model, test = _alexnet(scale, seed, dropout=0.5)
    return accuracy(model, test, test.labels, _ten_crop(scale))


@experiment("alexnet_center", published=None, source=training.recipes.ALEXNET.source)
def alexnet_center(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 7: the same networks, not trained again, with the middle of each test photo."""
    model, test = _alexnet(scale, seed, dropout=0.5)
    return accuracy(model, test, test.labels)


@experiment("alexnet_without_dropout", published=None, source=training.recipes.ALEXNET.source)
def alexnet_without_dropout(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 7: AlexNet without dropout, with ten crops."""
    model, test = _alexnet(scale, seed, dropout=0.0)
    return accuracy(model, test, test.labels, _ten_crop(scale))


@functools.cache
def _alexnet(scale: str, seed: int, dropout: float) -> tuple[keras.Model, Any]:
    """Train AlexNet; return its best state, and the test photos."""
    side, window = ALEXNET_SIZES[scale]
    recipe = ALEXNET_RECIPE[scale]
    train, validation, test = _parts(scale, side, seed, "half", recipe.batch_size or 32)
    colours = keras.layers.Normalization()
    colours.adapt(train.map(lambda photos, labels: photos))
    training.reproducible(seed)
    model = models.alexnet(
        (window, window, 3),
        width=ALEXNET_WIDTH[scale],
        dropout=dropout,
        mean=np.ravel(colours.mean).tolist(),
        augmentation=data.augment.crop_and_flip(window),
    )

    def evaluate(model: keras.Model, photos: Any) -> dict[str, float]:
        return {"accuracy": accuracy(model, photos, photos.labels, _ten_crop(scale))[0]}

    with tempfile.TemporaryDirectory() as passing:
        directory = Path(passing) / "run"
        if scale == "full":
            directory = ALEXNET_RUNS / f"alexnet-dropout{dropout:g}-seed{seed}"
        each_epoch = evaluate if CROPS_EACH_EPOCH[scale] else None
        training.fit(model, recipe, train, validation, directory, each_epoch, verbose=0)
        return keras.models.load_model(directory / "best.keras"), test


def _ten_crop(scale: str) -> Callable[[Any], Any]:
    return functools.partial(data.augment.ten_crop, size=ALEXNET_SIZES[scale][1])


def _on_features(
    scale: str, parts: tuple[Any, Any, Any], seed: int, augmentation: keras.Layer | None = None
) -> keras.Model:
    side = TRANSFER_SIZE[scale]
    training.reproducible(seed)
    base = models.vgg16_base(WEIGHTS[scale], (side, side, 3))
    base.trainable = False
    model = models.transfer_classifier(base, augmentation=augmentation)
    if augmentation is None:
        _fit_best(model, parts, training.recipes.FEATURES, None)
    else:
        recipe = training.recipes.FEATURES_AUGMENTED
        recipe = dataclasses.replace(recipe, learning_rate=AUGMENTED_HEAD_RATE[scale])
        _fit_best(model, parts, recipe, VIEWS)
    return model


def _fit_best(
    model: keras.Model, parts: tuple[Any, Any, Any], recipe: training.Recipe, views: int | None
) -> None:
    recipe.compile(model)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "best.weights.h5"
        best = keras.callbacks.ModelCheckpoint(
            path, monitor="val_loss", save_best_only=True, save_weights_only=True
        )
        training.transfer.fit_from_frozen(
            model, *parts[:2], recipe.epochs, views=views, callbacks=[best], verbose=0
        )
        model.load_weights(path)


def _cats_vs_dogs(
    scale: str,
    seed: int,
    recipe: training.Recipe,
    epochs: int,
    augmentation: keras.Layer | None = None,
    dropout: float = 0.0,
) -> tuple[float, int]:
    side = PHOTO_SIZE[scale]
    train, validation, test = _parts(scale, side, seed)
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
    return accuracy(model, test, test.labels)


def _parts(
    scale: str, side: int, seed: int, split: str = "small", batch_size: int = 32
) -> tuple[Any, Any, Any]:
    """Load training, validation and test photos; only the first are shuffled."""
    folder = data.cats_vs_dogs(scale, split)
    train, validation, test = (
        data.image_folder(folder / part, (side, side), batch_size, part == "train", seed)
        for part in ("train", "validation", "test")
    )
    return train, validation, test


OWN_PHOTOS = training.recipes.HEAD_ONLY.source
experiment("own_photos_head", published=None, source=OWN_PHOTOS)(own_photos.head)
experiment("own_photos_network", published=None, source=OWN_PHOTOS)(own_photos.network)

SHAKENET = training.recipes.SHAKENET.source
EVEN, SHAKE = shake_modes.EVEN, shake_modes.SHAKE
for _name, _published, _run in (
    ("shakenet_even_even_batch", 0.9573, shake_modes.on_test(**EVEN)),
    ("shakenet_shake_shake_image", 0.9645, shake_modes.on_test(**SHAKE)),
    ("shakenet_shake_even_image", 0.9653, shake_modes.on_test(**SHAKE | {"backward": "even"})),
    ("shakenet_shake_keep_image", 0.9591, shake_modes.on_test(**SHAKE | {"backward": "keep"})),
    ("shakenet_even_even_batch_on_training", None, shake_modes.on_training(**EVEN)),
    ("shakenet_shake_shake_image_on_training", None, shake_modes.on_training(**SHAKE)),
    ("shakenet_even_even_batch_correlation", None, shake_modes.correlation(**EVEN)),
    ("shakenet_shake_shake_image_correlation", None, shake_modes.correlation(**SHAKE)),
    ("shakenet_without_skip", None, shake_modes.on_test(**SHAKE, skip=False)),
    ("shakenet_without_batch_norm", None, shake_modes.on_test(**SHAKE, batch_norm=False)),
):
    experiment(_name, _published, SHAKENET)(_run)

__all__ = ["EXPERIMENTS", "Experiment"]
