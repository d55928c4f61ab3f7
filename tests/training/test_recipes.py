import dataclasses

from cnnkit import data, models, training
from cnnkit.training import recipes

import keras
import numpy as np
import pytest


def test_the_digits_recipe_is_the_published_one():
    model = models.digits_cnn()
    recipes.DIGITS.compile(model)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4)
    assert model.optimizer.momentum == 0
    assert (recipes.DIGITS.batch_size, recipes.DIGITS.epochs) == (None, 2000)


def test_the_mnist_recipe_is_the_published_one():
    model = models.mnist_cnn()
    recipes.MNIST.compile(model)
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert (recipes.MNIST.batch_size, recipes.MNIST.epochs) == (64, 5)


def test_the_cats_and_dogs_recipes_are_the_published_ones():
    model = models.cats_vs_dogs_cnn((78, 78, 3))
    recipe = recipes.CATS_VS_DOGS
    recipe.compile(model)
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    assert isinstance(model.loss, keras.losses.BinaryCrossentropy)
    assert (recipe.batch_size, recipe.epochs) == (32, 30)
    assert dataclasses.replace(recipe, epochs=100) == recipes.CATS_VS_DOGS_AUGMENTED


def test_the_transfer_recipes_are_the_published_ones():
    for recipe, rate, epochs in (
        (recipes.FEATURES, 1e-3, 20),
        (recipes.FEATURES_AUGMENTED, 1e-3, 50),
        (recipes.FINE_TUNING, 1e-5, 30),
    ):
        model = models.cats_vs_dogs_cnn((78, 78, 3))
        recipe.compile(model)
        assert isinstance(model.optimizer, keras.optimizers.RMSprop)
        assert float(model.optimizer.learning_rate) == pytest.approx(rate)
        assert isinstance(model.loss, keras.losses.BinaryCrossentropy)
        assert (recipe.batch_size, recipe.epochs) == (32, epochs)


def test_the_recipes_for_own_photos_are_the_published_ones():
    head, whole = recipes.HEAD_ONLY, recipes.WHOLE_NETWORK
    assert (head.learning_rate, head.batch_size, head.epochs, head.decay) == (5e-5, 8, 10, 0.85)
    assert (whole.learning_rate, whole.momentum, whole.decay, whole.decay_every) == (
        1e-3,
        0.9,
        0.1,
        7,
    )
    for recipe, kind in ((head, keras.optimizers.Adam), (whole, keras.optimizers.SGD)):
        model = models.mnist_cnn()
        recipe.compile(model)
        assert isinstance(model.optimizer, kind)
        assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)


def test_the_learning_rate_decays_in_steps_and_the_optimizer_keeps_its_moments():
    recipe = dataclasses.replace(recipes.HEAD_ONLY, learning_rate=0.1, decay=0.5, decay_every=2)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax")])
    recipe.compile(model)
    optimizer = model.optimizer
    history = model.fit(
        np.ones((8, 1)), np.zeros(8), 4, epochs=5, verbose=0, callbacks=recipe.callbacks()
    )
    expected = [0.1, 0.1, 0.05, 0.05, 0.025]
    np.testing.assert_allclose(history.history["learning_rate"], expected, rtol=1e-6)
    assert model.optimizer is optimizer
    assert int(optimizer.iterations) == 10


def test_the_digits_cost_is_summed_over_the_training_set():
    (images, labels), _ = data.digits()
    training.reproducible(seed=0)
    model = models.digits_cnn()
    recipes.DIGITS.compile(model)
    probabilities = model.predict(images, verbose=0)
    expected = -np.log(probabilities[np.arange(1617), labels]).sum()
    cost, _ = model.train_on_batch(images, labels)
    assert cost == pytest.approx(expected, rel=1e-4)


def test_the_mnist_cost_is_the_mean_over_the_batch():
    (images, labels), _ = data.mnist("sample")
    model = models.mnist_cnn()
    recipes.MNIST.compile(model)
    probabilities = model.predict(images[:64], verbose=0)
    expected = -np.log(probabilities[np.arange(64), labels[:64]]).mean()
    cost, _ = model.train_on_batch(images[:64], labels[:64])
    assert cost == pytest.approx(expected, rel=1e-4)


def test_one_step_of_the_digits_recipe_is_gradient_descent():
    """The last bias moves by minus 1e-4 times the sum over pictures of (probability - truth)."""
    (images, labels), _ = data.digits()
    model = models.digits_cnn()
    recipes.DIGITS.compile(model)
    before = model.get_layer("predictions").get_weights()[1]
    gradient = (model.predict(images, verbose=0) - np.eye(10)[labels]).sum(axis=0)
    model.train_on_batch(images, labels)
    after = model.get_layer("predictions").get_weights()[1]
    np.testing.assert_allclose(after - before, -1e-4 * gradient, rtol=1e-3, atol=1e-7)


def test_recipes_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipes.MNIST.epochs = 50


def test_the_alexnet_recipe_is_the_sources():
    recipe = recipes.alexnet
    assert recipe is recipes.ALEXNET
    model = models.alexnet((67, 67, 3), width=1 / 16)
    recipe.compile(model)
    assert isinstance(model.optimizer, keras.optimizers.SGD)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.01)
    assert (model.optimizer.momentum, model.optimizer.nesterov) == (0.9, False)
    assert isinstance(model.loss, keras.losses.SparseCategoricalCrossentropy)
    assert (recipe.batch_size, recipe.epochs) == (256, 300)
    (plateau,) = recipe.callbacks()
    assert (plateau.monitor, plateau.mode, plateau.patience) == ("accuracy", "max", 30)
    assert (plateau.factor, plateau.threshold, plateau.min_change) == (0.1, 1e-4, 1e-8)
    assert recipe.callbacks()[0] is not plateau  # each run counts for itself
    assert recipes.MNIST.callbacks() == []


def test_a_recipe_that_does_not_exist_names_those_that_do():
    with pytest.raises(AttributeError, match=r"'vgg'.*MNIST.*ALEXNET"):
        _ = recipes.vgg


def test_the_shakenet_recipes_are_the_published_ones():
    recipe, single = recipes.SHAKENET, recipes.SHAKENET_SINGLE_GPU
    assert (recipe.batch_size, recipe.epochs, recipe.learning_rate) == (128, 1800, 0.2)
    assert (recipe.momentum, recipe.nesterov, recipe.weight_decay) == (0.9, True, 1e-4)
    assert (recipe.cosine, recipe.restart_after) == (True, None)
    assert (single.batch_size, single.learning_rate) == (64, 0.1)
    assert dataclasses.replace(single, batch_size=128, learning_rate=0.2) == recipe
    model = models.shakenet(8, 2)
    recipe.compile(model, steps=391)
    optimizer = model.optimizer
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)
    assert optimizer.weight_decay is None
    for step in (0, 1, 1000, 391 * 900, 391 * 1800 - 1, 391 * 1800):
        optimizer.iterations.assign(step)
        expected = 0.1 * (1 + np.cos(np.pi * step / (391 * 1800)))
        assert float(optimizer.learning_rate) == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_a_cosine_may_restart():
    recipe = dataclasses.replace(recipes.SHAKENET, restart_after=10)
    rate = recipe.schedule(steps=5)
    starts = [0, 50, 50 + 100, 50 + 100 + 200]
    for start, length in zip(starts, (50, 100, 200, 400), strict=True):
        for place in (0, 0.25, 0.5, 0.99):
            expected = 0.1 * (1 + np.cos(np.pi * place))
            found = float(rate(start + place * length + 1e-3))
            assert found == pytest.approx(expected, abs=1e-4), (start, place)
    equal = dataclasses.replace(recipe, restart_factor=1.0).schedule(steps=5)
    assert float(equal(150.001)) == pytest.approx(0.2, abs=1e-4)


def test_weight_decay_adds_half_the_squares_of_every_trained_weight():
    model = models.shakenet(8, 2)
    plain = dataclasses.replace(recipes.SHAKENET, weight_decay=0.0)
    plain.compile(model, steps=1)
    assert model.losses == []
    recipes.SHAKENET.compile(model, steps=1)
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    expected = 1e-4 * sum((weight.astype("float64") ** 2).sum() for weight in weights) / 2
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)
    plain.compile(model, steps=1)
    assert model.losses == []


def test_weight_decay_moves_weights_as_the_formula_says():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, kernel_initializer="ones")])
    recipe = dataclasses.replace(
        recipes.SHAKENET, loss="MeanSquaredError", weight_decay=0.5, learning_rate=0.1, cosine=False
    )
    recipe.compile(model)
    velocity, expected = 0.0, 1.0
    for _ in range(4):
        model.train_on_batch(np.zeros((3, 2)), np.zeros((3, 1)))
        gradient = 0.5 * expected
        velocity = 0.9 * velocity - 0.1 * gradient
        expected += 0.9 * velocity - 0.1 * gradient
    np.testing.assert_allclose(model.get_weights()[0], expected, rtol=1e-5)


def test_contradictory_recipes_are_refused():
    with pytest.raises(ValueError, match="has patience and cosine; the learning rate follows one"):
        dataclasses.replace(recipes.SHAKENET, patience=3)
    with pytest.raises(ValueError, match="has restart_after without cosine"):
        dataclasses.replace(recipes.MNIST, restart_after=3)
    with pytest.raises(ValueError, match="restart_after is 0; expected at least 1 epoch"):
        dataclasses.replace(recipes.SHAKENET, restart_after=0)
    with pytest.raises(ValueError, match=r"compile\(model, steps=…\)"):
        recipes.SHAKENET.compile(models.shakenet(8, 2))
