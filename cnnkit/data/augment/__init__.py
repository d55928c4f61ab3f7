"""Data augmentation: layers that change photos in training and leave them alone in inference.

Each keeps the shape and dtype of the photos, and their range: those that move photos keep any,
the others presume pixels from 0 to 255 unless `value_range` says otherwise. Only `crop_and_flip`
makes photos smaller, in inference too. Put a layer in front of a model, as
`models.cats_vs_dogs_cnn` does, or call it with ``training=True`` to look at what it does. Keras's
own layers do the work wherever it has one.
"""

from typing import Any

from cnnkit import checks
from cnnkit.data.augment.base import Augmentation, Chain, Range
from cnnkit.data.augment.geometry import CropAndFlip, CropAndResize, PadAndCrop, QuarterTurns
from cnnkit.data.augment.pixels import PCAColor, SaltAndPepper

from keras import layers, ops

__all__ = [
    "Augmentation",
    "Chain",
    "CropAndResize",
    "PCAColor",
    "QuarterTurns",
    "SaltAndPepper",
    "blur",
    "color_jitter",
    "crop_and_flip",
    "flip",
    "flip_pad_and_crop",
    "flip_rotate_zoom",
    "pad_and_crop",
    "rotate",
    "sharpen",
    "ten_crop",
]


def flip_rotate_zoom(seed: int | None = None) -> Chain:
    """Mirror, turn and zoom photos, as chapter 4's model does.

    Mirrored left to right with a probability of one half; turned by up to a tenth of a full turn
    to either side; enlarged or reduced by up to a fifth. Corners that come into view are filled
    with a reflection.

    Parameters
    ----------
    seed : int, optional
        Without it, Keras's global seed decides, here as in all of this module.

    References
    ----------
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listing 8.14.
    """
    chain = [
        layers.RandomFlip("horizontal", seed=seed),
        layers.RandomRotation(0.1, seed=_next(seed, 1)),
        layers.RandomZoom(0.2, seed=_next(seed, 2)),
    ]
    return Chain(chain, value_range=None, name="flip_rotate_zoom")


def flip(mode: str = "horizontal", seed: int | None = None) -> Chain:
    """Mirror photos with a probability of one half.

    Parameters
    ----------
    mode : {"horizontal", "vertical", "horizontal_and_vertical"}
        Left to right, top to bottom, or each of the two.
    seed : int, optional
    """
    checks.one_of("mode", mode, ("horizontal", "vertical", "horizontal_and_vertical"))
    return Chain([layers.RandomFlip(mode, seed=seed)], value_range=None, name="flip")


def rotate(degrees: float = 45, seed: int | None = None) -> Chain:
    """Turn photos by any angle, and fill the corners that come into view with zeros.

    Parameters
    ----------
    degrees : float
        The largest angle, to either side, up to 180.
    seed : int, optional
    """
    turn = layers.RandomRotation(degrees / 360, fill_mode="constant", fill_value=0.0, seed=seed)
    return Chain([turn], value_range=None, name="rotate")


def color_jitter(
    strength: float = 0.3, seed: int | None = None, value_range: Range = (0, 255)
) -> Chain:
    """Change brightness, contrast, saturation and, a sixth as much, hue.

    Parameters
    ----------
    strength : float
        In [0, 1]; 0 changes nothing.
    seed : int, optional
    value_range : (low, high)
        Of the pixels.
    """
    _check_strength(strength)
    jitter = layers.RandomColorJitter(
        value_range=value_range,
        brightness_factor=strength,
        contrast_factor=strength,
        saturation_factor=(0.5 - strength / 2, 0.5 + strength / 2),
        hue_factor=strength / 6,
        seed=seed,
    )
    return Chain([jitter], value_range=value_range, name="color_jitter")


def blur(
    kernel_size: int = 7,
    sigma: float = 2.0,
    seed: int | None = None,
    value_range: Range = (0, 255),
) -> Chain:
    """Blur about half of the photos with a Gaussian kernel, by one random amount for a batch.

    Parameters
    ----------
    kernel_size : int
        Pixels a side, odd.
    sigma : float
        Largest standard deviation of the kernel, in pixels.
    seed : int, optional
    value_range : (low, high)
        Of the pixels.
    """
    layer = layers.RandomGaussianBlur(
        kernel_size=kernel_size, sigma=(0.1, sigma), value_range=value_range, seed=seed
    )
    return Chain([layer], value_range=value_range, name="blur")


def sharpen(strength: float = 1.0, seed: int | None = None, value_range: Range = (0, 255)) -> Chain:
    """Sharpen edges, by a random amount.

    Parameters
    ----------
    strength : float
        The largest amount, in [0, 1].
    seed : int, optional
    value_range : (low, high)
        Of the pixels.
    """
    _check_strength(strength)
    factor = (0.5, 0.5 + strength / 2)
    layer = layers.RandomSharpness(factor, value_range=value_range, seed=seed)
    return Chain([layer], value_range=value_range, name="sharpen")


def pad_and_crop(padding: int = 4, seed: int | None = None) -> PadAndCrop:
    """Surround photos with zeros and cut a window of their size out, as is usual for CIFAR-10.

    Keras's `RandomCrop` cuts the same window out of all photos of a batch; this one does not.

    Parameters
    ----------
    padding : int
        Pixels to each side.
    seed : int, optional
    """
    return PadAndCrop(padding, seed=seed, name="pad_and_crop")


def flip_pad_and_crop(padding: int = 4, seed: int | None = None) -> Chain:
    """Mirror photos, and move them as `pad_and_crop` does: the augmentation of chapter 9.

    Parameters
    ----------
    padding : int
        Pixels to each side.
    seed : int, optional

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
    section 4.2.
    """
    chain = [layers.RandomFlip("horizontal", seed=seed), pad_and_crop(padding, _next(seed, 1))]
    return Chain(chain, value_range=None, name="flip_pad_and_crop")


def crop_and_flip(size: int = 227, seed: int | None = None) -> CropAndFlip:
    """Cut a random window out of each photo and mirror it with a probability of one half.

    In inference it cuts the middle out. The photos may have any size from that of the window; 256
    pixels a side with the window of 227, in chapter 7.

    Parameters
    ----------
    size : int
        Of the window, in pixels a side.
    seed : int, optional
    """
    return CropAndFlip(size, seed=seed, name="crop_and_flip")


def ten_crop(images: Any, size: int) -> Any:
    """Cut ten windows out of each photo: the corners, the middle, and their mirror images.

    Parameters
    ----------
    images : ndarray or tensor, (n, height, width, channels)
    size : int
        Of the windows, in pixels a side.

    Returns
    -------
    tensor, (n, 10, size, size, channels)
        Top left, top right, bottom left, bottom right, middle, and the same mirrored left to
        right.

    Raises
    ------
    ValueError
        Windows that are larger than the photos.

    References
    ----------
    A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks", NeurIPS 2012, section 4.1.
    """
    images = ops.convert_to_tensor(images)
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"size is {size!r}; expected a whole number of pixels, from 1.")
    if len(images.shape) != 4 or size > min(images.shape[1:3]):
        raise ValueError(
            f"The photos have shape {tuple(images.shape)}; expected (n, height, width, channels), "
            f"each side at least {size}."
        )
    down, right = images.shape[1] - size, images.shape[2] - size
    corners = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    crops = [images[:, top : top + size, left : left + size] for top, left in corners]
    return ops.stack(crops + [ops.flip(crop, axis=2) for crop in crops], axis=1)


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; expected 0 to 1.")


def _next(seed: int | None, number: int) -> int | None:
    """Give each layer of a chain random numbers of its own."""
    return None if seed is None else seed + number
