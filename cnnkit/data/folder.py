"""Folders of photos: one folder a class, as a tf.data pipeline."""

import errno
import shutil
import tempfile
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import backend, checks
from cnnkit.batches import Batches
from cnnkit.data.checking import class_folders, list_photos, usable_photos
from cnnkit.data.photos import decode_all

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
    batches = Batches(
        lambda numbers: pixels.read(usable[numbers]),
        labels,
        batch_size,
        (seed or 0) if shuffle else None,
        names,
        [str(photos[number]) for number in usable],
        dtype="float32",
    )
    dataset = _counted(batches)
    for name in ("class_names", "file_paths", "labels", "shuffled", "order", "epoch", "set_epoch"):
        setattr(dataset, name, getattr(batches, name))
    dataset.skipped = problems
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


def _counted(batches: Batches) -> "tf.data.Dataset":
    """Return batches as a tf.data set that goes on with the next epoch after its last batch."""
    import tensorflow as tf

    weak = weakref.ref(batches)  # TensorFlow keeps the function for good

    def count(step: int) -> None:
        found = weak()
        if found is not None and step == len(found) - 1:
            found.on_epoch_end()

    def hand_out(step: Any, batch: Any) -> Any:
        tf.numpy_function(count, [step], [])
        return batch

    dataset = backend.as_tf_dataset(batches).enumerate().map(hand_out)
    dataset.batches = batches
    return dataset
