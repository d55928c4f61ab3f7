"""The learning rate on a plateau, against lists computed by hand and against PyTorch's."""

import json

from cnnkit.training import state
from cnnkit.training.callbacks import ReduceOnPlateau, StopAtNaN, monitored

import keras
import numpy as np
import pytest


def rates(
    figures: list[float], callback: keras.callbacks.Callback, rate: float = 0.01, name: str = "loss"
) -> list[float]:
    """Return the learning rate after each epoch."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    callback.set_model(model)
    callback.on_train_begin()
    found = []
    for epoch, figure in enumerate(figures):
        callback.on_epoch_end(epoch, {name: figure})
        found.append(float(model.optimizer.learning_rate))
    return found


# Figures, and the learning rates after them with patience 2, worked out by hand.
BY_HAND = {
    # Best in the second epoch; three epochs without improvement are more than two.
    "plateau": ([0.5, 0.6, 0.6, 0.59, 0.58, 0.6, 0.5, 0.5], "1 1 1 1 .1 .1 .1 .01"),
    # An improvement in the third epoch of waiting comes in time.
    "in time": ([0.6, 0.5, 0.5, 0.61, 0.5, 0.5, 0.5], "1 1 1 1 1 1 .1"),
    # The best stays the best over a reduction.
    "best stays": ([0.9, 0.8, 0.8, 0.8, 0.89, 0.9, 0.9], "1 1 1 .1 .1 .1 .01"),
    # 0.90005 is more than 0.9 by less than a ten-thousandth of it, 0.9001 by more.
    "close": ([0.9, 0.90005, 0.90008, 0.90008], "1 1 1 .1"),
    "just enough": ([0.9, 0.90005, 0.9001, 0.9001, 0.9001], "1 1 1 1 1"),
    # Small steps from a best that stays add up to an improvement.
    "creeping": ([0.9, 0.90004, 0.90008, 0.90012, 0.90012, 0.90012], "1 1 1 1 1 1"),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_rate_follows_the_hand_computed_list(name):
    figures, expected = BY_HAND[name]
    found = rates(figures, ReduceOnPlateau("loss", "max", patience=2), rate=1.0)
    assert found == pytest.approx([float(rate) for rate in expected.split()], rel=1e-6)


@pytest.mark.parametrize("name", BY_HAND)
def test_less_is_better_where_the_mode_says_so(name):
    figures, expected = BY_HAND[name]
    losses = [1.0 / figure for figure in figures]  # relative steps stay nearly what they are
    found = rates(losses, ReduceOnPlateau("loss", "min", patience=2), rate=1.0)
    assert found == pytest.approx([float(rate) for rate in expected.split()], rel=1e-6)


def test_a_change_that_is_too_small_is_left_out():
    callback = ReduceOnPlateau("loss", "max", patience=0)
    found = rates([0.5] * 6, callback, rate=1e-5)
    assert found == pytest.approx([1e-5, 1e-6, 1e-7, 1e-8, 1e-8, 1e-8], rel=1e-5)


def test_a_new_run_counts_from_the_beginning():
    callback = ReduceOnPlateau("val_loss", "max", patience=2)  # as Keras writes it
    assert rates([0.9, 0.8, 0.8], callback, rate=1.0) == [1, 1, 1]
    assert rates([0.5, 0.4, 0.4], callback, rate=1.0) == [1, 1, 1]


def test_a_figure_that_is_none_improves_nothing():
    nan = float("nan")
    found = rates([nan, 0.5, nan, nan, nan], ReduceOnPlateau("loss", "max", 2), rate=1.0)
    assert found == pytest.approx([1, 1, 1, 1, 0.1])


def test_callbacks_find_their_counts_again_by_their_kind():
    stopping = keras.callbacks.EarlyStopping("loss")
    stopping.best, stopping.wait = 0.25, 3
    plateaus = [ReduceOnPlateau(), ReduceOnPlateau()]
    for number, plateau in enumerate(plateaus):
        plateau.best, plateau.wait = 0.5 + number, number
    kept = json.loads(json.dumps(state.counters([*plateaus, stopping])))
    again = [
        StopAtNaN(),
        keras.callbacks.EarlyStopping("loss"),
        ReduceOnPlateau(),
        ReduceOnPlateau(),
    ]
    state.set_counters(again, kept)
    assert [(each.best, each.wait) for each in again[1:]] == [(0.25, 3), (0.5, 0), (1.5, 1)]


def test_thirty_epochs_may_fail_and_the_next_reduces():
    found = rates([0.9] * 33, ReduceOnPlateau("loss", "max", patience=30))
    assert found[:31] == pytest.approx([0.01] * 31)
    assert found[31:] == pytest.approx([0.001] * 2)


def test_it_is_relative_where_keras_is_absolute():
    figures = [0.001, 0.00102, 0.00104, 0.00106]  # two percent each, and less than 1e-4
    ours = rates(figures, ReduceOnPlateau("loss", "max", patience=2), rate=1.0)
    keras_callback = keras.callbacks.ReduceLROnPlateau(
        "loss", mode="max", patience=3, min_delta=1e-4, factor=0.1
    )
    theirs = rates(figures, keras_callback, rate=1.0)
    assert ours == pytest.approx([1, 1, 1, 1])
    assert theirs == pytest.approx([1, 1, 1, 0.1])


@pytest.mark.parametrize("mode", ["min", "max"])
def test_it_agrees_with_pytorchs_on_random_walks(mode):
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    for step in (1e-1, 1e-4, 3e-5):
        figures = np.abs(0.8 + np.cumsum(random.normal(0, step, 200))).tolist()
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode=mode, factor=0.1, patience=4, threshold=1e-4, eps=1e-8
        )
        expected = []
        for figure in figures:
            schedule.step(figure)
            expected.append(optimizer.param_groups[0]["lr"])
        found = rates(figures, ReduceOnPlateau("loss", mode, patience=4), rate=1.0)
        assert found == pytest.approx(expected, rel=1e-5)
        assert len(set(expected)) > 3


def test_validation_figures_come_before_training_figures():
    assert monitored("accuracy", {"accuracy": 0.9, "val_accuracy": 0.8, "loss": 1.0}) == 0.8
    assert monitored("accuracy", {"accuracy": 0.9, "loss": 1.0}) == 0.9
    with pytest.raises(ValueError, match=r"'f1'.*\['loss'\]"):
        monitored("f1", {"loss": 1.0})
    with pytest.raises(ValueError, match="'val_accuracy'"):  # and not that of the training data
        monitored("accuracy", {"accuracy": 0.9, "val_loss": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "auto"}, "'min' or 'max'"),
        ({"patience": -1}, "patience is -1"),
        ({"factor": 1.0}, "factor is 1"),
    ],
)
def test_what_makes_no_sense_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        ReduceOnPlateau(**options)


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_with_its_step(loss):
    callback = StopAtNaN()
    callback.on_epoch_begin(3)
    callback.on_train_batch_end(0, {"loss": 1.0})
    with pytest.raises(FloatingPointError, match="since step 8 of epoch 4"):
        callback.on_train_batch_end(7, {"loss": loss})
