"""Data augmentation: layers that change photos in training and leave them alone in inference.

Each keeps the shape and dtype of the photos, and their range: those that move photos keep any,
the others presume pixels from 0 to 255 unless `value_range` says otherwise. Only `crop_and_flip`
makes photos smaller, in inference too. Put a layer in front of a model, as
`models.cats_vs_dogs_cnn` does, or call it with ``training=True`` to look at what it does. Keras's
own layers do the work wherever it has one.
"""

from cnnkit import checks
from cnnkit.data.augment.base import Augmentation, Chain, Range, next_seed
from cnnkit.data.augment.geometry import CropAndResize, QuarterTurns
from cnnkit.data.augment.pixels import PCAColor, SaltAndPepper
from cnnkit.data.augment.windows import (
    crop_and_flip,
    flip_pad_and_crop,
    pad_and_crop,
    ten_crop,
)

from keras import layers

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

    Returns
    -------
    keras.Layer

    References
    ----------
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listing 8.14.
    """
    chain = [
        layers.RandomFlip("horizontal", seed=seed),
        layers.RandomRotation(0.1, seed=next_seed(seed, 1)),
        layers.RandomZoom(0.2, seed=next_seed(seed, 2)),
    ]
    return Chain(chain, value_range=None, name="flip_rotate_zoom")


def flip(mode: str = "horizontal", seed: int | None = None) -> Chain:
    """Mirror photos with a probability of one half.

    Parameters
    ----------
    mode : {"horizontal", "vertical", "horizontal_and_vertical"}
        Left to right, top to bottom, or each of the two.
    seed : int, optional

    Returns
    -------
    keras.Layer

    Raises
    ------
    ValueError
        An unknown mode.
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

    Returns
    -------
    keras.Layer

    Raises
    ------
    ValueError
        An angle out of range.
    """
    if not 0 <= degrees <= 180:
        raise ValueError(f"degrees is {degrees}; expected 0 to 180.")
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

    Returns
    -------
    keras.Layer

    Raises
    ------
    ValueError
        A strength out of range.
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

    Returns
    -------
    keras.Layer
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

    Returns
    -------
    keras.Layer

    Raises
    ------
    ValueError
        A strength out of range.
    """
    _check_strength(strength)
    factor = (0.5, 0.5 + strength / 2)
    layer = layers.RandomSharpness(factor, value_range=value_range, seed=seed)
    return Chain([layer], value_range=value_range, name="sharpen")


def _check_strength(strength: float) -> None:
    if not 0 <= strength <= 1:
        raise ValueError(f"strength is {strength}; expected 0 to 1.")
