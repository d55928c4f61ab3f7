"""Running a frozen network over a data set once, and keeping what it makes of each photo."""

import hashlib
from pathlib import Path
from typing import IO, Any

from cnnkit import checks, files
from cnnkit.batches import Batches, behind, read
from cnnkit.training.checkpoint import random_states
from cnnkit.training.identity import network_key

import keras
import numpy as np
import platformdirs
from tqdm import tqdm


def extract_features(
    base: keras.Model, dataset: Any, directory: str | Path | None = None
) -> np.ndarray:
    """Compute what a base makes of each photo, once.

    The features are cached on disk, in a file whose name follows from the content of the photos
    and from the base. Memory stays constant, however many photos there are.

    Parameters
    ----------
    base : keras.Model
        Photos → features. It runs in inference, frozen or not.
    dataset : tf.data.Dataset or other iterable of known length
        Batches of photos, or (photos, labels). That of `data.image_folder` may be shuffled; any
        other has to yield the same photos in the same order each time.
    directory : str or Path, optional
        For the cache, 4 bytes a number; by default the folder ``features`` in the user's cache
        directory. You may delete it at any time.

    Returns
    -------
    ndarray of float32, (n, …)
        Read from the file where it is used, in the order of the files: that of ``file_paths`` and
        ``labels`` of `data.image_folder`, shuffled or not.

    Raises
    ------
    ValueError
        Photos that do not fit the base, or a data set without a length or a known order.
    """
    return Frozen(base, dataset).view(directory)[0]


def as_features(base: keras.Model, dataset: Any, directory: str | Path | None = None) -> Batches:
    """Put what a base makes of each photo, computed once, in the place of the photos.

    With `training.fit`, a head trains on it as the whole classifier would on the photos.

    Parameters
    ----------
    base, dataset, directory
        As for `extract_features`; the data set has labels.

    Returns
    -------
    Batches
        (features, labels), in the same order as the data set. The attribute ``features``, (n, …),
        has them in the order of the files.
    """
    return Frozen(base, dataset).batches(directory)


class Frozen:
    """A frozen network and a data set, whose photos go through it once.

    Attributes
    ----------
    key : str
        Changes with the content of the photos.
    labels : ndarray, (n, …), or None
    sizes : list of int
        Photos in each batch.
    """

    def __init__(self, network: keras.Model, dataset: Any) -> None:
        checks.repeatable(dataset)
        sha, labels, self.sizes = hashlib.sha256(), list[Any](), list[int]()
        for images, some in read(dataset, None):
            if not labels:
                checks.images(network, images)
            _add(sha, images)
            labels.append(some)
            self.sizes.append(len(images))
        if not labels:
            raise ValueError("There are no photos in the data set.")
        self._network, self._dataset, self._known = network, dataset, behind(dataset)
        self._network_key, self.key = network_key(network), sha.hexdigest()
        self.labels = None if labels[0] is None else np.concatenate(labels)

    def batches(self, directory: str | Path | None, views: int | None = None) -> Batches:
        """Return (features, labels) in the order of the data set, in epoch k those of view k."""
        if self.labels is None:
            raise ValueError("The data set holds no labels; expected batches (images, labels).")
        found = [self.view(directory, n) for n in (range(views) if views else [None])]

        def rows(numbers: np.ndarray) -> np.ndarray:
            features, places = found[batches.epoch() % len(found)]
            return features[places[numbers]]

        like = ("seed", "class_names", "file_paths") if self._known is not None else ()
        options = {name: getattr(self._known, name) for name in like}
        key = self._network_key + self.key
        batches = Batches(rows, self.labels, self.sizes, key=key, **options)
        batches.features = found[0][0]
        return batches

    def view(
        self, directory: str | Path | None, number: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return features, and in which of their rows each photo is.

        They are those of inference or, with a number, what the network gives in training mode in
        that epoch of `fit`, which depends on the order of the photos and on random numbers.
        """
        states = [] if number is None else random_states(self._network)
        order = np.arange(sum(self.sizes))
        parts = [self._network_key, keras.backend.backend(), self.key]
        if number is not None:
            order = order if self._known is None else self._known.order(number)
            seeds = [keras.ops.convert_to_numpy(state).tolist() for state in states]
            parts.append(repr((number, self.sizes, seeds, order.tolist())))
        directory = Path(directory or platformdirs.user_cache_path("cnnkit") / "features")
        path = directory / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}.npy"
        if not path.exists():
            files.replace(path, lambda file: self._write(file, number, states))
        return np.load(path, mmap_mode="r"), np.argsort(order)

    def _write(self, file: IO[bytes], number: int | None, states: list[keras.Variable]) -> None:
        """Run the network batch by batch, with the random numbers that `fit` would draw."""
        network = self._network if number is None else _InTraining(self._network)
        start = [keras.ops.convert_to_numpy(state) for state in states]
        sha, count = hashlib.sha256(), sum(self.sizes)
        bar = tqdm(total=count, desc="frozen layers", unit="photo", delay=2, leave=False)
        try:
            for step, (images, _) in enumerate(read(self._dataset, number)):
                _add(sha, images)
                images = images.astype("float32")
                if number and step == 0:
                    network.predict_on_batch(images)  # to see how many numbers a step draws
                    for state, begin in zip(states, start, strict=True):
                        drawn = keras.ops.convert_to_numpy(state) - begin
                        ahead = number * len(self.sizes) * drawn
                        state.assign((begin + ahead).astype(begin.dtype))
                rows = np.ascontiguousarray(network.predict_on_batch(images), "<f4")
                if step == 0:
                    shape = (count, *rows.shape[1:])
                    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
                    np.lib.format.write_array_header_1_0(file, header)
                file.write(rows.data)
                bar.update(len(rows))
        finally:
            bar.close()
            for state, begin in zip(states, start, strict=True):
                state.assign(begin)
        if sha.hexdigest() != self.key and (number is None or self._known is None):
            raise ValueError(
                "The data set yields its photos in another order each time. Do not shuffle it, or "
                "give what data.image_folder returns, whose order is known."
            )


class _InTraining(keras.Model):
    """Runs a network in training mode also where it predicts."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__(name="in_training")
        self.network = network

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        return self.network(images, training=True)


def _add(sha: Any, images: np.ndarray) -> None:
    sha.update(f"{images.dtype} {images.shape[1:]}".encode())
    sha.update(np.ascontiguousarray(images).data)
