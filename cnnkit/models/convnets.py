"""Small convolutional networks, trained from scratch."""

from cnnkit import checks

import keras
from keras import layers


def digits_cnn() -> keras.Model:
    """Build the network of chapter 1: one convolution, one hidden layer, 157,230 parameters.

    Kernels and biases are drawn from N(0, 1/n), n being the size that the source divides by:
    64 pixels of the picture for the convolution, the number of inputs for the dense layers.

    Returns
    -------
    keras.Model
        (n, 8, 8, 1) in [0, 1] → (n, 10) probabilities.

    References
    ----------
    Machine learning as told by a hacker, part 4 (in Korean), named in chapter 1.
    """
    inputs = keras.Input((8, 8, 1), name="digits")
    x = layers.Conv2D(32, 3, padding="same", activation="relu", **_normal(64), name="conv1")(inputs)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(300, activation="relu", **_normal(4 * 4 * 32), name="dense1")(x)
    outputs = layers.Dense(10, activation="softmax", **_normal(300), name="predictions")(x)
    return _strict(keras.Model(inputs, outputs, name="digits_cnn"))


def mnist_cnn(max_pooling: bool = True) -> keras.Model:
    """Build the network of chapter 2: three convolutions, 104,202 parameters.

    Parameters
    ----------
    max_pooling : bool
        Whether 2×2 max pooling follows the first two convolutions. Without it the last
        feature map stays large and the network has 712,202 parameters.

    Returns
    -------
    keras.Model
        (n, 28, 28, 1) in [0, 1] → (n, 10) probabilities.

    References
    ----------
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listing 8.1.
    """
    inputs = keras.Input((28, 28, 1), name="digits")
    x = layers.Conv2D(32, 3, activation="relu", name="conv1")(inputs)
    if max_pooling:
        x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="conv2")(x)
    if max_pooling:
        x = layers.MaxPooling2D(2, name="pool2")(x)
    x = layers.Conv2D(128, 3, activation="relu", name="conv3")(x)
    x = layers.Flatten(name="flatten")(x)
    outputs = layers.Dense(10, activation="softmax", name="predictions")(x)
    return _strict(keras.Model(inputs, outputs, name="mnist_cnn"))


def cats_vs_dogs_cnn(
    input_shape: tuple[int, int, int] = (180, 180, 3),
    augmentation: keras.Layer | None = None,
    dropout: float = 0.0,
) -> keras.Model:
    """Build the network of chapters 3 and 4: five convolutions, 991,041 parameters.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Of the photos; at least 78 pixels a side.
    augmentation : keras.Layer, optional
        Changes the photos in training, in front of everything else; see `cnnkit.data.augment`.
    dropout : float
        Share of the features that training drops in front of the last layer, in [0, 1).

    Returns
    -------
    keras.Model
        (n, height, width, channels) in [0, 255] → (n, 1), the probability of the second class.

    Raises
    ------
    ValueError
        Photos that are too small, augmentation that is no layer, or a dropout out of range.

    References
    ----------
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listings 8.7 and 8.16.
    """
    checks.photo_shape(input_shape, 78, "which the last convolution needs")
    checks.augmentation(augmentation)
    checks.dropout(dropout)
    inputs = keras.Input(input_shape, name="photos")
    x = inputs if augmentation is None else augmentation(inputs)
    x = layers.Rescaling(1 / 255, name="rescaling")(x)
    for number, filters in enumerate((32, 64, 128, 256, 256), start=1):
        if number > 1:
            x = layers.MaxPooling2D(2, name=f"pool{number - 1}")(x)
        x = layers.Conv2D(filters, 3, activation="relu", name=f"conv{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(1, activation="sigmoid", name="predictions")(x)
    return _strict(keras.Model(inputs, outputs, name="cats_vs_dogs_cnn"))


def _normal(n: int) -> dict[str, keras.Initializer]:
    # Two initializers, because one instance gives the same numbers each time it is called.
    return {
        "kernel_initializer": keras.initializers.RandomNormal(stddev=n**-0.5),
        "bias_initializer": keras.initializers.RandomNormal(stddev=n**-0.5),
    }


def _strict(model: keras.Model) -> keras.Model:
    """Refuse pictures without a channel axis, which Keras would silently add.

    Keras puts the name of the input into its error. A model that was saved and loaded is Keras's
    own again and adds the axis.
    """
    form = ", ".join(map(str, model.input_shape[1:]))
    cure = f"images (n, {form}), a missing channel axis being images[..., np.newaxis]"
    model.input_spec = keras.InputSpec(shape=model.input_shape, name=cure)
    return model
