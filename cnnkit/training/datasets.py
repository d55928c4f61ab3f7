"""What training asks of a data set: batches that can be read again, and fit the model."""

from pathlib import Path
from typing import Any

from cnnkit import checks
from cnnkit.batches import behind, read

import keras
import numpy as np


def check_data(model: keras.Model, x: np.ndarray, y: np.ndarray) -> None:
    """Raise ValueError unless images (n, height, width, channels), labels (n,) fit a classifier.

    Pixels go from 0 to 255 for a model that rescales them itself, else from 0 to 1.
    """
    checks.images(model, x)
    low, high, most = np.min(x), np.max(x), 255 if checks.takes_bytes(model) else 1
    if low < 0 or high > most:
        are_bytes = low >= 0 and high <= 255
        cure = "Pixels from 0 to 255 become such numbers with images / 255."
        raise ValueError(
            f"The pixels lie between {low:g} and {high:g}; expected 0 to {most}. "
            + (cure if are_bytes else "Rescale them to that range.")
        )
    check_labels(model, y, len(x))


def check_labels(model: keras.Model, y: np.ndarray, count: int) -> None:
    """Raise ValueError unless there are `count` class numbers that a model has outputs for."""
    checks.labels(y, max(2, model.output_shape[-1]), count)


def first_batch(model: keras.Model, dataset: Any) -> tuple[np.ndarray, Any]:
    """Return the first images and labels (or None) of a data set that a model can train on.

    Raises
    ------
    ValueError
        It cannot be read twice in a known order; no photos, or such as do not fit the model.
    """
    if hasattr(dataset, "shape") or isinstance(dataset, tuple | str | Path):
        kind = "A path was" if isinstance(dataset, str | Path) else "Arrays were"
        raise ValueError(
            f"{kind} given; expected batches (images, labels), such as data.image_folder(path, "
            "image_size) or data.batches(x, y, batch_size=32) returns."
        )
    if behind(dataset) is None and checks.is_shuffled(dataset):
        raise ValueError(
            "The data set is shuffled, so that its order is not known. Give what data.image_folder "
            "returns, or do not shuffle. Augmentation goes into the model."
        )
    try:
        len(dataset)
    except TypeError:
        raise ValueError(
            f"{dataset!r} has no known length; expected batches that can be read again, neither a "
            "generator nor an endless data set."
        ) from None
    images, labels = next(read(dataset), (None, None))
    if images is None:
        raise ValueError("There are no photos in the data set.")
    checks.batched(model, images.shape)
    checks.images(model, images)
    return images, labels
