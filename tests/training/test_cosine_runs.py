"""Runs of ShakeNet by its recipe: arrays, a cosine, weight decay, and coefficients that go on."""

import dataclasses

from cnnkit import data, models, training
from cnnkit.data import augment

import keras
import numpy as np
import pytest

from .conftest import PullThePlug

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.integers(0, 256, (20, 8, 8, 3), "uint8")
LABELS = np.arange(20) % 4
RECIPE = dataclasses.replace(training.recipes.SHAKENET, batch_size=8, epochs=4)


def shakenet():
    augmentation = augment.flip_pad_and_crop(1)
    return models.shakenet(8, 4, 4, input_shape=(8, 8, 3), augmentation=augmentation)


def one_layer():
    layers = keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(4, "softmax")
    return keras.Sequential(layers)


def fit(directory, recipe=RECIPE, callbacks=(), build=shakenet):
    training.reproducible(0)
    model = build()
    train = data.batches(IMAGES, LABELS, 8, shuffle=True, seed=2)
    validation = data.batches(IMAGES[::2], LABELS[::2], 5)
    return model, training.fit(
        model, recipe, train, validation, directory, callbacks=callbacks, verbose=0
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return fit(tmp_path_factory.mktemp("whole") / "run")


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 3])
def test_an_interrupted_run_ends_as_one_that_was_not(tmp_path, whole, epoch):
    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "run", callbacks=PullThePlug(epoch))
    model, history = fit(tmp_path / "run")
    assert history.history == whole[1].history
    for one, other in zip(model.get_weights(), whole[0].get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_learning_rates_are_those_of_the_wave(whole):
    rates = 0.1 * (1 + np.cos(np.pi * np.arange(1, 5) / 4))
    np.testing.assert_allclose(whole[1].history["learning_rate"], rates, atol=1e-7)


@pytest.mark.slow
def test_the_loss_holds_the_weight_decay(whole):
    model = whole[0]
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    penalty = 1e-4 / 2 * sum((weight.astype("float64") ** 2).sum() for weight in weights)
    probabilities = model.predict(IMAGES[::2], verbose=0)
    entropy = -np.log(probabilities[np.arange(10), LABELS[::2]]).mean()
    assert whole[1].history["val_loss"][-1] == pytest.approx(entropy + penalty, rel=1e-3)


def test_another_number_of_epochs_is_another_wave(tmp_path):
    short = dataclasses.replace(RECIPE, epochs=2)
    fit(tmp_path / "run", short, build=one_layer)
    with pytest.raises(ValueError, match="recipe, epochs: 2 there and 4 here"):
        fit(tmp_path / "run", build=one_layer)
    restarting = dataclasses.replace(short, restart_after=1)
    fit(tmp_path / "other", restarting, build=one_layer)
    longer = dataclasses.replace(restarting, epochs=3)
    _, history = fit(tmp_path / "other", longer, build=one_layer)
    assert len(history.epoch) == 3
