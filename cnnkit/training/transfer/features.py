"""Running a frozen network over a data set once, and keeping what it makes of each photo."""

import hashlib
from pathlib import Path
from typing import IO, Any

from cnnkit import checks, files
from cnnkit.batches import Batches, behind, first, read
from cnnkit.training.checkpoint import network_key, random_states

import keras
import numpy as np
import platformdirs
from tqdm import tqdm


def extract_features(
    base: keras.Model, dataset: Any, directory: str | Path | None = None
) -> np.ndarray:
    """Compute what a base makes of each photo, once, in constant memory.

    They are cached in a file, whose name follows from the content of the photos and of the base.

    Parameters
    ----------
    base : keras.Model
        Photos → features. It runs in inference, frozen or not.
    dataset : tf.data.Dataset or other iterable of known length
        Batches of photos, or (photos, labels), in the same order each time; that of
        `data.image_folder` may be shuffled.
    directory : str or Path, optional
        For the cache, which you may delete; by default in the user's cache directory.

    Returns
    -------
    ndarray of float32, (n, …)
        In the order of the files, shuffled or not; read from the file where it is used.
    """
    return Frozen(base, dataset).view(directory)[0]


def as_features(base: keras.Model, dataset: Any, directory: str | Path | None = None) -> Batches:
    """Put the features of `extract_features` in the place of the photos, for `training.fit`.

    They come as batches (features, labels) in the order of the data set, so that a head trains as
    in the whole classifier. The attribute ``features``, (n, …), has the order of the files.
    """
    return Frozen(base, dataset).batches(directory)


class Frozen:
    """A frozen network and a data set, whose photos go through it once. Their content has a key."""

    def __init__(self, network: keras.Model, dataset: Any, key: str | None = None) -> None:
        checks.images(network, first(dataset)[0])
        sha, labels, self.sizes = hashlib.sha256(), list[Any](), list[int]()
        for images, some in read(dataset, None):
            _add(sha, images)
            labels.append(some)
            self.sizes.append(len(images))
        self._network, self._dataset, self.known = network, dataset, behind(dataset)
        self.network_key, self.key = key or network_key(network), sha.hexdigest()
        self.labels: Any = None if labels[0] is None else np.concatenate(labels)

    def batches(self, directory: str | Path | None, views: int | None = None) -> Batches:
        """Return (features, labels) in the order of the data set, in epoch k those of view k."""
        if self.labels is None:
            raise ValueError("The data set holds no labels; expected batches (images, labels).")
        found = [self.view(directory, n) for n in (range(views) if views else [None])]

        def rows(numbers: np.ndarray) -> np.ndarray:
            features, places = found[batches.epoch() % len(found)]
            return features[places[numbers]]

        like = ("seed", "class_names", "file_paths") if self.known else ()
        about = {name: getattr(self.known, name) for name in like}
        batches = Batches(rows, self.labels, self.sizes, **about)
        batches.features, batches.key = found[0][0], self.network_key + self.key
        return batches

    def view(
        self, directory: str | Path | None, number: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return features of inference, or of an epoch of `fit`, and in which row each photo is."""
        states = [] if number is None else random_states(self._network)
        start = [keras.ops.convert_to_numpy(state) for state in states]
        known, order = self.known, np.arange(sum(self.sizes))
        parts: list[Any] = [self.network_key, keras.backend.backend(), self.key]
        if number is not None:  # what is drawn for a photo depends on its place in the epoch
            order = known.order(number) if known else order
            parts += [number, self.sizes, [seed.tolist() for seed in start], order.tolist()]
        folder = Path(directory or platformdirs.user_cache_path("cnnkit") / "features").expanduser()
        path = folder / f"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}.npy"

        def write(file: IO[bytes]) -> None:
            network = self._network if number is None else InTraining([self._network])
            steps = tqdm(read(self._dataset, number), "features", len(self.sizes), False, delay=2)
            sha = hashlib.sha256()
            for step, (images, _) in enumerate(steps):
                if known is None:
                    _add(sha, images)
                images = images.astype("float32")
                if number and step == 0:
                    network.predict_on_batch(images)  # to see how many numbers a step draws
                    for state, begin in zip(states, start, strict=True):
                        drawn = keras.ops.convert_to_numpy(state) - begin
                        state.assign((begin + number * len(self.sizes) * drawn).astype(begin.dtype))
                rows = np.ascontiguousarray(network.predict_on_batch(images), "<f4")
                if step == 0:
                    about = {"shape": (len(order), *rows.shape[1:]), "fortran_order": False}
                    np.lib.format.write_array_header_1_0(file, about | {"descr": "<f4"})
                file.write(rows.data)
            if known is None and sha.hexdigest() != self.key:
                raise ValueError("The photos come in another order each time; do not shuffle them.")

        if not path.exists():
            try:
                files.replace(path, write)
            finally:
                for state, begin in zip(states, start, strict=True):
                    state.assign(begin)
        return np.load(path, mmap_mode="r"), np.argsort(order)


class InTraining(keras.Sequential):
    """A network that does what it does in training, also where it predicts."""

    def call(self, inputs: keras.KerasTensor, training: bool | None = None) -> keras.KerasTensor:
        return super().call(inputs, training=True)


def _add(sha: Any, images: np.ndarray) -> None:
    sha.update(f"{images.dtype} {images.shape[1:]}".encode())
    sha.update(np.ascontiguousarray(images).data)
