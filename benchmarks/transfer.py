"""What it saves to run frozen layers once, against Keras's `fit` of the same model.

VGG16 and DenseNet-121 at full width with random weights, 200 photos. Both ways train the same model
from the same weights on the same photos in the same order; after an epoch their weights have to
agree. They take turns of some epochs, each turn with new models; from the medians of these, the
times of whole runs are reckoned. The first epoch has in it what comes before it: compiling, and
running the frozen layers once.
"""

import dataclasses
import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measured, Ratio, agree
from cnnkit import data, models, training

import keras
import numpy as np

PHOTOS, REPEATS = 200, 3
EPOCHS = 5  # of a turn; the last only shows when the one before has ended
COLUMNS = "a run", "fit", "ours", "ratio"
REMARKS = [
    "Full width, random weights. By operations alone, the limits of the two with VGG16 are about "
    "20 and 4.3: frozen layers are run once for all epochs, and all else stays.",
    "With the last four free, the gradients of their kernels are more than half of what stays. "
    "Where a processor has no AVX-512, TensorFlow computes these at about half the rate of the "
    "forward pass, and less is saved.",
    "Ours also writes what the frozen layers computed to disk, and after each epoch the state of "
    "the run, so that it may be interrupted.",
]
HEAD_ONLY = training.recipes.HEAD_ONLY


@dataclasses.dataclass(frozen=True)
class Case:
    """A model to train: how it is built, how its frozen part is run once, and on what photos."""

    name: str
    build: Callable[[], keras.Model]
    train: Callable[..., None]
    epochs: int
    size: int
    batch_size: int
    at_least: float  # how many times as fast the course promises it to be

    def photos(self, folder: Path) -> Any:
        """Load the photos."""
        side = self.size
        return data.image_folder(folder, (side, side), self.batch_size, shuffle=True, seed=0)


def measure() -> Measured:
    """Train each case both ways in turns."""
    rows, ratios = [], []
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(
            Path(directory) / "photos", ["cat", "dog"], per_class=PHOTOS // 2, seed=0
        )
        for case in CASES:
            turns = _turns(folder, case)
            (cold, whole), (first, ours) = (_medians(side) for side in zip(*turns, strict=True))
            times = cold + (case.epochs - 1) * whole, first + (case.epochs - 1) * ours
            what = f"{case.name}, {case.epochs} epochs"
            ratios.append(Ratio(f"{what}, `fit` by ours", times[0] / times[1], case.at_least))
            for name, theirs, own in (
                (f"{what}, all", *times),
                ("– the first epoch", cold, first),
                ("– each other", whole, ours),
            ):
                rows.append((name, f"{theirs:.1f} s", f"{own:.1f} s", f"{theirs / own:.1f}"))
    title = (
        f"Frozen layers run once, against `fit` of the same model, {PHOTOS} photos; reckoned from "
        f"medians of {REPEATS} turns with {EPOCHS - 1} epochs each"
    )
    return Measured(title, COLUMNS, rows, ratios, REMARKS)


def _turns(folder: Path, case: Case) -> list[tuple["_Clock", "_Clock"]]:
    """Train some epochs of both sides in turns, new models each time, after they have agreed."""
    whole, other = case.build(), case.build()
    whole.fit(case.photos(folder), epochs=1, verbose=0)
    case.train(other, case.photos(folder), epochs=1)
    differences = [
        np.abs(one - two).max() / max(np.abs(one).max(), 1e-9)  # frozen biases are 0
        for one, two in zip(whole.get_weights(), other.get_weights(), strict=True)
    ]
    agree("weights after an epoch", differences, 0.0, within=1e-3)
    turns = []
    for _ in range(REPEATS):
        clocks = []
        for train in (_fit, case.train):
            model, photos = case.build(), case.photos(folder)
            clocks.append(_Clock())
            train(model, photos, epochs=EPOCHS, callbacks=clocks[-1])
        turns.append((clocks[0], clocks[1]))
    return turns


class _Clock(keras.callbacks.Callback):
    """Notes when it is made and when epochs begin, so that all between two epochs counts."""

    def __init__(self) -> None:
        super().__init__()
        self.times = [time.perf_counter()]

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Look at the watch."""
        self.times.append(time.perf_counter())


def _medians(clocks: Iterable[_Clock]) -> tuple[float, float]:
    """Return the seconds to the end of the first epoch, and those of a later one."""
    times = [clock.times for clock in clocks]
    first = statistics.median(each[2] - each[0] for each in times)
    return first, statistics.median(np.ravel(np.diff([each[2:] for each in times])).tolist())


def _fit(model: keras.Model, photos: Any, **options: Any) -> None:
    model.fit(photos, verbose=0, **options)


def _vgg16(free: int) -> keras.Model:
    training.reproducible(0)
    base = models.vgg16_base(None, (180, 180, 3))
    training.transfer.unfreeze_top(base, free)
    model = models.transfer_classifier(base)
    model.compile(keras.optimizers.RMSprop(1e-5), "binary_crossentropy", metrics=["accuracy"])
    return model


def _densenet() -> keras.Model:
    training.reproducible(0)
    base = models.densenet_base(None, (224, 224, 3))
    base.trainable = False
    model = models.with_head(base, models.classification_head(base, ["cat", "dog"]))
    HEAD_ONLY.compile(model)
    return model


def _fit_from_frozen(model: keras.Model, photos: Any, **options: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        training.transfer.fit_from_frozen(model, photos, directory=directory, verbose=0, **options)


def _fit_head(model: keras.Model, photos: Any, epochs: int, **options: Any) -> None:
    """Train the head on features, as ``cnnkit train`` does."""
    recipe, (_, base, *_, head) = dataclasses.replace(HEAD_ONLY, epochs=epochs), model.layers
    with tempfile.TemporaryDirectory() as directory:
        features = training.transfer.as_features(models.pooled(base), photos, directory)
        training.fit(head, recipe, features, None, Path(directory) / "run", verbose=0, **options)


CASES = (
    Case("VGG16, base frozen", functools.partial(_vgg16, 0), _fit_from_frozen, 20, 180, 32, 12),
    Case("VGG16, last four free", functools.partial(_vgg16, 4), _fit_from_frozen, 30, 180, 32, 3.5),
    Case("DenseNet-121, head only", _densenet, _fit_head, HEAD_ONLY.epochs, 224, 8, 7),
)
