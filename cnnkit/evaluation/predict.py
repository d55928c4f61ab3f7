"""From pictures to class probabilities, by one look at each picture or by several."""

from collections.abc import Callable, Iterator
from typing import Any

from cnnkit import checks

import keras
import numpy as np

VIEW_BUDGET = 64 * 2**20  # bytes of the views that go through the model together


def predict(
    model: keras.Model, dataset: Any, views: Callable[[Any], Any] | None = None
) -> np.ndarray:
    """Predict the class probabilities of pictures.

    Parameters
    ----------
    model : keras.Model
        A classifier that ends in a softmax, or in one sigmoid unit for two classes.
    dataset : ndarray, (n, height, width, channels), or data set
        Pictures in the form the model takes, or batches of them, with or without labels, in an
        order that stays, as `data.image_folder` and `data.batches` yield them. With `views`, in the
        form these take.
    views : callable, optional
        Makes several views of each picture, (n, height, width, channels) → (n, k, …) in the form
        the model takes, such as ``functools.partial(data.augment.ten_crop, size=227)``. The
        predictions are averaged over the views. About 64 MiB of views go through the model at a
        time, those of one picture at least, however large the batches are.

    Returns
    -------
    ndarray, (n, classes)
        Probabilities; each row adds up to 1.

    Raises
    ------
    ValueError
        The pictures do not fit the model, in shape or range, or come in an order of their own each
        time, so that no label could be found for a prediction. The message says what to do.
    """
    if views is not None:
        if not callable(views):
            raise ValueError(
                f"views is {views!r}; expected a function, such as "
                "functools.partial(data.augment.ten_crop, size=227)."
            )
        predicted = np.concatenate([_average(model, batch, views) for batch in _batches(dataset)])
    else:
        if isinstance(dataset, keras.utils.PyDataset):
            checks.images(model, keras.ops.convert_to_numpy(next(_batches(dataset))))
        elif hasattr(dataset, "element_spec"):
            _check_dataset(model, dataset)
        else:
            checks.images(model, dataset)
        predicted = model.predict(dataset, verbose=0)
    if predicted.shape[1] == 1:
        return np.concatenate([1 - predicted, predicted], axis=1)
    return predicted


def _average(model: keras.Model, images: Any, views: Callable[[Any], Any]) -> np.ndarray:
    """Predict from all views of a batch, in as few steps as memory allows."""
    first = views(images[:1])
    if len(first.shape) != 5:
        raise ValueError(
            f"The views of a picture have shape {tuple(first.shape)}; expected (1, k, height, "
            "width, channels), as data.augment.ten_crop gives them."
        )
    checks.images(model, keras.ops.convert_to_numpy(first[0]))
    count, shape = first.shape[1], tuple(first.shape[2:])
    _check_window(model, shape)
    step = max(1, VIEW_BUDGET // (4 * count * int(np.prod(shape))))
    averages = []
    for start in range(0, len(images), step):
        several = keras.ops.reshape(views(images[start : start + step]), (-1, *shape))
        predicted = np.asarray(model.predict_on_batch(several))
        averages.append(predicted.reshape(-1, count, predicted.shape[-1]).mean(axis=1))
    return np.concatenate(averages)


def _check_window(model: keras.Model, shape: tuple[int, ...]) -> None:
    """Refuse views that a model which begins by cutting its pictures would cut again."""
    layers = [la for la in model.layers if not isinstance(la, keras.layers.InputLayer)]
    window = tuple(layers[0].output.shape[1:])
    cuts = None in model.input_shape[1:] and len(window) == 3 and None not in window
    if cuts and window != shape:
        raise ValueError(
            f"The views have shape {shape}; the model {model.name!r} cuts pictures to {window}. "
            "Make the views as large."
        )


def _batches(images: Any) -> Iterator[Any]:
    if hasattr(images, "element_spec") or isinstance(images, keras.utils.PyDataset):
        _check_order(images)
        yield from without_labels(images)
        return
    if np.ndim(images) != 4 or len(images) == 0:
        raise ValueError(
            f"The images have shape {np.shape(images)}; expected (n, height, width, channels), "
            "n at least 1."
        )
    yield images


def without_labels(dataset: Any) -> Iterator[Any]:
    """Yield the pictures of each batch of a data set."""
    for batch in dataset:
        yield batch[0] if isinstance(batch, tuple | list) else batch


def _check_dataset(model: keras.Model, dataset: Any) -> None:
    _check_order(dataset)
    spec = dataset.element_spec
    spec = spec[0] if isinstance(spec, tuple) else spec
    checks.batched(model, spec.shape)
    checks.image_shape(model, tuple(spec.shape))
    for batch in without_labels(dataset.take(1)):
        checks.images(model, keras.ops.convert_to_numpy(batch))


def _check_order(dataset: Any) -> None:
    if checks.is_shuffled(dataset):
        raise ValueError(
            "The data set is shuffled, so that predictions and labels would not match. Make it "
            "with shuffle=False."
        )
