"""A new classifier on a trained base."""

from cnnkit import checks

import keras
from keras import layers


def transfer_classifier(
    base: keras.Model,
    classes: int = 2,
    augmentation: keras.Layer | None = None,
    units: int = 256,
    dropout: float = 0.5,
) -> keras.Model:
    """Put a head on a base: flatten, a dense layer without activation, dropout, predictions.

    For VGG16's features of 180×180 photos, (5, 5, 512), and two classes, the head has 3,277,313
    parameters. It shares the base, frozen or not: set ``base.trainable`` before you compile.

    Parameters
    ----------
    base : keras.Model
        Photos → feature maps, as `vgg16_base` and `densenet_base` build it.
    classes : int
        Two give one sigmoid unit, more a softmax.
    augmentation : keras.Layer, optional
        Changes the photos in training, in front of everything else; see `cnnkit.data.augment`.
    units : int
        Of the dense layer.
    dropout : float
        Share of these units that training drops, in [0, 1).

    Returns
    -------
    keras.Model
        (n, height, width, channels) → (n, 1), the probability of the second class, or
        (n, classes).

    Raises
    ------
    ValueError
        A base that is no model, or without feature maps of a known size; augmentation that is no
        layer; or a number out of range.

    References
    ----------
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listings 8.21 to 8.23.
    """
    if not isinstance(base, keras.Model):
        raise ValueError(f"base is {base!r}; expected what models.vgg16_base(…) returns.")
    checks.augmentation(augmentation)
    if len(base.output_shape) != 4 or None in base.output_shape[1:]:
        raise ValueError(
            f"The base {base.name!r} gives {base.output_shape}; expected feature maps (n, height, "
            "width, channels) of a known size. Build it with an input_shape, without its top."
        )
    checks.whole_number("classes", classes, least=2)
    checks.whole_number("units", units, least=1)
    checks.dropout(dropout)
    inputs = keras.Input(base.input_shape[1:], name="photos")
    x = inputs if augmentation is None else augmentation(inputs)
    x = layers.Flatten(name="flatten")(base(x))
    x = layers.Dense(units, name="dense")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    if classes == 2:
        outputs = layers.Dense(1, activation="sigmoid", name="predictions")(x)
    else:
        outputs = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, outputs, name="transfer_classifier")
