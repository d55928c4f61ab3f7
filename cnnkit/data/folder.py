"""Photos in folders, and pictures in arrays, as batches whose order follows from a seed."""

import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage
from typing import TYPE_CHECKING, Any

from cnnkit import backend, checks
from cnnkit.batches import Batches
from cnnkit.data.checking import Unusable, class_folders, class_name, list_photos, usable_photos
from cnnkit.data.photos import decode_all

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf


def batches(
    images: np.ndarray,
    labels: np.ndarray,
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int | None = None,
    class_names: Sequence[str] = (),
) -> Batches:
    """Make batches of images, (n, height, width, channels), and labels, (n,), for `training.fit`.

    The images are not copied; the other arguments, and the attributes of the `PyDataset` that is
    returned, are those of `image_folder`; ``images`` is one more.
    """
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim == 0 or len(images) == 0:
        raise ValueError(f"The images have shape {images.shape}; expected at least one picture.")
    highest = int(np.max(labels, initial=0)) if np.issubdtype(labels.dtype, np.integer) else 0
    classes = labels.shape[1] if labels.ndim == 2 else len(class_names) or highest + 1
    checks.labels(labels, classes, len(images))
    seed = _seed(batch_size, shuffle, seed)
    found = Batches(lambda numbers: images[numbers], labels, batch_size, seed, class_names)
    found.images = images
    return found


def image_folder(
    path: str | Path,
    image_size: tuple[int, int],
    batch_size: int = 32,
    shuffle: bool = False,
    seed: int | None = None,
    memory_budget: int = 256 * 2**20,
    skip_unusable: bool = False,
    class_names: Sequence[str] | None = None,
) -> "tf.data.Dataset":
    """Load a folder of photos, with one folder a class.

    Each photo is decoded once, here, and kept as uint8: in memory where all of them fit the budget,
    else in a temporary file. Iterating reads from there, two batches ahead.

    Parameters
    ----------
    path, image_size : str or Path, (height, width)
        Classes are numbered in the alphabetical order of their names. Each photo is resized to
        `image_size`, bilinearly and whatever its aspect ratio.
    batch_size, memory_budget : int
        Photos a step, and bytes that the decoded photos may take in memory.
    shuffle, seed : bool, int
        Whether each epoch has another order, which the seed, from 0, decides.
    skip_unusable : bool
        Leave out the files that `check_images` finds. Else a ValueError lists them, with reasons.
    class_names : sequence of str, optional
        The classes in the order of their numbers, such as those of a trained classifier. The folder
        may then lack some of them, but have no others.

    Returns
    -------
    tf.data.Dataset
        Batches (images, labels): images (n, height, width, 3), float32 in [0, 255]; labels (n,),
        int64. Its attributes: ``class_names``; ``file_paths`` and ``labels`` in the order of the
        files; ``order(k)``, the numbers of the photos in the order of epoch k, which depends on
        `seed` and k alone; ``epoch()``, the next one, and ``set_epoch(k)``, to go on with epoch k;
        ``shuffled``; ``skipped``, the files that were left out. The last batch may be smaller.
    """
    checks.image_size(image_size)
    seed = _seed(batch_size, shuffle, seed)
    photos, problems = list_photos(folder := Path(path).expanduser())
    pixels = _room((len(photos), *image_size, 3), memory_budget)
    problems |= decode_all(photos, pixels)
    usable = usable_photos(folder, photos, problems, skip_unusable, class_names)
    names = list(class_names or (class_name(entry.name) for entry in class_folders(folder)))
    known = list(map(class_name, names))
    labels = np.array([known.index(class_name(photos[n].parent.name)) for n in usable])
    paths = [str(photos[number]) for number in usable]
    found = Batches(
        lambda numbers: pixels[usable[numbers]], labels, batch_size, seed, names, paths, "float32"
    )
    dataset = _counted(found)
    for name in ("class_names", "file_paths", "labels", "shuffled", "order", "epoch", "set_epoch"):
        setattr(dataset, name, getattr(found, name))
    dataset.skipped = [Unusable(*problem) for problem in sorted(problems.items())]
    return dataset


def _seed(batch_size: int, shuffle: bool, seed: int | None) -> int | None:
    checks.whole_number("batch_size", batch_size, least=1)
    checks.whole_number("seed", seed or 0, least=0)
    return int(seed or 0) if shuffle else None


def _room(shape: tuple[int, ...], memory_budget: int) -> np.ndarray:
    """Return an array of bytes in memory, or in a temporary file that ends with it."""
    needed, folder = int(np.prod(shape)), tempfile.gettempdir()
    if needed <= memory_budget:
        return np.empty(shape, "uint8")
    if needed > disk_usage(folder).free:
        cure = "Take a smaller image_size, or name another folder in TMPDIR and start Python again"
        raise OSError(f"{folder} has no room for {needed / 1e9:.1f} GB of decoded photos. {cure}.")
    with tempfile.TemporaryFile(prefix="cnnkit-") as file:
        return np.memmap(file, "uint8", "w+", shape=shape)


def _counted(found: Batches) -> "tf.data.Dataset":
    """Return batches as a tf.data set that goes on with the next epoch after its last batch."""
    import tensorflow as tf

    weak = weakref.ref(found)  # TensorFlow keeps the function for good

    def count(step: int) -> None:
        if (known := weak()) is not None and step == len(known) - 1:
            known.on_epoch_end()

    def hand_out(step: Any, batch: Any) -> Any:
        tf.numpy_function(count, [step], [])
        return batch

    dataset = backend.as_tf_dataset(found).enumerate().map(hand_out)
    dataset.batches = found
    return dataset
