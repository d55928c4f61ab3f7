"""The order of pictures in each epoch, which follows from a seed and can be repeated."""

from collections.abc import Callable

import numpy as np

Cut = Callable[[np.ndarray], np.ndarray]


class Epochs:
    """Counts epochs, and knows the order of each.

    Parameters
    ----------
    count : int
        Pictures.
    seed : int or None
        Decides the orders; without it, each epoch has that of the files.
    """

    def __init__(self, count: int, seed: int | None) -> None:
        self._count, self._seed, self._epoch = count, seed, 0
        self._cut: Cut | None = None

    def order(self, epoch: int) -> np.ndarray:
        """Return the numbers of the pictures in the order of an epoch."""
        if self._seed is None:
            return np.arange(self._count)
        return np.random.default_rng((self._seed, epoch)).permutation(self._count)

    def epoch(self) -> int:
        """Return the epoch that comes next, or is under way."""
        return self._epoch

    def set_epoch(self, epoch: int) -> None:
        """Go on with this epoch."""
        if epoch < 0:
            raise ValueError(f"epoch is {epoch}; expected a number from 0.")
        self._epoch = epoch

    def share(self, cut: Cut | None) -> None:
        """Hand out of each batch what `cut` leaves of its numbers; all of it with None."""
        self._cut = cut

    def handed_out(self, numbers: np.ndarray) -> np.ndarray:
        """Return the numbers that are handed out of those of a batch."""
        return numbers if self._cut is None else self._cut(numbers)


class EpochsOfBatches(Epochs):
    """Those of a `keras.utils.PyDataset`, which knows the order of the epoch that is under way."""

    def set_epoch(self, epoch: int) -> None:
        """Go on with this epoch."""
        super().set_epoch(epoch)
        self._order = self.order(epoch)

    def on_epoch_end(self) -> None:
        """Go on with the next epoch; Keras's ``fit`` calls it."""
        self.set_epoch(self._epoch + 1)
