"""Runs that are interrupted, prolonged or killed: they end bit for bit as one that was not."""

import contextlib
import dataclasses
import functools
import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnkit import data, models, training
from cnnkit.data import augment

import keras
import numpy as np
import pytest

from .conftest import RECIPE, Run, build, fit, interrupt, load, read, same

SCRIPT = Path(__file__).with_name("survival.py")


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (0, 1), (1, 0), (2, 2), (3, 1)])
def test_an_interrupted_run_ends_as_one_that_was_not(photos, tmp_path, whole, epoch, batch):
    """A new model of other weights, and a new data set, as in a new process."""
    interrupt(functools.partial(fit, load(photos), tmp_path), epoch, batch)
    model, history = fit(load(photos), tmp_path, build(seed=99))
    same(model, whole[0])
    assert history.history == whole[1].history
    assert read(tmp_path) == read(whole[2])


def shakenet(photos: Path, directory: Path, **options: Any) -> Run:
    """Arrays, a cosine, weight decay, and coefficients that are drawn on."""
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), "uint8")
    train = data.batches(images, np.arange(20) % 4, 8, shuffle=True, seed=2)
    training.reproducible(0)
    pad = augment.flip_pad_and_crop(1)
    model = models.shakenet(8, 4, 4, input_shape=(8, 8, 3), augmentation=pad)
    recipe = dataclasses.replace(training.recipes.SHAKENET, batch_size=8, epochs=4)
    validation = data.batches(images[::2], np.arange(0, 20, 2) % 4, 5)
    model, history = fit((train, validation), directory, model, recipe=recipe, **options)

    rates = 0.1 * (1 + np.cos(np.pi * np.arange(1, 5) / 4))
    np.testing.assert_allclose(history.history["learning_rate"], rates, atol=1e-7)
    weights = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    penalty = 1e-4 / 2 * sum((weight.astype("float64") ** 2).sum() for weight in weights)
    probabilities = model.predict(images[::2], verbose=0)
    entropy = -np.log(probabilities[np.arange(10), np.arange(0, 20, 2) % 4]).mean()
    assert history.history["val_loss"][-1] == pytest.approx(entropy + penalty, rel=1e-3)
    return model, history


def sigmoid(photos: Path, directory: Path, **options: Any) -> Run:
    """One unit, all photos in one batch, and no validation."""
    training.reproducible(0)
    layers = [keras.Input((20, 20, 3)), keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    recipe = dataclasses.replace(training.recipes.CATS_VS_DOGS, epochs=4)
    train, _ = load(photos, batch_size=24)
    return fit((train, None), directory, model, recipe=recipe, **options)


def early(photos: Path, directory: Path, callbacks: Any = (), **options: Any) -> Run:
    """A run that EarlyStopping ends in its fourth epoch."""

    def falling(model: keras.Model, validation: Any) -> dict[str, float]:
        return {"x": -float(model.optimizer.iterations), "accuracy": 0.5}

    stop = keras.callbacks.EarlyStopping("val_x", mode="max", patience=3)
    model, history = fit(
        load(photos), directory, epochs=9, evaluate=falling, callbacks=[*callbacks, stop]
    )
    assert len(history.epoch) == 4
    return model, history


def evaluations(photos: Path, directory: Path, **options: Any) -> Run:
    def judge(model: keras.Model, folder: Path) -> dict[str, float]:
        return {"accuracy": float(model.predict(images, verbose=0)[:, 0].std())}

    images = np.concatenate([np.asarray(images) for images, _ in load(photos)[1]])
    judged = training.Evaluations(judge, directory, every=1)
    run = fit(load(photos), directory, evaluate=judged, **options)
    assert len((directory / "evaluations.csv").read_text().splitlines()) == 1 + 4 * 3
    return run


def shuffled_validation(photos: Path, directory: Path, **options: Any) -> Run:
    """Its order decides the last bits of its loss, which the learning rate may depend on."""
    validation = data.image_folder(photos / "validation", (20, 20), 3, shuffle=True, seed=0)
    return fit((load(photos)[0], validation), directory, **options)


def no_folder(photos: Path, directory: Path, **options: Any) -> Run:
    tensorflow = pytest.importorskip("tensorflow")
    arrays = np.random.default_rng(0).uniform(0, 255, (24, 20, 20, 3)), np.arange(24) % 2
    dataset = tensorflow.data.Dataset.from_tensor_slices(arrays).batch(8)
    return fit((dataset, None), directory, **options)


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 3])
@pytest.mark.parametrize(
    "run", [shakenet, sigmoid, early, evaluations, shuffled_validation, no_folder]
)
def test_so_does_each_kind_of_run(photos, tmp_path, run, epoch):
    model, history = run(photos, tmp_path / "whole")
    batch = int(run not in (sigmoid, early))
    interrupt(functools.partial(run, photos, tmp_path / "run"), epoch, batch)
    for _ in range(2):  # a run that has ended stays as it is
        again, resumed = run(photos, tmp_path / "run")
        same(again, model)
        assert resumed.history == history.history
        assert read(tmp_path / "run") == read(tmp_path / "whole")


def test_another_seed_does_not_pass_for_a_run_that_has_ended(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    with pytest.warns(UserWarning, match="for another seed, name another directory"):
        same(fit(parts, directory, build(seed=5))[0], whole[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model, _ = fit(parts, directory, build())
        fit(parts, directory, model)  # such as in a cell that is run again


class AfterAWhile(keras.callbacks.Callback):
    """Ends each call after one epoch, as a callback that looks at the clock."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.model.stop_training = True


@pytest.mark.slow
def test_more_epochs_prolong_a_run_and_one_that_was_stopped_goes_on(parts, tmp_path, whole):
    for directory, calls in (
        (tmp_path / "prolonged", [{"epochs": 2}, {}]),
        (tmp_path / "stopped", [{"callbacks": AfterAWhile()}] * 4),
    ):
        for options in calls:
            model, history = fit(parts, directory, **options)
        same(model, whole[0])
        assert history.history == whole[1].history


def test_another_number_of_epochs_is_another_wave(tmp_path):
    def run(directory, epochs, restart_after=None):
        layers = keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")
        recipe = dataclasses.replace(
            RECIPE, patience=None, cosine=True, epochs=epochs, restart_after=restart_after
        )
        batches = data.batches(np.ones((8, 8, 8, 3), "uint8"), np.arange(8) % 2, 8)
        return fit((batches, None), directory, keras.Sequential(layers), recipe=recipe)[1]

    run(tmp_path / "run", 2)
    with pytest.raises(ValueError, match="recipe, epochs: 2 there and 4 here"):
        run(tmp_path / "run", 4)
    run(tmp_path / "other", 2, restart_after=1)
    assert len(run(tmp_path / "other", 3, restart_after=1).epoch) == 3


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let writing fail as it does where the disk is full."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.slow
@pytest.mark.parametrize("size", [100, 10_000])
def test_a_full_disk_stops_with_an_error_and_loses_nothing(parts, tmp_path, whole, size):
    interrupt(functools.partial(fit, parts, tmp_path), 2)
    before = (tmp_path / "state.npz").read_bytes()
    with files_no_larger_than(size), pytest.raises(OSError, match="File too large"):
        fit(parts, tmp_path)
    assert (tmp_path / "state.npz").read_bytes() == before
    model, history = fit(parts, tmp_path)
    same(model, whole[0])
    assert history.history == whole[1].history
    assert read(tmp_path) == read(whole[2])


def lives(command: list[str], kills: int, pace: dict[str, float], seed: int) -> int:
    """Train in processes of which so many are killed at random moments; return how many were."""
    first, rest = pace["first"], pace["all"] - pace["first"]
    progress = 0.6 * rest / kills  # seconds of training that a life should last on average
    longest = first + progress + (progress**2 + 2 * progress * first) ** 0.5
    random, killed = np.random.default_rng(seed), 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        if killed < kills:
            try:
                process.wait(random.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.kill()  # SIGKILL
                process.wait()
                killed += 1
                continue
        assert process.wait() == 0
        return killed


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.survival)])
def test_a_run_survives_being_killed(tmp_path, photos, kills):
    """Killed with SIGKILL at random moments, it ends bit for bit as one that was never killed."""
    commands = [
        [sys.executable, str(SCRIPT), str(photos), str(tmp_path / name), str(10 + kills)]
        for name in ("whole", "killed")
    ]
    run = subprocess.run(commands[0], capture_output=True, text=True, check=True)
    pace = json.loads(run.stdout.splitlines()[-1])
    assert lives(commands[1], kills, pace, seed=kills) >= kills // 2  # or the machine was faster
    found = read(tmp_path / "killed")
    assert found == read(tmp_path / "whole")
    assert len({metrics["learning_rate"] for metrics in found["about"]["history"]}) > 2
