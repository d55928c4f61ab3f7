"""What the tests of looking inside a network share."""

from cnnkit import models

import keras
import numpy as np

SHAPE = (64, 64, 3)


def with_head(base: keras.Model) -> keras.Model:
    return models.with_head(base, models.classification_head(base, ["cat", "dog", "owl"]))


def pictures(model: keras.Model, count: int = 2) -> np.ndarray:
    shape = (count, *model.input_shape[1:])
    low, high = (0, 1) if model.name in ("digits_cnn", "mnist_cnn") else (0, 255)
    return np.random.default_rng(0).uniform(low, high, shape).astype("float32")
