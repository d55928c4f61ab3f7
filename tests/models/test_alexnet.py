"""AlexNet against the numbers of its paper and of its source, and against plain loops."""

from cnnkit import data, evaluation, models
from cnnkit.models.alexnet import LocalResponseNormalization

import keras
import numpy as np
import pytest

SHAPES = {
    "conv1": (55, 55, 96),
    "pool1": (27, 27, 96),
    "conv2": (27, 27, 256),
    "pool2": (13, 13, 256),
    "conv3": (13, 13, 384),
    "conv4": (13, 13, 384),
    "conv5": (13, 13, 256),
    "pool5": (6, 6, 256),
    "flatten": (9216,),
    "fc6": (4096,),
    "dropout6": (4096,),
    "fc7": (4096,),
    "dropout7": (4096,),
    "fc8": (2,),
}
# Deviation of the weights, and the bias at the start.
STARTS = {
    "conv1": (0.01, 0),
    "conv2": (0.01, 0.1),
    "conv3": (0.01, 0),
    "conv4": (0.01, 0.1),
    "conv5": (0.01, 0.1),
    "fc6": (0.005, 0.1),
    "fc7": (0.005, 0.1),
    "fc8": (0.01, 0),
}
PHOTOS = np.random.default_rng(0).uniform(0, 255, (4, 67, 67, 3)).astype("float32")


@pytest.fixture(scope="module")
def full() -> keras.Model:
    keras.utils.set_random_seed(0)
    return models.alexnet()


def weights(model: keras.Model, name: str) -> tuple[np.ndarray, np.ndarray]:
    kernel, bias = model.get_layer(name).get_weights()
    return kernel, bias


def test_shapes_and_parameters_are_the_published_ones(full):
    assert full.input_shape == (None, 227, 227, 3)
    assert full.count_params() == 58_289_538
    found = {layer.name: layer.output.shape[1:] for layer in full.layers[2:]}
    assert list(found.items()) == list(SHAPES.items())
    activations = [layer.activation for layer in full.layers if layer.weights]
    assert activations == [keras.activations.relu] * 7 + [keras.activations.softmax]


def test_the_paper_has_sixty_million_parameters():
    options = {"groups": 2, "bias": 1, "local_response_normalization": True, "dropout": 0}
    paper = models.alexnet(classes=1000, **options)
    assert paper.count_params() == 60_965_224
    assert [layer.name for layer in paper.layers if "norm" in layer.name] == ["norm1", "norm2"]
    order = [layer.name for layer in paper.layers]
    assert order.index("conv1") + 1 == order.index("norm1") == order.index("pool1") - 1
    for name, (_, start) in STARTS.items():
        assert set(weights(paper, name)[1]) == {1 if start else 0}


@pytest.mark.parametrize(
    ("width", "initializer", "times"), [(1, "paper", 1), (1 / 4, "paper", 2), (1 / 4, "he", None)]
)
def test_weights_and_biases_begin_as_published(full, width, initializer, times):
    """Twice as large in a quarter of the width, or by He's formula."""
    options = {"width": width, "initializer": initializer}
    model = full if width == 1 else models.alexnet((67, 67, 3), **options)
    units = [model.get_layer(name).output.shape[-1] for name in ("conv1", "fc6")]
    assert units == [96 * width, 4096 * width]
    for name, (deviation, start) in STARTS.items():
        kernel, bias = weights(model, name)
        expected = times * deviation if times else (2 / kernel[..., 0].size) ** 0.5
        error = expected / kernel.size**0.5
        assert kernel.std() == pytest.approx(expected, abs=4 * error / 2**0.5)
        assert kernel.mean() == pytest.approx(0, abs=4 * error)
        np.testing.assert_array_equal(bias, np.float32(start))


def test_the_loss_gets_half_the_squares_of_every_trained_array():
    model = models.alexnet((67, 67, 3), width=1 / 16, weight_decay=5e-4)
    for weight in model.trainable_weights:  # biases as well
        weight.assign(np.random.default_rng(weight.shape[-1]).normal(0, 0.01, weight.shape))
    arrays = [np.asarray(value, "float64") for value in model.get_weights()]
    expected = sum(5e-4 * (array**2).sum() / 2 for array in arrays)
    assert len(arrays) == len(model.losses) == 16
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)
    model.compile("sgd", "sparse_categorical_crossentropy")
    labels = np.array([0, 1, 1, 0])
    probabilities = np.asarray(model.predict(PHOTOS, verbose=0), "float64")
    entropy = -np.log(probabilities[np.arange(4), labels]).mean()
    loss = model.evaluate(PHOTOS, labels, verbose=0)
    assert loss == pytest.approx(entropy + expected, rel=1e-4)


def test_both_dropouts_are_in_use():
    """In the source, the logits bypass the second."""
    model = models.alexnet((67, 67, 3), width=1 / 16)
    for dropout, before, after in (("dropout6", "fc6", "fc7"), ("dropout7", "fc7", "fc8")):
        layer = model.get_layer(dropout)
        assert layer.rate == 0.5
        assert layer.input is model.get_layer(before).output
        assert layer.output is model.get_layer(after).input


@pytest.mark.parametrize(("rescale", "divisor"), [(False, 1), (True, 255)])
@pytest.mark.parametrize("mean", [None, [120.0, 110.0, 100.0]])
def test_mean_and_scale_of_the_pixels(mean, rescale, divisor):
    model = models.alexnet((67, 67, 3), width=1 / 16, mean=mean, rescale=rescale)
    seen = keras.Model(model.input, model.get_layer("conv1").input)(PHOTOS)
    expected = (PHOTOS - np.array(mean or 0)) / divisor
    np.testing.assert_allclose(keras.ops.convert_to_numpy(seen), expected, atol=1e-4)
    with pytest.raises(ValueError, match="0 to 255"):
        evaluation.predict(model, PHOTOS / 255)


def test_local_response_normalisation_is_the_papers():
    maps = np.random.default_rng(0).normal(0, 50, (1, 2, 2, 8)).astype("float32")
    found = keras.ops.convert_to_numpy(LocalResponseNormalization()(maps))
    expected = np.empty(maps.shape)
    for i in range(8):
        around = maps[..., max(0, i - 2) : min(7, i + 2) + 1]
        expected[..., i] = maps[..., i] / (2 + 1e-4 * (around**2).sum(axis=-1)) ** 0.75
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_with_a_cropping_augmentation_larger_photos_give_their_middle():
    plain = models.alexnet((67, 67, 3), width=1 / 16)
    crop = data.augment.crop_and_flip(67)
    cropping = models.alexnet((67, 67, 3), width=1 / 16, augmentation=crop)
    cropping.set_weights([*plain.get_weights()])
    photos = np.random.default_rng(0).uniform(0, 255, (2, 80, 76, 3)).astype("float32")
    expected = plain.predict(photos[:, 6:73, 4:71], verbose=0)
    np.testing.assert_array_equal(cropping.predict(photos, verbose=0), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": (66, 67, 3)}, "from 67 up"),
        ({"classes": 1}, "classes is 1"),
        ({"initializer": "xavier"}, "'paper' or 'he'"),
        ({"mean": [1.0, 2.0]}, "mean is"),
        ({"mean": 124}, "mean is"),
        ({"mean": [0.48, 0.45, 0.4]}, r"in \[0, 255\]"),
        ({"augmentation": data.augment.crop_and_flip(70)}, "augmentation gives .*70"),
    ],
)
def test_what_does_not_fit_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        models.alexnet(**{"input_shape": (67, 67, 3), "width": 1 / 16, **options})
