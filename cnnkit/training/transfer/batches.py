"""A data set with features in place of its photos."""

from pathlib import Path
from typing import Any

from cnnkit.epochs import EpochsOfBatches
from cnnkit.training import reading
from cnnkit.training.transfer.features import Frozen, run

import keras
import numpy as np


def as_features(
    base: keras.Model, dataset: Any, directory: str | Path | None = None
) -> "FeatureBatches":
    """Put what a base makes of each photo, computed once, in the place of the photos.

    With `training.fit`, a head then trains on it as the whole classifier would on the photos, in
    the same order. Keras's ``fit`` takes it as well, in an order of its own.

    Parameters
    ----------
    base : keras.Model
        Photos → features, such as ``models.pooled(base)``. It runs in inference, frozen or not.
    dataset : tf.data.Dataset
        Batches (photos, labels), as for `extract_features`.
    directory : str or Path, optional
        Where to keep the features, as for `extract_features`.

    Returns
    -------
    FeatureBatches

    Raises
    ------
    ValueError
        Photos that do not fit the base, or a data set without labels, a length or a known order.
    OSError
        The directory cannot be written, or has no room.
    """
    return FeatureBatches(dataset, run(base, dataset, directory))


class FeatureBatches(EpochsOfBatches, keras.utils.PyDataset):
    """Batches (features, labels) in the order that each epoch of a data set has.

    Attributes
    ----------
    features, labels : ndarray, (n, …)
        In the order of the files, whatever the order of the epochs.
    class_names, file_paths : list of str
        Those of `data.image_folder`; empty for other data sets.
    shuffled : bool
        Whether each epoch has an order of its own.
    data_key : str
        Changes with the base, the photos, their labels and their order.
    """

    def __init__(self, dataset: Any, frozen: Frozen) -> None:
        if frozen.labels is None:
            raise ValueError("The data set holds no labels; expected batches (images, labels).")
        keras.utils.PyDataset.__init__(self)
        EpochsOfBatches.__init__(self, len(frozen.labels), seed=None)
        self._dataset, self._frozen = dataset, frozen
        self._ends = np.cumsum(frozen.sizes)
        self.features, self.labels, self.data_key = (
            frozen.features[0],
            frozen.labels,
            frozen.key,
        )
        self.class_names = getattr(dataset, "class_names", [])
        self.file_paths = getattr(dataset, "file_paths", [])
        self.shuffled = getattr(dataset, "shuffled", False)
        self.set_epoch(0)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        start = self._ends[step] - self._frozen.sizes[step]
        numbers = self.handed_out(self._order[start : self._ends[step]])
        return self._now[numbers], self.labels[numbers]

    def order(self, epoch: int) -> np.ndarray:
        """Return the numbers of the photos in the order of an epoch."""
        order = reading.order_of(self._dataset, epoch)
        return super().order(epoch) if order is None else order

    def set_epoch(self, epoch: int) -> None:
        """Go on with this epoch."""
        super().set_epoch(epoch)
        self._now = self._frozen.features[epoch % len(self._frozen.features)]
