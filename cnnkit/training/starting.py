"""Starting a run: the same bits each time, on data that fits the model."""

from cnnkit import backend, checks

import keras
import numpy as np


def reproducible(seed: int) -> None:
    """Make everything that follows repeat bit for bit on the same machine.

    Sets the seeds of Python, NumPy and Keras's backend, and asks the backend for
    deterministic operations. Call it before building the model.

    Parameters
    ----------
    seed : int
        0 to 2³² − 1.
    """
    keras.utils.set_random_seed(seed)
    backend.enable_determinism()


def check_data(
    model: keras.Model,
    images: np.ndarray,
    labels: np.ndarray,
    pixel_range: tuple[float, float] | None = None,
) -> None:
    """Check that pictures and labels fit a classifier, before a long training starts.

    Parameters
    ----------
    model : keras.Model
        A classifier with one output a class, or one for two classes.
    images : ndarray, (n, height, width, channels)
        Pictures in the form the model takes.
    labels : ndarray of int, (n,)
        Class numbers, from 0 to the model's number of classes minus one.
    pixel_range : (low, high), optional
        What the model takes. By default 0 to 255 where it rescales the pixels itself, else 0 to 1.

    Raises
    ------
    ValueError
        A wrong shape, a missing channel axis, pixels that are not finite or out of range, a
        label out of range. The message says what to do.
    """
    checks.images(model, images)
    checks.pixel_range(images, *(pixel_range or (0, 255 if checks.takes_bytes(model) else 1)))
    checks.labels(labels, classes=max(2, model.output_shape[-1]), count=len(images))
