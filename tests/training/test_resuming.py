"""Runs that are interrupted, prolonged or killed: they end bit for bit as one that was not."""

import dataclasses
import functools
import json
import subprocess
import sys
from pathlib import Path

from cnnkit import data, models, training
from cnnkit.backend import BatchNormalization
from cnnkit.data import augment

import keras
import numpy as np
import pytest

from .conftest import RECIPE, build, fit, interrupt, load, press_ctrl_c, read, same

SCRIPT = Path(__file__).with_name("survival.py")


def assert_ended(run, directory, whole):
    """Compare a run with one that was never interrupted, bit for bit."""
    same(run[0], whole[0])
    assert run[1].history == whole[1].history
    assert read(directory) == read(whole[2])


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "batch"), [(0, 1), (1, 0), (3, 2)])
def test_an_interrupted_run_ends_as_one_that_was_not(photos, tmp_path, whole, epoch, batch):
    """A new model of other weights, and a new data set, as in a new process."""
    interrupt(functools.partial(fit, load(photos), tmp_path), epoch, batch)
    assert_ended(fit(load(photos), tmp_path, build(seed=99)), tmp_path, whole)


@pytest.mark.parametrize(("times", "ended"), [(1, [0]), (2, [])])
def test_ctrl_c_ends_a_training_after_its_batch_or_at_once(parts, tmp_path, times, ended):
    press_ctrl_c(functools.partial(fit, parts, tmp_path), times, ended)


def shaken(photos, directory, **options):
    """Arrays, a cosine, weight decay, moving statistics, and coefficients that are drawn on."""
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), "uint8")
    train = data.batches(images, np.arange(20) % 4, 8, shuffle=True, seed=2)
    training.reproducible(0)
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Rescaling(1 / 255)(augment.flip_pad_and_crop(1)(inputs))
    branches = [BatchNormalization()(keras.layers.Conv2D(4, 3)(x)) for _ in range(2)]
    x = keras.layers.GlobalAveragePooling2D()(models.ShakeShake()(branches))
    model = keras.Model(inputs, keras.layers.Dense(4, "softmax")(x))
    recipe = dataclasses.replace(training.recipes.SHAKENET, batch_size=8, epochs=4)
    validation = data.batches(images[::2], np.arange(0, 20, 2) % 4, 5)
    model, history = fit((train, validation), directory, model, recipe=recipe, **options)
    rates = 0.1 * (1 + np.cos(np.pi * np.arange(1, 5) / 4))
    np.testing.assert_allclose(history.history["learning_rate"], rates, atol=1e-7)
    return model, history


def sigmoid(photos, directory, **options):
    """One unit, all photos in one batch, and validation in an order that its loss depends on."""
    training.reproducible(0)
    layers = [keras.Input((20, 20, 3)), keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    recipe = dataclasses.replace(training.recipes.CATS_VS_DOGS, epochs=4)
    validation = data.image_folder(photos / "validation", (20, 20), 3, shuffle=True, seed=0)
    parts = load(photos, batch_size=24)[0], validation
    return fit(parts, directory, model, recipe=recipe, **options)


def early(photos, directory, callbacks=()):
    """A run that EarlyStopping ends in its fourth epoch."""
    callbacks = [*callbacks, keras.callbacks.EarlyStopping("val_x", mode="max", patience=3)]
    options = {"evaluate": lambda *_: {"accuracy": 0.5, "x": 0.5}, "callbacks": callbacks}
    run = fit(load(photos), directory, None, 9, **options)
    assert len(run[1].epoch) == 4
    return run


def evaluations(photos, directory, **options):
    def judge(model, folder):
        return {"accuracy": float(model.predict(images, verbose=0)[:, 0].std())}

    images = np.concatenate([np.asarray(images) for images, _ in load(photos)[1]])
    judged = training.Evaluations(judge, directory, every=1)
    run = fit(load(photos), directory, evaluate=judged, **options)
    assert len((directory / "evaluations.csv").read_text().splitlines()) == 1 + 4 * 3
    return run


@pytest.mark.slow
@pytest.mark.parametrize("run", [shaken, sigmoid, early, evaluations])
def test_so_does_each_kind_of_run(photos, tmp_path, run):
    whole = *run(photos, tmp_path / "whole"), tmp_path / "whole"
    interrupt(functools.partial(run, photos, tmp_path / "run"), 2, int(run is not sigmoid))
    for _ in range(2):  # a run that has ended stays as it is
        assert_ended(run(photos, tmp_path / "run"), tmp_path / "run", whole)


@pytest.mark.slow
def test_more_epochs_prolong_a_run_and_one_that_was_stopped_goes_on(parts, tmp_path, whole, capsys):
    def stop(epoch, logs):  # as a callback that looks at the clock
        stopping.model.stop_training = True

    stopping = keras.callbacks.LambdaCallback(on_epoch_end=stop)
    for options in ({"epochs": 2}, {"epochs": 3, "callbacks": stopping}, {}):
        run = fit(parts, tmp_path, verbose=2, **options)
    assert_ended(run, tmp_path, whole)
    assert "Going on after epoch 2" in capsys.readouterr().out
    fit(parts, tmp_path, verbose=2)
    assert (
        "The run ended with epoch 4. For another, name another directory" in capsys.readouterr().out
    )


@pytest.mark.slow
def test_another_number_of_epochs_is_another_wave(parts, tmp_path):
    def run(**changes):
        recipe = dataclasses.replace(RECIPE, patience=None, cosine=True, **changes)
        return len(fit(parts, tmp_path / str(recipe.restart_after), recipe=recipe)[1].epoch)

    run(epochs=1)
    with pytest.raises(ValueError, match="recipe, epochs: 1 there and 4 here"):
        run(epochs=4)
    assert [run(epochs=n, restart_after=1) for n in (1, 2)] == [1, 2]


@pytest.mark.slow
def test_a_full_disk_stops_with_an_error_and_loses_nothing(parts, tmp_path, whole):
    resource = pytest.importorskip("resource")
    interrupt(functools.partial(fit, parts, tmp_path), 2)
    before = (tmp_path / "state.npz").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))  # fails as on a full disk
    try:
        with pytest.raises(OSError, match="File too large"):
            fit(parts, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "state.npz").read_bytes() == before
    assert_ended(fit(parts, tmp_path), tmp_path, whole)


def lives(command: list[str], kills: int, pace: dict[str, float], seed: int) -> int:
    """Train in processes of which so many are killed at random moments; return how many were."""
    first, rest = pace["first"], pace["all"] - pace["first"]
    # A life trains for a small part of the epochs, also if the pace was measured under load.
    longest = 1.5 * first + rest / kills
    random, killed = np.random.default_rng(seed), 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        try:
            assert process.wait(random.uniform(0, longest) if killed < kills else None) == 0
            return killed
        except subprocess.TimeoutExpired:
            process.kill()  # SIGKILL
            process.wait()
            killed += 1


@pytest.mark.survival
def test_a_run_survives_being_killed(tmp_path, photos):
    """Killed with SIGKILL at random moments, it ends bit for bit as one that was never killed."""
    kills = 10
    command = [sys.executable, str(SCRIPT), str(6 * kills), str(photos)]
    whole = [*command, str(tmp_path / "whole")]
    run = subprocess.run(whole, capture_output=True, text=True, check=True)
    pace = json.loads(run.stdout.splitlines()[-1])
    assert lives([*command, str(tmp_path / "killed")], kills, pace, seed=kills) >= kills // 2
    found = read(tmp_path / "killed")
    assert found == read(tmp_path / "whole")
    assert len(set(found["about"][0]["learning_rate"])) > 2
