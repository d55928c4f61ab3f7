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
    from cnnkit.networks import input_of  # here, since Keras takes seconds

    shape, (expected, largest) = np.shape(x), input_of(model)

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
    if largest == 255 and np.max(x) <= 1 and np.any((x > 0) & (x < 1)):
        raise ValueError(
            f"The pixels lie between {np.min(x):g} and {np.max(x):g}; the model {model.name!r} "
            f"expects 0 to 255. Leave out the {'scaling' if np.min(x) < 0 else 'division by 255'}."
        )


def labels(y: np.ndarray, classes: int, count: int) -> None:
    """Raise ValueError unless `y` holds `count` whole numbers from 0 to ``classes - 1``."""
    y, classes = np.asarray(y), max(2, classes)  # one output, of a sigmoid, is for two
    if y.shape != (count,):
        cures = {(count, classes): "Use labels.argmax(axis=1).", (count, 1): "Use labels.ravel()."}
        expected = f"expected one whole number for each of the {count} images: ({count},)"
        raise ValueError(f"The labels have shape {y.shape}; {expected}. {cures.get(y.shape, '')}")
    if not np.issubdtype(y.dtype, np.integer):
        cure = "[names.index(y) for y in labels]" if y.dtype.kind in "OSU" else "labels.astype(int)"
        raise ValueError(f"The labels are {y.dtype}; expected whole numbers: {cure}.")
    wrong = y[(y < 0) | (y >= classes)]
    if wrong.size:
        raise ValueError(
            f"{wrong.size} of {count} labels are out of range, the first is {wrong[0]}; with "
            f"{classes} classes, labels are 0 to {classes - 1}. Number the classes from 0, and "
            "give the model an output for each."
        )
