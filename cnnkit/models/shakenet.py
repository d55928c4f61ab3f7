"""ShakeNet: a residual network whose blocks have two branches, mixed by shake-shake."""

from typing import Any

from cnnkit import checks
from cnnkit.models.normalization import BatchNormalization
from cnnkit.models.shake import ShakeShake

import keras
from keras import layers

STEM = 16  # channels of the first convolution
MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10, in [0, 1]


def shakenet(
    depth: int = 26,
    width: int = 32,
    classes: int = 10,
    forward: str = "shake",
    backward: str = "shake",
    level: str = "image",
    skip: bool = True,
    batch_norm: bool = True,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    augmentation: keras.Layer | None = None,
) -> keras.Model:
    """Build ShakeNet, "26 2×32d" unless said otherwise: 2,923,162 parameters.

    Parameters
    ----------
    depth : int
        Layers with weights on the longest way, the skips' aside: 8, 14, 20, 26, …
    width : int
        Channels in the first of the three stages, even; twice and four times as many follow.
    classes : int
        Number of classes, from 2.
    forward, backward, level : str
        How each block mixes its branches; see `ShakeShake`.
    skip : bool
        Whether blocks have a skip connection. The paper's do, one of its experiments leaves them
        out.
    batch_norm : bool
        Whether convolutions are followed by batch normalisation. The paper's are; one of its
        experiments leaves it out.
    input_shape : (height, width, 3)
        Of the pictures, at least 3 pixels a side.
    augmentation : keras.Layer, optional
        Moves, mirrors or cuts the pictures in training, after their colours were standardised, so
        that pixels from outside, which are 0, have the mean colour.

    Returns
    -------
    keras.Model
        (n, height, width, 3) in [0, 255] → (n, classes) probabilities.

    Raises
    ------
    ValueError
        An argument out of range.

    References
    ----------
    X. Gastaldi, "Shake-Shake regularization", arXiv:1705.07485, 2017, section 2, and the author's
    code.
    """
    _check(depth, width, classes, input_shape, augmentation)
    mix: dict[str, Any] = {"forward": forward, "backward": backward, "level": level}
    inputs = keras.Input(input_shape, name="pictures")
    x = _standardize(inputs)
    if augmentation is not None:
        x = augmentation(x)
    x = _conv(x, STEM, 3, "conv1")
    x = _norm(x, "bn1", batch_norm)
    for stage, stride in enumerate((1, 2, 2), start=1):
        channels = width * 2 ** (stage - 1)
        for block in range(1, (depth - 2) // 6 + 1):
            name = f"stage{stage}_block{block}"
            x = _block(x, channels, stride if block == 1 else 1, mix, skip, batch_norm, name)
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    outputs = layers.Dense(classes, "softmax", kernel_initializer=uniform, name="predictions")(x)
    return keras.Model(inputs, outputs, name="shakenet")


def _block(
    x: keras.KerasTensor,
    channels: int,
    stride: int,
    mix: dict[str, Any],
    skip: bool,
    batch_norm: bool,
    name: str,
) -> keras.KerasTensor:
    """Mix two branches, and add what skips them."""
    branches = [
        _branch(x, channels, stride, batch_norm, f"{name}_branch{number}") for number in (1, 2)
    ]
    mixed = ShakeShake(**mix, name=f"{name}_mix")(branches)
    if not skip:
        return mixed
    skipped = _skip(x, channels, stride, batch_norm, f"{name}_skip")
    return layers.Add(name=f"{name}_add")([skipped, mixed])


def _branch(
    x: keras.KerasTensor, channels: int, stride: int, batch_norm: bool, name: str
) -> keras.KerasTensor:
    """Convolve twice, each time after a ReLU."""
    for number in (1, 2):
        x = layers.ReLU(name=f"{name}_relu{number}")(x)
        x = _conv(x, channels, 3, f"{name}_conv{number}", stride if number == 1 else 1)
        x = _norm(x, f"{name}_bn{number}", batch_norm)
    return x


def _skip(
    x: keras.KerasTensor, channels: int, stride: int, batch_norm: bool, name: str
) -> keras.KerasTensor:
    """Pass x on; where the channels change, two paths see pixels that lie one apart."""
    if x.shape[-1] == channels:
        return x
    x = layers.ReLU(name=f"{name}_relu")(x)
    shifted = layers.ZeroPadding2D(((1, 0), (1, 0)), name=f"{name}_pad")(x)
    shifted = layers.Cropping2D(((0, 1), (0, 1)), name=f"{name}_shift")(shifted)
    paths = []
    for number, path in enumerate((x, shifted), start=1):
        path = layers.AveragePooling2D(1, stride, name=f"{name}_pool{number}")(path)
        paths.append(_conv(path, channels // 2, 1, f"{name}_conv{number}"))
    x = layers.Concatenate(name=f"{name}_concat")(paths)
    return _norm(x, f"{name}_bn", batch_norm)


def _conv(
    x: keras.KerasTensor, channels: int, size: int, name: str, stride: int = 1
) -> keras.KerasTensor:
    """Convolve without a bias, with the same number of zeros on every side."""
    padding = "same"
    if stride > 1:  # where "same" would put more of them below and to the right
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    he = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    return layers.Conv2D(
        channels, size, stride, padding, use_bias=False, kernel_initializer=he, name=name
    )(x)


def _norm(x: keras.KerasTensor, name: str, batch_norm: bool) -> keras.KerasTensor:
    if not batch_norm:
        return x
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def _standardize(x: keras.KerasTensor) -> keras.KerasTensor:
    mean = [255 * value for value in MEAN]
    variance = [(255 * value) ** 2 for value in DEVIATION]
    return layers.Normalization(mean=mean, variance=variance, name="standardize")(x)


def _check(
    depth: int,
    width: int,
    classes: int,
    input_shape: tuple[int, int, int],
    augmentation: keras.Layer | None,
) -> None:
    checks.whole_number("depth", depth, least=8)
    if (depth - 2) % 6:
        raise ValueError(
            f"depth is {depth}; expected 8, 14, 20, 26, …: two layers, and three stages of blocks "
            "with two each."
        )
    checks.whole_number("width", width, least=2)
    if width % 2:
        raise ValueError(f"width is {width}; expected an even number of channels, from 2.")
    checks.whole_number("classes", classes, least=2)
    checks.photo_shape(input_shape, 3, "of which three stages leave a pixel", colour=True)
    checks.augmentation(augmentation)
    if getattr(augmentation, "value_range", None) is not None:
        raise ValueError(
            f"The augmentation {augmentation.name!r} makes new values, of a range of their own; "  # type: ignore[union-attr]
            "expected one that moves pixels alone, since it gets standardised colours."
        )
