"""Training the small networks whose weights come with the package: ``weights="drawn"``.

``python -m tools.drawn_weights`` draws animals, trains VGG16 at one eighth of its width and a small
DenseNet to tell them apart, and writes the weights of both, without their heads, into
``cnnkit/models/drawn``, each with a record of how it was made. The two are trained side by side, on
one core each, in less than a quarter of an hour.
"""

import json
import multiprocessing
import os
import platform
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from cnnkit import data, evaluation, models, training
from cnnkit.data import augment
from cnnkit.models import densenet as densenet_form
from cnnkit.models.pretrained import DRAWN
from cnnkit.models.vgg16 import DRAWN_WIDTH

import keras
import numpy as np
import typer
from keras import layers

# Cat, dog, cow, horse, koala and owl are kept for the chapters that load these weights.
SPECIES = (
    "bear", "fox", "frog", "lion", "monkey", "mouse", "panda", "pig", "rabbit", "raccoon",
    "sheep", "tiger",
)  # fmt: skip
PER_SPECIES, TEST_PER_SPECIES = 1_000, 50
SIZE, SEED, BATCH_SIZE = 112, 1, 32
EPOCHS = {"vgg16": 6, "densenet": 5}
LEARNING_RATE = 2e-3


def vgg16() -> tuple[keras.Model, Callable[[], keras.Model]]:
    """Build VGG16 with BatchNormalization, without which it hardly learns from so little.

    Returns
    -------
    base : keras.Model
        To be trained.
    finished : callable
        Returns VGG16 as published: it gives the same, with each BatchNormalization made part
        of the convolution before it.
    """
    published = models.vgg16_base(None, (SIZE, SIZE, 3), DRAWN_WIDTH)
    x, pairs = published.input, []
    for layer in published.layers[1:]:
        if isinstance(layer, layers.Conv2D):
            conv = layers.Conv2D(layer.filters, 3, padding="same", use_bias=False)
            norm = layers.BatchNormalization()
            pairs.append((layer, conv, norm))
            x = layers.ReLU()(norm(conv(x)))
        else:
            x = layer(x)
    base = keras.Model(published.input, x)

    def finished() -> keras.Model:
        for layer, conv, norm in pairs:
            (kernel,), (gamma, beta, mean, variance) = conv.get_weights(), norm.get_weights()
            factor = gamma / np.sqrt(variance + norm.epsilon)
            layer.set_weights([kernel * factor, beta - mean * factor])
        photos = np.random.default_rng(0).uniform(0, 255, (4, SIZE, SIZE, 3)).astype("float32")
        expected = base.predict(photos, verbose=0)
        np.testing.assert_allclose(published.predict(photos, verbose=0), expected, atol=1e-3)
        return published

    return base, finished


def densenet() -> tuple[keras.Model, Callable[[], keras.Model]]:
    """Build the small DenseNet, which is trained as it is."""
    growth_rate, block_config = densenet_form.DRAWN_GROWTH, densenet_form.DRAWN
    base = models.densenet_base(None, (SIZE, SIZE, 3), growth_rate, block_config)
    return base, lambda: base


def draw(folder: Path) -> None:
    """Draw what both networks are trained and tested on."""
    data.drawings.write(folder / "train", SPECIES, PER_SPECIES, SEED)
    data.drawings.write(folder / "test", SPECIES, TEST_PER_SPECIES, SEED + 1)


def train(name: str, folder: Path) -> None:
    """Train a network, and write its weights and their record."""
    start = time.perf_counter()
    photos = data.image_folder(folder / "train", (SIZE, SIZE), BATCH_SIZE, shuffle=True, seed=SEED)
    test = data.image_folder(folder / "test", (SIZE, SIZE))
    training.reproducible(SEED)
    base, finished = {"vgg16": vgg16, "densenet": densenet}[name]()
    inputs = keras.Input((SIZE, SIZE, 3))
    x = base(augment.flip("horizontal")(inputs))
    x = layers.Dropout(0.3)(layers.GlobalAveragePooling2D()(x))
    model = keras.Model(inputs, layers.Dense(len(SPECIES), activation="softmax")(x))
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, EPOCHS[name] * len(photos))
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    model.fit(photos, validation_data=test, epochs=EPOCHS[name], verbose=2)

    report = evaluation.report(test.labels, evaluation.predict(model, test))
    weights = finished()
    weights.save_weights(DRAWN / f"{name}.weights.h5")
    minutes = (time.perf_counter() - start) / 60
    record = {
        "command": "python -m tools.drawn_weights",
        "parameters": weights.count_params(),
        "species": SPECIES,
        "pictures": {"per species": PER_SPECIES, "size": SIZE, "seed": SEED},
        "drawings": f"version {data.drawings.VERSION}",
        "training": {
            "seed": SEED,
            "epochs": EPOCHS[name],
            "batch size": BATCH_SIZE,
            "optimizer": f"adam, learning rate {LEARNING_RATE} with cosine decay to 0",
            "minutes on one core": round(minutes, 1),
        },
        "test accuracy": round(report.accuracy, 3),
        "test pictures": report.count,
        "versions": {"python": platform.python_version()}
        | {package: version(package) for package in ("keras", "tensorflow", "numpy", "pillow")},
    }
    (DRAWN / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    """Train both networks, and replace the weights that come with the package."""
    DRAWN.mkdir(exist_ok=True)
    context = multiprocessing.get_context("spawn")
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder))
        runs = [context.Process(target=train, args=(name, Path(folder))) for name in EPOCHS]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
    if any(run.exitcode for run in runs):
        raise SystemExit("A training failed; what it wrote is above.")


if __name__ == "__main__":
    typer.run(main)
