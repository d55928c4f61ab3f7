"""AlexNet: five convolutions and three dense layers, the network that won ImageNet in 2012."""

from collections.abc import Sequence
from typing import Any

from cnnkit import checks
from cnnkit.networks import channels_last

import keras
import numpy as np
from keras import layers, ops

# Figure 2 and section 3.5 of the paper, each with a ReLU (3.1): filters, kernel size, stride,
# padding; whether it is split between the GPUs (3.2) and starts with a bias (5); whether local
# response normalisation (3.3) and 3×3 max pooling of stride 2 (3.4) follow.
CONVOLUTIONS = {
    "conv1": (96, 11, 4, "valid", False, True, True),
    "conv2": (256, 5, 1, "same", True, True, True),
    "conv3": (384, 3, 1, "same", False, False, False),
    "conv4": (384, 3, 1, "same", True, False, False),
    "conv5": (256, 3, 1, "same", True, False, True),
}


@channels_last()
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
    """Build AlexNet as chapter 7's source does: 58,289,538 parameters for two classes.

    With ``classes=1000, bias=1, groups=2, local_response_normalization=True`` it has the paper's
    60,965,224 parameters.
    Source: A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet Classification with Deep
    Convolutional Neural Networks", NeurIPS 2012.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Of what the first convolution sees; at least 67 pixels a side.
    classes : int
        Number of classes, from 2.
    width, dropout : float
        Share of the published filters and units, above 0, and of fc6's and fc7's units that
        training drops, in [0, 1).
    weight_decay : float
        The loss gets ``weight_decay`` times half the sum of the squares of all weights and biases.
    mean : sequence of float, optional
        Mean colour of the training images, in [0, 255], to be subtracted from the pixels.
    augmentation : keras.Layer, optional
        In front of everything else. If it cuts images to `input_shape`, as
        `data.augment.crop_and_flip` does, the model takes images of any larger size.
    initializer : {"paper", "he"}
        ``"paper"``: from a normal distribution of deviation 0.01, but 0.005 in fc6 and fc7 as in
        the source; over √`width`, so that the signal does not fade in narrow networks. ``"he"``:
        He et al.'s, of 2015.
    rescale : bool
        Whether to divide the pixels by 255, as the source does and the paper does not.
    bias : float
        At the start, of conv2, conv4, conv5, fc6 and fc7; 1 in the paper. The others start at 0.
    groups : int
        Into which the channels of conv2, conv4 and conv5 are split; 2 in the paper.
    local_response_normalization : bool
        Whether it follows conv1 and conv2, as in the paper.

    Returns
    -------
    keras.Model, (n, height, width, channels) in [0, 255] → (n, classes) probabilities
    """
    checks.image_size(input_shape, "input_shape", "channels", 67)  # for the last pooling
    checks.whole_number("classes", classes, least=2)
    checks.one_of("initializer", initializer, ("paper", "he"))
    checks.augmentation(augmentation)
    if mean is not None and (
        np.shape(mean) != (input_shape[2],) or np.min(mean) < 0 or not 1 < np.max(mean) <= 255
    ):
        raise ValueError(f"mean is {mean}; expected colours in [0, 255], such as 255 * mean.")

    def options(deviation: float, bias: float, activation: str = "relu") -> dict[str, Any]:
        normal = keras.initializers.RandomNormal(stddev=deviation * width**-0.5)
        return {
            "activation": activation,
            "kernel_initializer": normal if initializer == "paper" else "he_normal",
            "bias_initializer": keras.initializers.Constant(bias),
            "kernel_regularizer": keras.regularizers.L2(weight_decay / 2),
            "bias_regularizer": keras.regularizers.L2(weight_decay / 2),
        }

    any_size = (None, None, input_shape[2])
    cuts = augmentation and None not in augmentation.compute_output_shape((1, *any_size))
    inputs = keras.Input(any_size if cuts else input_shape, name="photos")
    x = inputs if augmentation is None else augmentation(inputs)
    if tuple(x.shape[1:]) != tuple(input_shape):
        raise ValueError(f"augmentation gives {x.shape[1:]}; expected input_shape, {input_shape}.")
    offset = 0.0 if mean is None else [-float(value) for value in mean]
    x = layers.Rescaling(1.0, offset, name="mean")(x)
    if rescale:
        x = layers.Rescaling(1 / 255, name="rescaling")(x)
    for name, (filters, size, stride, padding, split, normalized, pooled) in CONVOLUTIONS.items():
        parts = groups if split else 1
        form = (parts * max(1, round(filters * width / parts)), size, stride, padding)
        start = options(0.01, bias if split else 0)
        x = layers.Conv2D(*form, groups=parts, **start, name=name)(x)
        if normalized and local_response_normalization:
            x = LocalResponseNormalization(name=f"norm{name[-1]}")(x)
        if pooled:
            x = layers.MaxPooling2D(3, 2, name=f"pool{name[-1]}")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        units = max(1, round(4096 * width))
        x = layers.Dense(units, **options(0.005, bias), name=f"fc{number}")(x)
        x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    outputs = layers.Dense(classes, **options(0.01, 0, "softmax"), name="fc8")(x)
    return keras.Model(inputs, outputs, name="alexnet")


@keras.saving.register_keras_serializable("cnnkit")
class LocalResponseNormalization(keras.Layer):
    r"""Section 3.3: $b_i = a_i / (k + α \sum_j a_j^2)^β$, over the n channels j around i."""

    n, k, alpha, beta = 5, 2.0, 1e-4, 0.75

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        around, channels = self.n // 2, x.shape[-1]
        squares = ops.pad(ops.square(x), ((0, 0), (0, 0), (0, 0), (around, around)))
        total = sum(squares[..., shift : shift + channels] for shift in range(self.n))
        return x / (self.k + self.alpha * total) ** self.beta
