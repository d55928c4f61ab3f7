"""DenseNet: in a dense block, every layer sees all the layers before it."""

from collections.abc import Sequence

from cnnkit.models import pretrained
from cnnkit.models.normalization import BatchNormalization

import keras
from keras import KerasTensor, layers

# Layers in each dense block, with a growth rate of 32.
PUBLISHED = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
DRAWN, DRAWN_GROWTH = (3, 6, 8, 6), 12


def densenet_base(
    weights: str | None = None,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    block_config: Sequence[int] | None = None,
    growth_rate: int | None = None,
    initial_filters: int | None = None,
    bottleneck: int | None = None,
    drop_rate: float = 0.0,
) -> keras.Model:
    """Build DenseNet-BC without its dense layer: 7,037,504 parameters for DenseNet-121.

    Layers have the names that keras.applications gives them. The first, ``preprocessing``, scales
    the images and subtracts ImageNet's mean, so do neither yourself.

    Parameters
    ----------
    weights : {"imagenet", "drawn"}, optional
        ``"imagenet"``: DenseNet-121 as published, through keras.applications, which downloads 29 MB
        the first time. ``"drawn"``: a small network trained on drawn animals, in the package.
        None: random.
    input_shape : (height, width, 3)
        Of the images; at least 32 pixels a side.
    block_config : sequence of int, optional
        Layers in each dense block, for random weights; by default those of DenseNet-121.
    growth_rate, initial_filters, bottleneck : int, optional
        For random weights: each layer adds ``growth_rate`` feature maps, by default 32. The first
        convolution makes ``initial_filters``, by default twice as many. A layer's 1×1 convolution
        makes ``bottleneck * growth_rate``, by default four times as many.
    drop_rate : float
        Share of each layer's new feature maps that training drops, in [0, 1).

    Returns
    -------
    keras.Model : RGB in [0, 255], (n, height, width, 3) → feature maps (n, ⌈height / 4⌉ // 8,
        ⌈width / 4⌉ // 8, channels), with four dense blocks

    References
    ----------
    G. Huang, Z. Liu, L. van der Maaten and K. Q. Weinberger, "Densely connected convolutional
    networks", CVPR 2017, section 3 and table 1.
    """
    inputs, x = pretrained.begin(weights, input_shape, "densenet")
    if weights and any((block_config, growth_rate, initial_filters, bottleneck)):
        own = "their own block_config, growth_rate, initial_filters and bottleneck"
        raise ValueError(f"weights={weights!r} have {own}. Leave these out, or take weights=None.")
    if weights == "drawn":
        block_config, growth_rate = DRAWN, DRAWN_GROWTH
    growth_rate = growth_rate or 32
    x = layers.ZeroPadding2D(3, name="conv1_padding")(x)
    filters = initial_filters or 2 * growth_rate
    x = layers.Conv2D(filters, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _norm_relu(x, "conv1_")
    x = layers.ZeroPadding2D(1, name="pool1_padding")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for block, depth in enumerate(block_config or PUBLISHED[121], start=2):
        if block > 2:  # a transition halves the feature maps in number, height and width
            x = _norm_relu(x, f"pool{block - 1}_")
            conv = layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"pool{block - 1}_conv")
            x = layers.AveragePooling2D(2, name=f"pool{block - 1}_pool")(conv(x))
        for number in range(1, depth + 1):
            name = f"conv{block}_block{number}"
            new = _layer(x, (bottleneck or 4) * growth_rate, growth_rate, drop_rate, name)
            x = layers.Concatenate(name=f"{name}_concat")([x, new])
    base = keras.Model(inputs, _norm_relu(x, ""), name="densenet")
    pretrained.load(base, weights, keras.applications.DenseNet121)
    return base


def _layer(
    x: KerasTensor, inner: int, growth_rate: int, drop_rate: float, name: str
) -> KerasTensor:
    """Make `growth_rate` feature maps of all there are, by way of `inner` ones."""
    x = _norm_relu(x, f"{name}_0_")
    x = layers.Conv2D(inner, 1, use_bias=False, name=f"{name}_1_conv")(x)
    x = _norm_relu(x, f"{name}_1_")
    x = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(x)
    return layers.Dropout(drop_rate, name=f"{name}_dropout")(x) if drop_rate else x


def _norm_relu(x: KerasTensor, prefix: str) -> KerasTensor:
    x = BatchNormalization(epsilon=1.001e-5, name=f"{prefix}bn")(x)
    return layers.Activation("relu", name=f"{prefix}relu")(x)
