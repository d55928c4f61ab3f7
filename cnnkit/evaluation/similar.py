"""Searching photos by a photo: the nearest among the features of a base."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cnnkit import pictures, plots

import numpy as np
from matplotlib.figure import Figure
from PIL import Image


class Neighbour(NamedTuple):
    """A photo that was found, and its cosine distance from the query: 0 to 2."""

    path: str
    distance: float


class SimilarImages:
    """A collection of photos that can be searched by a photo.

    Two photos are as similar as the directions of their features: the cosine distance is 0 for the
    same direction and 1 for a right angle.

    Parameters
    ----------
    features : ndarray, (n, channels)
        Such as ``training.transfer.extract_features(models.pooled(base), photos)``.
    file_paths : sequence of str or Path
        Of the photos, in the same order: ``photos.file_paths``.
    """

    def __init__(self, features: np.ndarray, file_paths: Sequence[str | Path]) -> None:
        from sklearn.neighbors import NearestNeighbors  # here, since it takes a second

        self.features = np.asarray(features, "float32")
        self.file_paths = [str(path) for path in file_paths]
        if self.features.ndim != 2 or len(self.features) != len(file_paths):
            what = f"Features of shape {self.features.shape} and {len(file_paths)} paths were given"
            raise ValueError(f"{what}; expected (n, channels), of models.pooled(base), and n.")
        self._neighbours = NearestNeighbors(metric="cosine", algorithm="brute").fit(self.features)

    def nearest(self, features: np.ndarray, k: int = 5) -> list[Neighbour]:
        """Find the `k` photos that are most similar, or all if there are fewer, the nearest first.

        The features, (channels,), are those of the photo to search by, from the same base.
        """
        query = np.asarray(features, "float32").reshape(1, -1)
        distances, numbers = self._neighbours.kneighbors(query, min(k, len(self.features)))
        pairs = zip(numbers[0], distances[0], strict=True)
        return [Neighbour(self.file_paths[n], max(0.0, float(distance))) for n, distance in pairs]

    def show(self, picture: str | Path | np.ndarray, neighbours: Sequence[Neighbour]) -> Figure:
        """Show a photo, a file or its pixels in [0, 255], beside what `nearest` found for it."""
        first = picture if isinstance(picture, np.ndarray) else _read(picture)
        titles = [f"{Path(path).parent.name}\n{distance:.3f}" for path, distance in neighbours]
        found = [_read(path) for path, _ in neighbours]
        return plots.image_grid([first, *found], ["searched by\n", *titles], len(found) + 1, 1.3)


def _read(path: str | Path) -> np.ndarray:
    with Image.open(Path(path).expanduser()) as photo:
        return np.asarray(pictures.upright(photo).resize((180, 180)))
