"""Looking inside: against submodels, a formula, differences of scores, and known filters."""

from cnnkit import models
from cnnkit.evaluation import explain
from cnnkit.evaluation.explain.listening import find_layer

import keras
import numpy as np
import pytest
from keras import layers, ops

RANDOM = np.random.default_rng(0)
APPLICATIONS = {
    "MobileNetV2": lambda **options: keras.applications.MobileNetV2(alpha=0.35, **options),
    "DenseNet121": keras.applications.DenseNet121,
    "ResNet50V2": keras.applications.ResNet50V2,
}
BUILDERS = {
    "digits_cnn": models.digits_cnn,
    "mnist_cnn": models.mnist_cnn,
    "cats_vs_dogs_cnn": lambda: models.cats_vs_dogs_cnn((78, 78, 3)),
    "alexnet": lambda: models.alexnet((67, 67, 3), width=1 / 16),
    "shakenet": lambda: models.shakenet(8, 4),
    "transfer_classifier": lambda: models.transfer_classifier(models.vgg16_base("drawn", SHAPE)),
    "with_head": lambda: with_head(models.densenet_base("drawn", SHAPE)),
    **{
        name: lambda build=build: build(weights=None, input_shape=SHAPE, classes=4)
        for name, build in APPLICATIONS.items()
    },
    "an application within": lambda: models.transfer_classifier(
        APPLICATIONS["MobileNetV2"](weights=None, input_shape=SHAPE, include_top=False), 3
    ),
}
SHAPE = (64, 64, 3)


def with_head(base: keras.Model) -> keras.Model:
    return models.with_head(base, models.classification_head(base, ["cat", "dog", "owl"]))


def pictures(model: keras.Model, count: int = 2) -> np.ndarray:
    shape = (count, *model.input_shape[1:])
    low, high = (0, 1) if model.name in ("digits_cnn", "mnist_cnn") else (0, 255)
    return RANDOM.uniform(low, high, shape).astype("float32")


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
    heat = explain.grad_cam(model, image)
    assert heat[2, 5] == 1
    assert np.count_nonzero(heat) == 1


def test_the_predicted_class_is_the_one_that_is_explained():
    model = with_head(models.vgg16_base("drawn", SHAPE))
    images = pictures(model, 3)
    classes = model.predict(images, verbose=0).argmax(axis=1)
    np.testing.assert_array_equal(
        explain.grad_cam(model, images), explain.grad_cam(model, images, classes)
    )


def test_the_layer_that_is_taken_is_the_last_that_does_not_pool():
    model = models.transfer_classifier(models.vgg16_base("drawn", SHAPE))
    images = pictures(model)
    last = explain.grad_cam(model, images, 1, "vgg16/block5_conv3")
    np.testing.assert_array_equal(explain.grad_cam(model, images, 1), last)


def test_kernels_are_those_of_the_layer():
    base = models.vgg16_base("drawn", SHAPE)
    found = explain.kernels(models.transfer_classifier(base), "block1_conv1")
    np.testing.assert_array_equal(found, base.get_layer("block1_conv1").get_weights()[0])


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


def test_a_network_without_feature_maps_has_no_heat():
    model = keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ValueError, match="no layer with a spatial output"):
        explain.grad_cam(model, np.ones((4, 4, 1), "float32"))


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
    with pytest.raises(ValueError, match="expected whole pixels"):
        explain.focus(heat, boxes + 0.5)


@pytest.mark.parametrize("box", [[0, 0, 6, 2], [2, 1, 2, 3], [-1, 0, 2, 2], [0, 3, 2, 5]])
def test_a_box_lies_within_its_picture(box):
    with pytest.raises(ValueError, match=r"empty or reaches out of its picture of 4 by 5"):
        explain.focus(np.ones((1, 4, 5)), np.array([box]))
    with pytest.raises(ValueError, match=r"expected \(n, height, width\) and \(n, 4\)"):
        explain.focus(np.ones((2, 4, 5)), np.array([box]))


def test_alike_features_lie_together():
    groups = np.arange(60) % 3
    features = 10 * np.eye(3)[groups][:, :, np.newaxis] + RANDOM.normal(size=(60, 3, 8))
    points = explain.embed(features, seed=1)
    assert points.shape == (60, 2)
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).all()
    np.testing.assert_array_equal(points, explain.embed(features, seed=1))


@pytest.mark.parametrize(
    ("features", "cure"),
    [
        (np.ones((2, 4)), "at least 3"),
        (np.ones(4), "at least 3"),
        (np.full((4, 2), np.nan), "NaN or infinity"),
        (np.ones((4, 2)), "not the same for all"),
        (np.arange(4.0)[:, None], "two numbers a picture"),
    ],
)
def test_what_cannot_be_laid_out_is_told(features, cure):
    with pytest.raises(ValueError, match=cure):
        explain.embed(features)


def test_few_pictures_can_be_laid_out():
    assert explain.embed(RANDOM.normal(size=(3, 2))).shape == (3, 2)


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
