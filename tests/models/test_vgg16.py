"""VGG16 against the one of keras.applications."""

import urllib.error
from pathlib import Path

from cnnkit import models

import h5py
import keras
import numpy as np
import pytest

NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"


@pytest.fixture(scope="module")
def original() -> keras.Model:
    keras.utils.set_random_seed(0)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(180, 180, 3))
    for weight in network.weights:  # biases as well
        weight.assign(np.random.default_rng(weight.shape[-1]).normal(0, 0.05, weight.shape))
    return network


@pytest.fixture
def photos() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (2, 180, 180, 3)).astype("float32")


def test_layers_and_parameters_are_the_published_ones(original):
    base = models.vgg16_base()
    found = [(la.name, la.output.shape, la.count_params()) for la in base.layers[2:]]
    assert found == [(la.name, la.output.shape, la.count_params()) for la in original.layers[1:]]
    assert [layer.name for layer in base.layers[:2]] == ["photos", "preprocessing"]
    assert base.count_params() == 14_714_688
    assert base.output_shape == (None, 5, 5, 512)


def test_the_same_output_as_keras_applications(original, photos):
    base = models.vgg16_base()
    base.set_weights(original.get_weights())
    expected = original.predict(keras.applications.vgg16.preprocess_input(photos.copy()), verbose=0)
    assert expected.std() > 0.01
    np.testing.assert_allclose(base.predict(photos, verbose=0), expected, rtol=1e-5)


def test_preprocessing_by_hand(photos):
    """Blue, green, red; minus the mean colour of ImageNet."""
    changed = np.asarray(models.vgg16_base().get_layer("preprocessing")(photos))
    expected = photos[..., ::-1] - np.array([103.939, 116.779, 123.68])
    np.testing.assert_allclose(changed, expected, atol=1e-4)


def test_narrow_networks():
    base = models.vgg16_base(None, (64, 96, 3), width=1 / 8)
    filters = [la.filters for la in base.layers if isinstance(la, keras.layers.Conv2D)]
    assert filters == [8] * 2 + [16] * 2 + [32] * 3 + [64] * 6
    assert base.output_shape == (None, 2, 3, 64)


def test_imagenet_weights_come_through_keras_applications(original, photos, tmp_path, monkeypatch):
    """From a file in the layout of the published one, as Keras stores it."""
    layers = [layer for layer in original.layers if layer.weights]
    with h5py.File(tmp_path / NOTOP, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in original.layers]
        file.attrs["backend"], file.attrs["keras_version"] = b"tensorflow", b"1.2.1"
        for layer in original.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{kind}_1:0" for kind in "Wb"] if layer in layers else []
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.get_weights(), strict=True):
                group[name] = weight

    def get_file(name, url, **_):
        assert (name, url.endswith(f"/vgg16/{NOTOP}")) == (NOTOP, True)
        return str(tmp_path / NOTOP)

    monkeypatch.setattr("keras.src.applications.vgg16.file_utils.get_file", get_file)
    base = models.vgg16_base("imagenet", (180, 180, 3))
    for one, two in zip(base.get_weights(), original.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "file"),
    [
        (models.vgg16_base, NOTOP),
        (models.densenet_base, "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_imagenet_weights_without_a_network(build, file, tmp_path, monkeypatch, capfd):
    def unreachable(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", unreachable)
    with pytest.raises(FileNotFoundError) as caught:
        build("imagenet")
    message = str(caught.value)
    assert f"{tmp_path / 'models' / file} is missing" in message
    assert f"curl -L -o {file} https://storage.googleapis.com/" in message
    assert f"Put it into {tmp_path / 'models'}" in message and "no network" in message
    assert not list(Path(tmp_path).rglob("*.h5"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("imagnet",), r"weights is 'imagnet'; expected 'imagenet' or 'drawn' or None"),
        (((96, 96, 3),), r"weights is \(96, 96, 3\); expected .* or None"),
        ((None, (96, 96, 1)), r"\(96, 96, 1\); expected \(height, width, 3\), in colour"),
        ((None, (31, 64, 3)), r"input_shape is \(31, 64, 3\).*at least 32 by 32"),
        ((None, (None, None, 3)), r"expected \(height, width, 3\)"),
        (("drawn", (64, 64, 3), 0.5), r"width is 0.5 with weights='drawn'; expected 0.125"),
        ((None, (64, 64, 3), 0), r"width is 0 .*expected a positive share"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.vgg16_base(*arguments)
