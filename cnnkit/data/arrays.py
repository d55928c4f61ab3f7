"""Pictures in memory, fed batch by batch in an order that each epoch can repeat."""

import hashlib
from collections.abc import Sequence

from cnnkit import checks

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
        Decides these orders, from 0, which it is where not given.
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
    classes = len(class_names) or int(max(np.max(labels, initial=0), 0)) + 1
    if labels.ndim == 2:  # one-hot
        classes = labels.shape[1]
    checks.labels(labels, classes, len(images))
    for name, value, least in (("batch_size", batch_size, 1), ("seed", seed or 0, 0)):
        if not isinstance(value, int | np.integer) or value < least:
            raise ValueError(f"{name} is {value!r}; expected a whole number from {least}.")
    order = (seed or 0) if shuffle else None
    return Batches(images, labels, batch_size, order, list(class_names))


class Batches(keras.utils.PyDataset):
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
        super().__init__()
        self.images, self.labels, self.class_names = images, labels, class_names
        self.shuffled = seed is not None
        self.data_key = hashlib.sha256(np.ascontiguousarray(images).data).hexdigest()
        self._batch_size, self._seed = batch_size, seed
        self.set_epoch(0)

    def __len__(self) -> int:
        return -(-len(self.labels) // self._batch_size)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        numbers = self._order[step * self._batch_size : (step + 1) * self._batch_size]
        return self.images[numbers], self.labels[numbers]

    def order(self, epoch: int) -> np.ndarray:
        """Return the numbers of the pictures in the order of an epoch."""
        if self._seed is None:
            return np.arange(len(self.labels))
        return np.random.default_rng((self._seed, epoch)).permutation(len(self.labels))

    def epoch(self) -> int:
        """Return the epoch that comes next, or is under way."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Go on with this epoch."""
        self._epoch, self._order = epoch, self.order(epoch)

    def on_epoch_end(self) -> None:
        """Go on with the next epoch; Keras's ``fit`` calls it."""
        self.set_epoch(self._epoch + 1)
