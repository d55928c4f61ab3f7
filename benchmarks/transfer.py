"""What it saves to run frozen layers once: `fit_from_frozen` against Keras's `fit`.

VGG16 at full width with random weights, 200 photos of 180×180. Both train the same model from the
same weights on the same photos in the same order; after an epoch their weights have to agree. They
take turns epoch by epoch, so that a machine that is slow for a while is slow for both; from the
medians of these, the times of whole runs are reckoned.
"""

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from cnnkit import data, models, training

import keras
import numpy as np

SIZE, PHOTOS, REPEATS, TURNS = 180, 200, 3, 5
CASES = {"base frozen": (0, 20), "last four layers free": (4, 30)}  # layers free, epochs


def report() -> None:
    """Print the time of both ways and their ratio."""
    print(f"VGG16, {PHOTOS} photos of {SIZE}×{SIZE}")
    print(f"Reckoned from medians: {REPEATS} × {TURNS} turns, an epoch of each")
    print(f"{'':34}{'fit':>8}{'fit_from_frozen':>18}{'ratio':>8}{'weights differ by':>20}")
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(
            Path(directory) / "photos", ["cat", "dog"], per_class=PHOTOS // 2, seed=0
        )
        for name, (free, epochs) in CASES.items():
            turns, difference = _measure(folder, free)
            whole = statistics.median(second for turn in turns for second in turn.whole)
            ours = statistics.median(second for turn in turns for second in turn.ours[2:])
            first = statistics.median(sum(turn.ours[:2]) for turn in turns)
            times = epochs * whole, first + (epochs - 1) * ours
            print(
                f"{name}, {epochs} epochs".ljust(34)
                + f"{times[0]:6.0f} s{times[1]:16.0f} s{times[0] / times[1]:8.1f}{difference:20.1e}"
            )
            print(f"{'  the first epoch':34}{whole:6.1f} s{first:16.1f} s")
            print(f"{'  each other':34}{whole:6.1f} s{ours:16.1f} s{whole / ours:8.1f}")


def _measure(folder: Path, free: int) -> tuple[list["_Turns"], float]:
    whole, photos = _model(free), _photos(folder)
    whole.fit(photos, epochs=1, verbose=0)  # also compiles the step, so it is not timed
    other = _model(free)
    _fit_from_frozen(other, _photos(folder), epochs=1)
    differences = [
        np.abs(one - two).max() / max(np.abs(one).max(), 1e-9)  # frozen biases are 0
        for one, two in zip(whole.get_weights(), other.get_weights(), strict=True)
    ]
    if not np.max(differences) < 1e-3:  # nor NaN
        raise RuntimeError(f"After an epoch, the weights differ by {np.max(differences)}.")
    turns = []
    for _ in range(REPEATS):
        model, own_photos = _model(free), _photos(folder)
        turns.append(_Turns(whole, photos))
        _fit_from_frozen(model, own_photos, epochs=TURNS + 1, callbacks=turns[-1])
    return turns, float(np.max(differences))


class _Turns(keras.callbacks.Callback):
    """Times the epochs it sees, from begin to begin, and lets another model train between them.

    The first time is that of what comes before the first epoch.
    """

    def __init__(self, other: keras.Model, photos: Any) -> None:
        super().__init__()
        self._other, self._photos = other, photos
        self.ours: list[float] = []
        self.whole: list[float] = []
        self._start = time.perf_counter()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Stop one watch, and start and stop the other."""
        start = time.perf_counter()
        self.ours.append(start - self._start)
        if epoch:
            self._other.fit(self._photos, epochs=1, verbose=0)
            self.whole.append(time.perf_counter() - start)
        self._start = time.perf_counter()


def _photos(folder: Path) -> Any:
    return data.image_folder(folder, (SIZE, SIZE), shuffle=True, seed=0)


def _model(free: int) -> keras.Model:
    training.reproducible(0)
    base = models.vgg16_base(None, (SIZE, SIZE, 3))
    training.transfer.unfreeze_top(base, free)
    model = models.transfer_classifier(base)
    model.compile(keras.optimizers.RMSprop(1e-5), "binary_crossentropy", metrics=["accuracy"])
    return model


def _fit_from_frozen(model: keras.Model, photos: Any, **options: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        training.transfer.fit_from_frozen(model, photos, directory=directory, verbose=0, **options)
