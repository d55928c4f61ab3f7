"""What has to differ by Keras backend."""

import gc
import weakref

from cnnkit import backend, training
from cnnkit.batches import Batches

import keras
import numpy as np
import pytest
from keras import ops


class Counted(Batches):
    """Ten rows in batches of four, with the steps that were read."""

    def __init__(self) -> None:
        images = np.random.default_rng(0).normal(size=(10, 4)).astype("float32")
        self.seen: list[int] = []
        super().__init__(lambda numbers: images[numbers], images[:, :1], 4)

    def batch(self, epoch, step):
        self.seen.append(step)
        return super().batch(epoch, step)


def trained(batches, epochs=3):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(batches, validation_data=batches, epochs=epochs, shuffle=False, verbose=0)
    return model.get_weights(), history.history


def test_fast_batches_are_the_same_batches(recwarn):
    expected, expected_history = trained(Counted())
    batches = Counted()
    weights, history = trained(backend.fast(batches))
    if keras.backend.backend() == "tensorflow":
        assert batches.seen[1:] == [0, 1, 2] * 6  # once for each epoch of training and validation
    np.testing.assert_array_equal(weights[0], expected[0])
    assert history == expected_history
    assert not [str(warning.message) for warning in recwarn if "ran out" in str(warning.message)]


def test_fast_batches_go_when_they_are_no_longer_used():
    batches = Counted()
    gone = weakref.ref(batches)
    trained(backend.fast(batches), epochs=1)
    del batches
    keras.backend.clear_session()
    gc.collect()
    assert gone() is None


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="concerns PyTorch's generator")
def test_dropout_repeats_from_the_state_of_the_generator():
    dropout, ones = keras.layers.Dropout(0.5), np.ones((1, 64), "float32")

    def draw():
        return keras.ops.convert_to_numpy(dropout(ones, training=True))

    states = backend.generator_states()
    first = draw()
    assert not np.array_equal(first, draw())
    backend.set_generator_states(states)
    np.testing.assert_array_equal(first, draw())


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="asks TensorFlow")
def test_the_backend_is_asked_for_deterministic_operations(monkeypatch):
    experimental, asked = backend.tf.config.experimental, []
    monkeypatch.setattr(experimental, "enable_op_determinism", lambda: asked.append("yes"))
    training.reproducible(seed=0)
    assert asked == ["yes"]


def test_gradients_are_those_of_the_formula():
    x, y = np.array([1.0, -2.0, 3.0], "float32"), np.array([0.5, 4.0, -1.0], "float32")
    by_x, by_y = backend.gradients(lambda x, y: ops.sum(x**2 * y), x, y)
    np.testing.assert_allclose(by_x, 2 * x * y, rtol=1e-6)
    np.testing.assert_allclose(by_y, x**2, rtol=1e-6)
    _, by_y = backend.gradients(lambda x, y: ops.sum(x), np.ones(2), np.ones((3, 1)))
    np.testing.assert_array_equal(by_y, np.zeros((3, 1)))  # since it does not matter


MAPS = np.random.default_rng(0).normal(1, 3, (4, 5, 6, 3)).astype("float32")
OPTIONS = {"momentum": 0.9, "epsilon": 1e-5, "name": "bn"}
WEIGHTS = [[1.5, 0.5, 1], [0.1, 0, -1], [0.2, 0, 1], [1, 2, 3]]


def one_step(layer_type):
    """Train a layer and the weights before it by a step; return weights and outputs."""
    conv = keras.layers.Conv2D(3, 1, kernel_initializer="ones", bias_initializer="ones")
    layer = layer_type(**OPTIONS)
    model = keras.Sequential([keras.Input(MAPS.shape[1:]), conv, layer])
    layer.set_weights([np.array(each) for each in WEIGHTS])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(MAPS, MAPS**2)
    return [*model.get_weights(), model.predict(MAPS, verbose=0)]


def test_a_step_of_batch_normalisation_is_that_of_keras():
    ours, expected = map(one_step, (backend.BatchNormalization, keras.layers.BatchNormalization))
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
