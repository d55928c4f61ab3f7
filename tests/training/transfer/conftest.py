"""Small data sets and models that the tests of transfer learning share."""

from pathlib import Path

from cnnkit import models, training
from cnnkit.batches import Batches
from cnnkit.data import augment

import keras
import numpy as np
import pytest


class Photos(Batches):
    """Forty random photos in batches of eight, each epoch in another order."""

    def __init__(self, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        self.images = random.uniform(0, 255, (40, 48, 48, 3)).astype("float32")
        self.reads = 0
        super().__init__(self.count_and_read, random.integers(0, 2, 40), 8, seed=7)

    def count_and_read(self, numbers: np.ndarray) -> np.ndarray:
        self.reads += 1
        return self.images[numbers]


@pytest.fixture
def photos() -> Photos:
    return Photos()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's cache directory out of it."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache" / "cnnkit" / "features"


def small_base(name: str = "vgg16") -> keras.Model:
    if name == "vgg16":
        return models.vgg16_base(None, (48, 48, 3), width=1 / 16)
    return models.densenet_base(None, (48, 48, 3), block_config=(2, 2, 2, 2), growth_rate=8)


def classifier(name="vgg16", free=0, augmented=False, dropout=0.5) -> keras.Model:
    """Build and compile a classifier with all but some last layers of its base frozen."""
    training.reproducible(1)
    base = small_base(name)
    training.transfer.unfreeze_top(base, free)
    augmentation = augment.flip_rotate_zoom() if augmented else None
    model = models.transfer_classifier(base, augmentation=augmentation, dropout=dropout)
    model.compile(keras.optimizers.RMSprop(1e-3), "binary_crossentropy", metrics=["accuracy"])
    return model
