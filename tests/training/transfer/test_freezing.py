"""Which layers are free, and what cannot be trained from its frozen part."""

from cnnkit import models, training

import keras
import pytest

from .conftest import classifier, compiled, small_base

unfreeze_top = training.transfer.unfreeze_top


def test_the_last_four_layers_of_vgg16():
    base = small_base()
    base.trainable = False
    unfreeze_top(base, 4)
    free = [layer.name for layer in base.layers if layer.trainable]
    assert free == ["block5_conv1", "block5_conv2", "block5_conv3", "block5_pool"]
    assert len(base.trainable_weights) == 6
    for count, weights in ((len(base.layers), 26), (0, 0)):
        unfreeze_top(base, count)
        assert len(base.trainable_weights) == weights


def test_batch_normalization_stays_frozen():
    base = small_base("densenet")
    unfreeze_top(base, len(base.layers))
    norms = [la for la in base.layers if isinstance(la, keras.layers.BatchNormalization)]
    assert norms and not any(norm.trainable for norm in norms)
    kernels = [la for la in base.layers if isinstance(la, keras.layers.Conv2D)]
    assert len(base.trainable_weights) == len(kernels)


@pytest.mark.parametrize("count", [-1, 21, "block5_conv1"])
def test_a_count_out_of_range(count):
    with pytest.raises(ValueError, match=rf"count is {count!r}; expected 0 to 20"):
        unfreeze_top(small_base(), count)
    with pytest.raises(ValueError, match=r"model\.get_layer\('vgg16'\)"):
        unfreeze_top(classifier(), 4)


def flat():
    base = small_base()
    base.trainable = False
    return compiled(keras.Model(base.input, keras.layers.Dense(1)(base.output)))


def all_frozen():
    model = classifier()
    model.trainable = False
    return model


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (lambda: classifier(free=20), {}, "first layers of the base have to be frozen"),
        (all_frozen, {}, "and others free"),
        (flat, {}, "not in a row, with a base among them"),
        (lambda: classifier("densenet", free=9), {}, "not in a row"),
        (lambda: models.transfer_classifier(small_base()), {}, "not compiled"),
        (lambda: classifier(augmented=True), {}, "begins with augmentation. Say .* views=8"),
        (classifier, {"views": 3}, "begins without augmentation"),
        (classifier, {"views": 0}, "views is 0"),
    ],
)
def test_what_cannot_be_trained_from_its_frozen_part_is_refused(photos, build, arguments, message):
    with pytest.raises(ValueError, match=message):
        training.transfer.fit_from_frozen(build(), photos, verbose=0, **arguments)


def test_labels_that_the_model_cannot_have_are_refused(photos):
    photos.labels[3] = 2
    for dataset, message in ((photos, "labels are 0 to 1"), ([photos.images], "holds no labels")):
        with pytest.raises(ValueError, match=message):
            training.transfer.fit_from_frozen(classifier(), dataset, verbose=0)
