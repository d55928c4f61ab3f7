"""What networks take, and what their outputs mean."""

from cnnkit import checks, data, evaluation, models, networks, training

import keras
import numpy as np
import pytest
from keras import layers

X = np.random.default_rng(0).random((6, 8, 8, 3)).astype("float32")
bias = keras.initializers.Constant(-2)


def ending(*ends):
    inputs = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(inputs))
    for end in ends:
        x = end(x)
    return keras.Model(inputs, x)


def half(activation="sigmoid"):
    return layers.Dense(1, activation, bias_initializer=bias)


def both(x):
    return layers.Average()([layers.Dense(3, "softmax")(x), layers.Dense(3, "softmax")(x)])


def fully_convolutional():
    inputs = keras.Input((8, 8, 3))
    maps = layers.Conv2D(3, 3, activation="softmax")(inputs)
    return keras.Model(inputs, layers.GlobalAveragePooling2D()(maps))


def own_softmax_v2(x):
    """As TensorFlow's function is called, in ``Dense(10, activation=tf.nn.softmax)``."""
    return keras.ops.softmax(x)


class Doubled(keras.Model):
    def call(self, inputs, training=None):
        return 2 * super().call(inputs, training=training)


own_softmax_v2.__name__ = "softmax_v2"
CLASSIFIERS = {
    "softmax": (3, lambda: ending(layers.Dense(3, "softmax"))),
    "sigmoid": (2, lambda: ending(half())),
    "activation": (3, lambda: ending(layers.Dense(3), layers.Activation("softmax"))),
    "Softmax": (3, lambda: ending(layers.Dense(3), layers.Softmax())),
    "operation": (3, lambda: ending(layers.Dense(3), keras.ops.softmax)),
    "sigmoid as an operation": (2, lambda: ending(half(None), keras.ops.sigmoid)),
    "TensorFlow's": (3, lambda: ending(layers.Dense(3, own_softmax_v2))),
    "a layer as activation": (3, lambda: ending(layers.Dense(3, layers.Softmax(axis=1)))),
    "cast": (2, lambda: ending(half(), layers.Activation("linear", dtype="float32"))),
    "flattened": (2, lambda: ending(half(), layers.Flatten())),
    "reshaped": (3, lambda: ending(layers.Dense(3, "softmax"), layers.Reshape((3,)))),
    "half": (3, lambda: ending(layers.Dense(3, "softmax", dtype="mixed_bfloat16"))),
    "nested": (3, lambda: ending(keras.Sequential([layers.Dense(3, "softmax")]))),
    "convolutional": (3, fully_convolutional),
    "the mean of two": (3, lambda: ending(both)),
}


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_is_one_however_it_ends(name):
    classes, build = CLASSIFIERS[name]
    model = build()
    assert networks.output(model)[:2] == (classes, "sigmoid" if classes == 2 else "softmax")
    probabilities = evaluation.predict(model, X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    predicted = probabilities.argmax(axis=1)
    assert classes == 3 or (predicted == 0).all()
    if name != "convolutional":
        heat = evaluation.explain.grad_cam(model, X)
        same = evaluation.explain.grad_cam(model, X, class_index=predicted)
        np.testing.assert_allclose(heat, same, atol=1e-5)
        assert heat.any()


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ([layers.Dense(1)], r"ends in Dense with activation linear.*expected a softmax"),
        ([layers.Dense(3)], "Put keras.layers.Activation behind logits"),
        ([layers.Dense(3, "relu")], "Dense with activation relu"),
        ([layers.Dense(3, "sigmoid")], r"sigmoid, \(None, 3\)"),
        ([layers.Dense(1, "softmax")], r"softmax, \(None, 1\)"),
        ([layers.Dense(3, "softmax"), layers.Rescaling(2.0)], "Rescaling"),
        ([layers.Dense(3, "softmax"), lambda x: x[:, :2]], r"GetItem, \(None, 2\)"),
        ([layers.Reshape((2, 2)), layers.LSTM(3, activation="softmax")], "LSTM"),
        (
            [lambda x: layers.Average()([layers.Dense(3, a)(x) for a in ("softmax", None)])],
            "linear",
        ),
        ([layers.Dense(3, "softmax"), keras.ops.log], "Log"),
        ([lambda x: [layers.Dense(3, "softmax")(x), layers.Dense(1)(x)]], "2 outputs"),
        ([lambda x: {"name": layers.Dense(3, "softmax")(x)}], "1 outputs"),
    ],
)
def test_what_is_no_classifier_is_refused(ends, message):
    model = ending(*ends)
    for use in (evaluation.predict, evaluation.explain.grad_cam):
        with pytest.raises(ValueError, match=message):
            use(model, X)
    with pytest.raises(ValueError, match=message):
        training.check_data(model, X, np.arange(6) % 2)


def test_what_does_not_add_up_is_refused():
    inputs = keras.Input((8, 8, 3))
    outputs = layers.Dense(3, "softmax")(layers.Flatten()(inputs))
    with pytest.raises(ValueError, match="do not add up to 1 in each row"):
        evaluation.predict(Doubled(inputs, outputs), X)


def test_a_sure_prediction_has_heat_and_a_class_is_one_of_them():
    for ends in (
        [layers.Dense(1), keras.ops.sigmoid],
        [layers.Dense(1), layers.Activation("sigmoid")],
    ):
        model = ending(*ends)
        dense = next(layer for layer in model.layers if isinstance(layer, layers.Dense))
        dense.set_weights([np.full((4, 1), 1e4), np.zeros(1)])
        assert evaluation.predict(model, X)[:, 1].min() > 0.999
        assert evaluation.explain.grad_cam(model, X).any(axis=(1, 2)).all()
    for wrong in (2, -1, [0, 0, 0, 0, 0, 7]):
        with pytest.raises(ValueError, match="expected classes from 0 to 1"):
            evaluation.explain.grad_cam(model, X, wrong)


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.last = layers.Dense(3, activation="softmax")

    def call(self, x):
        return self.last(keras.ops.mean(x, (1, 2)))


def test_a_model_without_a_graph_is_refused_in_a_sentence():
    model = Own()
    model(X)
    for call in (lambda: evaluation.predict(model, X), lambda: training.check_data(model, X, X)):
        with pytest.raises(ValueError, match="Sequential or functional"):
            call()


def beginning(first):
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(2, 3)(first(inputs))
    return keras.Model(inputs, layers.Dense(3, "softmax")(layers.Flatten()(x)))


def adapted(images):
    layer = layers.Normalization()
    layer.adapt(images)
    return layer


@pytest.mark.parametrize(
    ("first", "images", "largest"),
    [
        (lambda: adapted(255 * X), 255 * X, 255),
        (lambda: adapted(X), X, 1),
        (lambda: adapted(X - X.mean((0, 1, 2))), 3 * X - 1.5, np.inf),
        (lambda: layers.Rescaling(1 / 127.5, -1), 255 * X, 255),
        (lambda: lambda x: x / 255, 255 * X, np.inf),
        (lambda: lambda x: layers.Rescaling(1 / 255)(keras.ops.cast(x, "float32")), 255 * X, 255),
        (lambda: layers.Lambda(lambda x: x / 255), 255 * X, np.inf),
        (lambda: layers.BatchNormalization(), 255 * X, np.inf),
        (lambda: keras.Sequential([layers.RandomFlip(), layers.Rescaling(1 / 255)]), 255 * X, 255),
        (lambda: layers.Rescaling(-1.0, 1.0), X, 1),  # black on white
        (lambda: keras.Sequential([layers.Rescaling(255.0), layers.Rescaling(1 / 255)]), X, 1),
        (lambda: data.augment.Chain([layers.RandomFlip()]), X, 1),
    ],
)
def test_pixels_are_judged_by_what_the_model_begins_with(first, images, largest):
    model = beginning(first())
    assert networks.input_of(model)[1] == largest
    training.check_data(model, images, np.arange(6) % 3)
    if largest == 255:
        checks.images(model, np.round(X))  # nearly black photos are no divided ones
        with pytest.raises(ValueError, match="division by 255"):
            checks.images(model, X)
    if largest == 1:
        with pytest.raises(ValueError, match="Take images / 255"):
            training.check_data(model, 255 * X, np.arange(6) % 3)


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize(
    "build",
    [
        models.digits_cnn,
        models.mnist_cnn,
        lambda: models.cats_vs_dogs_cnn((78, 78, 3)),
        lambda: models.alexnet((67, 67, 3), width=0.01),
        lambda: models.shakenet(8, 2),
        lambda: models.transfer_classifier(models.vgg16_base(None, (32, 32, 3)), units=2),
        lambda: models.pooled(models.densenet_base(None, (32, 32, 3), block_config=(1, 1, 1, 1))),
        lambda: models.vgg16_base("drawn", (32, 32, 3)),
    ],
)
def test_networks_are_channels_last_whatever_keras_is_set_to(build, channels_first):
    shapes = [weight.shape for weight in build().weights]
    keras.config.set_image_data_format("channels_last")
    assert shapes == [weight.shape for weight in build().weights]


@pytest.mark.parametrize("name", ["flip_rotate_zoom", "rotate", "color_jitter", "blur", "sharpen"])
def test_augmentation_is_channels_last_as_well(name, channels_first):
    wide = 255 * X[:, :4]
    first, kept = (getattr(data.augment, name)(seed=1) for _ in range(2))
    again = type(kept).from_config(kept.get_config())
    found = [keras.ops.convert_to_numpy(layer(wide, training=True)) for layer in (first, again)]
    keras.config.set_image_data_format("channels_last")
    expected = getattr(data.augment, name)(seed=1)(wide, training=True)
    for each in found:
        np.testing.assert_array_equal(each, keras.ops.convert_to_numpy(expected))


def test_a_model_with_channels_first_is_refused_by_name():
    inputs = keras.Input((3, 32, 40))
    options = {"data_format": "channels_first"}
    maps = layers.Conv2D(8, 3, activation="relu", name="first", **options)(inputs)
    x = layers.GlobalAveragePooling2D(**options)(maps)
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    with pytest.raises(ValueError, match=r"layer 'first' of .* is channels_first"):
        evaluation.explain.grad_cam(model, np.zeros((1, 3, 32, 40), "float32"), class_index=0)
