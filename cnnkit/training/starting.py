"""Starting a run: the same bits each time, on data that fits the model."""

from cnnkit import backend, checks

import keras
import numpy as np


def reproducible(seed: int) -> None:
    """Make all that follows repeat bit for bit on the same machine. Call it before the model.

    It sets the seeds of Python, NumPy and Keras's backend, from 0 to 2³² − 1, and asks the backend
    for deterministic operations.
    """
    keras.utils.set_random_seed(seed)
    backend.enable_determinism()


def check_data(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> None:
    """Check that pictures (n, height, width, channels) and labels (n,) fit a classifier.

    Pixels go from 0 to 255 for a model that rescales them itself, else from 0 to 1; labels are
    whole numbers from 0. Where something is wrong, the ValueError says what to do.
    """
    checks.images(model, images)
    checks.pixel_range(images, 0, 255 if checks.takes_bytes(model) else 1)
    checks.labels(labels, classes=max(2, model.output_shape[-1]), count=len(images))
