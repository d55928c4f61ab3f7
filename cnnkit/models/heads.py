"""Heads: small classifiers on a base, which they may share."""

from collections.abc import Sequence

from cnnkit import checks
from cnnkit.networks import channels_last, output

import keras
from keras import layers


@channels_last()
def transfer_classifier(
    base: keras.Model,
    classes: int = 2,
    augmentation: keras.Layer | None = None,
    units: int = 256,
    dropout: float = 0.5,
) -> keras.Model:
    """Put a head on a base: flatten, a dense layer without activation, dropout, predictions.

    For VGG16's features of 180×180 images, (5, 5, 512), and two classes, the head has 3,277,313
    parameters. It shares the base, frozen or not: set ``base.trainable`` before you compile.
    Source: F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, listings 8.21-8.23.

    Parameters
    ----------
    base : keras.Model
        Images → feature maps, as `vgg16_base` and `densenet_base` build it.
    classes : int
        Two give one sigmoid unit, the probability of the second class; more give a softmax.
    augmentation : keras.Layer, optional
        Changes the images in training, in front of everything else; see `cnnkit.data.augment`.
    units, dropout : int, float
        Of the dense layer, and the share of them that training drops, in [0, 1).

    Returns
    -------
    keras.Model, (n, height, width, channels) → (n, 1) or (n, classes) probabilities
    """
    _check_base(base)
    checks.augmentation(augmentation)
    checks.whole_number("classes", classes, least=2)
    inputs = keras.Input(base.input_shape[1:], name="photos")
    x = inputs if augmentation is None else augmentation(inputs)
    x = layers.Flatten(name="flatten")(base(x))
    x = layers.Dense(units, name="dense")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    last = (1, "sigmoid") if classes == 2 else (classes, "softmax")
    outputs = layers.Dense(*last, name="predictions")(x)
    return keras.Model(inputs, outputs, name="transfer_classifier")


@channels_last()
def pooled(base: keras.Model) -> keras.Model:
    """Let a base, which is shared, end in the mean of each feature map: (n, channels)."""
    _check_base(base)
    features = layers.GlobalAveragePooling2D(name="average")(base.output)
    return keras.Model(base.input, features, name=f"{base.name}_pooled")


@keras.saving.register_keras_serializable("cnnkit")
class Predictions(layers.Dense):
    """A dense layer with softmax that keeps the names of its classes, also in a file."""

    def __init__(self, class_names: Sequence[str], **options: object) -> None:
        super().__init__(**{**options, "units": len(class_names), "activation": "softmax"})
        self.class_names = list(class_names)

    def get_config(self) -> dict:
        return {**super().get_config(), "class_names": self.class_names}


def classification_head(base: keras.Model, class_names: Sequence[str]) -> keras.Model:
    """Build a new classifier for the pooled features of a base: one dense layer with softmax.

    It is a model without the base, and so is its file: for DenseNet-121 and four classes, 4,100
    parameters. `with_head` puts it on the base.

    Parameters
    ----------
    base : keras.Model
        Images → feature maps.
    class_names : sequence of str
        Two or more, in the order of the labels: the ``class_names`` of `data.image_folder`.

    Returns
    -------
    keras.Model, (n, channels), as `pooled` makes them, → (n, classes) probabilities
    """
    _check_base(base)
    names = [class_names] if isinstance(class_names, str | int) else list(class_names)
    if len(names) < 2 or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise ValueError(f"class_names is {class_names!r}; expected two or more different names.")
    inputs = keras.Input(base.output_shape[-1:], name="features")
    return keras.Model(inputs, Predictions(names, name="predictions")(inputs), name="head")


@channels_last()
def with_head(base: keras.Model, head: keras.Model) -> keras.Model:
    """Put a head of `classification_head` on its base, which other heads may share.

    The model takes images (n, height, width, 3) and gives probabilities (n, classes). Set
    ``base.trainable`` before you compile it.
    """
    _check_base(base)
    if head.input_shape[1:] != base.output_shape[-1:]:
        cure = f"gives {base.output_shape[-1]} channels. Take the base that the head was trained on"
        raise ValueError(f"The head takes {head.input_shape[1:]}, and {base.name!r} {cure}.")
    inputs = keras.Input(base.input_shape[1:], name="photos")
    features = layers.GlobalAveragePooling2D(name="average")(base(inputs))
    return keras.Model(inputs, head(features), name="classifier")


def class_names(model: keras.Model) -> list[str]:
    """Return the class names, in the order of the probabilities, of a head or what ends in one."""
    last = output(model)[-1]
    if not isinstance(last, Predictions):
        raise ValueError(f"{model.name!r} does not end in a head of models.classification_head.")
    return last.class_names


def _check_base(base: keras.Model) -> None:
    shape = base.output_shape if isinstance(base, keras.Model) else ()
    if len(shape) != 4 or None in shape[1:]:
        raise ValueError(
            f"The base is or gives {shape or base!r}; expected a model that gives feature maps "
            "(n, height, width, channels) of a known size, such as models.vgg16_base(…)."
        )
