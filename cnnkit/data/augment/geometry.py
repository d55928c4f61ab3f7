"""Photos turned, moved and cut."""

from typing import Any

from cnnkit.data.augment.base import Augmentation, Range

import keras
from keras import ops


@keras.saving.register_keras_serializable("cnnkit")
class QuarterTurns(Augmentation):
    """Turn each photo by 0, 90, 180 or 270 degrees. The photos must be square."""

    def __init__(self, value_range: Range | None = None, **options: Any) -> None:
        super().__init__(value_range=value_range, **options)

    def change(self, images: Any) -> Any:
        """Turn the photos."""
        height, width = images.shape[1:3]
        if height != width:
            raise ValueError(
                f"The photos are {height}×{width}; a quarter turn asks for square ones. Load them "
                "with as many pixels a side."
            )
        turns = keras.random.randint((ops.shape(images)[0], 1, 1, 1), 0, 4, seed=self.random)
        turned = images
        for number in (1, 2, 3):
            turned = ops.where(turns == number, ops.rot90(images, number, axes=(1, 2)), turned)
        return turned


class _Moved(Augmentation):
    """Base of the layers that look at another window of each photo."""

    def __init__(self, value_range: Range | None = None, **options: Any) -> None:
        super().__init__(value_range=value_range, **options)
        self.supports_jit = False  # XLA lacks TensorFlow's affine transformation

    def _window(self, images: Any, scale: Any, left: Any, top: Any, interpolation: str) -> Any:
        """Show the window of each photo whose corner is (left, top), `scale` times its size."""
        zero = ops.zeros_like(left)
        moves = [scale, zero, left, zero, scale, top, zero, zero]
        return ops.image.affine_transform(
            images,
            ops.stack(moves, axis=1),
            interpolation=interpolation,
            fill_mode="constant",
            data_format="channels_last",
        )


@keras.saving.register_keras_serializable("cnnkit")
class CropAndResize(_Moved):
    """Cut a random window out of each photo and enlarge it to the photo's size.

    Parameters
    ----------
    smallest : float
        Height of the smallest window against that of the photo, in (0, 1]; the largest is the
        photo. The aspect ratio stays.
    **options
        ``value_range`` and ``seed``, as `Augmentation` has them.

    Raises
    ------
    ValueError
        A share out of range.
    """

    def __init__(self, smallest: float = 0.7, **options: Any) -> None:
        super().__init__(**options)
        if not 0 < smallest <= 1:
            raise ValueError(f"smallest is {smallest}; expected a share, above 0 and up to 1.")
        self.smallest = smallest

    def change(self, images: Any) -> Any:
        """Cut and enlarge."""
        count, height, width = ops.shape(images)[:3]
        scale = keras.random.uniform((count,), self.smallest, 1.0, seed=self.random)
        place = keras.random.uniform((2, count), seed=self.random)
        free = 1.0 - scale
        left = place[0] * free * ops.cast(width - 1, "float32")
        top = place[1] * free * ops.cast(height - 1, "float32")
        return self._window(images, scale, left, top, "bilinear")

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return super().get_config() | {"smallest": self.smallest}


@keras.saving.register_keras_serializable("cnnkit")
class PadAndCrop(_Moved):
    """Surround each photo with zeros and cut a window of its size out of it.

    Parameters
    ----------
    padding : int
        Pixels to each side.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
    section 4.2.
    """

    def __init__(self, padding: int = 4, **options: Any) -> None:
        super().__init__(**options)
        if padding < 1:
            raise ValueError(f"padding is {padding}; expected at least 1 pixel.")
        self.padding = padding

    def change(self, images: Any) -> Any:
        """Move the photos."""
        count = ops.shape(images)[0]
        shape = (2, count)
        moves = keras.random.randint(shape, -self.padding, self.padding + 1, seed=self.random)
        moves = ops.cast(moves, "float32")
        return self._window(images, ops.ones_like(moves[0]), moves[0], moves[1], "nearest")

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return super().get_config() | {"padding": self.padding}


@keras.saving.register_keras_serializable("cnnkit")
class CropAndFlip(Augmentation):
    """Cut a window out of each photo and mirror half of the photos; in inference, the middle.

    Each photo has a window of its own; Keras's `RandomCrop` cuts the same out of a whole batch.
    Photos that have the window's size pass as they are in inference, so that `ten_crop` can cut
    them.

    Parameters
    ----------
    size : int
        Of the window, in pixels a side.

    References
    ----------
    A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks", NeurIPS 2012, section 4.1.
    """

    def __init__(self, size: int, value_range: Range | None = None, **options: Any) -> None:
        super().__init__(value_range=value_range, **options)
        if not isinstance(size, int) or size < 1:
            raise ValueError(f"size is {size!r}; expected a whole number of pixels, from 1.")
        self.size = size

    def call(self, images: Any, training: bool = False) -> Any:
        """Cut, and mirror in training."""
        shape, size = images.shape, self.size
        if len(shape) == 4 and any(side is not None and side < size for side in shape[1:3]):
            raise ValueError(
                f"The photos have shape {tuple(shape)}; expected at least {size} by {size} pixels. "
                "Load them larger."
            )
        images = super().call(images, training)
        if training:
            return images
        height, width = ops.shape(images)[1:3]
        corner = (0, (height - size) // 2, (width - size) // 2, 0)
        return ops.slice(images, corner, (ops.shape(images)[0], size, size, shape[-1]))

    def change(self, images: Any) -> Any:
        """Cut and mirror the photos."""
        count, height, width, channels = ops.shape(images)
        size = self.size
        place = keras.random.uniform((count, 2), seed=self.random)
        free = ops.cast(ops.stack([height - size + 1, width - size + 1]), "float32")
        corners = ops.cast(ops.floor(place * free), "int32")
        mirror = keras.random.uniform((count, 1, 1, 1), seed=self.random) < 0.5

        def cut(photo_and_corner: tuple[Any, Any]) -> Any:
            photo, corner = photo_and_corner
            return ops.slice(photo, (corner[0], corner[1], 0), (size, size, channels))

        windows = ops.map(cut, (images, corners))
        return ops.where(mirror, ops.flip(windows, axis=2), windows)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the windows."""
        return (input_shape[0], self.size, self.size, input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return super().get_config() | {"size": self.size}
