from cnnkit import data, models, training

import keras
import numpy as np
import pytest


def train(seed: int) -> list[np.ndarray]:
    training.reproducible(seed)
    (images, labels), _ = data.mnist("sample")
    model = models.mnist_cnn()
    training.recipes.MNIST.compile(model)
    model.fit(images[:640], labels[:640], batch_size=64, epochs=2, verbose=0)
    return model.get_weights()


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    for first, second in zip(train(seed=1), train(seed=1), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_backend_is_asked_for_deterministic_operations(monkeypatch):
    tensorflow = pytest.importorskip("tensorflow")
    asked = []
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(
        tensorflow.config.experimental, "enable_op_determinism", lambda: asked.append("yes")
    )
    training.reproducible(seed=0)
    assert asked == ["yes"]


@pytest.mark.slow
def test_another_seed_gives_other_weights():
    assert not np.array_equal(train(seed=1)[0], train(seed=2)[0])
