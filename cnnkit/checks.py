"""What a student gets wrong first, found before Keras does, with the cure in the message."""

from collections.abc import Collection
from typing import Any

import numpy as np


def one_of(name: str, value: object, choices: Collection[str | None]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; expected {' or '.join(map(repr, choices))}.")


def whole_number(name: str, value: object, least: int) -> None:
    """Raise ValueError unless `value` is a whole number, and not below `least`."""
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number from {least}.")


def augmentation(value: object) -> None:
    """Raise ValueError unless `value` is a layer, or None."""
    import keras

    if value is not None and not isinstance(value, keras.Layer):
        such = "such as data.augment.flip_rotate_zoom() returns, with the brackets"
        raise ValueError(f"augmentation is {value!r}; expected a layer, {such}.")


def image_size(value: Any, name: str = "image_size", channels: Any = "", least: int = 1) -> None:
    """Raise ValueError unless `value` is (height, width), and then 3 or any "channels" if asked."""
    form = f"(height, width, {channels})" if channels else "(height, width)"
    whole = isinstance(value, tuple | list) and len(value) == (3 if channels else 2)
    whole = whole and all(isinstance(side, int | np.integer) and side >= 1 for side in value)
    if not whole or min(value[:2]) < least or (channels == 3 and value[2] != 3):
        raise ValueError(f"{name} is {value}; expected {form} in whole pixels from {least} up.")


def images(model: Any, x: np.ndarray) -> None:
    """Raise ValueError unless `x` is a non-empty batch of images that fits the model's input.

    Images that were divided by 255 do not fit a model that does so itself.
    """
    shape, expected = np.shape(x), tuple(model.input_shape[1:])

    def fits(given: tuple) -> bool:
        sides = zip(given, expected, strict=False)
        return len(given) == len(expected) and all(None in s or s[0] == s[1] for s in sides)

    if not fits(shape[1:]):
        cures = {
            (*shape[1:], 1): "The channel axis is missing: use images[..., np.newaxis].",
            shape: "The batch axis is missing: use image[np.newaxis], or dataset.batch(32).",
            (*shape, 1): "Two axes are missing: use image[np.newaxis, ..., np.newaxis].",
            (*shape[2:], *shape[1:2]): "Channels come first: use np.moveaxis(images, 1, -1).",
        }
        otherwise = "Bring the images into this form, or build a model for theirs."
        cure = next((cure for changed, cure in cures.items() if fits(changed)), otherwise)
        form = ", ".join("any" if size is None else str(size) for size in expected)
        what = f"The images have shape {shape}; the model {model.name!r} expects (n, {form})"
        raise ValueError(f"{what}. {cure}")
    if len(x) == 0:
        raise ValueError("There are no images: the first axis has length 0.")
    if not np.isfinite(x).all():
        raise ValueError("The images hold NaN or infinity. Look for a division by zero.")
    if takes_bytes(model) and np.max(x) <= 1 and np.any((x > 0) & (x < 1)):
        raise ValueError(
            f"The pixels lie between {np.min(x):g} and {np.max(x):g}; the model {model.name!r} "
            f"expects 0 to 255. Leave out the {'scaling' if np.min(x) < 0 else 'division by 255'}."
        )


def takes_bytes(model: Any) -> bool:
    """Whether a model takes pixels from 0 to 255, since it begins by rescaling them."""
    return _first_scale(model) or False


def _first_scale(layer: Any) -> bool | None:
    """Whether the first layer that rescales makes small numbers of bytes; None without one."""
    import keras

    if hasattr(layer, "takes_bytes"):
        return layer.takes_bytes
    if isinstance(layer, keras.layers.Rescaling):
        offset = np.max(np.abs(layer.offset))  # with scale 1, AlexNet's mean colour, 0 for none
        keeps_size = np.all(np.equal(layer.scale, 1)) and (offset == 0 or offset > 1)
        return bool(keeps_size or np.max(np.abs(layer.scale)) <= 1 / 127)  # 1/127.5 makes -1 to 1
    if isinstance(layer, keras.layers.Normalization) and layer.input_mean is not None:
        return bool(np.max(np.abs(layer.input_mean)) > 1)
    found = map(_first_scale, getattr(layer, "layers", []))
    return next((takes for takes in found if takes is not None), None)


def labels(y: np.ndarray, classes: int, count: int) -> None:
    """Raise ValueError unless `y` holds `count` whole numbers from 0 to ``classes - 1``."""
    y, classes = np.asarray(y), max(2, classes)  # one output, of a sigmoid, is for two
    if y.shape != (count,):
        cures = {(count, classes): "Use labels.argmax(axis=1).", (count, 1): "Use labels.ravel()."}
        expected = f"expected one whole number for each of the {count} images: ({count},)"
        raise ValueError(f"The labels have shape {y.shape}; {expected}. {cures.get(y.shape, '')}")
    if not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"The labels are {y.dtype}; expected whole numbers: labels.astype(int).")
    wrong = y[(y < 0) | (y >= classes)]
    if wrong.size:
        raise ValueError(
            f"{wrong.size} of {count} labels are out of range, the first is {wrong[0]}; with "
            f"{classes} classes, labels are 0 to {classes - 1}. Number the classes from 0, and "
            "give the model an output for each."
        )


def is_shuffled(dataset: Any) -> bool:
    """Whether a tf.data set, or one that it was made from with map or take, is shuffled."""
    shuffles = getattr(dataset, "shuffled", False) or "Shuffle" in type(dataset).__name__
    made_of = getattr(dataset, "_input_dataset", None)
    return shuffles or (made_of is not None and is_shuffled(made_of))
