"""What it saves to run frozen layers once: `fit_from_frozen` against Keras's `fit`.

VGG16 at full width with random weights, 200 photos of 180×180. Both train the same model from the
same weights on the same photos in the same order; after an epoch their weights have to agree.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cnnkit import data, models, training

import keras
import numpy as np

SIZE, PHOTOS, REPEATS = 180, 200, 3
CASES = {"base frozen": (0, 20), "last four layers free": (4, 30)}  # layers free, epochs


def report() -> None:
    """Print the time of both ways and their ratio."""
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(
            Path(directory) / "photos", ["cat", "dog"], per_class=PHOTOS // 2, seed=0
        )
        print(f"VGG16, {PHOTOS} photos of {SIZE}×{SIZE}, medians of {REPEATS} interleaved repeats")
        print(f"{'':24}{'fit':>10}{'fit_from_frozen':>18}{'ratio':>8}{'weights differ by':>20}")
        for name, (free, epochs) in CASES.items():
            whole, ours, difference = _measure(folder, free, epochs)
            print(
                f"{name}, {epochs} epochs".ljust(24)
                + f"{whole:8.0f} s{ours:16.0f} s{whole / ours:8.1f}{difference:20.1e}"
            )


def _measure(folder: Path, free: int, epochs: int) -> tuple[float, float, float]:
    model, photos = _model(free), _photos(folder)
    model.fit(photos, epochs=1, verbose=0)  # also compiles the step, so it is not timed
    other = _model(free)
    _fit_from_frozen(other, _photos(folder), epochs=1)
    difference = max(
        float(np.abs(one - two).max() / np.abs(one).max())
        for one, two in zip(model.get_weights(), other.get_weights(), strict=True)
    )
    if difference > 1e-3:
        raise RuntimeError(f"After an epoch, the weights differ by {difference}.")
    whole, ours = [], []
    for _ in range(REPEATS):
        whole.append(epochs * _seconds(model.fit, photos, epochs=1, verbose=0))
        ours.append(_seconds(_fit_from_frozen, _model(free), _photos(folder), epochs))
    return statistics.median(whole), statistics.median(ours), difference


def _photos(folder: Path) -> Any:
    return data.image_folder(folder, (SIZE, SIZE), shuffle=True, seed=0)


def _model(free: int) -> keras.Model:
    training.reproducible(0)
    base = models.vgg16_base(None, (SIZE, SIZE, 3))
    training.transfer.unfreeze_top(base, free)
    model = models.transfer_classifier(base)
    model.compile(keras.optimizers.RMSprop(1e-5), "binary_crossentropy", metrics=["accuracy"])
    return model


def _fit_from_frozen(model: keras.Model, photos: Any, epochs: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        training.transfer.fit_from_frozen(
            model, photos, epochs=epochs, directory=directory, verbose=0
        )


def _seconds(function: Any, *arguments: Any, **named: Any) -> float:
    start = time.perf_counter()
    function(*arguments, **named)
    return time.perf_counter() - start
