from cnnkit import models
from cnnkit.data import augment

import keras
import numpy as np
import pytest


def test_the_head_has_the_published_parameters():
    base = models.vgg16_base()
    model = models.transfer_classifier(base)
    assert model.count_params() - base.count_params() == 3_277_313
    assert [layer.name for layer in model.layers] == [
        "photos", "vgg16", "flatten", "dense", "dropout", "predictions",
    ]  # fmt: skip
    assert len(model.trainable_weights) == 30
    base.trainable = False
    assert len(model.trainable_weights) == 4


def test_the_prediction_by_hand():
    """Flatten, one matrix, another, sigmoid: no activation between them."""
    keras.utils.set_random_seed(0)
    base = models.vgg16_base(None, (32, 32, 3), width=1 / 16)
    model = models.transfer_classifier(base)
    photos = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")
    x = base.predict(photos, verbose=0).reshape(3, -1)
    for name in ("dense", "predictions"):
        kernel, bias = model.get_layer(name).get_weights()
        x = x @ kernel + bias
    expected = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(model.predict(photos, verbose=0), expected, rtol=1e-4)


def test_more_classes_and_augmentation():
    base = models.vgg16_base(None, (32, 32, 3), width=1 / 16)
    model = models.transfer_classifier(base, 4, augment.flip("horizontal"), units=8, dropout=0)
    photos = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype("float32")
    assert model.layers[1].name == "flip"
    np.testing.assert_allclose(model.predict(photos, verbose=0).sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"classes": 1}, "classes is 1"),
        ({"dropout": 1}, "dropout is 1"),
        ({"units": 0}, "units is 0"),
    ],
)
def test_bad_arguments(arguments, message):
    base = models.vgg16_base(None, (32, 32, 3), width=1 / 16)
    with pytest.raises(ValueError, match=message):
        models.transfer_classifier(base, **arguments)


@pytest.mark.parametrize(
    ("base", "augmentation"), [("vgg16", None), (models.vgg16_base, None), (None, "flip")]
)
def test_a_name_or_a_function_is_no_base_and_no_augmentation(base, augmentation):
    base = base or models.vgg16_base(None, (32, 32, 3), width=1 / 16)
    with pytest.raises(ValueError, match=r"(base|augmentation) is .*; expected (what|a layer)"):
        models.transfer_classifier(base, augmentation=augmentation)


def test_a_base_with_its_top_or_without_a_size():
    for size, pooling in ((None, None), (32, "avg")):
        base = keras.applications.MobileNet(
            include_top=False,
            weights=None,
            input_shape=(size, size, 3),
            pooling=pooling,
            alpha=0.25,
        )
        with pytest.raises(ValueError, match=r"expected feature maps \(n, height, width, chan"):
            models.transfer_classifier(base)
