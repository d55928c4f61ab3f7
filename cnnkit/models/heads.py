"""Heads: small classifiers that share one base, each with the names of its classes."""

from collections.abc import Sequence

import keras
from keras import layers


@keras.saving.register_keras_serializable("cnnkit")
class Predictions(layers.Dense):
    """A dense layer with softmax that knows the names of its classes, also once it is saved.

    Parameters
    ----------
    class_names : sequence of str
        In the order of the probabilities.
    """

    def __init__(self, class_names: Sequence[str], **options: object) -> None:
        options = {**options, "units": len(class_names), "activation": "softmax"}
        super().__init__(**options)
        self.class_names = list(class_names)

    def get_config(self) -> dict:
        """Return the layer's arguments."""
        return {**super().get_config(), "class_names": self.class_names}


def pooled(base: keras.Model) -> keras.Model:
    """Let a base end in one number a channel: the mean of each of its feature maps.

    Parameters
    ----------
    base : keras.Model
        Photos → feature maps, as `densenet_base` and `vgg16_base` build it. Its layers are shared.

    Returns
    -------
    keras.Model
        (n, height, width, 3) → (n, channels).

    Raises
    ------
    ValueError
        A base that does not end in feature maps.
    """
    _check_base(base)
    features = layers.GlobalAveragePooling2D(name="average")(base.output)
    return keras.Model(base.input, features, name=f"{base.name}_pooled")


def classification_head(base: keras.Model, class_names: Sequence[str]) -> keras.Model:
    """Build a new classifier for the pooled features of a base: one dense layer with softmax.

    It is a model of its own, and so are its files: for DenseNet-121 and four classes, 4,100
    parameters. `with_head` puts it on the base.

    Parameters
    ----------
    base : keras.Model
        Photos → feature maps.
    class_names : sequence of str
        Two or more, in the order of the labels, such as the ``class_names`` of
        `data.image_folder`.

    Returns
    -------
    keras.Model
        (n, channels), as `pooled` makes them, → (n, classes), probabilities.

    Raises
    ------
    ValueError
        A base that does not end in feature maps, or names that are no list of different names.
    """
    _check_base(base)
    names = [class_names] if isinstance(class_names, str | int) else list(class_names)
    if len(names) < 2 or len(set(names)) < len(names) or not all(isinstance(n, str) for n in names):
        raise ValueError(
            f"class_names is {class_names!r}; expected two or more different names, such as "
            "train.class_names."
        )
    inputs = keras.Input(base.output_shape[-1:], name="features")
    outputs = Predictions(names, name="predictions")(inputs)
    return keras.Model(inputs, outputs, name="head")


def with_head(base: keras.Model, head: keras.Model) -> keras.Model:
    """Put a head on a base, whose weights stay where they are: heads of other tasks may share it.

    Parameters
    ----------
    base : keras.Model
        Photos → feature maps. Set ``base.trainable`` before you compile.
    head : keras.Model
        As `classification_head` builds it, for a base with as many channels; once trained, it
        fits only the base it was trained on.

    Returns
    -------
    keras.Model
        (n, height, width, 3) → (n, classes).

    Raises
    ------
    ValueError
        The base does not end in feature maps, or in others than the head takes.
    """
    _check_base(base)
    if not isinstance(head, keras.Model):
        raise ValueError(f"head is {head!r}; expected what models.classification_head(…) returns.")
    if head.input_shape[1:] != base.output_shape[-1:]:
        raise ValueError(
            f"The head takes features of shape {head.input_shape}, and the base {base.name!r} "
            f"gives {base.output_shape[-1]} channels. Take the base that the head was trained on."
        )
    inputs = keras.Input(base.input_shape[1:], name="photos")
    features = layers.GlobalAveragePooling2D(name="average")(base(inputs))
    return keras.Model(inputs, head(features), name="classifier")


def class_names(model: keras.Model) -> list[str]:
    """Return the names of the classes of a head, or of a model that ends in one.

    Parameters
    ----------
    model : keras.Model
        As `classification_head` or `with_head` builds it.

    Returns
    -------
    list of str
        In the order of the probabilities.

    Raises
    ------
    ValueError
        The model does not end in a head of `classification_head`.
    """
    last = model
    while isinstance(last, keras.Model) and last.layers:
        last = last.layers[-1]
    if not isinstance(last, Predictions):
        raise ValueError(
            f"{model.name!r} does not end in a head of models.classification_head. Build "
            "it with models.with_head(…)."
        )
    return last.class_names


def _check_base(base: keras.Model) -> None:
    if not isinstance(base, keras.Model) or len(base.output_shape) != 4:
        given = getattr(base, "output_shape", base)
        raise ValueError(
            f"The base is or gives {given}; expected a model that gives feature maps (n, height, "
            "width, channels), such as models.densenet_base(…)."
        )
