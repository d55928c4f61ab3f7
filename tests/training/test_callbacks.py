"""The learning rate on a plateau, against lists computed by hand and against PyTorch's."""

from cnnkit.training import ReduceOnPlateau

import keras
import numpy as np
import pytest


def rates(values, callback):
    """Return the learning rate after each epoch, which begins with 1."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    callback.set_model(model)
    callback.on_train_begin()
    found = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"loss": value})
        found.append(float(model.optimizer.learning_rate))
    return found


# Values, and the learning rates after them with patience 2, worked out by hand.
BY_HAND = {
    # Best in the second epoch; three epochs without improvement are more than two.
    "plateau": ([0.5, 0.6, 0.6, 0.59, 0.58, 0.6, 0.5, 0.5], "1 1 1 1 .1 .1 .1 .01"),
    # The best stays the best over a reduction.
    "best stays": ([0.9, 0.8, 0.8, 0.8, 0.89, 0.9, 0.9], "1 1 1 .1 .1 .1 .01"),
    # 0.90008 is more than 0.9 by less than a ten-thousandth of it.
    "close": ([0.9, 0.90005, 0.90008, 0.90008], "1 1 1 .1"),
    # Small steps from a best that stays add up to an improvement.
    "creeping": ([0.9, 0.90004, 0.90008, 0.90012, 0.90012, 0.90012], "1 1 1 1 1 1"),
    "no number": ([np.nan, 0.5, np.nan, np.nan, np.nan], "1 1 1 1 .1"),
}


@pytest.mark.parametrize("mode", ["max", "min"])
@pytest.mark.parametrize("name", BY_HAND)
def test_the_rate_follows_the_hand_computed_list(name, mode):
    values, expected = BY_HAND[name]
    if mode == "min":  # relative steps stay nearly what they are
        values = [1.0 / value for value in values]
    callback = ReduceOnPlateau("val_loss", mode, patience=2)  # as Keras writes it
    for _ in range(2):  # a new run counts from the beginning
        found = rates(values, callback)
        assert found == pytest.approx([float(rate) for rate in expected.split()], rel=1e-6)


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["min", "max"])
def test_it_agrees_with_pytorchs_on_random_walks(mode):
    """Down to 1e-8, which is no longer reduced."""
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    for step in (1e-1, 1e-4, 3e-5):
        values = np.abs(0.8 + np.cumsum(random.normal(0, step, 200))).tolist()
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode=mode, factor=0.1, patience=4, threshold=1e-4, eps=1e-8
        )
        expected = []
        for value in values:
            schedule.step(value)
            expected.append(optimizer.param_groups[0]["lr"])
        found = rates(values, ReduceOnPlateau("loss", mode, patience=4))
        assert found == pytest.approx(expected, rel=1e-5)
        assert len(set(expected)) > 3


def test_validation_metrics_come_before_training_metrics():
    callback = ReduceOnPlateau("accuracy", "max", 2)
    callback.on_train_begin()
    callback.on_epoch_end(0, {"accuracy": 0.9, "val_accuracy": 0.8, "loss": 1.0})
    assert callback.best == 0.8
    with pytest.raises(ValueError, match="'val_accuracy'"):  # and not that of the training data
        callback.on_epoch_end(1, {"accuracy": 0.9, "val_loss": 1.0})
    with pytest.raises(ValueError, match="'min' or 'max'"):
        ReduceOnPlateau(mode="auto")
