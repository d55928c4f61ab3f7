"""A data set read batch by batch, with the number of each photo."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cnnkit import checks

import numpy as np


class Batch(NamedTuple):
    """Photos, their numbers in the order of the files, and their labels if there are any."""

    numbers: np.ndarray
    images: np.ndarray
    labels: np.ndarray | None


def check(dataset: Any) -> None:
    """Raise ValueError for a data set that cannot be read twice in a known order."""
    if hasattr(dataset, "shape") or isinstance(dataset, tuple):
        raise ValueError(
            "Arrays were given; expected batches (images, labels), as data.image_folder gives "
            "them. Arrays become batches with data.batches(x, y, batch_size=32)."
        )
    if isinstance(dataset, str | Path):
        raise ValueError(f"{str(dataset)!r} is a path; give data.image_folder(path, image_size).")
    if not hasattr(dataset, "order") and checks.is_shuffled(dataset):
        raise ValueError(
            "The data set is shuffled, and was made from that of image_folder or by another way, "
            "so that its order is not known. Give what data.image_folder returns, or do not "
            "shuffle. The model takes pixels as they are in the files; augmentation goes into the "
            "model."
        )
    try:
        len(dataset)
    except TypeError:
        raise ValueError(
            f"{dataset!r} has no known length; expected batches that can be read again, as "
            "data.image_folder gives them, and neither a generator nor an endless data set."
        ) from None


def read(dataset: Any, epoch: int = 0) -> Iterator[Batch]:
    """Yield the batches of an epoch. A data set of image_folder stays in the epoch it is in."""
    order, before = order_of(dataset, epoch), None
    if order is not None:
        before = dataset.epoch()
        dataset.set_epoch(epoch)
    start = 0
    try:
        for batch in dataset:
            images, labels, *more = batch if isinstance(batch, tuple | list) else (batch, None)
            if more:
                raise ValueError(
                    "The batches have more than images and labels; weights of single photos are "
                    "not supported here."
                )
            count = len(images)
            numbers = np.arange(start, start + count)
            start += count
            labels = None if labels is None else np.asarray(labels)
            yield Batch(numbers if order is None else order[numbers], np.asarray(images), labels)
    finally:
        if before is not None:
            dataset.set_epoch(before)


def order_of(dataset: Any, epoch: int) -> np.ndarray | None:
    """Return the photos' numbers in the order of an epoch; None if they never change places."""
    return dataset.order(epoch) if hasattr(dataset, "order") else None


def count(dataset: Any) -> int:
    """Return the number of photos."""
    if hasattr(dataset, "labels"):
        return len(dataset.labels)
    return sum(len(batch.images) for batch in read(dataset))
