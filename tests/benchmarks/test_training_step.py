"""What a step is counted and held against."""

from benchmarks import training_step
from benchmarks.training_step import CASES, training_operations
from cnnkit import models, training

import keras
import numpy as np
import pytest


def test_operations_by_hand():
    """One convolution, 3×3 from 2 channels to 4 on 5×5 places, and a dense layer of 4 to 3."""
    model = keras.Sequential(
        [
            keras.Input((7, 7, 2)),
            keras.layers.Conv2D(4, 3),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    conv, dense = 2 * 9 * 2 * 4 * 25, 2 * 4 * 3
    assert training_operations(model) == 2 * conv + 3 * dense
    model.layers[0].trainable = False
    assert training_operations(model) == conv + 2 * dense


def test_vgg16_takes_the_published_number_of_multiplications():
    """15.3 billion for the convolutions of a photo of 224×224, as tables of networks have it."""
    base = models.vgg16_base(None, (224, 224, 3))
    base.trainable = False
    assert training_operations(base) / 2 == pytest.approx(15.3e9, rel=0.01)


@pytest.fixture
def eager(monkeypatch):
    """Compute without graphs, whose making takes most of the time of a single step."""
    always = property(lambda model: True, lambda model, value: None)
    monkeypatch.setattr(keras.Model, "run_eagerly", always)


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_both_sides_have_the_same_network(name, eager):
    pytest.importorskip("torch")
    training.reproducible(0)
    case = CASES[name]
    model = case.build()
    x, y = training_step.batch(model, 2)
    before = model.get_weights()
    assert training_step.in_torch(name, case, model, x, y)() > 0  # or it raises
    assert any(np.abs(a - b).max() > 0 for a, b in zip(before, model.get_weights(), strict=True))


@pytest.mark.parametrize("layer", [keras.layers.Dropout(0.5), models.ShakeShake()])
def test_a_timed_step_drops_and_shakes_again(layer):
    """By a recipe that changes next to nothing."""
    inputs = keras.Input((8,))
    branches = [keras.layers.Dense(8)(inputs) for _ in range(2)]
    hidden = layer(branches if isinstance(layer, models.ShakeShake) else inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
    recipe = training.Recipe("sgd", 1e-12, None, 1, "none")

    def range_of_losses():
        step = training_step.keras_step(recipe, model, *training_step.batch(model, 4))
        return np.ptp([step()[0] for _ in range(3)])

    with training_step._without_chance(model):
        assert range_of_losses() < 1e-5
    assert range_of_losses() > 1e-3


@pytest.mark.torch
def test_another_network_is_refused():
    pytest.importorskip("torch")
    training.reproducible(0)
    case, model = CASES["mnist_cnn"], models.mnist_cnn()
    x, y = training_step.batch(model, 2)
    with pytest.raises(ValueError, match="conv2 is of another network"):
        training_step.in_torch("digits_cnn", case, model, x, y)
