"""Batch normalisation against Keras's own layer."""

from cnnkit.backend import BatchNormalization

import keras
import numpy as np

MAPS = np.random.default_rng(0).normal(1, 3, (4, 5, 6, 3)).astype("float32")
OPTIONS = {"momentum": 0.9, "epsilon": 1e-5, "name": "bn"}
WEIGHTS = [[1.5, 0.5, 1], [0.1, 0, -1], [0.2, 0, 1], [1, 2, 3]]


def one_step(layer_type):
    """Train a layer and the weights before it by a step; return weights and outputs."""
    keras.utils.set_random_seed(0)
    conv = keras.layers.Conv2D(3, 1, kernel_initializer="ones", bias_initializer="ones")
    layer = layer_type(**OPTIONS)
    model = keras.Sequential([keras.Input(MAPS.shape[1:]), conv, layer])
    layer.set_weights([np.array(each) for each in WEIGHTS])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.train_on_batch(MAPS, MAPS**2)
    return [*model.get_weights(), model.predict(MAPS, verbose=0)]


def test_a_step_is_that_of_keras():
    ours, expected = map(one_step, (BatchNormalization, keras.layers.BatchNormalization))
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
