"""The one data set class, for arrays, photos and features; and reading any data set in batches."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches (images, labels) in an order that follows from a seed and from `set_epoch`.

    Parameters
    ----------
    read : callable
        Numbers of images, (k,) → these images, (k, …), as an array; each batch is cast to `dtype`.
    labels, class_names, file_paths : ndarray of int, (n,), lists of str
    batch_size : int or list of int
        Of all batches but the last, which may be smaller; or of each.
    seed : int, optional
        Epoch k has the order that ``default_rng((seed, k))`` draws; without it, that of the files.
    """

    def __init__(
        self,
        read: Callable[[np.ndarray], np.ndarray],
        labels: np.ndarray,
        batch_size: int | Sequence[int],
        seed: int | None = None,
        class_names: Sequence[str] = (),
        file_paths: Sequence[str] = (),
        dtype: str | None = None,
    ) -> None:
        super().__init__()
        self.read, self.labels, self.seed, self.shuffled = read, labels, seed, seed is not None
        self.class_names, self.file_paths = list(class_names), list(file_paths)
        n = len(labels)
        if isinstance(batch_size, int | np.integer):
            batch_size = [min(batch_size, n - start) for start in range(0, n, batch_size)]
        self.sizes, self._ends = list(batch_size), np.cumsum(batch_size)
        self._dtype, self.key = dtype, ""  # the key changes with the content, where it is known
        self.shard: Callable[[np.ndarray], np.ndarray] | None = None  # what a process reads of all
        self._epoch, self._order = 0, (-1, np.arange(0))

    def __len__(self) -> int:
        return len(self.sizes)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        return self.batch(self._epoch, step)

    def batch(self, epoch: int | None, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a batch of an epoch; for None, of the order of the files, and as they are."""
        numbers = self.order(epoch)[self._ends[step] - self.sizes[step] : self._ends[step]]
        numbers = numbers if self.shard is None else self.shard(numbers)
        dtype = None if epoch is None else self._dtype
        return np.asarray(self.read(numbers), dtype), self.labels[numbers]

    def order(self, epoch: int | None) -> np.ndarray:
        """Return the numbers of the images, (n,), in the order of an epoch; None, of the files."""
        if self.seed is None or epoch is None:
            return np.arange(len(self.labels))
        known, drawn = self._order  # which another thread may replace
        if known != epoch:
            drawn = np.random.default_rng((self.seed, epoch)).permutation(len(self.labels))
            self._order = epoch, drawn
        return drawn

    def epoch(self) -> int:
        """Return the epoch that comes next, or is under way."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Go on with this epoch, from 0."""
        self._epoch = epoch

    def on_epoch_end(self) -> None:
        """Go on with the next epoch; Keras's ``fit`` calls it."""
        self._epoch += 1


def behind(dataset: Any) -> Batches | None:
    """Return the `Batches` that a data set is or was made of; None for others."""
    found = getattr(dataset, "batches", dataset)
    return found if isinstance(found, Batches) else None


def read(dataset: Any, epoch: int | None = 0) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield images and labels (or None) of each batch of an epoch; for None, as in the files."""
    known = behind(dataset)
    for batch in dataset if known is None else (known.batch(epoch, n) for n in range(len(known))):
        images, labels, *more = batch if isinstance(batch, tuple | list) else (batch, None)
        if more:
            raise ValueError("Expected batches (images, labels), without weights of the photos.")
        yield np.asarray(images), None if labels is None else np.asarray(labels)
