"""Small convolutional networks, trained from scratch."""

from cnnkit import checks
from cnnkit.networks import channels_last

import keras
from keras import layers


@channels_last()
def digits_cnn() -> keras.Model:
    """Build the network of chapter 1: one convolution, one hidden layer, 157,230 parameters.

    As in its source, "Machine learning as told by a hacker", part 4 (in Korean), kernels and biases
    are drawn from N(0, 1/n). For the convolution, n is 64, the pixels of an image, and for the
    dense layers the number of inputs.

    Returns
    -------
    keras.Model, (n, 8, 8, 1) in [0, 1] → (n, 10) probabilities
    """
    inputs = keras.Input((8, 8, 1), name="digits")
    x = layers.Conv2D(32, 3, padding="same", activation="relu", **_normal(64), name="conv1")(inputs)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(300, activation="relu", **_normal(4 * 4 * 32), name="dense1")(x)
    outputs = layers.Dense(10, activation="softmax", **_normal(300), name="predictions")(x)
    return keras.Model(inputs, outputs, name="digits_cnn")


@channels_last()
def mnist_cnn(max_pooling: bool = True) -> keras.Model:
    """Build the network of chapter 2: three convolutions, 104,202 parameters.

    Source: F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listing 8.1.

    Parameters
    ----------
    max_pooling : bool
        Whether 2×2 max pooling follows the first two convolutions; without it, 712,202 parameters.

    Returns
    -------
    keras.Model, (n, 28, 28, 1) in [0, 1] → (n, 10) probabilities
    """
    x = inputs = keras.Input((28, 28, 1), name="digits")
    for number, filters in enumerate((32, 64, 128), start=1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"conv{number}")(x)
        if max_pooling and number < 3:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    outputs = layers.Dense(10, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, outputs, name="mnist_cnn")


@channels_last()
def cats_vs_dogs_cnn(
    input_shape: tuple[int, int, int] = (180, 180, 3),
    augmentation: keras.Layer | None = None,
    dropout: float = 0.0,
) -> keras.Model:
    """Build the network of chapters 3 and 4: five convolutions, 991,041 parameters.

    Source: F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listings 8.7, 8.16.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Of the images; at least 78 pixels a side.
    augmentation : keras.Layer, optional
        Changes the images in training, in front of everything else; see `cnnkit.data.augment`.
    dropout : float
        Share of the features that training drops in front of the last layer, in [0, 1).

    Returns
    -------
    keras.Model, (n, height, width, channels) in [0, 255] → (n, 1), probability of the second class
    """
    checks.image_size(input_shape, "input_shape", "channels", 78)  # for the last convolution
    checks.augmentation(augmentation)
    inputs = keras.Input(input_shape, name="photos")
    x = inputs if augmentation is None else augmentation(inputs)
    x = layers.Rescaling(1 / 255, name="rescaling")(x)
    for number, filters in enumerate((32, 64, 128, 256, 256), start=1):
        x = layers.Conv2D(filters, 3, activation="relu", name=f"conv{number}")(x)
        if number < 5:
            x = layers.MaxPooling2D(2, name=f"pool{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(1, activation="sigmoid", name="predictions")(x)
    return keras.Model(inputs, outputs, name="cats_vs_dogs_cnn")


def _normal(n: int) -> dict[str, keras.Initializer]:
    # Two initializers, because one instance gives the same numbers each time it is called.
    names = "kernel_initializer", "bias_initializer"
    return {name: keras.initializers.RandomNormal(stddev=n**-0.5) for name in names}
