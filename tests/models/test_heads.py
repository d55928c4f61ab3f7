"""Heads: what they compute against NumPy, and that they travel alone."""

from cnnkit import models
from cnnkit.data import augment

import keras
import numpy as np
import pytest
from scipy.special import softmax

SPECIES = ["cow", "horse", "koala", "owl"]
PHOTOS = np.random.default_rng(0).uniform(0, 255, (3, 32, 48, 3)).astype("float32")


@pytest.fixture(scope="module")
def base():
    keras.utils.set_random_seed(0)
    return models.densenet_base("drawn", (32, 48, 3))


@pytest.mark.slow
def test_a_classifier_is_the_softmax_of_a_dense_layer_on_the_mean_of_the_feature_maps(base):
    head = models.classification_head(base, SPECIES)
    weights, bias = np.random.default_rng(1).normal(size=(145, 4)), np.arange(4.0)
    head.set_weights([weights, bias])
    array = keras.ops.convert_to_numpy
    features, found = array(base(PHOTOS)).mean(axis=(1, 2)), array(models.pooled(base)(PHOTOS))
    np.testing.assert_allclose(found, features, rtol=1e-5, atol=1e-6)
    expected = softmax(features @ weights + bias, axis=1)
    classifier = models.with_head(base, head)
    np.testing.assert_allclose(array(classifier(PHOTOS)), expected, atol=1e-5)
    assert models.class_names(head) == models.class_names(classifier) == SPECIES


def test_a_head_travels_alone_in_a_few_kilobytes_and_keeps_its_names(base, tmp_path):
    head = models.classification_head(base, SPECIES)
    expected = models.with_head(base, head).predict(PHOTOS, verbose=0)
    head.save(tmp_path / "head.keras")
    assert (tmp_path / "head.keras").stat().st_size < 20_000
    loaded = keras.models.load_model(tmp_path / "head.keras")
    assert models.class_names(loaded) == SPECIES
    found = models.with_head(base, loaded).predict(PHOTOS, verbose=0)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("names", [["cow"], "cow", 4, ["cow", "cow"], [1, 2]])
def test_names_that_are_no_list_of_different_names_are_refused(base, names):
    with pytest.raises(ValueError, match="two or more different names"):
        models.classification_head(base, names)


def test_a_head_on_another_base_is_refused(base):
    head = models.classification_head(base, SPECIES)
    other = models.vgg16_base("drawn", (32, 32, 3))
    with pytest.raises(ValueError, match=r"gives 64 channels\. Take the base that the head was"):
        models.with_head(other, head)
    with pytest.raises(ValueError, match="does not end in a head"):
        models.class_names(models.transfer_classifier(base))


def test_vgg16_and_densenet_121_with_heads_have_the_published_parameters():
    densenet = models.densenet_base(None, (32, 32, 3))
    assert models.classification_head(densenet, SPECIES).count_params() == 4_100
    base = models.vgg16_base()
    model = models.transfer_classifier(base)
    assert model.count_params() - base.count_params() == 3_277_313
    assert [layer.name for layer in model.layers] == [
        "photos", "vgg16", "flatten", "dense", "dropout", "predictions",
    ]  # fmt: skip
    assert len(model.trainable_weights) == 30
    base.trainable = False
    assert len(model.trainable_weights) == 4


@pytest.mark.parametrize("classes", [2, 4])
def test_a_transfer_classifier_by_hand(classes):
    """Flatten, one matrix, another, sigmoid or softmax: no activation between them."""
    keras.utils.set_random_seed(0)
    base = models.vgg16_base(None, (32, 48, 3), width=1 / 16)
    model = models.transfer_classifier(base, classes, augment.flip("horizontal"), 8, dropout=0.9)
    assert model.layers[1].name == "flip"
    x = base.predict(PHOTOS, verbose=0).reshape(3, -1)
    for name in ("dense", "predictions"):
        kernel, bias = model.get_layer(name).get_weights()
        x = x @ kernel + bias
    expected = 1 / (1 + np.exp(-x)) if classes == 2 else softmax(x, axis=1)
    np.testing.assert_allclose(model.predict(PHOTOS, verbose=0), expected, rtol=1e-4)


def test_what_is_no_base_is_refused(base):
    form = {"include_top": False, "weights": None, "alpha": 0.25}
    no_size = keras.applications.MobileNet(**form, input_shape=(None, None, 3))
    pooled = keras.applications.MobileNet(**form, input_shape=(32, 32, 3), pooling="avg")
    for wrong in (no_size, pooled, "vgg16", models.vgg16_base):
        for build in (models.pooled, models.transfer_classifier):
            with pytest.raises(ValueError, match=r"a model that gives feature maps \(n, h"):
                build(wrong)
    with pytest.raises(ValueError, match="classes is 1"):
        models.transfer_classifier(base, 1)
    with pytest.raises(ValueError, match="expected a layer"):
        models.transfer_classifier(base, augmentation="flip")
