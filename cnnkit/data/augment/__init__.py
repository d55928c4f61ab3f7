"""Data augmentation: layers that change images in training and leave them alone in inference.

Each returns images (n, height, width, channels) of the shape, dtype and range that came in.
Layers that move pixels keep any range; the others expect 0 to 255 unless `value_range` says
otherwise. Only `crop_and_flip` makes images smaller, in inference too. Without `seed`, Keras's
global seed decides. Put a layer in front of a model, as `models.cats_vs_dogs_cnn` does, or call it
with ``training=True`` to look at what it does. Keras's own layers do the work wherever it has one.
"""

# ruff: noqa: F403, F405  (the modules name their layers)
from typing import Any

from cnnkit import checks
from cnnkit.data.augment.base import Augmentation, Chain, Range
from cnnkit.data.augment.layers import *
from cnnkit.networks import channels_last

from keras import layers, ops

__all__ = ["Augmentation", "Chain", "CropAndResize", "PCAColor", "QuarterTurns", "SaltAndPepper"]
__all__ += ["blur", "color_jitter", "crop_and_flip", "flip", "flip_pad_and_crop"]
__all__ += ["flip_rotate_zoom", "pad_and_crop", "rotate", "sharpen", "ten_crop"]

crop_and_flip, pad_and_crop = CropAndFlip, PadAndCrop


@channels_last()
def flip_rotate_zoom(seed: int | None = None) -> Chain:
    """Mirror, turn and zoom images, as chapter 4's model does.

    Mirrored left to right with a probability of one half; turned by up to a tenth of a full turn
    to either side; enlarged or reduced by up to a fifth; corners are filled with a reflection.
    Source: F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listing 8.14.
    """
    first, second, third = (None if seed is None else seed + number for number in range(3))
    chain = [layers.RandomFlip("horizontal", seed=first), layers.RandomRotation(0.1, seed=second)]
    chain.append(layers.RandomZoom(0.2, seed=third))
    return Chain(chain, value_range=None, name="flip_rotate_zoom")


@channels_last()
def flip(mode: str = "horizontal", seed: int | None = None) -> Chain:
    """Mirror half of the images: "horizontal", "vertical" or "horizontal_and_vertical"."""
    checks.one_of("mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))
    return Chain([layers.RandomFlip(mode, seed=seed)], value_range=None, name="flip")


@channels_last()
def rotate(degrees: float = 45, seed: int | None = None) -> Chain:
    """Turn images by up to `degrees` to either side, and fill the corners with zeros."""
    turn = layers.RandomRotation(degrees / 360, fill_mode="constant", fill_value=0.0, seed=seed)
    return Chain([turn], value_range=None, name="rotate")


@channels_last()
def color_jitter(
    strength: float = 0.3, seed: int | None = None, value_range: Range = (0, 255)
) -> Chain:
    """Change brightness, contrast, saturation, and a sixth as much hue, by up to `strength`."""
    factors: Any = (strength, strength, (0.5 - strength / 2, 0.5 + strength / 2), strength / 6)
    jitter = layers.RandomColorJitter(value_range, *factors, seed=seed)
    return Chain([jitter], value_range=value_range, name="color_jitter")


@channels_last()
def blur(
    kernel_size: int = 7, sigma: float = 2.0, seed: int | None = None, value_range: Range = (0, 255)
) -> Chain:
    """Blur about half of the images with a Gaussian kernel, by one random amount for a batch.

    The kernel has `kernel_size` pixels a side, odd, and a standard deviation of up to `sigma`.
    """
    size: Any = {"kernel_size": kernel_size, "sigma": (0.1, sigma)}
    layer = layers.RandomGaussianBlur(**size, value_range=value_range, seed=seed)
    return Chain([layer], value_range=value_range, name="blur")


@channels_last()
def sharpen(strength: float = 1.0, seed: int | None = None, value_range: Range = (0, 255)) -> Chain:
    """Sharpen edges by a random amount, up to `strength` in [0, 1]."""
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; expected 0 to 1.")
    layer = layers.RandomSharpness((0.5, 0.5 + strength / 2), value_range=value_range, seed=seed)
    return Chain([layer], value_range=value_range, name="sharpen")


@channels_last()
def flip_pad_and_crop(padding: int = 4, seed: int | None = None) -> Chain:
    """Mirror images, and move them as `pad_and_crop` does: the augmentation of chapter 9."""
    first, second = seed, None if seed is None else seed + 1
    chain = [layers.RandomFlip("horizontal", seed=first), pad_and_crop(padding, second)]
    return Chain(chain, value_range=None, name="flip_pad_and_crop")


def ten_crop(images: Any, size: int) -> Any:
    """Cut ten windows out of each image: the corners, the middle, and their mirror images.

    `images` are an array or tensor, (n, height, width, channels); the windows have `size` pixels a
    side. It returns a tensor, (n, 10, size, size, channels): top left, top right, bottom left,
    bottom right, middle, and the same mirrored left to right (section 4.1 of the AlexNet paper).
    """
    images = ops.convert_to_tensor(images)
    checks.whole_number("size", size, least=1)
    if len(images.shape) != 4 or size > min(images.shape[1:3]):
        expected = f"(n, height, width, channels), each side at least {size}"
        raise ValueError(f"The photos have shape {tuple(images.shape)}; expected {expected}.")
    down, right = images.shape[1] - size, images.shape[2] - size
    corners = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    crops = [images[:, top : top + size, left : left + size] for top, left in corners]
    return ops.stack(crops + [ops.flip(crop, axis=2) for crop in crops], axis=1)
