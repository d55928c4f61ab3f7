"""From pictures to class probabilities."""

from cnnkit import checks

import keras
import numpy as np


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Predict the class probabilities of pictures.

    Parameters
    ----------
    model : keras.Model
        A classifier that ends in a softmax.
    images : ndarray, (n, height, width, channels)
        Pictures in the form the model takes.

    Returns
    -------
    ndarray, (n, classes)
        Probabilities; each row adds up to 1.

    Raises
    ------
    ValueError
        The pictures do not fit the model. The message says what to do.
    """
    checks.images(model, images)
    return model.predict(images, verbose=0)
