"""Pictures, kernels and feature maps side by side."""

from collections.abc import Sequence

from cnnkit.plots.style import SIGNED, panels, styled

import numpy as np
from matplotlib.figure import Figure


@styled
def image_grid(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    columns: int = 10,
    size: float = 0.9,
) -> Figure:
    """Show pictures in a grid.

    Parameters
    ----------
    images : sequence of ndarray, each (h, w), (h, w, 1) or (h, w, 3)
        Grey pictures are shown as ink on paper: 0 is white. Colours are floats in [0, 1] or
        uint8.
    titles : sequence of str, optional
        One above each picture.
    columns : int
        Pictures a row.
    size : float
        Width of a picture in inches.
    """
    _not_empty(images)
    figure, axes = panels(len(images), columns, size, titles is not None)
    for position, (ax, image) in enumerate(zip(axes, images, strict=True)):
        ax.imshow(np.squeeze(image))
        if titles:
            ax.set_title(titles[position])
    return figure


@styled
def feature_maps(
    maps: np.ndarray, titles: Sequence[str] | None = None, columns: int = 8, size: float = 1.0
) -> Figure:
    """Show the feature maps of one picture, all on the same scale.

    Parameters
    ----------
    maps : ndarray, (h, w, channels)
        Maps without a negative value are shown in grey, the others in two colours around 0.
    titles : sequence of str, optional
        One above each map.
    columns : int
        Maps a row.
    size : float
        Width of a map in inches.
    """
    return _channels(maps, titles, columns, size, "response")


@styled
def kernels(weights: np.ndarray, columns: int = 8, size: float = 0.8) -> Figure:
    """Show the kernels of a convolution, orange above zero and purple below.

    Parameters
    ----------
    weights : ndarray, (h, w, input channels, filters)
        As `Conv2D` keeps them. One kernel for each pair of input channel and filter.
    columns : int
        Kernels a row.
    size : float
        Width of a kernel in inches.
    """
    height, width = weights.shape[:2]
    return _channels(weights.reshape(height, width, -1), None, columns, size, "weight")


def _channels(
    array: np.ndarray, titles: Sequence[str] | None, columns: int, size: float, label: str
) -> Figure:
    channels = np.moveaxis(np.asarray(array), -1, 0)
    _not_empty(channels)
    figure, axes = panels(len(channels), columns, size, titles is not None, margin=0.9)
    largest = np.abs(channels).max() or 1.0
    low, colors = (-largest, SIGNED) if channels.min() < 0 else (0.0, "gray_r")
    for position, (ax, channel) in enumerate(zip(axes, channels, strict=True)):
        picture = ax.imshow(channel, cmap=colors, vmin=low, vmax=largest)
        if titles:
            ax.set_title(titles[position])
    figure.colorbar(picture, ax=figure.axes, shrink=0.9, label=label)
    return figure


def mistakes(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str] | None = None,
    columns: int = 6,
) -> Figure:
    """Show pictures with what the classifier took them for, how surely, and what they are.

    Parameters
    ----------
    images : ndarray, (n, h, w, channels)
    labels : ndarray of int, (n,)
        The true classes.
    probabilities : ndarray, (n, classes)
    class_names : sequence of str, optional
        Their numbers where not given.
    columns : int
        Pictures a row.
    """
    names = class_names or [str(number) for number in range(probabilities.shape[1])]
    titles = [
        f"{names[row.argmax()]}? ({row.max():.1%})\nis {names[label]}"
        for label, row in zip(labels, probabilities, strict=True)
    ]
    return image_grid(images, titles, columns=columns, size=1.25)


def _not_empty(images: Sequence | np.ndarray) -> None:
    if len(images) == 0:
        raise ValueError("There is no picture to show.")
