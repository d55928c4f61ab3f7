"""Layers that are found in any model, and what they make of an image: against submodels."""

from cnnkit import models
from cnnkit.evaluation import explain
from cnnkit.evaluation.explain.layers import find_layer

import keras
import numpy as np
import pytest
from keras import layers

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


def test_layers_of_one_name_are_told_apart():
    """Two models within one, each with a layer ``conv``."""
    parts = [
        keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(2, 3, name="conv")], name=name)
        for name in ("left", "right")
    ]
    inputs = keras.Input((6, 6, 2))
    model = keras.Model(inputs, layers.Concatenate()([part(inputs) for part in parts]))
    image = np.ones((6, 6, 2), "float32")
    found = explain.feature_maps(model, image, ["left/conv", "right/conv"])
    assert not np.allclose(found["left/conv"], found["right/conv"])
    with pytest.raises(ValueError, match=r"several layers 'conv'; name one.* left/conv, right/con"):
        explain.feature_maps(model, image, "conv")
    base = models.vgg16_base("drawn", SHAPE)
    outer = models.transfer_classifier(base)
    assert find_layer(outer, "photos") is outer.layers[0]
    assert find_layer(outer, "vgg16/photos") is base.layers[0]


def test_a_layer_of_two_models_runs_more_than_once():
    shared = layers.Conv2D(2, 3, name="conv")
    parts = [keras.Sequential([keras.Input((6, 6, 1)), shared], name=name) for name in "ab"]
    inputs = keras.Input((6, 6, 1))
    x = layers.Concatenate()([part(inputs) for part in parts])
    x = layers.Conv2D(2, 1, activation="relu", name="last")(x)
    model = keras.Model(inputs, layers.Dense(2, "softmax")(layers.GlobalAveragePooling2D()(x)))
    image = np.ones((6, 6, 1), "float32")
    last = explain.grad_cam(model, image, 0, "last")
    np.testing.assert_array_equal(explain.grad_cam(model, image, 0), last)
    with pytest.raises(ValueError, match="runs more than once"):
        explain.feature_maps(model, image, shared)


def test_the_model_stays_as_it_was():
    model = models.digits_cnn()
    with pytest.raises(ValueError, match="has no feature maps"):
        explain.filter_patterns(model, "dense1")
    explain.filter_patterns(model, "conv1", 1, steps=1)
    explain.grad_cam(model, pictures(model))
    assert not any("call" in vars(layer) for layer in model.layers)
    assert model.layers[-1].activation is keras.activations.softmax


def diverged(images):
    ends = [layers.GlobalAveragePooling2D(), layers.Softmax()]
    model = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(2, 3), *ends])
    model.set_weights([np.full(weight.shape, np.nan) for weight in model.get_weights()])
    return explain.grad_cam(model, images)


FLAT = keras.Sequential([keras.Input(SHAPE), layers.Flatten(), layers.Dense(2, "softmax")])


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda _, x: explain.grad_cam(FLAT, x), "has no feature maps"),
        (lambda m, x: diverged(x), "NaN or infinity: the training diverged"),
        (lambda m, x: explain.feature_maps(m, x, "dense"), "no feature maps.*conv3, vgg16/block"),
        (lambda m, x: explain.grad_cam(m, x, 1, "dense"), "has no feature maps"),
        (lambda m, x: explain.feature_maps(m, x, "block1_conv3"), "no layer 'block1_conv3'; name"),
        (lambda m, x: explain.feature_maps(m, x, layers.ReLU(name="mine")), "no layer 'mine'"),
        (lambda m, x: explain.feature_maps(m, [x, x], "conv1"), "expected a single one"),
        (lambda m, x: explain.grad_cam(m, x[:9]), "expects"),
        (lambda m, x: explain.grad_cam(m, x / 255), "Leave out the division by 255"),
        (lambda m, x: explain.grad_cam(m.get_layer("vgg16"), x), r"softmax, \(n, classes\)"),
    ],
)
def test_what_cannot_be_shown_is_told(call, cure):
    model = models.transfer_classifier(models.vgg16_base("drawn", SHAPE))
    with pytest.raises(ValueError, match=cure):
        call(model, pictures(model)[0])
