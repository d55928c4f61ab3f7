"""What a student gets wrong first, found before Keras does, with the cure in the message."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def one_of(name: str, value: object, choices: Collection[str | None]) -> None:
    """Raise ValueError unless `value` is one of `choices`."""
    if value not in choices:
        expected = " or ".join(repr(choice) for choice in choices)
        raise ValueError(f"{name} is {value!r}; expected {expected}.")


def whole_number(name: str, value: object, least: int) -> None:
    """Raise ValueError unless `value` is a whole number, and not below `least`."""
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{name} is {value!r}; expected a whole number from {least}.")


def dropout(share: float, name: str = "dropout") -> None:
    """Raise ValueError unless `share` of the units may be dropped."""
    if not 0 <= share < 1:
        raise ValueError(f"{name} is {share}; expected a share, at least 0 and below 1.")


def augmentation(value: object) -> None:
    """Raise ValueError unless `value` is a layer, or None."""
    import keras

    if value is not None and not isinstance(value, keras.Layer):
        raise ValueError(
            f"augmentation is {value!r}; expected a layer, such as "
            "data.augment.flip_rotate_zoom() returns, with the brackets."
        )


def photo_shape(shape: Any, least: int, why: str, colour: bool = False) -> None:
    """Raise ValueError unless `shape` is (height, width, channels), and no side below `least`."""
    whole = isinstance(shape, list | tuple) and all(
        isinstance(side, int | np.integer) for side in shape
    )
    whole = whole and len(shape) == 3
    if not whole or min(shape[:2]) < least or shape[2] < 1 or (colour and shape[2] != 3):
        form = "(height, width, 3), in colour" if colour else "(height, width, channels)"
        raise ValueError(
            f"input_shape is {shape}; expected {form}, at least {least} by {least}, {why}."
        )


def image_size(size: object) -> None:
    """Raise ValueError unless `size` is (height, width), in whole pixels."""
    if not (
        isinstance(size, tuple | list)
        and len(size) == 2
        and all(isinstance(side, int | np.integer) and side >= 1 for side in size)
    ):
        raise ValueError(f"image_size is {size}; expected (height, width) in whole pixels.")


def batched(model: keras.Model, shape: tuple) -> None:
    """Raise ValueError where the elements of a data set are single pictures."""
    if len(shape) == len(model.input_shape) - 1:
        raise ValueError("The data set holds single pictures; batch it: dataset.batch(32).")


def images(model: keras.Model, x: np.ndarray) -> None:
    """Raise ValueError unless `x` is a non-empty batch of pictures that fits the model's input.

    Pictures that were divided by 255 do not fit a model that does so itself.
    """
    shape = np.shape(x)
    image_shape(model, shape)
    if shape[0] == 0:
        raise ValueError("There are no images: the first axis has length 0.")
    if np.issubdtype(np.asarray(x).dtype, np.floating) and not np.isfinite(x).all():
        raise ValueError("The images hold NaN or infinity. Look for a division by zero.")
    if takes_bytes(model) and np.max(x) <= 1 and np.any((x > 0) & (x < 1)):
        raise ValueError(
            f"The pixels lie between {np.min(x):g} and {np.max(x):g}; the model {model.name!r} "
            f"expects 0 to 255. Leave out the {'scaling' if np.min(x) < 0 else 'division by 255'}."
        )


def image_shape(model: keras.Model, shape: tuple) -> None:
    """Raise ValueError unless pictures of this shape, (n, …), fit the model's input."""
    expected = tuple(model.input_shape[1:])
    if not _fits(shape[1:], expected):
        form = ", ".join("any" if size is None else str(size) for size in expected)
        raise ValueError(
            f"The images have shape {shape}; the model {model.name!r} expects (n, {form}). "
            + _cure(shape, expected)
        )


def takes_bytes(model: keras.Model) -> bool:
    """Whether a model takes pixels from 0 to 255, since it begins by rescaling them."""
    return _first_scale(model) or False


def pixel_range(x: np.ndarray, low: float, high: float) -> None:
    """Raise ValueError unless the pixels of `x` lie between `low` and `high`."""
    smallest, largest = np.min(x), np.max(x)
    if smallest < low or largest > high:
        cure = "Rescale them to that range."
        if (low, high) == (0, 1) and smallest >= 0 and largest <= 255:
            cure = "Pixels from 0 to 255 become such numbers with images / 255."
        raise ValueError(
            f"The pixels lie between {smallest:g} and {largest:g}; expected {low:g} to {high:g}. "
            + cure
        )


def finite_features(features: np.ndarray) -> None:
    """Raise ValueError unless all features are numbers."""
    if not np.isfinite(features).all():
        raise ValueError("The features hold NaN or infinity; a training that diverged makes them.")


def labels(y: np.ndarray, classes: int, count: int) -> None:
    """Raise ValueError unless `y` holds `count` whole numbers from 0 to ``classes - 1``."""
    y = np.asarray(y)
    if y.shape != (count,):
        cures = {
            (count, classes): " Use labels.argmax(axis=1).",
            (count, 1): " Use labels.ravel().",
        }
        raise ValueError(
            f"The labels have shape {y.shape}; expected one whole number for each of the "
            f"{count} images: ({count},).{cures.get(y.shape, '')}"
        )
    if not np.issubdtype(y.dtype, np.integer):
        raise ValueError(
            f"The labels have dtype {y.dtype}; expected whole numbers. Use labels.astype(int)."
        )
    wrong = y[(y < 0) | (y >= classes)]
    if wrong.size:
        raise ValueError(
            f"{wrong.size} of {count} labels are out of range, the first is {wrong[0]}; with "
            f"{classes} classes, labels are 0 to {classes - 1}. Number the classes from 0, and "
            "give the model an output for each."
        )


def class_numbers(model: keras.Model, y: np.ndarray) -> None:
    """Check `labels` that are class numbers; a loss of one's own may take others."""
    if y.ndim == 1 and np.issubdtype(y.dtype, np.integer):
        labels(y, max(2, model.output_shape[-1]), len(y))


def repeatable(dataset: Any) -> None:
    """Raise ValueError for a data set that cannot be read twice in a known order."""
    from cnnkit.batches import behind

    if hasattr(dataset, "shape") or isinstance(dataset, tuple):
        cure = "Arrays become batches with data.batches(x, y, batch_size=32)"
        raise ValueError(f"Arrays were given; expected batches (images, labels). {cure}.")
    if isinstance(dataset, str | Path):
        raise ValueError(f"{str(dataset)!r} is a path; give data.image_folder(path, image_size).")
    if behind(dataset) is None and is_shuffled(dataset):
        raise ValueError(
            "The data set is shuffled, so that its order is not known. Give what data.image_folder "
            "returns, or do not shuffle. Augmentation goes into the model."
        )
    try:
        len(dataset)
    except TypeError:
        cure = (
            "expected batches that can be read again, neither a generator nor an endless data set"
        )
        raise ValueError(f"{dataset!r} has no known length; {cure}.") from None


def check_data(model: keras.Model, x: np.ndarray, y: np.ndarray) -> None:
    """Raise ValueError unless images (n, height, width, channels), labels (n,) fit a classifier.

    Pixels go from 0 to 255 for a model that rescales them itself, else from 0 to 1.
    """
    images(model, x)
    pixel_range(x, 0, 255 if takes_bytes(model) else 1)
    labels(y, classes=max(2, model.output_shape[-1]), count=len(x))


def classifier(model: keras.Model, recipe: Any) -> None:
    """Raise ValueError unless the model's last layer is one for the loss of a recipe."""
    loss = getattr(recipe, "loss", None)
    if loss is None:
        raise ValueError(f"recipe is {recipe!r}; expected one of training.recipes.")
    units, binary = model.output_shape[-1], loss == "BinaryCrossentropy"
    if (units == 1) != binary:
        asked = f"{loss}, which asks for {'one sigmoid' if binary else 'one a class'}"
        what = f"The model {model.name!r} ends in {units} units, and the recipe's loss is {asked}"
        raise ValueError(f"{what}. Take another recipe, or another last layer.")


def training_data(model: keras.Model, dataset: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the first images and all labels of a data set; ValueError unless they fit a model."""
    from cnnkit.batches import behind, read

    repeatable(dataset)
    first, known = next(read(dataset), (None, None)), behind(dataset)
    if first[0] is None:
        raise ValueError("There are no photos in the data set.")
    if first[1] is None:
        raise ValueError("The data set holds no labels; expected batches (images, labels).")
    batched(model, first[0].shape)
    images(model, first[0])
    every = np.concatenate([y for _, y in read(dataset)]) if known is None else known.labels
    labels(every, max(2, model.output_shape[-1]), len(every))
    return first[0], every


def is_shuffled(dataset: Any) -> bool:
    """Whether a tf.data set, or one that it was made from with map or take, is shuffled."""
    source = dataset
    while source is not None:
        if getattr(source, "shuffled", False) or "Shuffle" in type(source).__name__:
            return True
        source = getattr(source, "_input_dataset", None)
    return False


def _first_scale(layer: keras.Layer) -> bool | None:
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


def _fits(shape: tuple, expected: tuple) -> bool:
    return len(shape) == len(expected) and all(
        size is None or given is None or size == given
        for given, size in zip(shape, expected, strict=True)
    )


def _cure(shape: tuple, expected: tuple) -> str:
    if _fits((*shape[1:], 1), expected):
        return "The channel axis is missing: use images[..., np.newaxis]."
    if _fits(shape, expected):
        return "The batch axis is missing: use image[np.newaxis]."
    if _fits((*shape, 1), expected):
        return "Batch and channel axes are missing: use image[np.newaxis, ..., np.newaxis]."
    if len(shape) == 4 and _fits((*shape[2:], shape[1]), expected):
        return "The channel axis comes first: use np.moveaxis(images, 1, -1)."
    return "Bring the images into this form, or build a model for theirs."
