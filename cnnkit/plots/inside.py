"""What a network looks at, laid over its pictures."""

from collections.abc import Sequence

from cnnkit.plots.pictures import show_picture, titles_for
from cnnkit.plots.style import BLUE, VERMILION, outline, panels, styled

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

OPAQUE = 0.75  # of the hottest pixel
WIDTH = 1.25  # of a picture, in inches


@styled
def heat_overlays(
    images: np.ndarray | Sequence[np.ndarray],
    heat: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[object] | None = None,
    boxes: np.ndarray | None = None,
    columns: int = 6,
) -> Figure:
    """Show pictures, and below each the same picture in grey, with the heat in orange over it.

    Parameters
    ----------
    images : sequence of ndarray, each (h, w, 1) or (h, w, 3)
        In [0, 1] or [0, 255].
    heat : sequence of ndarray, each (h, w)
        In [0, 1], as `evaluation.explain.grad_cam` returns it.
    titles : sequence, optional
        One above each picture.
    boxes : ndarray, (n, 4), optional
        Left, top, right and bottom of a frame in each picture.
    columns : int
        Pictures a row.

    Raises
    ------
    ValueError
        No picture, or not one heat, title or box for each.
    """
    names = titles_for(len(images), titles)
    frames = [None] * len(images) if boxes is None else list(boxes)
    if not len(images) == len(heat) == len(frames):
        raise ValueError(
            f"{len(heat)} heats and {len(frames)} boxes were given for {len(images)} pictures; "
            "give one each."
        )
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    figure, axes = panels(2 * rows * columns, columns, WIDTH, titles is not None)
    for number, (image, hot, name, frame) in enumerate(
        zip(images, heat, names, frames, strict=True)
    ):
        row, column = divmod(number, columns)
        above, below = (axes[(2 * row + k) * columns + column] for k in (0, 1))
        show_picture(above, image)
        above.set_title(name)
        grey = np.asarray(image, "float32").mean(axis=-1)
        below.imshow(grey, cmap="gray_r" if np.shape(image)[-1] == 1 else "gray")
        red = np.empty((*np.shape(hot), 4))
        red[:] = to_rgba(VERMILION)
        red[..., 3] = OPAQUE * np.asarray(hot)
        below.imshow(red)
        if frame is not None:
            left, top, right, bottom = frame
            for ax in (above, below):
                outline(ax, top, left, bottom - top, right - left, BLUE, lw=1.5, clip_on=True)
    return figure
