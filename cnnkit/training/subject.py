"""What a run is about: its model, its recipe, its data, and the versions of the software."""

import hashlib
import platform
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnnkit import checks
from cnnkit.training import reading
from cnnkit.training.identity import form
from cnnkit.training.recipes import Recipe

import keras
import numpy as np

LAYERS = "fingerprint of the layers"
ORDER = "fingerprint of photos, order and batch size"


def describe(model: keras.Model, recipe: Recipe, train: Any, validation: Any) -> dict[str, Any]:
    """Check a run's data sets, and say what it is about: model, recipe, data and versions."""
    key = hashlib.sha256(form(model).encode()).hexdigest()[:16]
    about = {
        "model": {"parameters": model.count_params(), LAYERS: key},
        "recipe": asdict(recipe),
        "training": _data(model, train),
    }
    if validation is not None:
        about["validation"] = _data(model, validation)
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
            counts = ", ".join(f"{count:,} {name}" for name, count in found["classes"].items())
            lines.append(f"{part + ':':11} {shape}, pixels {low:g} to {high:g}, {counts}")
    return "\n".join(lines)


def _data(model: keras.Model, dataset: Any) -> dict[str, Any]:
    """Check a data set, and describe it."""
    reading.check(dataset)
    first = next(reading.read(dataset), None)
    if first is None:
        raise ValueError("There are no photos in the data set.")
    if first.labels is None:
        raise ValueError("The data set holds no labels; expected batches (images, labels).")
    checks.images(model, first.images)
    labels = getattr(dataset, "labels", None)
    if labels is None:
        labels = np.concatenate([batch.labels for batch in reading.read(dataset)])
    classes = max(2, model.output_shape[-1])
    checks.labels(labels, classes, len(labels))
    names = getattr(dataset, "class_names", range(classes))
    counts = np.bincount(labels, minlength=len(names)).tolist()
    key = hashlib.sha256(np.asarray(labels, "<i8").tobytes() + repr(len(first.images)).encode())
    for path in getattr(dataset, "file_paths", []):
        key.update("/".join(Path(path).parts[-2:]).encode())
    order = reading.order_of(dataset, 0)
    key.update(np.asarray(first.images if order is None else order, "<f8").tobytes())
    return {
        "shape": [len(labels), *first.images.shape[1:]],
        "pixels": [float(first.images.min()), float(first.images.max())],
        "classes": {str(name): count for name, count in zip(names, counts, strict=True)},
        ORDER: key.hexdigest()[:16],
    }
