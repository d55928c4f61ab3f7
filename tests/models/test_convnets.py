from cnnkit import data, models, training

import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

LAYERS = {
    "digits_cnn": [
        ("conv1", (8, 8, 32), 320),
        ("pool1", (4, 4, 32), 0),
        ("flatten", (512,), 0),
        ("dense1", (300,), 153_900),
        ("predictions", (10,), 3_010),
    ],
    "mnist_cnn": [
        ("conv1", (26, 26, 32), 320),
        ("pool1", (13, 13, 32), 0),
        ("conv2", (11, 11, 64), 18_496),
        ("pool2", (5, 5, 64), 0),
        ("conv3", (3, 3, 128), 73_856),
        ("flatten", (1152,), 0),
        ("predictions", (10,), 11_530),
    ],
    "cats_vs_dogs_cnn": [
        ("rescaling", (180, 180, 3), 0),
        ("conv1", (178, 178, 32), 896),
        ("pool1", (89, 89, 32), 0),
        ("conv2", (87, 87, 64), 18_496),
        ("pool2", (43, 43, 64), 0),
        ("conv3", (41, 41, 128), 73_856),
        ("pool3", (20, 20, 128), 0),
        ("conv4", (18, 18, 256), 295_168),
        ("pool4", (9, 9, 256), 0),
        ("conv5", (7, 7, 256), 590_080),
        ("flatten", (12_544,), 0),
        ("predictions", (1,), 12_545),
    ],
}
BUILDERS = {
    "digits_cnn": models.digits_cnn,
    "mnist_cnn": models.mnist_cnn,
    "cats_vs_dogs_cnn": models.cats_vs_dogs_cnn,
}


@pytest.mark.parametrize("name", BUILDERS)
def test_shapes_and_parameters_are_the_published_ones(name):
    model = BUILDERS[name]()
    found = [(la.name, la.output.shape[1:], la.count_params()) for la in model.layers[1:]]
    assert found == LAYERS[name]
    assert model.name == name


def test_without_pooling_there_are_seven_times_as_many_parameters():
    assert models.mnist_cnn(max_pooling=False).count_params() == 712_202


def convolve(maps, kernels, bias, padding=0):
    """ReLU of a convolution, one filter and one channel at a time, with SciPy."""
    padded = np.pad(maps, ((padding, padding), (padding, padding), (0, 0)))
    channels, filters = kernels.shape[2:]
    responses = [
        sum(
            correlate2d(padded[..., channel], kernels[..., channel, number], "valid")
            for channel in range(channels)
        )
        for number in range(filters)
    ]
    return np.maximum(0, np.stack(responses, axis=-1) + bias)


def pool(maps):
    """2×2 max pooling, a window at a time."""
    rows, columns = maps.shape[0] // 2, maps.shape[1] // 2
    windows = [
        [maps[2 * r : 2 * r + 2, 2 * c : 2 * c + 2].max(axis=(0, 1)) for c in range(columns)]
        for r in range(rows)
    ]
    return np.array(windows)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def by_hand(model, x):
    """Go through the layers, whose kinds and shapes LAYERS holds, with the model's weights."""
    for layer in model.layers[1:]:
        weights, kind = layer.get_weights(), layer.name.rstrip("12345")
        if kind == "conv":
            x = convolve(x, *weights, padding=model.name == "digits_cnn")
        elif kind in ("dense", "predictions"):
            x = x @ weights[0] + weights[1]
        else:
            x = {"rescaling": lambda x: x / 255, "pool": pool, "flatten": np.ravel}[kind](x)
        x = np.maximum(0, x) if kind == "dense" else x
    return 1 / (1 + np.exp(-x)) if len(x) == 1 else softmax(x)


@pytest.mark.parametrize(
    "build",
    [
        models.digits_cnn,
        models.mnist_cnn,
        lambda: models.mnist_cnn(max_pooling=False),
        lambda: models.cats_vs_dogs_cnn((78, 78, 3)),
    ],
)
def test_a_network_computes_what_its_parts_do(build):
    training.reproducible(seed=0)
    model = build()
    model.set_weights([w + 0.01 * (w.ndim == 1) for w in model.get_weights()])  # some bias
    image = np.random.default_rng(0).random(model.input_shape[1:]).astype("float32")
    found = model.predict(image[np.newaxis], verbose=0)[0]
    np.testing.assert_allclose(found, by_hand(model, image), rtol=1e-3, atol=1e-6)


def test_augmentation_comes_first_and_dropout_before_the_last_layer():
    augmentation = data.augment.flip_rotate_zoom()
    model = models.cats_vs_dogs_cnn((80, 80, 3), augmentation, dropout=0.5)
    names = [layer.name for layer in model.layers]
    assert names[1:3] == ["flip_rotate_zoom", "rescaling"]
    assert names[-3:] == ["flatten", "dropout", "predictions"]
    assert model.get_layer("dropout").rate == 0.5
    photos = 255 * np.random.default_rng(0).random((4, 80, 80, 3)).astype("float32")
    still = [keras.ops.convert_to_numpy(model(photos)) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    moved = [keras.ops.convert_to_numpy(model(photos, training=True)) for _ in range(2)]
    assert not np.array_equal(*moved)


def test_photos_that_are_too_small_for_the_network_are_refused():
    models.cats_vs_dogs_cnn((78, 78, 3))
    with pytest.raises(ValueError, match="at least 78 by 78"):
        models.cats_vs_dogs_cnn((77, 180, 3))


def test_the_digits_network_starts_with_the_published_deviations():
    training.reproducible(seed=0)
    weights = [models.digits_cnn().get_weights() for _ in range(20)]
    for position, n in enumerate([64, 64, 512, 512, 300, 300]):
        values = np.concatenate([arrays[position].ravel() for arrays in weights])
        standard_error = n**-0.5 / (2 * values.size) ** 0.5
        assert values.std() == pytest.approx(n**-0.5, abs=5 * standard_error)
        assert values.mean() == pytest.approx(0, abs=5 * (n * values.size) ** -0.5)


def test_kernel_and_bias_are_drawn_independently():
    kernel, bias = models.digits_cnn().get_layer("predictions").get_weights()
    assert not np.isin(bias, kernel).any()


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX calls models past input_spec")
@pytest.mark.parametrize("name", BUILDERS)
def test_pictures_without_a_channel_are_refused_by_keras_too(name):
    model = BUILDERS[name]()
    model.compile("sgd", "sparse_categorical_crossentropy")
    images = np.zeros((2, *model.input_shape[1:3]), "float32")
    for use in (model.predict, lambda x: model.fit(x, np.zeros(2), verbose=0), model):
        with pytest.raises(ValueError, match="expected ndim=4, found ndim=3") as caught:
            use(images)
        if "with name" in str(caught.value):  # older Keras does not name the input
            assert "images[..., np.newaxis]" in str(caught.value)
