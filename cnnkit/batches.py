"""The one data set class, for arrays, photos and features; and reading any data set in batches."""

import operator
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

# What tf.data consists of and keeps an order. All else may change it: shuffle, interleave, …
ORDERED = "AssertCardinality Batch Cache Concatenate Filter Map Options PaddedBatch ParallelBatch "
ORDERED += "ParallelMap Prefetch Range Rebatch Restructured Shard Skip Take TakeWhile Tensor "
ORDERED += "TensorSlice Unbatch Zip"


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


def is_shuffled(dataset: Any) -> bool:
    """Whether a data set may have another order than its files: a fixed one has to be shown."""
    if (known := behind(dataset)) is not None:
        return known.seed is not None
    if hasattr(dataset, "element_spec"):  # of tf.data
        fixed = type(dataset).__name__.strip("_").removesuffix("Dataset") in ORDERED.split()
        fixed = fixed and getattr(dataset, "_deterministic", "") != "false"
        fixed = fixed and dataset.options().deterministic is not False
        return not fixed or any(map(is_shuffled, dataset._inputs()))
    if isinstance(dataset, keras.utils.PyDataset):
        kinds, hooks = (type(dataset), keras.utils.PyDataset), ("on_epoch_begin", "on_epoch_end")
        changes = any(len({getattr(kind, hook, None) for kind in kinds}) > 1 for hook in hooks)
        return bool(getattr(dataset, "shuffle", changes))
    return not isinstance(dataset, list)


def first(dataset: Any, as_files: bool = False) -> tuple[np.ndarray, Any]:
    """Return the first images and labels (or None) of a data set, or ValueError.

    It has a known length and order or, `as_files`, any length and the order of its files.
    """
    problem, unknown = "", operator.length_hint(dataset, -1) < 0
    if hasattr(dataset, "shape") or isinstance(dataset, str | Path | tuple | dict | None):
        problem = f"is a {type(dataset).__name__}"
    elif unknown and not (as_files and hasattr(dataset, "element_spec")):
        problem = "is endless, a generator, or of unknown length"
    elif is_shuffled(dataset) and (as_files or behind(dataset) is None):
        problem = "is shuffled, or its order cannot be shown to be fixed"
    if problem:
        raise ValueError(
            f"The data set {problem}; expected batches (images, labels) as data.image_folder and "
            f"data.batches return them{', with shuffle=False' if as_files else ''}. Augmentation "
            "goes into the model. Collect others in one pass: map(np.concatenate, zip(*dataset))."
        )
    images, labels = next(read(dataset), (None, None))
    if images is None:
        raise ValueError("There are no images in the data set.")
    return images, labels


def read(dataset: Any, epoch: int | None = 0) -> Iterator[tuple[np.ndarray, Any]]:
    """Yield images and labels (or None) of each batch of an epoch; for None, as in the files."""
    known, found = behind(dataset), dataset
    known_end = hasattr(dataset, "element_spec") or operator.length_hint(dataset, -1) >= 0
    if not known_end or getattr(dataset, "cardinality", int)() == -1:
        raise ValueError("The data set is endless, or a generator; give a list of batches.")
    if known is not None:
        found = (known.batch(epoch, n) for n in range(len(known)))
    elif isinstance(dataset, keras.utils.PyDataset):  # some of which never end by themselves
        found = (dataset[n] for n in range(len(dataset)))
    for batch in found:
        images, labels, *more = (*batch, None) if isinstance(batch, tuple | list) else (batch, None)
        if more[:-1] or isinstance(images, dict) or isinstance(labels, dict):
            cure = "dataset.map(lambda row: (row['image'], row['label']))"
            raise ValueError(f"Expected batches (images, labels), and no more; for others, {cure}.")
        yield np.asarray(images), None if labels is None else np.asarray(labels)
