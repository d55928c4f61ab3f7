"""Heads: what they compute against NumPy, and that they travel alone."""

from cnnkit import models

import keras
import numpy as np
import pytest

SPECIES = ["cow", "horse", "koala", "owl"]


@pytest.fixture(scope="module")
def base():
    keras.utils.set_random_seed(0)
    return models.densenet_base("drawn", (32, 48, 3))


@pytest.fixture
def photos():
    return np.random.default_rng(0).uniform(0, 255, (3, 32, 48, 3)).astype("float32")


def softmax(x):
    exponents = np.exp(x - x.max(axis=-1, keepdims=True))
    return exponents / exponents.sum(axis=-1, keepdims=True)


def test_a_classifier_is_the_softmax_of_a_dense_layer_on_the_mean_of_the_feature_maps(base, photos):
    head = models.classification_head(base, SPECIES)
    weights, bias = np.random.default_rng(1).normal(size=(145, 4)), np.arange(4.0)
    head.set_weights([weights, bias])
    features = base.predict(photos, verbose=0).mean(axis=(1, 2))
    found = models.pooled(base).predict(photos, verbose=0)
    np.testing.assert_allclose(found, features, rtol=1e-5, atol=1e-6)
    expected = softmax(features @ weights + bias)
    classifier = models.with_head(base, head)
    np.testing.assert_allclose(classifier.predict(photos, verbose=0), expected, atol=1e-5)
    assert models.class_names(head) == models.class_names(classifier) == SPECIES


def test_a_head_for_densenet_121_has_4100_parameters_for_four_classes():
    densenet = models.densenet_base(None, (32, 32, 3))
    assert models.classification_head(densenet, SPECIES).count_params() == 1024 * 4 + 4


def test_a_head_travels_alone_in_a_few_kilobytes(base, photos, tmp_path):
    head = models.classification_head(base, SPECIES)
    expected = models.with_head(base, head).predict(photos, verbose=0)
    head.save(tmp_path / "head.keras")
    assert (tmp_path / "head.keras").stat().st_size < 20_000
    loaded = keras.models.load_model(tmp_path / "head.keras")
    assert models.class_names(loaded) == SPECIES
    found = models.with_head(base, loaded).predict(photos, verbose=0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_two_heads_share_one_base(base, photos):
    one, other = (models.classification_head(base, names) for names in (SPECIES, ["day", "night"]))
    first = models.with_head(base, one)
    before = first.predict(photos, verbose=0)
    second = models.with_head(base, other)
    assert second.get_layer("densenet") is first.get_layer("densenet") is base
    assert models.class_names(second) == ["day", "night"]
    assert second.predict(photos, verbose=0).shape == (3, 2)
    np.testing.assert_array_equal(first.predict(photos, verbose=0), before)


@pytest.mark.slow
def test_a_whole_classifier_keeps_the_names_of_its_classes(base, photos, tmp_path):
    classifier = models.with_head(base, models.classification_head(base, SPECIES))
    classifier.save(tmp_path / "classifier.keras")
    loaded = keras.models.load_model(tmp_path / "classifier.keras")
    assert models.class_names(loaded) == SPECIES
    expected = classifier.predict(photos, verbose=0)
    np.testing.assert_allclose(loaded.predict(photos, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("names", [["cow"], "cow", 4, ["cow", "cow"], [1, 2]])
def test_names_that_are_no_list_of_different_names_are_refused(base, names):
    with pytest.raises(ValueError, match="two or more different names"):
        models.classification_head(base, names)


def test_what_does_not_fit_is_refused(base):
    head = models.classification_head(base, SPECIES)
    other = models.vgg16_base("drawn", (32, 32, 3))
    with pytest.raises(ValueError, match=r"gives 64 channels\. Take the base that the head was"):
        models.with_head(other, head)
    for build in (models.pooled, lambda model: models.classification_head(model, SPECIES)):
        with pytest.raises(ValueError, match="expected a model that gives feature maps"):
            build(head)
        with pytest.raises(ValueError, match="expected a model that gives feature maps"):
            build("drawn")
    with pytest.raises(ValueError, match="does not end in a head"):
        models.class_names(base)
