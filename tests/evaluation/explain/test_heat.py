"""Where the evidence is: against a formula, differences of scores, and boxes counted by hand."""

from cnnkit import models
from cnnkit.evaluation import explain

import keras
import numpy as np
import pytest
from keras import layers, ops

from .conftest import SHAPE, pictures, with_head

RANDOM = np.random.default_rng(0)
BUILDERS = {
    "mnist_cnn": models.mnist_cnn,
    "alexnet": lambda: models.alexnet((67, 67, 3), width=1 / 16),
    "shakenet": lambda: models.shakenet(8, 4),
    "transfer_classifier": lambda: models.transfer_classifier(models.vgg16_base("drawn", SHAPE)),
    "with_head": lambda: with_head(models.densenet_base("drawn", SHAPE)),
    "an application within": lambda: models.transfer_classifier(
        keras.applications.MobileNet(SHAPE, alpha=0.25, weights=None, include_top=False), 3
    ),
}


def resized(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize heat (n, h, w), and let it end at 1."""
    heat = ops.image.resize(heat[..., np.newaxis].astype("float32"), size, "bilinear")
    heat = ops.convert_to_numpy(heat)[..., 0]
    return heat / heat.max(axis=(1, 2), keepdims=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", BUILDERS)
def test_every_classifier_can_be_asked(name):
    model = BUILDERS[name]()
    images = pictures(model, 4)
    before = ops.convert_to_numpy(model(images, training=False))
    heat = explain.grad_cam(model, images)
    assert heat.shape == images.shape[:3]
    assert heat.min() >= 0
    assert {1} <= set(heat.max(axis=(1, 2)).round(5)) <= {0, 1}
    single = explain.grad_cam(model, images[1], int(model.output_shape[-1] > 1))
    assert single.shape == images.shape[1:3]
    np.testing.assert_array_equal(ops.convert_to_numpy(model(images, training=False)), before)


def test_the_heat_of_a_pooled_network_is_a_class_activation_map():
    """Zhou et al.: the maps, weighted by what the last layer makes of their means."""
    base = models.vgg16_base("drawn", SHAPE)
    model = with_head(base)
    weights = RANDOM.normal(size=(64, 3))
    weights[:, 0] = -np.abs(weights[:, 0])  # no evidence for the first class anywhere
    model.layers[-1].set_weights([weights, np.zeros(3)])
    images = pictures(model, 40)  # more than go through at once
    classes = RANDOM.integers(0, 3, 40)
    maps = base.predict(images, verbose=0)
    expected = np.maximum(np.einsum("nhwc,cn->nhw", maps, weights[:, classes]), 0)
    lit = expected.max(axis=(1, 2)) > 0
    found = explain.grad_cam(model, images, classes, "block5_pool")
    assert 0 < lit.sum() < 40
    np.testing.assert_allclose(found[lit], resized(expected[lit], (64, 64)), atol=1e-4)
    assert not found[~lit].any()


@pytest.mark.parametrize("class_index", [0, 1])
def test_the_weights_are_slopes_of_the_score_of_one_sigmoid(class_index):
    """Measured by raising each map a little, in a network cut in two."""
    keras.utils.set_random_seed(3)
    first = keras.Sequential([keras.Input((12, 12, 1)), layers.Conv2D(4, 3, activation="relu")])
    last = keras.Sequential([keras.Input((10, 10, 4)), layers.Flatten(), layers.Dense(1)])
    inputs = keras.Input((12, 12, 1))
    model = keras.Model(inputs, layers.Activation("sigmoid")(last(first(inputs))))
    image = RANDOM.uniform(0, 1, (1, 12, 12, 1)).astype("float32")
    maps = first.predict(image, verbose=0)
    sign = 1 if class_index else -1
    weights = []
    for channel in range(4):
        raised = maps.copy()
        raised[..., channel] += 1
        weights.append(sign * (last.predict(raised, verbose=0) - last.predict(maps, verbose=0)))
    expected = np.maximum((maps * np.ravel(weights)).sum(axis=-1), 0)
    found = explain.grad_cam(model, image[0], class_index, first.layers[0])
    np.testing.assert_allclose(found, resized(expected, (12, 12))[0], atol=1e-4)


def test_the_score_does_not_fade_where_the_network_is_sure():
    """A probability of 1 has no slope, its score before softmax has."""
    inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 1, name="conv")(inputs)
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, layers.Dense(2, "softmax")(x))
    kernel, none = np.array([1.0, 0.0]).reshape(1, 1, 1, 2), np.zeros(2)
    model.set_weights([kernel, none, 900 * np.eye(2), none])
    image = np.zeros((8, 8, 1), "float32")
    image[2, 5] = 64
    assert model.predict(image[np.newaxis], verbose=0)[0, 0] == 1
    np.testing.assert_array_equal(explain.grad_cam(model, image), image[..., 0] / 64)


def test_the_predicted_class_and_the_last_layer_that_does_not_pool_are_explained():
    model = models.transfer_classifier(models.vgg16_base("drawn", SHAPE))
    images = pictures(model, 3)
    classes = (model.predict(images, verbose=0)[:, 0] > 0.5).astype(int)
    expected = explain.grad_cam(model, images, classes, "vgg16/block5_conv3")
    np.testing.assert_array_equal(explain.grad_cam(model, images), expected)


def test_focus_counts_the_heat_in_the_box():
    heat = np.zeros((3, 4, 5))
    heat[0, 1, 2], heat[0, 3, 4] = 1, 0.5  # in the box, and out of it
    heat[1] = 1  # everywhere
    boxes = np.array([[2, 1, 4, 3], [0, 0, 5, 2], [0, 0, 1, 1]])
    heat_in, area = explain.focus(heat, boxes)
    np.testing.assert_allclose(heat_in, [2 / 3, 1 / 2, np.nan])
    np.testing.assert_allclose(area, [4 / 20, 10 / 20, 1 / 20])
    ratio = (2 / 3 + 1 / 2) / 2 / ((4 + 10) / 20 / 2)
    assert explain.focus(heat, boxes).ratio == pytest.approx(ratio)
    assert np.isnan(explain.focus(heat[2:], boxes[2:]).ratio)


@pytest.mark.parametrize("box", [[0, 0, 6, 2], [2, 1, 2, 3], [-1, 0, 2, 2], [0, 3, 2, 5]])
def test_a_box_lies_within_its_image(box):
    with pytest.raises(ValueError, match=r"empty or reaches out of its image of 4 by 5"):
        explain.focus(np.ones((1, 4, 5)), np.array([box]))
