"""Layers that are found and listened to in any model, and what is told where they are not."""

from cnnkit import models
from cnnkit.evaluation import explain
from cnnkit.evaluation.explain.listening import find_layer

import keras
import numpy as np
import pytest
from keras import layers

from .conftest import SHAPE, pictures


def nested(first: str, second: str) -> keras.Model:
    """Two models within one, each with a layer ``conv``, and a layer of that name beside them."""
    parts = [
        keras.Sequential([keras.Input((6, 6, 2)), layers.Conv2D(2, 3, name="conv")], name=name)
        for name in (first, second)
    ]
    x = inputs = keras.Input((6, 6, 2))
    x = layers.Concatenate()([part(x) for part in parts])
    x = layers.Conv2D(3, 1, name="last")(x)
    return keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))


def test_layers_of_one_name_are_told_apart():
    model, image = nested("left", "right"), np.ones((6, 6, 2), "float32")
    found = explain.feature_maps(model, image, ["left/conv", "right/conv"])
    assert not np.allclose(found["left/conv"], found["right/conv"])
    with pytest.raises(ValueError, match="several layers 'conv'; name one of left/conv, right/con"):
        explain.feature_maps(model, image, "conv")
    both = [model.get_layer(name).layers[0] for name in ("left", "right")]
    with pytest.raises(ValueError, match="have the same name; give paths"):
        explain.feature_maps(model, image, both)
    base = models.vgg16_base("drawn", SHAPE)
    outer = models.transfer_classifier(base)
    assert find_layer(outer, "photos") is outer.layers[0]
    assert find_layer(outer, "vgg16/photos") is base.layers[0]


def test_a_layer_of_two_models_is_listened_to_once():
    shared = layers.Conv2D(2, 3, name="conv")
    parts = [keras.Sequential([keras.Input((6, 6, 1)), shared], name=name) for name in "ab"]
    inputs = keras.Input((6, 6, 1))
    x = layers.Concatenate()([part(inputs) for part in parts])
    x = layers.Conv2D(2, 1, activation="relu", name="last")(x)
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalAveragePooling2D()(x)))
    image = np.ones((6, 6, 1), "float32")
    last = explain.grad_cam(model, image, 0, "last")
    np.testing.assert_array_equal(explain.grad_cam(model, image, 0), last)
    assert "call" not in vars(shared)
    with pytest.raises(ValueError, match="runs not just once"):
        explain.feature_maps(model, image, shared)


def test_an_error_leaves_the_model_as_it_was():
    model = models.digits_cnn()
    with pytest.raises(ValueError, match="expected one with a spatial output"):
        explain.filter_patterns(model, "dense1")
    assert "call" not in vars(model.get_layer("dense1"))
    assert model.layers[-1].activation is keras.activations.softmax


@pytest.mark.parametrize(
    ("call", "cure"),
    [
        (lambda m, x: explain.feature_maps(m, x, "dense"), r"gives \(1, 256\).*conv3, vgg16/block"),
        (lambda m, x: explain.grad_cam(m, x, 1, "dense"), "expected one with a spatial output"),
        (lambda m, x: explain.filter_patterns(m, "flatten"), "expected one with a spatial output"),
        (lambda m, x: explain.feature_maps(m, x, "vgg16/photos"), "not just once; expected one"),
        (lambda m, x: explain.feature_maps(m, x, "block1_conv3"), "did you mean block5_conv3"),
        (lambda m, x: explain.feature_maps(m, x, layers.ReLU(name="mine")), "no layer 'mine'"),
        (lambda m, x: explain.feature_maps(m, [x, x], "conv1"), "expected a single one"),
        (lambda m, x: explain.kernels(m, "dense"), "a Dense, which has no kernels.*block5_conv3"),
        (lambda m, x: explain.grad_cam(m, x, 2), "class_index is 2; expected.* 0 to 1"),
        (lambda m, x: explain.grad_cam(m, x, [0, 1]), "one for each of 1 pictures"),
        (lambda m, x: explain.grad_cam(m, x[:9]), "expects"),
        (lambda m, x: explain.grad_cam(m, x / 255), "Leave out the division by 255"),
        (lambda m, x: explain.grad_cam(m.get_layer("vgg16"), x), "expected a classifier"),
        (lambda m, x: explain.filter_patterns(m, "block1_conv1", 9), "has 8, 0 to 7"),
        (lambda m, x: explain.filter_patterns(m, "block1_conv1", []), "has 8, 0 to 7"),
        (lambda m, x: explain.filter_patterns(m, "block1_conv1", [0.5]), "has 8, 0 to 7"),
        (lambda m, x: explain.filter_patterns(m, "block1_conv1", steps=0), "from 1"),
    ],
)
def test_what_cannot_be_shown_is_told(call, cure):
    model = models.transfer_classifier(models.vgg16_base("drawn", SHAPE))
    with pytest.raises(ValueError, match=cure):
        call(model, pictures(model)[0])


def test_models_that_cannot_be_asked_are_told():
    one, other = keras.Input((6, 6, 1)), keras.Input((6, 6, 1))
    two_inputs = keras.Model([one, other], layers.Flatten()(one + other))
    x = layers.Flatten()(layers.Conv2D(2, 3)(one))
    two_outputs = keras.Model(one, [layers.Dense(2)(x), layers.Dense(3)(x)])
    unbuilt = keras.Sequential([layers.Conv2D(2, 3), layers.Flatten()])
    broken = keras.Sequential([one, layers.Conv2D(2, 3), layers.Flatten(), layers.Dense(2)])
    broken.set_weights([np.full(weight.shape, np.nan) for weight in broken.get_weights()])
    image = np.ones((6, 6, 1), "float32")
    for model, cure in (
        (two_inputs, "no single input"),
        (unbuilt, "no single input"),
        (two_outputs, "expected a classifier"),
        (broken, "NaN or infinity; a training that diverged"),
    ):
        with pytest.raises(ValueError, match=cure):
            explain.grad_cam(model, image)
