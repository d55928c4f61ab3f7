"""VGG16: thirteen 3×3 convolutions in five blocks."""

from cnnkit.models import pretrained

import keras
from keras import layers

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # filters
DRAWN_WIDTH = 1 / 8
NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


def vgg16_base(
    weights: str | None = None,
    input_shape: tuple[int, int, int] = (180, 180, 3),
    width: float | None = None,
) -> keras.Model:
    """Build VGG16 without its three dense layers: 14,714,688 parameters at full width.

    Layers have the names that keras.applications gives them. The first, ``preprocessing``, puts
    the colours into the order blue, green, red and takes off ImageNet's mean, so do neither
    yourself.

    Parameters
    ----------
    weights : {"imagenet", "drawn"}, optional
        ``"imagenet"``: as published, through keras.applications, which downloads 59 MB the first
        time. ``"drawn"``: trained on drawn animals at one eighth of the width; they come with the
        package. None: random.
    input_shape : (height, width, 3)
        Of the photos; at least 32 pixels a side.
    width : float, optional
        Share of the published number of filters, for random weights; 1 where it is not given.

    Returns
    -------
    keras.Model
        RGB in [0, 255], (n, height, width, 3) → feature maps (n, height // 32, width // 32,
        512 · width).

    Raises
    ------
    ValueError
        Unknown weights, photos that are too small, or a width that the weights do not have.
    FileNotFoundError
        ImageNet's weights are missing and cannot be downloaded. The message says how to get them.

    References
    ----------
    K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image
    recognition", ICLR 2015, table 1, column D.
    """
    pretrained.check_arguments(weights, input_shape)
    trained_width = {"imagenet": 1, "drawn": DRAWN_WIDTH}.get(weights or "")
    if width is not None and (width <= 0 or trained_width not in (None, width)):
        expected = "a positive share" if trained_width is None else f"{trained_width} or nothing"
        raise ValueError(f"width is {width} with weights={weights!r}; expected {expected}.")
    share = trained_width or width or 1

    inputs = keras.Input(input_shape, name="photos")
    x = pretrained.Preprocessing("vgg16", name="preprocessing")(inputs)
    for block, filters in enumerate(BLOCKS, start=1):
        for number, count in enumerate(filters, start=1):
            conv = layers.Conv2D(
                max(1, round(count * share)),
                3,
                padding="same",
                activation="relu",
                name=f"block{block}_conv{number}",
            )
            x = conv(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    base = keras.Model(inputs, x, name="vgg16")
    pretrained.load(base, weights, keras.applications.VGG16, NOTOP)
    return base
