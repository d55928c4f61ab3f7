"""Running a frozen network over a data set once."""

import contextlib
import hashlib
from pathlib import Path
from typing import Any, NamedTuple

from cnnkit import checks
from cnnkit.training import reading
from cnnkit.training.identity import network_key
from cnnkit.training.state import random_states
from cnnkit.training.transfer.store import FeatureFile, photo_keys

import keras
import numpy as np
import platformdirs
from tqdm import tqdm

OTHER_ORDER = (
    "The data set yields its photos in another order each time. Do not shuffle it, or give what "
    "data.image_folder returns, whose order is known."
)


def extract_features(
    base: keras.Model, dataset: Any, directory: str | Path | None = None
) -> np.ndarray:
    """Compute what a base makes of each photo, once.

    The features are kept on disk, in a file for each base and data set, and computed again only
    for photos that are new or have changed. A call after an interruption goes on where it was.
    Memory stays constant, whatever the number of photos.

    Parameters
    ----------
    base : keras.Model
        Photos → features. It runs in inference, frozen or not.
    dataset : tf.data.Dataset or other iterable of known length
        Batches of photos, or (photos, labels), that the base takes. That of `data.image_folder`
        may be shuffled; any other has to yield the same photos in the same order each time.
    directory : str or Path, optional
        Where to keep the features, 4 bytes a number: the folder ``features`` in the user's cache
        directory where it is not given. You may delete it at any time.

    Returns
    -------
    ndarray, (n, …)
        The features, float32, mapped from the file, in the order of the files:
        ``dataset.file_paths`` and ``dataset.labels`` of `data.image_folder`, shuffled or not.

    Raises
    ------
    ValueError
        Photos that do not fit the base, or a data set without a length or a known order.
    OSError
        The directory cannot be written, or has no room.

    Warns
    -----
    UserWarning
        Stored features are damaged. They are computed again.
    """
    return run(base, dataset, directory).features[0]


class Frozen(NamedTuple):
    """What the frozen part made of a data set.

    Parameters
    ----------
    features : ndarray, (views, n, …)
        In the order of the files.
    labels : ndarray, (n, …), or None
        Likewise.
    sizes : list of int
        Photos in each batch.
    key : str
        Changes with the network, the photos, the labels and the views.
    """

    features: np.ndarray
    labels: np.ndarray | None
    sizes: list[int]
    key: str


def run(
    network: keras.Model,
    dataset: Any,
    directory: str | Path | None = None,
    views: int | None = None,
) -> Frozen:
    """Run a network over a data set: once in inference, or `views` times in training mode.

    View k has the order of epoch k, and draws the random numbers that `fit` would draw in it.
    """
    reading.check(dataset)
    count, steps = reading.count(dataset), len(dataset)
    first = next(iter(reading.read(dataset)), None)
    if first is None:
        raise ValueError("There are no photos in the data set.")
    if None in network.output_shape[1:]:
        raise ValueError(
            f"{network.name!r} gives features of shape {network.output_shape}. Their size has to "
            "be known: build it with an input_shape."
        )
    checks.images(network, first.images)
    directory = Path(directory or platformdirs.user_cache_path("cnnkit") / "features")
    first_keys = photo_keys(first.images)
    key = _key(network, dataset, count, first.images.shape, first_keys, views)
    shape = tuple(network.output_shape[1:])
    file = FeatureFile(directory / f"{key}.npy", count * (views or 1), shape)
    runner = _Runner(network, steps, views is not None)
    photos, labels, sizes = np.zeros(count, "<u8"), None, list[int]()
    bar = tqdm(total=count * (views or 1), desc="frozen layers", unit="photo", delay=2, leave=False)
    with bar, contextlib.closing(runner):
        for view in range(views or 1):
            every = view * count + np.arange(count)
            if view and file.current(every, photos):
                bar.update(count)
                continue
            for step, batch in enumerate(reading.read(dataset, view)):
                keys = photo_keys(batch.images)
                if not view:
                    photos[batch.numbers] = keys
                    sizes.append(len(batch.images))
                    labels = _collect(labels, batch, count)
                known = first_keys if not view and not step else photos[batch.numbers]
                if (known != keys).any():
                    raise ValueError(OTHER_ORDER)
                rows = view * count + batch.numbers
                if not file.current(rows, photos[batch.numbers]):
                    features = runner(batch.images, view * steps + step)
                    file.write(rows, photos[batch.numbers], features)
                bar.update(len(batch.images))
    features = file.features.reshape(views or 1, count, *shape)
    features.flags.writeable = False
    known = b"" if labels is None else labels.tobytes()
    order = _order(dataset, 0) + repr(sizes).encode()
    key = hashlib.sha256(key.encode() + photos.tobytes() + known + order).hexdigest()
    return Frozen(features, labels, sizes, key)


class _Runner:
    """Runs a network on single batches, with the random numbers that fit would draw there."""

    def __init__(self, network: keras.Model, steps: int, training: bool) -> None:
        self._network = InTraining(network) if training else network
        self._states = random_states(network) if training else []
        self._start = [keras.ops.convert_to_numpy(state) for state in self._states]
        self._draws: list[np.ndarray] | None = None

    def __call__(self, images: np.ndarray, step: int) -> np.ndarray:
        if self._states and self._draws is None and step:
            self._run(images, 0)  # to learn how many numbers a step draws
        return self._run(images, step)

    def close(self) -> None:
        """Set the random number generators back to where they were."""
        for state, start in zip(self._states, self._start, strict=True):
            state.assign(start)

    def _run(self, images: np.ndarray, step: int) -> np.ndarray:
        for number, (state, start) in enumerate(zip(self._states, self._start, strict=True)):
            drawn = step * self._draws[number] if self._draws and step else 0
            state.assign((start + drawn).astype(start.dtype))
        outputs = self._network.predict_on_batch(images)
        if self._draws is None:
            now = [keras.ops.convert_to_numpy(state) for state in self._states]
            self._draws = [end - start for end, start in zip(now, self._start, strict=True)]
        return np.asarray(outputs)


class InTraining(keras.Model):
    """Runs a network in training mode, where random layers are at work."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.network = network

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Call the network as `fit` does."""
        return self.network(images, training=True)


def _key(
    network: keras.Model,
    dataset: Any,
    count: int,
    batch_shape: tuple[int, ...],
    first_keys: np.ndarray,
    views: int | None,
) -> str:
    parts = [network_key(network), count, batch_shape[1:], views, keras.backend.backend()]
    paths = map(Path, getattr(dataset, "file_paths", []))
    parts += [f"{path.parent.name}/{path.name}" for path in paths] or first_keys.tolist()
    if views is not None:
        parts.append(batch_shape[0])
        parts += [keras.ops.convert_to_numpy(state).tolist() for state in random_states(network)]
        parts += [_order(dataset, view) for view in range(views)]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _order(dataset: Any, epoch: int) -> bytes:
    order = reading.order_of(dataset, epoch)
    return b"" if order is None else hashlib.sha256(order.tobytes()).digest()


def _collect(labels: np.ndarray | None, batch: reading.Batch, count: int) -> np.ndarray | None:
    if batch.labels is None:
        return None
    if labels is None:
        labels = np.empty((count, *batch.labels.shape[1:]), batch.labels.dtype)
    labels[batch.numbers] = batch.labels
    return labels
