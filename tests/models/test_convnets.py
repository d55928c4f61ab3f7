import itertools

from cnnkit import data, models, training

import keras
import numpy as np
import pytest
from scipy.signal import correlate2d

BUILDERS = [models.digits_cnn, models.mnist_cnn, models.cats_vs_dogs_cnn]
PUBLISHED = {  # parameters of the layers that have some
    "digits_cnn": {"conv1": 320, "dense1": 153_900, "predictions": 3_010},
    "mnist_cnn": {"conv1": 320, "conv2": 18_496, "conv3": 73_856, "predictions": 11_530},
    "cats_vs_dogs_cnn": {
        "conv1": 896,
        "conv2": 18_496,
        "conv3": 73_856,
        "conv4": 295_168,
        "conv5": 590_080,
        "predictions": 12_545,
    },
}


@pytest.mark.parametrize("build", BUILDERS)
def test_parameters_are_the_published_ones(build):
    model = build()
    found = [(layer.name, layer.count_params()) for layer in model.layers if layer.weights]
    assert found == [*PUBLISHED[model.name].items()]


def test_without_pooling_there_are_seven_times_as_many_parameters():
    assert models.mnist_cnn(max_pooling=False).count_params() == 712_202


def convolve(maps, kernels, bias, padding=0):
    """ReLU of a convolution, one filter and one channel at a time, with SciPy."""
    padded = np.pad(maps, ((padding, padding), (padding, padding), (0, 0)))
    channels, filters = kernels.shape[2:]
    both = itertools.product(range(filters), range(channels))
    found = [correlate2d(padded[..., c], kernels[..., c, n], "valid") for n, c in both]
    summed = np.reshape(found, (filters, channels, *found[0].shape)).sum(axis=1)
    return np.maximum(0, np.moveaxis(summed, 0, -1) + bias)


def pool(maps):
    """2×2 max pooling."""
    rows, columns = maps.shape[0] // 2, maps.shape[1] // 2
    return maps[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2, -1).max(axis=(1, 3))


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def by_hand(model, x):
    """Go through the layers, which are told by their names, with the model's weights."""
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


def test_the_digits_network_starts_with_the_published_deviations():
    training.reproducible(seed=0)
    weights = [models.digits_cnn().get_weights() for _ in range(20)]
    for position, n in enumerate([64, 64, 512, 512, 300, 300]):
        values = np.concatenate([arrays[position].ravel() for arrays in weights])
        standard_error = n**-0.5 / (2 * values.size) ** 0.5
        assert values.std() == pytest.approx(n**-0.5, abs=5 * standard_error)
        assert values.mean() == pytest.approx(0, abs=5 * (n * values.size) ** -0.5)
    assert not np.isin(weights[0][5], weights[0][4]).any()  # a bias and its kernel
