"""DenseNet: in a dense block, every layer sees all the layers before it."""

from collections.abc import Sequence

from cnnkit import checks
from cnnkit.models import pretrained
from cnnkit.models.normalization import BatchNormalization

import keras
from keras import layers

PUBLISHED = {  # layers in each dense block, with a growth rate of 32
    121: (6, 12, 24, 16),
    169: (6, 12, 32, 32),
    201: (6, 12, 48, 32),
}
DRAWN, DRAWN_GROWTH = (3, 6, 8, 6), 12
NOTOP = "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"


def densenet_base(
    weights: str | None = None,
    input_shape: tuple[int, int, int] = (224, 224, 3),
    block_config: Sequence[int] | None = None,
    growth_rate: int | None = None,
    drop_rate: float = 0.0,
) -> keras.Model:
    """Build DenseNet-BC without its dense layer: 7,037,504 parameters for DenseNet-121.

    Layers have the names that keras.applications gives them. The first, ``preprocessing``, scales
    the photos and takes off ImageNet's mean, so do neither yourself.

    Parameters
    ----------
    weights : {"imagenet", "drawn"}, optional
        ``"imagenet"``: DenseNet-121 as published, through keras.applications, which downloads 29 MB
        the first time. ``"drawn"``: a small network trained on drawn animals, which comes with
        the package. None: random.
    input_shape : (height, width, 3)
        Of the photos; at least 32 pixels a side.
    block_config : sequence of int, optional
        Layers in each dense block, for random weights; DenseNet-121's where it is not given.
    growth_rate : int, optional
        Feature maps that each layer adds, for random weights; 32 where it is not given.
    drop_rate : float
        Share of each layer's new feature maps that training drops, in [0, 1).

    Returns
    -------
    keras.Model
        RGB in [0, 255], (n, height, width, 3) → feature maps (n, ⌈height / 4⌉ // 8,
        ⌈width / 4⌉ // 8, channels), with four dense blocks.

    Raises
    ------
    ValueError
        Unknown weights, photos that are too small, a form that the weights do not have, or a number
        out of range.
    FileNotFoundError
        ImageNet's weights are missing and cannot be downloaded. The message says how to get them.

    References
    ----------
    G. Huang, Z. Liu, L. van der Maaten and K. Q. Weinberger, "Densely connected convolutional
    networks", CVPR 2017, table 1.
    """
    pretrained.check_arguments(weights, input_shape)
    if weights is not None and not (block_config is None and growth_rate is None):
        raise ValueError(
            f"weights={weights!r} come with their own block_config and growth_rate. Leave these "
            "out, or take weights=None."
        )
    if weights == "drawn":
        block_config, growth_rate = DRAWN, DRAWN_GROWTH
    block_config = PUBLISHED[121] if block_config is None else block_config
    growth_rate = 32 if growth_rate is None else growth_rate
    if not block_config:
        raise ValueError("block_config is empty; expected the layers of each block.")
    for depth in block_config:
        checks.whole_number("A depth of block_config", depth, least=1)
    checks.whole_number("growth_rate", growth_rate, least=1)
    checks.dropout(drop_rate, "drop_rate")

    inputs = keras.Input(input_shape, name="photos")
    x = pretrained.Preprocessing("densenet", name="preprocessing")(inputs)
    x = layers.ZeroPadding2D(3, name="conv1_padding")(x)
    x = layers.Conv2D(2 * growth_rate, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = _norm_relu(x, "conv1")
    x = layers.ZeroPadding2D(1, name="pool1_padding")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for block, depth in enumerate(block_config, start=2):
        if block > 2:
            x = _transition(x, f"pool{block - 1}")
        for number in range(1, depth + 1):
            x = _dense_layer(x, growth_rate, drop_rate, f"conv{block}_block{number}")
    x = _norm_relu(x, "")
    base = keras.Model(inputs, x, name="densenet")
    pretrained.load(base, weights, keras.applications.DenseNet121, NOTOP)
    return base


def _dense_layer(
    x: keras.KerasTensor, growth_rate: int, drop_rate: float, name: str
) -> keras.KerasTensor:
    """Add `growth_rate` feature maps, made from all there are."""
    new = _norm_relu(x, f"{name}_0")
    new = layers.Conv2D(4 * growth_rate, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = _norm_relu(new, f"{name}_1")
    new = layers.Conv2D(growth_rate, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    if drop_rate:
        new = layers.Dropout(drop_rate, name=f"{name}_dropout")(new)
    return layers.Concatenate(name=f"{name}_concat")([x, new])


def _transition(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Halve the feature maps in number, height and width."""
    x = _norm_relu(x, name)
    x = layers.Conv2D(x.shape[-1] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, name=f"{name}_pool")(x)


def _norm_relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    prefix = f"{name}_" if name else ""
    x = BatchNormalization(epsilon=1.001e-5, name=f"{prefix}bn")(x)
    return layers.Activation("relu", name=f"{prefix}relu")(x)
