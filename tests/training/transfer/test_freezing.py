"""Which layers are free, and what cannot be trained from its frozen part."""

from cnnkit import models, training

import keras
import pytest

from .conftest import classifier, small_base

unfreeze_top = training.transfer.unfreeze_top


def test_the_last_layers_are_free_but_for_batch_normalization():
    base = small_base()
    for count, weights in ((20, 26), (0, 0), (4, 6)):
        unfreeze_top(base, count)
        assert len(base.trainable_weights) == weights
    free = [layer.name for layer in base.layers if layer.trainable]
    assert free == ["block5_conv1", "block5_conv2", "block5_conv3", "block5_pool"]
    base = small_base("densenet")
    unfreeze_top(base, len(base.layers))
    norms = [la for la in base.layers if isinstance(la, keras.layers.BatchNormalization)]
    assert norms and not any(norm.trainable for norm in norms)
    kernels = [la for la in base.layers if isinstance(la, keras.layers.Conv2D)]
    assert len(base.trainable_weights) == len(kernels)


def test_a_count_out_of_range_and_a_whole_model_are_refused():
    for count in (-1, 21, "block5_conv1"):
        with pytest.raises(ValueError, match=rf"count is {count!r}; expected 0 to 20"):
            unfreeze_top(small_base(), count)
    with pytest.raises(ValueError, match=r"model\.get_layer\('vgg16'\)"):
        unfreeze_top(classifier(), 4)


def flat():
    base = small_base()
    base.trainable = False
    model = keras.Model(base.input, keras.layers.Dense(1)(base.output))
    model.compile("rmsprop", "binary_crossentropy")
    return model


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (lambda: classifier(free=20), {}, "cannot be cut behind its frozen layers"),
        (flat, {}, "expected a base, .* between augmentation and a free head"),
        (lambda: classifier("densenet", free=9), {}, "all in a row"),
        (lambda: models.transfer_classifier(small_base()), {}, "not compiled"),
        (lambda: classifier(augmented=True), {}, "begins with augmentation. Say .* views=8"),
        (classifier, {"views": 3}, "begins without augmentation"),
        (classifier, {"views": 0}, "views is 0"),
    ],
)
def test_what_cannot_be_trained_from_its_frozen_part_is_refused(photos, build, arguments, message):
    with pytest.raises(ValueError, match=message):
        training.transfer.fit_from_frozen(build(), photos, verbose=0, **arguments)
    photos.labels[3] = 2
    for dataset, cure in ((photos, "labels are 0 to 1"), ([photos.images], "holds no labels")):
        with pytest.raises(ValueError, match=cure):
            training.transfer.fit_from_frozen(classifier(), dataset, verbose=0)
