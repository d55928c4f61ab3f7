"""What a run is about: its model, its recipe, its data, and the versions of the software."""

import hashlib
import platform
import sys
import warnings
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnnkit import checks
from cnnkit.training import reading
from cnnkit.training.evaluations import Evaluations
from cnnkit.training.identity import form
from cnnkit.training.recipe import Recipe

import keras
import numpy as np


def describe(
    model: keras.Model, recipe: Recipe, train: Any, validation: Any, evaluate: Any = None
) -> dict[str, Any]:
    """Check what a run is given, and say what it is about: model, recipe, data and versions."""
    _check(model, recipe, train, validation, evaluate)
    key = hashlib.sha256(form(model).encode()).hexdigest()[:16]
    about = {
        "model": {"parameters": model.count_params(), "fingerprint of the layers": key},
        "recipe": asdict(recipe),
        "training": _data(model, train),
    }
    if validation is not None:
        about["validation"] = _data(model, validation)
        name = getattr(evaluate, "__qualname__", type(evaluate).__name__)
        about["validation"]["evaluated by"] = "Keras" if evaluate is None else name
    batch_size, photos = about["training"]["batch size"], about["training"]["shape"][0]
    if recipe.batch_size is not None and batch_size != min(recipe.batch_size, photos):
        warnings.warn(
            f"The training set has batches of {batch_size}, which count; the recipe says "
            f"{recipe.batch_size}.",
            stacklevel=3,
        )
    packages = ("cnnkit", "keras", keras.backend.backend(), "numpy")
    about["versions"] = {name: sys.modules[name].__version__ for name in packages}
    about["versions"]["python"] = platform.python_version()
    return about


def figures(about: dict[str, Any]) -> str:
    """Return a line for each data set: its shape, the range of its first pixels, its classes."""
    lines = []
    for part in ("training", "validation"):
        if found := about.get(part):
            shape = " × ".join(map(str, found["shape"]))
            low, high = found["pixels"]
            what = "pixels" if len(found["shape"]) == 4 else "features"
            counts = ", ".join(
                f"{count:,} of class {name}" if name.isdecimal() else f"{count:,} {name}"
                for name, count in found["classes"].items()
            )
            lines.append(f"{part + ':':11} {shape}, {what} {low:g} to {high:g}, {counts}")
    return "\n".join(lines)


def _check(model: keras.Model, recipe: Recipe, train: Any, validation: Any, evaluate: Any) -> None:
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe is {recipe!r}; expected one of training.recipes.")
    if recipe.epochs < 1:
        raise ValueError(f"The recipe has {recipe.epochs} epochs; expected at least 1.")
    if validation is train:
        raise ValueError("Training and validation data are the same; expected other photos.")
    units, binary = model.output_shape[-1], recipe.loss == "BinaryCrossentropy"
    if (units == 1) != binary:
        raise ValueError(
            f"The model {model.name!r} ends in {units} units, and the recipe's loss is "
            f"{recipe.loss}, which asks for {'one sigmoid' if binary else 'one a class'}. Take "
            "another recipe, or another last layer."
        )
    known = evaluate is None or isinstance(evaluate, Evaluations) or callable(evaluate)
    if not known:
        raise ValueError(
            f"evaluate is {evaluate!r}; expected a function (model, validation), or Evaluations."
        )
    if evaluate is not None and validation is None:
        raise ValueError(
            "There is a function to evaluate, but no validation data for it. Give validation, or "
            "leave evaluate out."
        )
    if evaluate is None and recipe.monitor.removeprefix("val_") not in ("loss", "accuracy"):
        raise ValueError(
            f"The recipe monitors {recipe.monitor!r}; expected 'loss' or 'accuracy', or a function "
            "to evaluate that gives it."
        )


def _data(model: keras.Model, dataset: Any) -> dict[str, Any]:
    """Check a data set, and describe it."""
    reading.check(dataset)
    first = next(reading.read(dataset), None)
    if first is None:
        raise ValueError("There are no photos in the data set.")
    if first.labels is None:
        raise ValueError("The data set holds no labels; expected batches (images, labels).")
    checks.batched(model, first.images.shape)
    checks.images(model, first.images)
    labels = getattr(dataset, "labels", None)
    if labels is None:
        labels = np.concatenate([batch.labels for batch in reading.read(dataset)])
    classes = max(2, model.output_shape[-1])
    checks.labels(labels, classes, len(labels))
    names = getattr(dataset, "class_names", None) or range(classes)
    counts = np.bincount(labels, minlength=len(names)).tolist()
    photos, order = hashlib.sha256(np.asarray(labels, "<i8").tobytes()), hashlib.sha256()
    photos.update(getattr(dataset, "data_key", "").encode())
    for path in map(Path, getattr(dataset, "file_paths", [])):
        photos.update(f"{path.parent.name}/{path.name} {path.stat().st_size}".encode())
    numbers = reading.order_of(dataset, 0)
    if numbers is None:
        photos.update(np.asarray(first.images, "<f4").tobytes())
    else:
        order.update(np.asarray(numbers, "<i8").tobytes())
    return {
        "shape": [len(labels), *first.images.shape[1:]],
        "pixels": [float(first.images.min()), float(first.images.max())],
        "classes": {str(name): count for name, count in zip(names, counts, strict=True)},
        "fingerprint of the photos": photos.hexdigest()[:16],
        "fingerprint of their order": order.hexdigest()[:16],
        "batch size": len(first.images),
    }
