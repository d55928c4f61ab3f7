"""Windows of photos: a random one for training, and ten of them for evaluation."""

from typing import Any

from cnnkit import checks
from cnnkit.data.augment.base import Chain, next_seed
from cnnkit.data.augment.geometry import CropAndFlip, PadAndCrop

from keras import layers, ops


def pad_and_crop(padding: int = 4, seed: int | None = None) -> PadAndCrop:
    """Surround photos with zeros and cut a window of their size out, as is usual for CIFAR-10.

    Keras's `RandomCrop` cuts the same window out of all photos of a batch; this one does not.

    Parameters
    ----------
    padding : int
        Pixels to each side, from 1.
    seed : int, optional

    Returns
    -------
    keras.Layer

    Raises
    ------
    ValueError
        A padding out of range.
    """
    return PadAndCrop(padding, seed=seed, name="pad_and_crop")


def flip_pad_and_crop(padding: int = 4, seed: int | None = None) -> Chain:
    """Mirror photos, and move them as `pad_and_crop` does: the augmentation of chapter 9.

    Parameters
    ----------
    padding : int
        Pixels to each side.
    seed : int, optional

    Returns
    -------
    keras.Layer

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
    section 4.2.
    """
    chain = [layers.RandomFlip("horizontal", seed=seed), pad_and_crop(padding, next_seed(seed, 1))]
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

    Returns
    -------
    keras.Layer

    Raises
    ------
    ValueError
        A size out of range; and, when it is called, photos that are smaller.
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
    checks.whole_number("size", size, least=1)
    if len(images.shape) != 4 or size > min(images.shape[1:3]):
        raise ValueError(
            f"The photos have shape {tuple(images.shape)}; expected (n, height, width, channels), "
            f"each side at least {size}."
        )
    down, right = images.shape[1] - size, images.shape[2] - size
    corners = ((0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2))
    crops = [images[:, top : top + size, left : left + size] for top, left in corners]
    return ops.stack(crops + [ops.flip(crop, axis=2) for crop in crops], axis=1)
