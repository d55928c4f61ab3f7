from cnnkit import models, training

import keras
import numpy as np
import pytest

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
}
BUILDERS = {"digits_cnn": models.digits_cnn, "mnist_cnn": models.mnist_cnn}


@pytest.mark.parametrize("name", BUILDERS)
def test_shapes_and_parameters_are_the_published_ones(name):
    model = BUILDERS[name]()
    found = [(la.name, la.output.shape[1:], la.count_params()) for la in model.layers[1:]]
    assert found == LAYERS[name]
    assert model.name == name


def test_numbers_of_parameters():
    assert models.digits_cnn().count_params() == 157_230
    assert models.mnist_cnn().count_params() == 104_202
    assert models.mnist_cnn(max_pooling=False).count_params() == 712_202


def test_the_digits_network_computes_what_plain_loops_compute():
    training.reproducible(seed=0)
    model = models.digits_cnn()
    image = np.random.default_rng(0).random((8, 8, 1)).astype("float32")
    weights = {layer.name: layer.get_weights() for layer in model.layers}

    kernel, bias = weights["conv1"]
    padded = np.pad(image[..., 0], 1)
    maps = np.zeros((8, 8, 32))
    for row in range(8):
        for column in range(8):
            window = padded[row : row + 3, column : column + 3]
            for number in range(32):
                maps[row, column, number] = (window * kernel[:, :, 0, number]).sum() + bias[number]
    maps = np.maximum(maps, 0)
    pooled = np.zeros((4, 4, 32))
    for row in range(4):
        for column in range(4):
            window = maps[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
            pooled[row, column] = window.max(axis=(0, 1))
    kernel, bias = weights["dense1"]
    hidden = np.maximum(pooled.ravel() @ kernel + bias, 0)
    kernel, bias = weights["predictions"]
    powers = np.exp(hidden @ kernel + bias)
    expected = powers / powers.sum()

    found = model.predict(image[np.newaxis], verbose=0)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_digits_network_starts_with_the_published_deviations():
    training.reproducible(seed=0)
    weights = [models.digits_cnn().get_weights() for _ in range(20)]
    for position, n in enumerate([64, 64, 512, 512, 300, 300]):
        values = np.concatenate([arrays[position].ravel() for arrays in weights])
        standard_error = n**-0.5 / (2 * values.size) ** 0.5
        assert values.std() == pytest.approx(n**-0.5, abs=5 * standard_error)


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
        with pytest.raises(ValueError, match="expected ndim=4, found ndim=3"):
            use(images)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_saved_network_predicts_the_same(name, tmp_path):
    model = BUILDERS[name]()
    images = np.random.default_rng(0).random((3, *model.input_shape[1:])).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
