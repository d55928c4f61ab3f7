"""From images to class probabilities, by one view of each image or by several."""

from collections.abc import Callable, Iterator
from typing import Any

from cnnkit import checks

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
        Images in the form the model takes, or batches of them, with or without labels, not
        shuffled. With `views`, in the form these take.
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
    batches = _batches(model, dataset)
    if views is None:
        checks.images(model, keras.ops.convert_to_numpy(next(batches, ())))
        predicted = model.predict(dataset, verbose=0)
    else:
        predicted = np.concatenate([_average(model, images, views) for images in batches])
    return predicted if predicted.shape[1] > 1 else np.hstack([1 - predicted, predicted])


def _batches(model: keras.Model, dataset: Any) -> Iterator[Any]:
    """Yield the images of a data set batch by batch, and those of an array at once."""
    if not (hasattr(dataset, "element_spec") or isinstance(dataset, keras.utils.PyDataset)):
        yield dataset
        return
    if checks.is_shuffled(dataset):
        raise ValueError("The data set is shuffled. Make it with shuffle=False; labels must match.")
    for batch in dataset:
        images = batch[0] if isinstance(batch, tuple | list) else batch
        if len(images.shape) == len(model.input_shape) - 1:
            raise ValueError("The data set holds single images; batch it: dataset.batch(32).")
        yield images


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
