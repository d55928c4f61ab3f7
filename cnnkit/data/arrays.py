"""Pictures in memory, fed batch by batch in an order that each epoch can repeat."""

import hashlib
from collections.abc import Sequence

from cnnkit import checks
from cnnkit.epochs import EpochsOfBatches

import keras
import numpy as np


def batches(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int | None = None,
    class_names: Sequence[str] = (),
) -> "Batches":
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
    order = (seed or 0) if shuffle else None
    return Batches(images, labels, batch_size, order, list(class_names))


class Batches(EpochsOfBatches, keras.utils.PyDataset):
    """Batches (images, labels) of arrays.

    Attributes
    ----------
    images, labels : ndarray, (n, …)
        In the order they were given in, whatever the order of the epochs.
    class_names : list of str
    shuffled : bool
        Whether each epoch has an order of its own.
    data_key : str
        Changes with the images.
    """

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        batch_size: int,
        seed: int | None,
        class_names: list[str],
    ) -> None:
        keras.utils.PyDataset.__init__(self)
        EpochsOfBatches.__init__(self, len(labels), seed)
        self.images, self.labels, self.class_names = images, labels, class_names
        self.shuffled = seed is not None
        self.data_key = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
        self._batch_size = batch_size
        self.set_epoch(0)

    def __len__(self) -> int:
        return -(-len(self.labels) // self._batch_size)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        if not 0 <= step < len(self):
            raise IndexError(f"There are batches 0 to {len(self) - 1}, and no {step}.")
        batch = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        numbers = self.handed_out(batch)
        return self.images[numbers], self.labels[numbers]
