"""Pictures, kernels and feature maps side by side."""

from collections.abc import Mapping, Sequence

from cnnkit.plots.style import SIGNED, panels, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure


@styled
def image_grid(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[object] | None = None,
    columns: int = 10,
    size: float = 0.9,
) -> Figure:
    """Show pictures in a grid.

    Parameters
    ----------
    images : sequence of ndarray, each (h, w), (h, w, 1) or (h, w, 3)
        In [0, 1] or [0, 255]. Grey pictures are shown as ink on paper: 0 is white.
    titles : sequence, optional
        One above each picture, such as the labels.
    columns : int
        Pictures a row.
    size : float
        Width of a picture in inches.

    Raises
    ------
    ValueError
        No picture, something that is not a picture, or not a title for each.
    """
    names = titles_for(len(images), titles)
    strange = {np.shape(image) for image in images if np.ndim(image) not in (2, 3)}
    if getattr(images, "ndim", 0) == 3:
        height, width, channels = np.shape(images)
        if channels in (1, 3) and min(height, width) > 3:  # a single photo; less may be kernels
            strange = {np.shape(images)}
    if strange:
        raise ValueError(
            f"A picture has the shape {min(strange)}; expected several pictures, each (h, w) "
            "or (h, w, channels). Put a single one into a list: [image]."
        )
    figure, axes = panels(len(images), columns, size, titles is not None)
    for ax, image, name in zip(axes, images, names, strict=True):
        show_picture(ax, image)
        ax.set_title(name)
    return figure


@styled
def picture_rows(rows: Mapping[str, Sequence[np.ndarray]], size: float = 0.9) -> Figure:
    """Show rows of pictures, each with its name at the left.

    Parameters
    ----------
    rows : mapping of str to sequence of ndarray, each (h, w), (h, w, 1) or (h, w, 3)
        As many pictures in each row, in [0, 1] or [0, 255].
    size : float
        Width of a picture in inches.

    Raises
    ------
    ValueError
        No picture, or rows of different lengths.
    """
    lengths = {len(pictures) for pictures in rows.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"The rows hold {sorted(lengths)} pictures; expected as many in each.")
    columns = lengths.pop()
    figure, axes = panels(len(rows) * columns, columns, size, titles=False, margin=1.3)
    for number, (name, pictures) in enumerate(rows.items()):
        row = axes[number * columns : (number + 1) * columns]
        for ax, picture in zip(row, pictures, strict=True):
            show_picture(ax, picture)
        place = row[0].transAxes
        row[0].text(-0.12, 0.5, name, va="center", ha="right", transform=place)
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
    names = titles_for(len(channels), titles)
    figure, axes = panels(len(channels), columns, size, titles is not None, margin=0.9)
    largest = np.abs(channels).max() or 1.0
    low, colors = (-largest, SIGNED) if channels.min() < 0 else (0.0, "gray_r")
    for ax, channel, name in zip(axes, channels, names, strict=True):
        picture = ax.imshow(channel, cmap=colors, vmin=low, vmax=largest)
        ax.set_title(name)
    figure.colorbar(picture, ax=figure.axes, shrink=0.9, label=label)
    return figure


def mistakes(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str] | None = None,
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
    """
    if len(images) == 0:
        return _note("There are no mistakes to show.")
    names = class_names if class_names is not None else range(probabilities.shape[1])
    titles = [
        f"{names[row.argmax()]}? ({row.max():.1%})\nis {names[label]}"
        for label, row in zip(labels, probabilities, strict=True)
    ]
    return image_grid(images, titles, columns=6, size=1.25)


@styled
def _note(text: str) -> Figure:
    figure = plt.figure(figsize=(3, 0.5))
    figure.text(0.5, 0.5, text, ha="center", va="center")
    return figure


def show_picture(ax: Axes, image: np.ndarray) -> None:
    """Show a picture, in [0, 1] or [0, 255]."""
    image = np.squeeze(image)
    to_255 = np.issubdtype(image.dtype, np.integer) or image.max() > 2  # with room for rounding
    ax.imshow(np.clip(image / 255 if to_255 else image, 0, 1), vmin=0, vmax=1)


def titles_for(count: int, titles: Sequence[object] | None) -> list[str]:
    """Return a title for each picture, or raise ValueError."""
    if count == 0:
        raise ValueError("There is no picture to show.")
    if titles is not None and len(titles) != count:
        raise ValueError(f"{len(titles)} titles were given for {count} pictures; give one each.")
    return [""] * count if titles is None else [str(title) for title in titles]
