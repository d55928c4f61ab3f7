"""Images, kernels and feature maps side by side."""

from collections.abc import Mapping, Sequence

from cnnkit.plots.style import BLUE, SIGNED, VERMILION, grid, outline, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

OPAQUE = 0.75  # of the hottest pixel
Images = np.ndarray | Sequence[np.ndarray]


@styled
def image_grid(
    images: Images,
    titles: Sequence[object] | None = None,
    columns: int = 10,
    size: float = 0.9,
) -> Figure:
    """Show images in a grid.

    Parameters
    ----------
    images : sequence of ndarray, each (h, w), (h, w, 1) or (h, w, 3)
        In [0, 1] or [0, 255]. Grey images are shown as ink on paper: 0 is white.
    titles : sequence, optional
        One above each image, such as the labels.
    columns, size : int, float
        Images a row, and the width of each in inches.
    """
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
    figure, axes = grid(len(images), columns, size, titles)
    for ax, image in zip(axes, images, strict=True):
        _show(ax, image)
    return figure


@styled
def picture_rows(rows: Mapping[str, Images], size: float = 0.9) -> Figure:
    """Show rows of images, each with its name at the left, each image `size` inches wide.

    Parameters
    ----------
    rows : mapping of str to sequence of ndarray, each (h, w), (h, w, 1) or (h, w, 3)
        As many images in each row, in [0, 1] or [0, 255].
    """
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"The rows hold {sorted(lengths)} pictures; expected as many in each.")
    columns = lengths.pop()
    figure, axes = grid(len(rows) * columns, columns, size, None, margin=1.3)
    for number, (name, images) in enumerate(rows.items()):
        row = axes[number * columns : (number + 1) * columns]
        for ax, image in zip(row, images, strict=True):
            _show(ax, image)
        row[0].text(-0.12, 0.5, name, va="center", ha="right", transform=row[0].transAxes)
    return figure


@styled
def heat_overlays(
    images: Images,
    heat: Images,
    titles: Sequence[object] | None = None,
    boxes: np.ndarray | None = None,
    columns: int = 6,
) -> Figure:
    """Show images, and below each the same image in grey, with the heat in orange over it.

    Parameters
    ----------
    images : sequence of ndarray, each (h, w, 1) or (h, w, 3)
        In [0, 1] or [0, 255].
    heat : sequence of ndarray, each (h, w)
        In [0, 1], as `evaluation.explain.grad_cam` returns it.
    boxes : ndarray, (n, 4), optional
        Left, top, right and bottom of a frame in each image, in pixels.
    titles, columns
        As in `image_grid`.
    """
    count = len(images)
    frames = [None] * count if boxes is None else list(boxes)
    names = [""] * count if titles is None else list(titles)
    columns = min(columns, count) or 1
    panels = 2 * columns * -(-count // columns)
    figure, axes = grid(panels, columns, 1.25, None if titles is None else [""] * panels)
    for number, (image, hot, name, frame) in enumerate(
        zip(images, heat, names, frames, strict=True)
    ):
        place = number + number // columns * columns
        above, below = axes[place], axes[place + columns]
        _show(above, image)
        above.set_title(str(name))
        grey = np.asarray(image, "float32").mean(axis=-1)
        below.imshow(grey, cmap="gray_r" if np.shape(image)[-1] == 1 else "gray")
        red = np.full((*np.shape(hot), 4), [*to_rgb(VERMILION), OPAQUE])
        red[..., 3] *= hot
        below.imshow(red)
        if frame is not None:
            left, top, right, bottom = frame
            for ax in (above, below):
                outline(ax, top, left, bottom - top, right - left, BLUE, lw=1.5, clip_on=True)
    return figure


@styled
def feature_maps(
    maps: np.ndarray, titles: Sequence[str] | None = None, columns: int = 8, size: float = 1.0
) -> Figure:
    """Show the feature maps of one image, all on the same scale.

    `maps`, (h, w, channels), are grey if no value is negative, and have two colours around 0
    otherwise. `columns` and `size` are as in `image_grid`.
    """
    return _channels(maps, titles, columns, size, "response")


@styled
def kernels(weights: np.ndarray, columns: int = 8, size: float = 0.8) -> Figure:
    """Show the kernels of a convolution, orange above zero and purple below.

    `weights`, (h, w, input channels, filters), are those of a `Conv2D`; each pair of input channel
    and filter has a kernel. `columns` and `size` are as in `image_grid`.
    """
    return _channels(weights.reshape(*weights.shape[:2], -1), None, columns, size, "weight")


def _channels(
    array: np.ndarray, titles: Sequence[str] | None, columns: int, size: float, label: str
) -> Figure:
    channels = np.moveaxis(np.asarray(array), -1, 0)
    figure, axes = grid(len(channels), columns, size, titles, margin=0.9)
    largest = np.abs(channels).max() or 1.0
    low, colors = (-largest, SIGNED) if channels.min() < 0 else (0.0, "gray_r")
    for ax, channel in zip(axes, channels, strict=True):
        picture = ax.imshow(channel, cmap=colors, vmin=low, vmax=largest)
    figure.colorbar(picture, ax=figure.axes, shrink=0.9, label=label)
    return figure


@styled
def mistakes(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str] | None = None,
) -> Figure:
    """Show images with what the classifier took them for, how surely, and what they are.

    Parameters
    ----------
    images, labels, probabilities : ndarray, (n, h, w, channels), (n,) and (n, classes)
        `labels` are the numbers of the true classes.
    class_names : sequence of str, optional
        Shown in place of these numbers.
    """
    if len(images) == 0:
        figure = plt.figure(figsize=(3, 0.5))
        figure.text(0.5, 0.5, "There are no mistakes to show.", ha="center", va="center")
        return figure
    names = class_names if class_names is not None else range(probabilities.shape[1])
    titles = [
        f"{names[row.argmax()]}? ({row.max():.1%})\nis {names[label]}"
        for label, row in zip(labels, probabilities, strict=True)
    ]
    return image_grid(images, titles, columns=6, size=1.25)


def _show(ax: Axes, image: np.ndarray) -> None:
    """Show an image, in [0, 1] or [0, 255]."""
    image = np.squeeze(image)
    to_255 = np.issubdtype(image.dtype, np.integer) or image.max() > 2  # with room for rounding
    ax.imshow(np.clip(image / 255 if to_255 else image, 0, 1), vmin=0, vmax=1)
