"""Images, kernels and feature maps side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

from cnnkit.plots.style import BARE, BLUE, SIGNED, STRENGTH, VERMILION, styled

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

__all__ = ["feature_maps", "heat_overlays", "image_grid", "kernels", "mistakes", "picture_rows"]

OPAQUE = 0.75  # of the hottest pixel
Images = np.ndarray | Sequence[np.ndarray]
Titles = Sequence[object] | None
Boxes = np.ndarray | None


@styled
def image_grid(
    images: Images, titles: Titles = None, columns: int = 10, size: float = 0.9
) -> Figure:
    """Show images in a grid, `columns` in a row, each `size` inches wide.

    `images`, each (h, w), (h, w, 1) or (h, w, 3), are in [0, 1] or [0, 255], and 0
    is black. `titles`, one for each image, may be its labels.
    """
    whole: tuple[int, ...] = getattr(images, "shape", ())
    single = len(whole) == 3 and whole[2] in (1, 3) and min(whole[:2]) > 3  # less may be kernels
    shapes = {np.shape(image) for image in images}
    if single or any(len(shape) not in (2, 3) for shape in shapes):
        expected = "several, each (h, w) or (h, w, channels). Put a single one into a list: [image]"
        raise ValueError(f"The pictures have the shapes {sorted(shapes)}; expected {expected}.")
    return _grid([_shades(image) for image in images], columns, size, titles, vmin=0, vmax=1)


@styled
def picture_rows(rows: Mapping[str, Images], size: float = 0.9) -> Figure:
    """Show rows of images, each with its name at the left, each image `size` inches wide.

    `rows` maps each name to as many images, (h, w), (h, w, 1) or (h, w, 3), in [0, 1] or [0, 255].
    """
    lengths = {len(images) for images in rows.values()}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"The rows hold {sorted(lengths)} pictures; expected as many in each.")
    columns = lengths.pop()
    images = [_shades(image) for row in rows.values() for image in row]
    figure = _grid(images, columns, size, vmin=0, vmax=1)
    figure.set_figwidth(figure.get_figwidth() + 1.3)  # for the names
    for ax, name in zip(figure.axes[::columns], rows, strict=True):
        ax.text(-0.12, 0.5, name, va="center", ha="right", transform=ax.transAxes)
    return figure


@styled
def heat_overlays(
    images: Images, heat: Images, titles: Titles = None, boxes: Boxes = None, columns: int = 6
) -> Figure:
    """Show images, and below each the same image in grey, with the heat in orange over it.

    `images`, each (h, w, 1) or (h, w, 3), are in [0, 1] or [0, 255], and `heat`, each (h, w), in
    [0, 1], as `evaluation.explain.grad_cam` returns it. `boxes`, (n, 4), are left, top, right and
    bottom of a frame in each, in pixels. `titles` and `columns` are as in `image_grid`.
    """
    shades = [_shades(image) for image in images]
    figure = _grid(shades, columns, 1.25, titles, rows=2, vmin=0, vmax=1)
    axes = np.array(figure.axes).reshape(-1, 2, min(columns, len(images))).swapaxes(1, 2)
    pairs = axes.reshape(-1, 2)[: len(images)]
    frames = [None] * len(images) if boxes is None else boxes
    for image, hot, frame, pair in zip(images, heat, frames, pairs, strict=True):
        grey = np.asarray(image, "float32").mean(axis=-1)
        pair[1].imshow(grey)
        red = np.full((*np.shape(hot), 4), [*to_rgb(VERMILION), OPAQUE])
        red[..., 3] *= hot
        pair[1].imshow(red)
        if frame is not None:
            left, top, right, bottom = frame
            for ax in pair:
                corner, size = (left - 0.5, top - 0.5), (right - left, bottom - top)
                ax.add_patch(Rectangle(corner, *size, fill=False, ec=BLUE, lw=1.5))
    return figure


@styled
def feature_maps(
    maps: np.ndarray, titles: Sequence[str] | None = None, columns: int = 8, size: float = 1.0
) -> Figure:
    """Show the feature maps of one image, all on the same scale.

    `maps`, (h, w, channels), are bright where they are strong if no value is negative, and have two
    colours around 0 otherwise. `columns` and `size` are as in `image_grid`.
    """
    channels = np.moveaxis(np.asarray(maps), -1, 0)
    largest = np.abs(channels).max() or 1.0
    low, colors = (-largest, SIGNED) if channels.min() < 0 else (0.0, STRENGTH)
    figure = _grid(channels, columns, size, titles, cmap=colors, vmin=low, vmax=largest)
    figure.set_figwidth(figure.get_figwidth() + 0.9)  # for the scale
    figure.colorbar(figure.axes[0].images[0], ax=figure.axes, shrink=0.9, label="response")
    return figure


@styled
def kernels(weights: np.ndarray, columns: int = 8, size: float = 0.8) -> Figure:
    """Show the kernels of a convolution, orange above zero and purple below.

    `weights`, (h, w, input channels, filters), are those of a `Conv2D`; each pair of input channel
    and filter has a kernel. `columns` and `size` are as in `image_grid`.
    """
    figure = feature_maps(weights.reshape(*weights.shape[:2], -1), None, columns, size)
    figure.axes[-1].set_ylabel("weight")  # of the colour bar
    return figure


@styled
def mistakes(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, class_names: Titles = None
) -> Figure:
    """Show images with what the classifier took them for, how surely, and what they are.

    `images` are (n, h, w, channels), `labels`, (n,), the numbers of their true classes, and
    `probabilities` (n, classes). `class_names` are shown in place of the numbers.
    """
    if probabilities.shape[1] < 2:
        raise ValueError("Give the probabilities of all classes, as evaluation.predict does.")
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


def _shades(image: np.ndarray) -> np.ndarray:
    """Return an image of [0, 1] or [0, 255] in [0, 1]."""
    image = np.squeeze(image)
    to_255 = np.issubdtype(image.dtype, np.integer) or image.max() > 2  # with room for rounding
    return np.clip(image / 255 if to_255 else image, 0, 1)


def _grid(
    images: Images, columns: int, size: float, titles: Titles = None, rows: int = 1, **look: Any
) -> Figure:
    """Show images in square panels of `size` inches, in the first of every `rows` rows."""
    count = len(images)
    if not 0 < count <= 2_048:
        raise ValueError(f"There are {count:,} pictures to show; expected 1 to 2,048.")
    if titles is not None and len(titles) != count:
        raise ValueError(f"{len(titles)} titles were given for {count} pictures; give one each.")
    names = [""] * count if titles is None else titles
    columns = min(columns, count)
    height = rows * -(-count // columns)
    shape = (size * columns, (size if titles is None else size + 0.25) * height)
    figure, axes = plt.subplots(height, columns, figsize=shape, squeeze=False, subplot_kw=BARE)
    for ax, image, title in zip(axes[::rows].flat, images, names, strict=False):
        ax.imshow(image, **look)
        ax.set_title(str(title))
    return figure
