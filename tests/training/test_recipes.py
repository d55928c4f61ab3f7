"""Recipes: their published values, and what they make of a step, by formula."""

import dataclasses

from cnnkit import data, models
from cnnkit.training import recipes

import keras
import numpy as np
import pytest

# Optimizer, learning rate, momentum, batch size and epochs, as their sources have them.
PUBLISHED = {
    "DIGITS": ("SGD", 1e-4, 0, None, 2000),
    "MNIST": ("RMSprop", 1e-3, 0, 64, 5),
    "CATS_VS_DOGS": ("RMSprop", 1e-3, 0, 32, 30),
    "CATS_VS_DOGS_AUGMENTED": ("RMSprop", 1e-3, 0, 32, 100),
    "FEATURES": ("RMSprop", 1e-3, 0, 32, 20),
    "FEATURES_AUGMENTED": ("RMSprop", 1e-3, 0, 32, 50),
    "FINE_TUNING": ("RMSprop", 1e-5, 0, 32, 30),
    "ALEXNET": ("SGD", 0.01, 0.9, 256, 300),
    "HEAD_ONLY": ("Adam", 5e-5, None, 8, 10),
    "WHOLE_NETWORK": ("SGD", 1e-3, 0.9, 8, 25),
    "SHAKENET": ("SGD", 0.2, 0.9, 128, 1800),
    "SHAKENET_SINGLE_GPU": ("SGD", 0.1, 0.9, 64, 1800),
}
BINARY = ["CATS_VS_DOGS", "CATS_VS_DOGS_AUGMENTED", "FEATURES", "FEATURES_AUGMENTED", "FINE_TUNING"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_recipe_is_the_published_one(name):
    recipe = getattr(recipes, name)
    kind, rate, momentum, batch_size, epochs = PUBLISHED[name]
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    recipe.compile(model, steps=10)
    assert type(model.optimizer).__name__ == kind
    assert float(model.optimizer.learning_rate) == pytest.approx(rate)
    assert getattr(model.optimizer, "momentum", None) == momentum
    assert getattr(model.optimizer, "nesterov", False) == ("SHAKENET" in name)
    assert model.optimizer.weight_decay is None  # since it would go around the momentum
    assert isinstance(model.loss, keras.losses.BinaryCrossentropy) == (name in BINARY)
    assert (recipe.batch_size, recipe.epochs) == (batch_size, epochs)


def test_how_published_learning_rates_fall():
    (plateau,) = recipes.ALEXNET.callbacks()
    assert (plateau.monitor, plateau.mode, plateau.patience) == ("accuracy", "max", 30)
    assert (plateau.factor, plateau.threshold, plateau.min_change) == (0.1, 1e-4, 1e-8)
    assert recipes.ALEXNET.callbacks()[0] is not plateau  # each run counts for itself
    assert recipes.MNIST.callbacks() == []
    for recipe, decay, every in ((recipes.HEAD_ONLY, 0.85, 3), (recipes.WHOLE_NETWORK, 0.1, 7)):
        (callback,), rate = recipe.callbacks(), recipe.learning_rate
        found = [callback.schedule(epoch, 0.5) for epoch in range(15)]
        assert found == pytest.approx([rate * decay ** (epoch // every) for epoch in range(15)])
    for recipe in (recipes.SHAKENET, recipes.SHAKENET_SINGLE_GPU):
        assert (recipe.weight_decay, recipe.cosine, recipe.restart_after) == (1e-4, True, None)


def test_the_digits_cost_is_summed_and_a_step_is_gradient_descent():
    """The last bias moves by minus 1e-4 times the sum over pictures of (probability - truth)."""
    (images, labels), _ = data.digits()
    model = models.digits_cnn()
    recipes.DIGITS.compile(model)
    probabilities = model.predict(images, verbose=0)
    expected = -np.log(probabilities[np.arange(1617), labels]).sum()
    before = model.get_layer("predictions").get_weights()[1]
    cost, _ = model.train_on_batch(images, labels)
    assert cost == pytest.approx(expected, rel=1e-4)
    moved = model.get_layer("predictions").get_weights()[1] - before
    gradient = (probabilities - np.eye(10)[labels]).sum(axis=0)
    np.testing.assert_allclose(moved, -1e-4 * gradient, rtol=1e-3, atol=1e-7)


def test_the_cosine_follows_the_formula_and_may_restart():
    restarting = dataclasses.replace(recipes.SHAKENET, restart_after=10)
    for rate, start, length in (
        *((recipes.SHAKENET.schedule(steps=391), 0, 391 * 1800),),
        *((restarting.schedule(steps=5), *wave) for wave in ((0, 50), (50, 100), (150, 200))),
    ):
        for place in (0, 0.25, 0.5, 0.99):
            expected = 0.1 * (1 + np.cos(np.pi * place))
            found = float(rate(start + place * length + 1e-3))
            assert found == pytest.approx(expected, abs=1e-4), (start, place)


def test_weight_decay_adds_half_the_squares_of_every_trained_weight():
    model = models.shakenet(8, 2)
    plain = dataclasses.replace(recipes.SHAKENET, weight_decay=0.0)
    for recipe, factor in ((plain, 0), (recipes.SHAKENET, 1e-4 / 2), (plain, 0)):
        recipe.compile(model, steps=1)
        weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
        expected = factor * sum((weight.astype("float64") ** 2).sum() for weight in weights)
        assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)
