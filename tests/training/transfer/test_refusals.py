"""What cannot be trained from its frozen part, each with what is said of it."""

from cnnkit import models, training

import keras
import pytest

from .conftest import classifier, compiled, small_base

fit = training.transfer.fit_from_frozen


def frozen_after_free():
    model = classifier(free=4)
    model.get_layer("vgg16").get_layer("block5_conv2").trainable = False
    return model


def dropout_inside():
    base = small_base()
    x = keras.layers.Dropout(0.5, name="noise")(base.output)
    x = keras.layers.Conv2D(8, 1, name="late")(x)
    wider = keras.Model(base.input, x, name="wider")
    wider.trainable = False
    return compiled(models.transfer_classifier(wider))


def all_frozen():
    model = classifier()
    model.trainable = False
    return model


def freed_after_training():
    model = classifier()
    model.optimizer.build(model.trainable_variables)
    training.transfer.unfreeze_top(model.get_layer("vgg16"), 4)
    return model


def two_inputs():
    a, b = keras.Input((48, 48, 3)), keras.Input((48, 48, 3))
    return compiled(keras.Model([a, b], keras.layers.Flatten()(a + b)))


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (lambda: classifier(free=20), {}, "does not begin with frozen layers. Freeze its base"),
        (frozen_after_free, {}, "'block5_conv2' is frozen, but the frozen layers cannot be cut"),
        (dropout_inside, {}, "'late' is frozen.*draws random numbers"),
        (all_frozen, {}, "All layers of 'transfer_classifier' are frozen"),
        (two_inputs, {}, "one input and one output"),
        (lambda: models.transfer_classifier(small_base()), {}, "not compiled"),
        (freed_after_training, {}, "were freed after it was compiled. Compile it again"),
        (lambda: classifier(augmented=True), {}, "Say in how many ways .* views=8"),
        (classifier, {"views": 3}, "nothing random comes before"),
        (lambda: classifier(augmented=True), {"views": 0}, "views is 0"),
        (classifier, {"epochs": 0}, "epochs is 0"),
    ],
)
def test_what_cannot_be_trained_so_is_refused(photos, build, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(build(), photos, verbose=0, **arguments)


def test_photos_without_labels_are_refused(photos):
    with pytest.raises(ValueError, match="holds no labels"):
        fit(classifier(), [photos.images], verbose=0)


def test_labels_that_the_model_cannot_have_are_refused(photos):
    photos.labels[3] = 2
    with pytest.raises(ValueError, match="with 2 classes, labels are 0 to 1"):
        fit(classifier(), photos, verbose=0)
