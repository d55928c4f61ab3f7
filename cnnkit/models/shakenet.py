"""ShakeNet: a residual network whose blocks have branches, mixed by shake-shake."""

from cnnkit import checks
from cnnkit.backend import BatchNormalization
from cnnkit.models.shake import ShakeShake
from cnnkit.networks import channels_last

import keras
from keras import KerasTensor, layers

MEAN, DEVIATION = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)  # of CIFAR-10, in [0, 1]


@channels_last()
def shakenet(
    depth: int = 26,
    width: int = 32,
    classes: int = 10,
    forward: str = "shake",
    backward: str = "shake",
    level: str = "image",
    branches: int = 2,
    skip: bool = True,
    batch_norm: bool = True,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    augmentation: keras.Layer | None = None,
) -> keras.Model:
    """Build ShakeNet, by default the paper's "26 2×32d": 2,923,162 parameters.

    Source: X. Gastaldi, "Shake-Shake regularization", arXiv:1705.07485, 2017, section 2, and the
    author's code.

    Parameters
    ----------
    depth : int
        Layers with weights on the longest path, those of skips not counted: 8, 14, 20, 26, …
    width : int
        Channels in the first of the three stages, even; twice and four times as many follow.
    classes, branches : int
        Number of classes, and of branches in each block, from 2. The paper's blocks have 2.
    forward, backward, level : str
        How each block mixes its branches; see `ShakeShake`.
    skip, batch_norm : bool
        Whether blocks have a skip connection, and convolutions batch normalisation. In one of its
        experiments each, the paper leaves them out.
    input_shape : (height, width, 3)
        Of the images, at least 3 pixels a side.
    augmentation : keras.Layer, optional
        Moves, mirrors or cuts the images in training, after their colours were standardised, so
        that pixels from outside, which are 0, have the mean colour.

    Returns
    -------
    keras.Model, (n, height, width, 3) in [0, 255] → (n, classes) probabilities
    """
    checks.whole_number("classes", classes, least=2)
    checks.whole_number("branches", branches, least=2)
    checks.image_size(input_shape, "input_shape", 3, 3)  # of which three stages leave a pixel
    checks.augmentation(augmentation)
    if depth not in range(8, 10_000, 6):
        raise ValueError(f"depth is {depth}; expected 8, 14, 20, 26, … (two, and six a block).")
    if width not in range(2, 10_000, 2):
        raise ValueError(f"width is {width}; expected an even number of channels, from 2.")
    if getattr(augmentation, "value_range", None) is not None:
        raise ValueError(f"augmentation is {augmentation}; expected one that only moves pixels.")
    inputs = keras.Input(input_shape, name="pictures")
    mean, variance = [255 * value for value in MEAN], [(255 * value) ** 2 for value in DEVIATION]
    x = layers.Normalization(mean=mean, variance=variance, name="standardize")(inputs)
    x = x if augmentation is None else augmentation(x)
    x = _norm(_conv(x, 16, 3, 1, "conv1"), batch_norm, "bn1")
    for stage in (1, 2, 3):
        for block in range(1, (depth - 2) // 6 + 1):
            name, stride = f"stage{stage}_block{block}", 2 if stage > 1 and block == 1 else 1
            form = (width * 2 ** (stage - 1), stride, batch_norm)
            mixed = [_branch(x, *form, f"{name}_branch{n + 1}") for n in range(branches)]
            mixed = ShakeShake(forward, backward, level, name=f"{name}_mix")(mixed)
            if skip:
                mixed = layers.Add(name=f"{name}_add")([_skip(x, *form, f"{name}_skip"), mixed])
            x = mixed
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    outputs = layers.Dense(classes, "softmax", kernel_initializer=uniform, name="predictions")(x)
    return keras.Model(inputs, outputs, name="shakenet")


def _branch(x: KerasTensor, channels: int, stride: int, batch_norm: bool, name: str) -> KerasTensor:
    """Convolve twice, each time after a ReLU."""
    for number in (1, 2):
        x = layers.ReLU(name=f"{name}_relu{number}")(x)
        x = _conv(x, channels, 3, stride if number == 1 else 1, f"{name}_conv{number}")
        x = _norm(x, batch_norm, f"{name}_bn{number}")
    return x


def _skip(x: KerasTensor, channels: int, stride: int, batch_norm: bool, name: str) -> KerasTensor:
    """Pass x on; where the channels change, two paths see pixels that lie one apart."""
    if x.shape[-1] == channels:
        return x
    x = layers.ReLU(name=f"{name}_relu")(x)
    shifted = layers.ZeroPadding2D(((1, 0), (1, 0)), name=f"{name}_pad")(x)
    shifted = layers.Cropping2D(((0, 1), (0, 1)), name=f"{name}_shift")(shifted)
    paths = []
    for number, path in enumerate((x, shifted), start=1):
        path = layers.AveragePooling2D(1, stride, name=f"{name}_pool{number}")(path)
        paths.append(_conv(path, channels // 2, 1, 1, f"{name}_conv{number}"))
    x = layers.Concatenate(name=f"{name}_concat")(paths)
    return _norm(x, batch_norm, f"{name}_bn")


def _conv(x: KerasTensor, channels: int, size: int, stride: int, name: str) -> KerasTensor:
    """Convolve without a bias, with the same number of zeros on every side."""
    he = keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")
    if stride > 1:  # where "same" would put more of them below and to the right
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    form = {"padding": "valid" if stride > 1 else "same", "use_bias": False}
    return layers.Conv2D(channels, size, stride, **form, kernel_initializer=he, name=name)(x)


def _norm(x: KerasTensor, batch_norm: bool, name: str) -> KerasTensor:
    return BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x) if batch_norm else x
