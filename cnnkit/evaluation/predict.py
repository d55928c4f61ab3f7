"""From pictures to class probabilities."""

from typing import Any

from cnnkit import checks

import keras
import numpy as np


def predict(model: keras.Model, images: Any) -> np.ndarray:
    """Predict the class probabilities of pictures.

    Parameters
    ----------
    model : keras.Model
        A classifier that ends in a softmax, or in one sigmoid unit for two classes.
    images : ndarray, (n, height, width, channels), or tf.data.Dataset
        Pictures in the form the model takes, or batches of them, with or without labels, in an
        order that stays, as `data.image_folder` yields them.

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
    if hasattr(images, "element_spec"):
        _check_dataset(model, images)
    else:
        checks.images(model, images)
    predicted = model.predict(images, verbose=0)
    if predicted.shape[1] == 1:
        return np.concatenate([1 - predicted, predicted], axis=1)
    return predicted


def _check_dataset(model: keras.Model, dataset: Any) -> None:
    if checks.is_shuffled(dataset):
        raise ValueError(
            "The data set is shuffled, so that predictions and labels would not match. Make it "
            "with image_folder(…, shuffle=False)."
        )
    spec = dataset.element_spec
    spec = spec[0] if isinstance(spec, tuple) else spec
    if len(spec.shape) == len(model.input_shape) - 1:
        raise ValueError("The data set holds single pictures; batch it: dataset.batch(32).")
    checks.image_shape(model, tuple(spec.shape))
