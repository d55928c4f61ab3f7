"""Pictures in memory, fed batch by batch in an order that each epoch can repeat."""

from collections.abc import Sequence

from cnnkit import checks
from cnnkit.batches import Batches

import numpy as np


def batches(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int | None = None,
    class_names: Sequence[str] = (),
) -> Batches:
    """Feed arrays as `image_folder` feeds photos, for `training.fit`.

    Parameters
    ----------
    images : ndarray, (n, height, width, channels)
        As `cifar10` or `mnist` gives them. They are not copied.
    labels : ndarray of int, (n,)
    batch_size : int
        The last batch of an epoch may be smaller.
    shuffle : bool
        Whether each epoch has an order of its own.
    seed : int, optional
        From 0; decides these orders. 0 where it is not given.
    class_names : sequence of str, optional

    Returns
    -------
    Batches
        A `keras.utils.PyDataset` with the attributes ``images``, ``labels``, ``class_names``,
        ``shuffled`` and ``order(k)``, the numbers of the pictures in the order of epoch k.

    Raises
    ------
    ValueError
        No pictures, labels that are not one whole number for each, more classes than names, or
        a batch size or seed out of range.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim == 0 or len(images) == 0:
        raise ValueError(f"The images have shape {images.shape}; expected at least one picture.")
    classes = len(class_names)
    if not classes and np.issubdtype(labels.dtype, np.integer):
        classes = int(max(np.max(labels, initial=0), 0)) + 1
    if labels.ndim == 2:  # one-hot
        classes = labels.shape[1]
    checks.labels(labels, classes, len(images))
    checks.whole_number("batch_size", batch_size, least=1)
    checks.whole_number("seed", seed or 0, least=0)
    found = Batches(
        lambda numbers: images[numbers],
        labels,
        batch_size,
        (seed or 0) if shuffle else None,
        class_names,
    )
    found.images = images
    return found
