"""DenseNet: in a dense block, every layer sees all the layers before it."""

import functools
from collections.abc import Sequence

from cnnkit.backend import BatchNormalization
from cnnkit.models import pretrained
from cnnkit.networks import channels_last

import keras
from keras import KerasTensor, layers

# Layers in each dense block, with a growth rate of 32.
PUBLISHED = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
DRAWN, DRAWN_GROWTH = (3, 6, 8, 6), 12


@channels_last()
def densenet_base(
    weights: str | None = None,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    growth_rate: int | None = None,
    block_config: Sequence[int] | None = None,
    initial_filters: int | None = None,
    bottleneck: int = 4,
) -> keras.Model:
    """Build DenseNet-BC without its dense layer: 7,037,504 parameters for DenseNet-121.

    Layers have the names that keras.applications gives them. The first, ``preprocessing``, scales
    the images and subtracts ImageNet's mean, so do neither yourself.
    Source: G. Huang, Z. Liu, L. van der Maaten and K. Q. Weinberger, "Densely connected
    convolutional networks", CVPR 2017, section 3 and table 1.

    Parameters
    ----------
    weights : {"imagenet", "drawn"}, optional
        ``"imagenet"``: DenseNet-121 as published, through keras.applications, which downloads 29 MB
        the first time. ``"drawn"``: a small network trained on drawn animals, in the package.
        None: random.
    input_shape : (height, width, 3)
        Of the images; at least 32 pixels a side.
    growth_rate, initial_filters, bottleneck : int, optional
        For random weights: each layer adds ``growth_rate`` feature maps, by default 32, which its
        3×3 convolution makes of ``bottleneck * growth_rate``. The first convolution of all makes
        ``initial_filters``, by default ``2 * growth_rate``.
    block_config : sequence of int, optional
        Layers in each dense block, for random weights; by default those of DenseNet-121.

    Returns
    -------
    keras.Model, RGB in [0, 255], (n, h, w, 3) → (n, ⌈h / 4⌉ // 8, ⌈w / 4⌉ // 8, channels)
    """
    inputs, x = pretrained.begin(weights, input_shape, "densenet")
    if weights and (block_config or growth_rate or initial_filters or bottleneck != 4):
        own = "their own block_config, growth_rate, initial_filters and bottleneck"
        raise ValueError(f"weights={weights!r} have {own}. Leave these out, or take weights=None.")
    if weights == "drawn":
        block_config, growth_rate = DRAWN, DRAWN_GROWTH
    growth_rate, conv = growth_rate or 32, functools.partial(layers.Conv2D, use_bias=False)
    x = layers.ZeroPadding2D(3, name="conv1_padding")(x)
    x = conv(initial_filters or 2 * growth_rate, 7, 2, name="conv1_conv")(x)
    x = _norm_relu(x, "conv1_")
    x = layers.ZeroPadding2D(1, name="pool1_padding")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for block, depth in enumerate(block_config or PUBLISHED[121], start=2):
        if block > 2:  # a transition halves the feature maps in number, height and width
            x = _norm_relu(x, f"pool{block - 1}_")
            x = conv(x.shape[-1] // 2, 1, name=f"pool{block - 1}_conv")(x)
            x = layers.AveragePooling2D(2, name=f"pool{block - 1}_pool")(x)
        for number in range(1, depth + 1):
            name = f"conv{block}_block{number}"
            new = _norm_relu(x, f"{name}_0_")
            new = conv(bottleneck * growth_rate, 1, name=f"{name}_1_conv")(new)
            new = _norm_relu(new, f"{name}_1_")
            new = conv(growth_rate, 3, padding="same", name=f"{name}_2_conv")(new)
            x = layers.Concatenate(name=f"{name}_concat")([x, new])
    base = keras.Model(inputs, _norm_relu(x, ""), name="densenet")
    pretrained.load(base, weights, keras.applications.DenseNet121)
    return base


def _norm_relu(x: KerasTensor, prefix: str) -> KerasTensor:
    x = BatchNormalization(epsilon=1.001e-5, name=f"{prefix}bn")(x)
    return layers.Activation("relu", name=f"{prefix}relu")(x)
