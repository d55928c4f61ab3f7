"""VGG16: thirteen 3×3 convolutions in five blocks."""

from cnnkit.models import pretrained
from cnnkit.networks import channels_last

import keras
from keras import layers

BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))  # filters
DRAWN_WIDTH = 1 / 8


@channels_last()
def vgg16_base(
    weights: str | None = None,
    input_shape: tuple[int, int, int] = (180, 180, 3),
    width: float | None = None,
) -> keras.Model:
    """Build VGG16 without its three dense layers: 14,714,688 parameters at full width.

    Layers have the names that keras.applications gives them. The first, ``preprocessing``, puts
    the colours into the order blue, green, red and subtracts ImageNet's mean: do neither yourself.
    Source: K. Simonyan and A. Zisserman, "Very deep convolutional networks for large-scale image
    recognition", ICLR 2015, table 1, column D.

    Parameters
    ----------
    weights : {"imagenet", "drawn"}, optional
        ``"imagenet"``: as published, through keras.applications, which downloads 59 MB the first
        time. ``"drawn"``: trained on drawn animals at one eighth of the width, in the package.
        None: random.
    input_shape : (height, width, 3)
        Of the images; at least 32 pixels a side.
    width : float, optional
        Share of the published number of filters, above 0; for random weights, 1 by default.

    Returns
    -------
    keras.Model, RGB in [0, 255], (n, height, width, 3) → (n, height // 32, width // 32, channels)
    """
    inputs, x = pretrained.begin(weights, input_shape, "vgg16")
    trained = {"imagenet": 1, "drawn": DRAWN_WIDTH}.get(weights or "")
    share = (trained or 1) if width is None else width
    if share <= 0 or trained not in (None, share):
        expected = "a positive share" if trained is None else f"{trained} or nothing"
        raise ValueError(f"width is {width} with weights={weights!r}; expected {expected}.")
    for block, filters in enumerate(BLOCKS, start=1):
        for number, count in enumerate(filters, start=1):
            count, name = max(1, round(count * share)), f"block{block}_conv{number}"
            x = layers.Conv2D(count, 3, padding="same", activation="relu", name=name)(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
    base = keras.Model(inputs, x, name="vgg16")
    pretrained.load(base, weights, keras.applications.VGG16)
    return base
