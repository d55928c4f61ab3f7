"""Runs that are interrupted, prolonged or killed: they end bit for bit as one that was not."""

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from cnnkit import data

import keras
import numpy as np
import pytest

from .conftest import PullThePlug, build, fit, interrupt, load, read, read_state, same


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (0, 1), (1, 0), (2, 2), (3, 1)])
def test_an_interrupted_run_ends_as_one_that_was_not(photos, tmp_path, whole, epoch, batch):
    """A new model of other weights, and a new data set, as in a new process."""
    interrupt(load(photos), tmp_path / "run", epoch, batch)
    model, history = fit(load(photos), tmp_path / "run", build(seed=99))
    same(model, whole[0])
    assert history.history == whole[1].history
    assert read(tmp_path / "run") == read(whole[2])


def test_a_run_that_has_ended_is_restored_and_not_trained(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    model, history = fit(parts, directory, build(seed=5), callbacks=PullThePlug(0, 0))
    same(model, whole[0])
    assert history.history == whole[1].history


def test_another_seed_does_not_pass_for_a_run_that_has_ended(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    with pytest.warns(UserWarning, match="for another seed, name another directory"):
        fit(parts, directory, build(seed=5))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model, _ = fit(parts, directory, build())
        fit(parts, directory, model)  # such as in a cell that is run again


@pytest.mark.slow
def test_more_epochs_prolong_a_run(parts, tmp_path, whole):
    fit(parts, tmp_path / "run", epochs=2)
    model, history = fit(parts, tmp_path / "run")
    same(model, whole[0])
    assert history.history == whole[1].history


class AfterAWhile(keras.callbacks.Callback):
    """Ends each call after one epoch, as a callback that looks at the clock."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.model.stop_training = True


@pytest.mark.slow
def test_a_run_that_was_stopped_on_the_way_goes_on(parts, tmp_path, whole):
    for epochs in (1, 2, 3, 4):
        model, history = fit(parts, tmp_path / "run", callbacks=AfterAWhile())
        assert len(history.epoch) == epochs
    same(model, whole[0])
    assert history.history == whole[1].history


@pytest.mark.slow
def test_callbacks_of_keras_count_on(parts, tmp_path):
    """EarlyStopping ends a run once, and a run that it has ended stays ended."""

    def stopping() -> keras.callbacks.EarlyStopping:
        return keras.callbacks.EarlyStopping("val_x", mode="max", patience=3)

    def falling(model: keras.Model, validation: Any) -> dict[str, float]:
        return {"x": -float(model.optimizer.iterations), "accuracy": 0.5}

    options: dict[str, Any] = {"evaluate": falling, "epochs": 9}
    with pytest.raises(KeyboardInterrupt):
        fit(parts, tmp_path / "run", callbacks=[PullThePlug(2), stopping()], **options)
    _, history = fit(parts, tmp_path / "run", callbacks=stopping(), **options)
    assert len(history.epoch) == 4
    _, history = fit(parts, tmp_path / "run", callbacks=stopping(), **options)
    assert len(history.epoch) == 4


@pytest.mark.slow
def test_a_shuffled_validation_set_has_its_order_back(photos, tmp_path):
    """Its order decides the last bits of its loss, which the learning rate may depend on."""

    def shuffled() -> tuple[Any, Any]:
        validation = data.image_folder(photos / "validation", (20, 20), 3, shuffle=True, seed=0)
        return load(photos)[0], validation

    whole = fit(shuffled(), tmp_path / "whole")[1]
    interrupt(shuffled(), tmp_path / "run", 2)
    assert fit(shuffled(), tmp_path / "run")[1].history == whole.history


@pytest.mark.slow
def test_models_that_a_kill_left_out_are_written(parts, tmp_path, whole):
    """The state of the last epoch is there, and what follows from it is not."""
    interrupt(parts, tmp_path / "run", 3)
    (tmp_path / "run/last.keras").write_bytes(b"half")
    (tmp_path / "run/history.csv").unlink()
    fit(parts, tmp_path / "run", epochs=3)
    with pytest.raises(KeyboardInterrupt):
        fit(parts, tmp_path / "other", callbacks=PullThePlug(3))
    assert read(tmp_path / "run") == read(tmp_path / "other")


def gone_test_what_a_killed_process_left_is_removed(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    (directory / ".state.npz.123.part").write_bytes(b"half")
    (directory / ".model-abc").mkdir()
    (directory / ".model-abc/weights").write_bytes(b"half")
    fit(parts, directory)
    assert [path.name for path in directory.glob(".*")] == [".lock"]


SCRIPT = Path(__file__).with_name("survival.py")


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
    assert read(tmp_path / "killed") == read(tmp_path / "whole")
    rates = read_state(tmp_path / "killed")[0]["history"]
    assert len({figures["learning_rate"] for figures in rates}) > 2
