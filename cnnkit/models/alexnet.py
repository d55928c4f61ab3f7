"""AlexNet: five convolutions and three dense layers, the network that won ImageNet in 2012."""

from collections.abc import Sequence
from typing import Any

from cnnkit import checks

import keras
import numpy as np
from keras import layers, ops

# Of each convolution: filters, kernel size, stride, padding, starts with the bias 0, and whether
# 3×3 max pooling of stride 2 follows. The paper splits conv2, conv4 and conv5 into two groups.
CONVOLUTIONS = {
    "conv1": (96, 11, 4, "valid", True, True),
    "conv2": (256, 5, 1, "same", False, True),
    "conv3": (384, 3, 1, "same", True, False),
    "conv4": (384, 3, 1, "same", False, False),
    "conv5": (256, 3, 1, "same", False, True),
}
GROUPED = ("conv2", "conv4", "conv5")
NORMALIZED = ("conv1", "conv2")
UNITS = 4096
SMALLEST = 67  # pixels a side, of which pool5 leaves one


def alexnet(
    input_shape: tuple[int, int, int] = (227, 227, 3),
    classes: int = 2,
    width: float = 1.0,
    dropout: float = 0.5,
    weight_decay: float = 5e-4,
    mean: Sequence[float] | None = None,
    augmentation: keras.Layer | None = None,
    initializer: str = "paper",
    rescale: bool = False,
    bias: float = 0.1,
    groups: int = 1,
    local_response_normalization: bool = False,
) -> keras.Model:
    """Build AlexNet as the source of chapter 7 has it: 58,289,538 parameters for two classes.

    With ``classes=1000, bias=1, groups=2, local_response_normalization=True`` it has the paper's
    60,965,224 parameters.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Of what the first convolution sees; at least 67 pixels a side.
    classes : int
        Number of classes, from 2.
    width : float
        Share of the published number of filters and units.
    dropout : float
        Share of the units of fc6 and of fc7 that training drops, in [0, 1).
    weight_decay : float
        The loss gets ``weight_decay`` times half the sum of the squares of all weights and biases.
    mean : sequence of float, optional
        Mean colour of the training photos, in [0, 255], to be taken off the pixels.
    augmentation : keras.Layer, optional
        In front of everything else. With one that cuts photos to `input_shape`, such as
        `data.augment.crop_and_flip`, the model takes photos of any larger size.
    initializer : {"paper", "he"}
        ``"paper"``: weights from a normal distribution of deviation 0.01, but 0.005 in fc6 and fc7
        as in the source; over the square root of `width`, so that the signal does not fade in
        narrow networks. ``"he"``: He et al.'s, which came three years later.
    rescale : bool
        Whether to divide the pixels by 255, as the source does and the paper does not.
    bias : float
        With which conv2, conv4, conv5, fc6 and fc7 begin; 1 in the paper. The others begin with 0.
    groups : int
        Into which the channels of conv2, conv4 and conv5 are split; 2 in the paper.
    local_response_normalization : bool
        Whether it follows conv1 and conv2, as in the paper.

    Returns
    -------
    keras.Model
        (n, height, width, channels) in [0, 255] → (n, classes) probabilities.

    Raises
    ------
    ValueError
        An argument out of range; photos that are too small, or not cut to `input_shape`.

    References
    ----------
    A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet Classification with Deep Convolutional
    Neural Networks", NeurIPS 2012.
    """
    _check(input_shape, classes, width, dropout, weight_decay, initializer, groups)
    if mean is not None and (
        np.shape(mean) != (input_shape[2],) or np.min(mean) < 0 or not 1 < np.max(mean) <= 255
    ):
        raise ValueError(
            f"mean is {mean}; expected a value in [0, 255] for each colour. "
            "Colours in [0, 1] become such when multiplied by 255."
        )

    def options(deviation: float, start: float) -> dict[str, Any]:
        normal = keras.initializers.RandomNormal(stddev=deviation * width**-0.5)
        return {
            "kernel_initializer": normal if initializer == "paper" else "he_normal",
            "bias_initializer": keras.initializers.Constant(start),
            "kernel_regularizer": keras.regularizers.L2(weight_decay / 2),
            "bias_regularizer": keras.regularizers.L2(weight_decay / 2),
        }

    inputs, x = _entry(input_shape, augmentation)
    x = MeanColor(mean, 1 / 255 if rescale else 1.0, name="mean")(x)
    for name, (filters, size, stride, padding, unbiased, pooled) in CONVOLUTIONS.items():
        split = groups if name in GROUPED else 1
        x = layers.Conv2D(
            split * max(1, round(filters * width / split)),
            size,
            stride,
            padding,
            groups=split,
            activation="relu",
            **options(0.01, 0 if unbiased else bias),
            name=name,
        )(x)
        if local_response_normalization and name in NORMALIZED:
            x = LocalResponseNormalization(name=f"norm{name[-1]}")(x)
        if pooled:
            x = layers.MaxPooling2D(3, 2, name=f"pool{name[-1]}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        units = max(1, round(UNITS * width))
        x = layers.Dense(units, "relu", **options(0.005, bias), name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    outputs = layers.Dense(classes, "softmax", **options(0.01, 0), name="fc8")(x)
    return keras.Model(inputs, outputs, name="alexnet")


@keras.saving.register_keras_serializable("cnnkit")
class MeanColor(keras.Layer):
    """Takes the mean colour of the training photos off the pixels, and rescales what is left.

    Parameters
    ----------
    mean : sequence of float, optional
        In the unit of the pixels; none is taken off where it is not given.
    scale : float
        By which the rest is multiplied.
    """

    takes_bytes = True  # for the checks of photos

    def __init__(
        self, mean: Sequence[float] | None = None, scale: float = 1.0, **options: Any
    ) -> None:
        super().__init__(**options)
        self.mean = [0.0] if mean is None else [float(value) for value in mean]
        self.scale = scale

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Take pixels in [0, 255]."""
        return (images - ops.convert_to_tensor(self.mean, images.dtype)) * self.scale

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return {**super().get_config(), "mean": self.mean, "scale": self.scale}


@keras.saving.register_keras_serializable("cnnkit")
class LocalResponseNormalization(keras.Layer):
    r"""Divides each value by what its neighbours among the channels are at the same place.

    $b_i = a_i / (k + α \sum_j a_j^2)^β$, the sum going over the n channels around i, with the
    paper's constants (section 3.3).
    """

    n, k, alpha, beta = 5, 2.0, 1e-4, 0.75

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Normalise feature maps (n, height, width, channels)."""
        around, channels = self.n // 2, x.shape[-1]
        squares = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (around, around)))
        total = sum(squares[..., shift : shift + channels] for shift in range(self.n))
        return x / (self.k + self.alpha * total) ** self.beta

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the feature maps, which stays."""
        return input_shape


def _entry(
    input_shape: tuple[int, int, int], augmentation: keras.Layer | None
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Return the model's input, and what the augmentation makes of it."""
    if augmentation is None:
        inputs = keras.Input(input_shape, name="photos")
        return inputs, inputs
    checks.augmentation(augmentation)
    larger = (None, None, input_shape[2])
    cuts = None not in augmentation.compute_output_shape((None, *larger))[1:]
    inputs = keras.Input(larger if cuts else input_shape, name="photos")
    x = augmentation(inputs)
    if tuple(x.shape[1:]) != tuple(input_shape):
        raise ValueError(
            f"The augmentation {augmentation.name!r} gives photos of shape {x.shape[1:]}; expected "
            f"input_shape, {input_shape}."
        )
    return inputs, x


def _check(
    input_shape: tuple[int, int, int],
    classes: int,
    width: float,
    dropout: float,
    weight_decay: float,
    initializer: str,
    groups: int,
) -> None:
    checks.photo_shape(input_shape, SMALLEST, "which the last pooling needs")
    checks.whole_number("classes", classes, least=2)
    if not width > 0:
        raise ValueError(f"width is {width}; expected a positive share.")
    checks.dropout(dropout)
    if not weight_decay >= 0:
        raise ValueError(f"weight_decay is {weight_decay}; expected 0 or more.")
    checks.one_of("initializer", initializer, ("paper", "he"))
    checks.whole_number("groups", groups, least=1)
