"""From images to class probabilities, by one view of each image or by several."""

from collections.abc import Callable
from typing import Any

from cnnkit import checks
from cnnkit.batches import first, read
from cnnkit.networks import output

import keras
import numpy as np

VIEW_BUDGET = 64 * 2**20  # bytes of the views that go through the model together


def predict(
    model: keras.Model, dataset: Any, views: Callable[[Any], Any] | None = None
) -> np.ndarray:
    """Predict the class probabilities of images.

    Parameters
    ----------
    model : keras.Model
        A classifier that ends in a softmax, or in one sigmoid unit for two classes.
    dataset : ndarray, (n, height, width, channels), or data set
        Images in the form the model takes, or batches of them, with or without labels, in the
        order of the files: what is shuffled, or may be, is refused. With `views`, in their form.
    views : callable, optional
        Makes several views of each image, (n, height, width, channels) → (n, k, …) in the form
        the model takes, such as ``functools.partial(data.augment.ten_crop, size=227)``. The
        predictions are averaged over the views. About 64 MiB of views go through the model at a
        time, but at least those of one image.

    Returns
    -------
    ndarray, (n, classes)
        Probabilities; each row adds up to 1.
    """
    output(model)  # or ValueError
    if isinstance(dataset, list):  # of images, or of batches
        batched = any(isinstance(each, tuple | list | dict) for each in dataset)
        pictures = [x for x, _ in read(dataset)] if batched else list(map(np.asarray, dataset))
        batched = batched or {each.ndim for each in pictures} == {len(model.input_shape)}
        dataset = np.concatenate(pictures) if batched else np.stack(pictures)
    whole = hasattr(dataset, "shape")
    images = keras.ops.convert_to_numpy(dataset) if whole else first(dataset, as_files=True)[0]
    if views is None:
        checks.images(model, images)
        predicted = model.predict(dataset, verbose=0)
    elif images.ndim < len(model.input_shape):
        raise ValueError("Single images were given; use image[np.newaxis], or dataset.batch(32).")
    else:
        steps = [images] if whole else (x for x, _ in read(dataset))
        predicted = np.concatenate([_average(model, step, views) for step in steps])
    rows = predicted if predicted.shape[1] > 1 else np.hstack([1 - predicted, predicted])
    if (np.abs(rows.astype("float32").sum(axis=1) - 1) > 0.01).any():
        raise ValueError(f"The predictions of {model.name!r} do not add up to 1 in each row.")
    return rows


def _average(model: keras.Model, images: Any, views: Callable[[Any], Any]) -> np.ndarray:
    """Predict from all views of a batch, in as few steps as memory allows."""
    first = views(images[:1])
    checks.images(model, keras.ops.convert_to_numpy(first[0]))
    count, shape = first.shape[1], tuple(first.shape[2:])
    size = model.layers[:2][-1].output.shape[1:]  # behind the input layer, if there is one
    if None in model.input_shape[1:] and len(size) == 3 and None not in size and size != shape:
        raise ValueError(f"The views have shape {shape}; the model crops images to {size}.")
    step = max(1, VIEW_BUDGET // (4 * count * int(np.prod(shape))))
    averages = []
    for start in range(0, len(images), step):
        several = keras.ops.reshape(views(images[start : start + step]), (-1, *shape))
        predicted = np.asarray(model.predict_on_batch(several))
        averages.append(predicted.reshape(-1, count, predicted.shape[-1]).mean(axis=1))
    return np.concatenate(averages)
