"""DenseNet against the one of keras.applications."""

from cnnkit import models
from cnnkit.models.densenet import PUBLISHED

import keras
import numpy as np
import pytest


@pytest.mark.slow
def test_the_same_output_as_keras_applications():
    keras.utils.set_random_seed(0)
    form = {"weights": None, "input_shape": (64, 96, 3)}
    original = keras.applications.DenseNet121(include_top=False, **form)
    base = models.densenet_base(**form)
    assert base.count_params() == 7_037_504
    named = {layer.name for layer in original.layers if layer.weights}
    assert {layer.name for layer in base.layers if layer.weights} == named
    base.set_weights(original.get_weights())
    photos = np.random.default_rng(0).uniform(0, 255, (2, 64, 96, 3)).astype("float32")
    scaled = keras.applications.densenet.preprocess_input(photos.copy())
    expected, found = map(keras.ops.convert_to_numpy, (original(scaled), base(photos)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("depth", "expected"), [(169, 12_642_880), (201, 18_321_984)])
def test_deeper_ones_have_the_published_parameters(depth, expected):
    base = models.densenet_base(None, (32, 32, 3), block_config=PUBLISHED[depth])
    assert base.count_params() == expected


def test_the_first_convolution_and_the_bottleneck_by_their_numbers():
    """The arithmetic of the paper's table 1, with 7 first maps and 3 · 5 in a layer."""
    form = {"growth_rate": 5, "initial_filters": 7, "bottleneck": 3}
    base = models.densenet_base(None, (32, 32, 3), block_config=(2, 1), **form)
    convolutions = [la.kernel.shape for la in base.layers if isinstance(la, keras.layers.Conv2D)]
    layers = [(7, 15, 5), (12, 15, 5)], [(8, 15, 5)]  # of 17 maps, a transition leaves 8
    expected = [(7, 7, 3, 7)]
    for block in layers:
        expected += [(1, 1, 17, 8)] if block is layers[1] else []
        for maps, inner, new in block:
            expected += [(1, 1, maps, inner), (3, 3, inner, new)]
    assert convolutions == expected
    assert base.output_shape == (None, 4, 4, 13)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": None, "input_shape": (30, 64, 3)}, "from 32 up"),
        ({"weights": "drawing"}, "weights is 'drawing'"),
        ({"block_config": (2,)}, "Leave these out, or take weights=None"),
        ({"initial_filters": 8}, "Leave these out, or take weights=None"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.densenet_base(**{"weights": "drawn", "input_shape": (64, 64, 3), **arguments})
