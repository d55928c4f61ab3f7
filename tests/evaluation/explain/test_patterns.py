"""Patterns: what known filters look for, and what excites a filter most."""

from cnnkit import models
from cnnkit.evaluation import explain

import keras
import numpy as np
from keras import layers

from .conftest import SHAPE, with_head


def test_patterns_show_what_known_filters_look_for():
    """Red against blue, blue against red, and a vertical edge."""
    model = keras.Sequential([keras.Input((16, 16, 3)), layers.Conv2D(3, 3, activation="relu")])
    kernel = np.zeros((3, 3, 3, 3))
    kernel[1, 1, :, 0], kernel[1, 1, :, 1] = (1, 0, -1), (-1, 0, 1)
    kernel[..., 2] = np.array([-1.0, 2.0, -1.0])[np.newaxis, :, np.newaxis]
    model.set_weights([kernel, np.full(3, -5)])  # where the activation would have no slope
    red, blue, lines = explain.filter_patterns(model, model.layers[0], 3)
    assert red[..., 0].mean() - red[..., 2].mean() > 0.2
    assert blue[..., 2].mean() - blue[..., 0].mean() > 0.2
    gray = lines.mean(axis=-1)
    across, along = np.abs(np.diff(gray, axis=1)).mean(), np.abs(np.diff(gray, axis=0)).mean()
    assert across > 1.5 * along


def test_patterns_excite_their_own_filters_most():
    model = with_head(models.vgg16_base("drawn", SHAPE))
    numbers = [1, 5, 9, 13]
    patterns = explain.filter_patterns(model, "block3_conv1", numbers, steps=15)
    assert patterns.shape == (4, *SHAPE)
    assert patterns.min() >= 0 and patterns.max() <= 1
    responses = [
        explain.feature_maps(model, 255 * pattern, "block3_conv1")["block3_conv1"].mean((0, 1))
        for pattern in patterns
    ]
    responses = np.array(responses)[:, numbers]
    np.testing.assert_array_equal(responses.argmax(axis=0), [0, 1, 2, 3])
    again = explain.filter_patterns(model, "block3_conv1", numbers, steps=15)
    np.testing.assert_allclose(again, patterns, atol=1e-4)
