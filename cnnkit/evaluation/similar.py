"""Searching pictures by a picture: the nearest among the features of a base."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cnnkit import checks, files, pictures, plots

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from sklearn.neighbors import NearestNeighbors

SHOWN = (180, 180)  # pixels, of each picture in a row


class Neighbour(NamedTuple):
    """A picture that was found, and its cosine distance from the one it was searched by: 0 to 2."""

    path: str
    distance: float


class SimilarImages:
    """A collection of pictures that can be searched by a picture.

    Two pictures are as similar as the directions of their features: the cosine distance is 0 for
    the same direction, 1 for a right angle. Features are what the pooled base makes of them.

    Parameters
    ----------
    features : ndarray, (n, channels)
        Such as ``training.transfer.extract_features(models.pooled(base), photos)``.
    file_paths : sequence of str or Path
        Of the pictures, in the same order: ``photos.file_paths``.

    Raises
    ------
    ValueError
        Features that are no table of finite numbers, or not as many paths.
    """

    def __init__(self, features: np.ndarray, file_paths: Sequence[str | Path]) -> None:
        features = np.asarray(features, "float32")
        if features.ndim != 2 or not len(features):
            raise ValueError(
                f"The features have shape {features.shape}; expected (n, channels), as "
                "models.pooled(base) makes them."
            )
        if len(file_paths) != len(features):
            raise ValueError(
                f"{len(file_paths)} paths were given for the features of {len(features)} pictures; "
                "give one each."
            )
        checks.finite_features(features)
        self.features = features
        self.file_paths = [str(path) for path in file_paths]
        self._neighbours = NearestNeighbors(metric="cosine", algorithm="brute").fit(features)

    def nearest(self, features: np.ndarray, k: int = 5) -> list[Neighbour]:
        """Find the most similar pictures.

        Parameters
        ----------
        features : ndarray, (channels,) or (1, channels)
            Of the picture to search by, from the same base.
        k : int
            How many to find; all of them where there are fewer.

        Returns
        -------
        list of Neighbour
            The most similar first. A picture of the collection finds itself, at distance 0.

        Raises
        ------
        ValueError
            Features of another form, or no positive `k`.
        """
        row = np.asarray(features, "float32").reshape(1, -1)
        if row.shape[1] != self.features.shape[1]:
            raise ValueError(
                f"The features have shape {np.shape(features)}; expected those of one picture, "
                f"({self.features.shape[1]},), from the base that the collection was made with."
            )
        checks.finite_features(row)
        if k < 1:
            raise ValueError(f"k is {k}; expected at least 1.")
        distances, numbers = self._neighbours.kneighbors(row, min(k, len(self.features)))
        return [
            Neighbour(self.file_paths[number], max(0.0, float(distance)))
            for number, distance in zip(numbers[0], distances[0], strict=True)
        ]

    def show(self, picture: str | Path | np.ndarray, neighbours: Sequence[Neighbour]) -> Figure:
        """Show a picture and those that it found in a row, with their folders and distances.

        Parameters
        ----------
        picture : str, Path or ndarray, (height, width, 3)
            The file, or its pixels in [0, 255].
        neighbours : sequence of Neighbour
            What `nearest` returned.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        FileNotFoundError
            One of the pictures is not there any more.
        """
        first = picture if isinstance(picture, np.ndarray) else _read(picture)
        titles = [f"{Path(path).parent.name}\n{distance:.3f}" for path, distance in neighbours]
        found = [_read(path) for path, _ in neighbours]
        return plots.image_grid([first, *found], ["searched by\n", *titles], len(found) + 1, 1.3)

    def save(self, path: str | Path) -> None:
        """Write the collection to a file; the pictures stay where they are.

        Their paths are kept relative to the file, where they can be, so that both may be moved
        together.

        Parameters
        ----------
        path : str or Path
            Of the file, such as ``similar.npz``.
        """
        path = Path(path)
        paths = [_relative(found, path.absolute().parent) for found in self.file_paths]
        files.replace(
            path,
            lambda file: np.savez(file, features=self.features, file_paths=np.array(paths)),
        )

    @classmethod
    def load(cls, path: str | Path) -> "SimilarImages":
        """Read a collection that `save` wrote.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        SimilarImages

        Raises
        ------
        FileNotFoundError
            There is no such file.
        ValueError
            It is damaged, or something else.
        """
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing; SimilarImages(…).save(path) writes it.")
        try:
            with np.load(path) as file:
                features, paths = file["features"], file["file_paths"]
        except Exception as error:  # a damaged archive makes its readers raise nearly anything
            raise ValueError(f"{path} is no collection of SimilarImages, or damaged.") from error
        return cls(features, [os.path.normpath(path.parent / found) for found in paths.tolist()])


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return str(Path(path).absolute())


def _read(path: str | Path) -> np.ndarray:
    if not Path(path).is_file():
        raise FileNotFoundError(f"The picture {path} is missing; was it moved or deleted?")
    with Image.open(path) as photo:
        return np.asarray(pictures.upright(photo).resize(SHOWN))
