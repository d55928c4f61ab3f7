"""Images turned, moved and cut; with other colours and with noise."""

from typing import Any

from cnnkit import checks
from cnnkit.batches import read
from cnnkit.data.augment.base import Augmentation, Range

import keras
import numpy as np
from keras import ops

__all__ = ["CropAndFlip", "CropAndResize", "PCAColor", "PadAndCrop", "QuarterTurns"]
__all__ += ["SaltAndPepper"]


class _Moving(Augmentation):
    """Base of the layers that only move pixels, so that any range of values stays."""

    def __init__(self, value_range: Range | None = None, **options: Any) -> None:
        super().__init__(value_range=value_range, **options)


@keras.saving.register_keras_serializable("cnnkit")
class QuarterTurns(_Moving):
    """Turn each image by 0, 90, 180 or 270 degrees. The images must be square."""

    def change(self, images: Any) -> Any:
        height, width = images.shape[1:3]
        if height != width:
            raise ValueError(f"The photos are {height}×{width}; a quarter turn asks for squares.")
        turns = keras.random.randint((ops.shape(images)[0], 1, 1, 1), 0, 4, seed=self.random)
        turned = images
        for number in (1, 2, 3):
            turned = ops.where(turns == number, ops.rot90(images, number, axes=(1, 2)), turned)
        return turned


def _window(images: Any, scale: Any, corners: Any, interpolation: str) -> Any:
    """Show a window of each image, `scale`, (n,), times its size, from left and top, (2, n)."""
    zero = ops.zeros_like(scale)
    moves = ops.stack([scale, zero, corners[0], zero, scale, corners[1], zero, zero], axis=1)
    return ops.image.affine_transform(
        images, moves, interpolation, fill_mode="constant", data_format="channels_last"
    )


@keras.saving.register_keras_serializable("cnnkit")
class CropAndResize(_Moving):
    """Cut a random window of the image's aspect ratio out of each, and enlarge it to its size.

    The window's height is a random share of the image's, from `smallest`, in (0, 1], to 1.
    """

    def __init__(self, smallest: float = 0.7, **options: Any) -> None:
        super().__init__(**options)
        if not 0 < smallest <= 1:
            raise ValueError(f"smallest is {smallest}; expected a share, above 0 and up to 1.")
        self.smallest = smallest
        self.supports_jit = False  # XLA lacks TensorFlow's affine transformation

    def change(self, images: Any) -> Any:
        count, height, width = ops.shape(images)[:3]
        scale = keras.random.uniform((count,), self.smallest, 1.0, seed=self.random)
        place = keras.random.uniform((2, count), seed=self.random)
        sides = ops.cast(ops.stack([width - 1, height - 1]), "float32")[:, None]
        return _window(images, scale, place * (1.0 - scale) * sides, "bilinear")


@keras.saving.register_keras_serializable("cnnkit")
class PadAndCrop(_Moving):
    """Surround images with `padding` zeros a side, and cut a window of their size out of each.

    Keras's `RandomCrop` cuts the same window out of all images of a batch. Source: K. He et al.,
    "Deep Residual Learning for Image Recognition", CVPR 2016, section 4.2.
    """

    def __init__(self, padding: int = 4, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed=seed, **{"name": "pad_and_crop"} | options)
        checks.whole_number("padding", padding, least=1)
        self.padding = padding
        self.supports_jit = False

    def change(self, images: Any) -> Any:
        shape = (2, ops.shape(images)[0])
        moves = keras.random.randint(shape, -self.padding, self.padding + 1, seed=self.random)
        moves = ops.cast(moves, "float32")
        return _window(images, ops.ones_like(moves[0]), moves, "nearest")


@keras.saving.register_keras_serializable("cnnkit")
class CropAndFlip(_Moving):
    """Cut a random window out of each image and mirror half of them; in inference, the middle.

    The windows have `size` pixels a side, the images as many or more: those that have just as
    many stay in inference, so that `ten_crop` can cut them. Source: A. Krizhevsky et al.,
    "ImageNet Classification with Deep Convolutional Neural Networks", NeurIPS 2012, section 4.1.
    """

    def __init__(self, size: int = 227, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed=seed, **{"name": "crop_and_flip"} | options)
        checks.whole_number("size", size, least=1)
        self.size = size

    def call(self, images: Any, training: bool = False) -> Any:
        shape, size = images.shape, self.size
        if len(shape) == 4 and any(side is not None and side < size for side in shape[1:3]):
            expected = f"at least {size} by {size} pixels. Load them larger"
            raise ValueError(f"The photos have shape {tuple(shape)}; expected {expected}.")
        images = super().call(images, training)
        if training:
            return images
        top, left = ((side - size) // 2 for side in ops.shape(images)[1:3])
        return images[:, top : top + size, left : left + size]

    def change(self, images: Any) -> Any:
        count, height, width, channels = ops.shape(images)
        size = self.size
        place = keras.random.uniform((count, 2), seed=self.random)
        free = ops.cast(ops.stack([height - size + 1, width - size + 1]), "float32")
        corners = ops.cast(ops.floor(place * free), "int32")
        mirror = keras.random.uniform((count, 1, 1, 1), seed=self.random) < 0.5

        def cut(image_and_corner: tuple[Any, Any]) -> Any:
            image, corner = image_and_corner
            return ops.slice(image, (corner[0], corner[1], 0), (size, size, channels))

        windows = ops.map(cut, (images, corners))
        return ops.where(mirror, ops.flip(windows, axis=2), windows)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.size, self.size, input_shape[-1])


@keras.saving.register_keras_serializable("cnnkit")
class SaltAndPepper(Augmentation):
    """Make some pixels white and as many black; `share`, in [0, 1], is that of both together."""

    def __init__(self, share: float = 0.05, **options: Any) -> None:
        super().__init__(**options)
        if not 0 <= share <= 1:
            raise ValueError(f"share is {share}; expected 0 to 1.")
        self.share = share

    def change(self, images: Any) -> Any:
        low, high = self.value_range or (0, 255)
        draw = keras.random.uniform((*ops.shape(images)[:3], 1), seed=self.random)
        salted = ops.where(draw < self.share / 2, float(high), images)
        return ops.where(draw > 1 - self.share / 2, float(low), salted)


@keras.saving.register_keras_serializable("cnnkit")
class PCAColor(Augmentation):
    """Shift the colour of each image along the directions in which the training images differ.

    Call `adapt` before use. Each image gets the sum of $a_i σ_i p_i$ over the three principal
    components $p_i$ of the pixels, $σ_i$ being the standard deviation along it and $a_i$ a normal
    random number of standard deviation `deviation`. (The source, as `CropAndFlip`'s, takes the
    variance $σ_i^2$, whose effect depends on the unit of the pixels.) `components`, the three
    $σ_i p_i$, may be given if they are known already.
    """

    def __init__(self, deviation: float = 0.1, components: Any = None, **options: Any) -> None:
        super().__init__(**options)
        self.deviation, self.components = deviation, components

    def adapt(self, images: Any) -> None:
        """Find the principal components of the training images.

        They come as one array, (n, height, width, 3), or as batches (images, labels) or of images.
        """
        count, total, products = 0, np.zeros(3), np.zeros((3, 3))
        for batch, _ in read([images] if isinstance(images, np.ndarray) else images):
            if batch.ndim != 4 or batch.shape[-1] != 3:
                what = f"The photos have shape {batch.shape}"
                raise ValueError(f"{what}; expected (n, height, width, 3).")
            pixels = batch.astype("float64").reshape(-1, 3)
            count += len(pixels)
            total += pixels.sum(axis=0)
            products += pixels.T @ pixels
        if count == 0:
            raise ValueError("There are no photos to adapt to.")
        mean = total / count
        variances, directions = np.linalg.eigh(products / count - np.outer(mean, mean))
        deviations = np.sqrt(np.maximum(variances, 0))
        self.components = (deviations * directions).T.tolist()

    def change(self, images: Any) -> Any:
        if self.components is None:
            raise ValueError("PCAColor knows no photos yet: call adapt(training_photos) first.")
        shape = (ops.shape(images)[0], 3)
        drawn = keras.random.normal(shape, stddev=self.deviation, seed=self.random)
        shift = drawn @ ops.convert_to_tensor(self.components, "float32")
        return images + shift[:, None, None, :]
