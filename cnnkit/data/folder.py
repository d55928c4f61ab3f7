"""Folders of photos: one folder a class, as a tf.data pipeline."""

import errno
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import backend, checks
from cnnkit.data.checking import class_folders, list_photos, usable_photos
from cnnkit.data.photos import decode_all
from cnnkit.epochs import Epochs

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

MEMORY_BUDGET = 256 * 2**20  # bytes


def image_folder(
    path: str | Path,
    image_size: tuple[int, int],
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int | None = None,
    memory_budget: int = MEMORY_BUDGET,
    skip_unusable: bool = False,
    class_names: Sequence[str] | None = None,
) -> "tf.data.Dataset":
    """Load a folder of photos, with one folder a class.

    Each photo is checked and decoded once, here, and kept as uint8: in memory where all of them
    fit the budget, else in a temporary file. Iterating reads from there, two batches ahead.

    Parameters
    ----------
    path : str or Path
        The folder. Classes are numbered in the alphabetical order of their names.
    image_size : (height, width)
        To which each photo is resized, bilinearly and whatever its aspect ratio.
    batch_size : int
        Photos a step. It is this one that counts; recipes carry the published value to pass here.
    shuffle : bool
        Whether each epoch has an order of its own, or all have that of the files.
    seed : int, optional
        From 0; decides the orders. 0 where it is not given.
    memory_budget : int
        Bytes that the decoded photos may take in memory.
    skip_unusable : bool
        Leave out the files that `check_images` finds; the attribute ``skipped`` lists them.
    class_names : sequence of str, optional
        The classes in the order of their numbers, such as those of a trained classifier. The folder
        may then lack some of them, but have no others.

    Returns
    -------
    tf.data.Dataset
        Batches (images, labels): images (n, height, width, 3), float32 in [0, 255]; labels (n,),
        int64. Its cardinality is known. It has the attributes

        - ``class_names``; ``file_paths`` and ``labels`` of all photos, in the order of the files;
        - ``order(k)``: the numbers of the photos in the order of epoch k, from 0. It depends on
          `seed` and k alone;
        - ``epoch()``, the epoch that comes next, and ``set_epoch(k)``, to go on with epoch k. An
          epoch ends with its last batch, so that a look at the first ones changes nothing; any
          other full pass counts;
        - ``shuffled`` and ``skipped``.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    ValueError
        Something in it cannot be used (the message lists the first twenty, with reasons), or an
        argument is out of range.
    OSError
        The disk has no room for the temporary file.
    """
    checks.image_size(image_size)
    checks.whole_number("batch_size", batch_size, least=1)
    checks.whole_number("seed", seed or 0, least=0)
    folder = Path(path)
    photos, problems = list_photos(folder)
    pixels = _Pixels(len(photos), (*image_size, 3), memory_budget)
    problems += decode_all(photos, pixels.write, image_size)
    pixels.flush()
    usable = usable_photos(folder, photos, problems, skip_unusable, class_names)
    names = list(class_names or (entry.name for entry in class_folders(folder)))
    labels = np.array([names.index(photos[number].parent.name) for number in usable])
    epochs = _Epochs(usable, labels, batch_size, (seed or 0) if shuffle else None)
    dataset = _pipeline(epochs, pixels)
    dataset.kept = epochs, pixels  # as long as the data set, or one made from it, is there
    dataset.class_names = names
    dataset.file_paths = [str(photos[number]) for number in usable]
    dataset.labels = labels
    dataset.order, dataset.epoch, dataset.set_epoch = epochs.order, epochs.epoch, epochs.set_epoch
    dataset.share = epochs.share
    dataset.shuffled, dataset.skipped = shuffle, problems
    return dataset


class _Pixels:
    """The decoded photos: an array in memory, or one in a temporary file."""

    def __init__(self, count: int, shape: tuple[int, int, int], memory_budget: int) -> None:
        self.shape = shape
        self._length = int(np.prod(shape))
        needed = count * self._length
        self._array = np.empty((count, *shape), "uint8") if needed <= memory_budget else None
        if self._array is None:
            self._needed = needed
            if needed > shutil.disk_usage(tempfile.gettempdir()).free:
                raise self._no_room()
            self._file = tempfile.TemporaryFile(prefix="cnnkit-")  # noqa: SIM115
            self._lock = threading.Lock()

    def _no_room(self) -> OSError:
        return OSError(
            errno.ENOSPC,
            f"{tempfile.gettempdir()} has no room for {self._needed / 1e9:.1f} GB of decoded "
            "photos. Name another folder in the environment variable TMPDIR, take a smaller "
            "image_size, or a larger memory_budget.",
        )

    def write(self, number: int, pixels: np.ndarray) -> None:
        if self._array is not None:
            self._array[number] = pixels
            return
        try:
            with self._lock:
                self._file.seek(number * self._length)
                self._file.write(np.ascontiguousarray(pixels).data)
        except OSError:
            raise self._no_room() from None

    def flush(self) -> None:
        """Make sure that everything is on the disk."""
        if self._array is None:
            try:
                self._file.flush()
            except OSError:
                raise self._no_room() from None

    def read(self, numbers: np.ndarray) -> np.ndarray:
        if self._array is not None:
            return self._array[numbers]
        batch = np.empty((len(numbers), *self.shape), "uint8")
        for number, picture in zip(numbers.tolist(), batch, strict=True):
            with self._lock:
                self._file.seek(number * self._length)
                self._file.readinto(picture.data)
        return batch


class _Epochs(Epochs):
    """The batches of each epoch: where their photos are."""

    def __init__(
        self, places: np.ndarray, labels: np.ndarray, batch_size: int, seed: int | None
    ) -> None:
        super().__init__(len(labels), seed)
        self._places, self._labels, self._batch_size = places, labels, batch_size

    def __len__(self) -> int:
        return -(-len(self._labels) // self._batch_size)

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield where the photos of each batch of this epoch are, and their labels."""
        order = self.order(self._epoch)
        for start in range(0, len(order), self._batch_size):
            numbers = self.handed_out(order[start : start + self._batch_size])
            yield self._places[numbers], self._labels[numbers]

    def done(self, batch: int) -> None:
        """Take note that a batch was handed out; the last one ends the epoch."""
        if batch == len(self) - 1:
            self._epoch += 1


def _pipeline(epochs: _Epochs, pixels: _Pixels) -> "tf.data.Dataset":
    """Read and prefetch as bytes, count what is handed out, and make floats of it.

    TensorFlow keeps these functions for good, so they must not keep the photos.
    """
    import tensorflow as tf

    weak_epochs, weak_pixels = weakref.ref(epochs), weakref.ref(pixels)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        epochs, pixels = weak_epochs(), weak_pixels()
        if epochs is None or pixels is None:
            raise RuntimeError("The data set was deleted while it was read.")
        for places, labels in epochs.batches():
            yield pixels.read(places), labels

    def done(batch: int) -> None:
        if epochs := weak_epochs():
            epochs.done(batch)

    def hand_out(batch: Any, data: Any) -> Any:
        tf.numpy_function(done, [batch], [])
        images, labels = data
        return tf.cast(images, tf.float32), labels

    signature = (
        tf.TensorSpec((None, *pixels.shape), tf.uint8),
        tf.TensorSpec((None,), tf.int64),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    dataset = dataset.prefetch(2).enumerate().map(hand_out)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(len(epochs)))
    return backend.untuned(dataset)
