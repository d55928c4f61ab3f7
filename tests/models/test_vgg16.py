"""VGG16 against the one of keras.applications."""

import urllib.error
from pathlib import Path

from cnnkit import models

import keras
import numpy as np
import pytest

NOTOP = "_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture(scope="module")
def original() -> keras.Model:
    keras.utils.set_random_seed(0)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(180, 180, 3))
    for weight in network.weights:  # biases as well
        weight.assign(np.random.default_rng(weight.shape[-1]).normal(0, 0.05, weight.shape))
    return network


def test_layers_and_parameters_are_the_published_ones(original):
    base = models.vgg16_base()
    found = [(la.name, la.output.shape, la.count_params()) for la in base.layers[2:]]
    assert found == [(la.name, la.output.shape, la.count_params()) for la in original.layers[1:]]
    assert [layer.name for layer in base.layers[:2]] == ["photos", "preprocessing"]
    assert base.count_params() == 14_714_688
    assert base.output_shape == (None, 5, 5, 512)


def test_the_same_output_as_keras_applications(original):
    photos = np.random.default_rng(0).uniform(0, 255, (2, 180, 180, 3)).astype("float32")
    base = models.vgg16_base()
    base.set_weights(original.get_weights())
    expected = original.predict(keras.applications.vgg16.preprocess_input(photos.copy()), verbose=0)
    assert expected.std() > 0.01
    np.testing.assert_allclose(base.predict(photos, verbose=0), expected, rtol=1e-5)


def test_imagenet_weights_come_through_keras_applications(original, monkeypatch):
    def vgg16(include_top, weights, input_shape):
        assert (include_top, weights, input_shape) == (False, "imagenet", (180, 180, 3))
        return original

    monkeypatch.setattr(keras.applications, "VGG16", vgg16)
    base = models.vgg16_base("imagenet", (180, 180, 3))
    for one, two in zip(base.get_weights(), original.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_narrow_networks():
    base = models.vgg16_base(None, (64, 96, 3), width=1 / 8)
    filters = [la.filters for la in base.layers if isinstance(la, keras.layers.Conv2D)]
    assert filters == [8] * 2 + [16] * 2 + [32] * 3 + [64] * 6
    assert base.output_shape == (None, 2, 3, 64)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "name"), [(models.vgg16_base, "vgg16"), (models.densenet_base, "densenet121")]
)
def test_imagenet_weights_without_a_network(build, name, tmp_path, monkeypatch):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    with pytest.raises(FileNotFoundError) as caught:
        build("imagenet")
    message, file = str(caught.value), name + NOTOP
    assert f"{tmp_path / 'models' / file} is missing" in message
    assert f"curl -L -o {file} https://storage.googleapis.com/" in message
    assert f"Put it into {tmp_path / 'models'}" in message and "no network" in message
    assert not list(Path(tmp_path).rglob("*.h5"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("imagnet",), r"weights is 'imagnet'; expected 'imagenet' or 'drawn' or None"),
        ((None, (96, 96, 1)), r"\(96, 96, 1\); expected \(height, width, 3\)"),
        ((None, (31, 64, 3)), r"input_shape is \(31, 64, 3\).*from 32 up"),
        (("drawn", (64, 64, 3), 0.5), r"width is 0.5 with weights='drawn'; expected 0.125"),
        ((None, (64, 64, 3), 0), r"width is 0 .*expected a positive share"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.vgg16_base(*arguments)
