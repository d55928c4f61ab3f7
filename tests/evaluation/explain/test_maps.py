"""Feature maps and kernels, against submodels and the layers themselves."""

from cnnkit import models
from cnnkit.evaluation import explain

import keras
import numpy as np
import pytest

from .conftest import SHAPE, pictures


@pytest.mark.parametrize("nested", [False, True])
def test_feature_maps_are_those_of_a_submodel(nested):
    base = models.vgg16_base("drawn", SHAPE)
    model = models.transfer_classifier(base) if nested else base
    image = pictures(model)[0]
    found = explain.feature_maps(model, image, ["block4_conv2", "block1_conv1"])
    assert list(found) == ["block4_conv2", "block1_conv1"]
    for name, maps in found.items():
        part = keras.Model(base.input, base.get_layer(name).output)
        np.testing.assert_allclose(maps, part.predict(image[np.newaxis], verbose=0)[0], atol=1e-4)


def test_kernels_are_those_of_the_layer():
    base = models.vgg16_base("drawn", SHAPE)
    found = explain.kernels(models.transfer_classifier(base), "block1_conv1")
    np.testing.assert_array_equal(found, base.get_layer("block1_conv1").get_weights()[0])
