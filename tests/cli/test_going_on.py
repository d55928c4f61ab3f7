"""Runs that go on: prolonged, moved, interrupted, and as one that was not."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from .conftest import describe, draw


@pytest.mark.slow
def test_a_run_goes_on_from_elsewhere_and_after_a_move(here, cnnkit, monkeypatch):
    (here / "own").mkdir()
    file = describe(draw(here / "own/photos"))
    assert cnnkit("train", file).exit_code == 0
    features = sorted(path.name for path in (here / "own/run/features").iterdir())
    describe(here / "own/photos", epochs=4)
    monkeypatch.chdir(here / "own")
    result = cnnkit("train", "run.yml")
    assert "Going on after epoch 3" in result.stdout, result.stderr
    monkeypatch.chdir(here)
    Path("own").rename("moved")
    describe(here / "moved/photos", epochs=5)
    result = cnnkit("train", "moved/run.yml")
    assert "Going on after epoch 4" in result.stdout, result.stderr
    assert sorted(path.name for path in (here / "moved/run/features").iterdir()) == features


@pytest.mark.slow
def test_a_finished_run_is_only_judged_again_and_more_epochs_prolong_it(here, cnnkit):
    file = describe(draw("photos"))
    cnnkit("train", file)
    again = cnnkit("train", file)
    assert again.exit_code == 0
    assert "The run ended with epoch 3" in again.stdout
    longer = cnnkit("train", describe(Path("photos"), epochs=4))
    assert "Going on after epoch 3" in longer.stdout
    other = cnnkit("train", describe(Path("photos"), more="  batch_size: 4\nseed: 5\n"))
    assert other.stderr == (
        "Error: run holds another run: seed is 0 there and 5 here; training.batch_size is 8 there "
        "and 4 here. Name another output, or delete the folder.\n"
    )


@pytest.mark.slow
def test_photos_that_are_added_after_the_split_are_not_ignored(here, cnnkit):
    file = describe(draw("photos"), epochs=1)
    cnnkit("train", file)
    shutil.copy("photos/cow/cow.1.jpg", "photos/cow/new.jpg")
    result = cnnkit("train", file)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "Error: photos is no longer what it was when run was begun. Name another output, or "
    )
    shutil.rmtree("photos")
    assert cnnkit("train", file).exit_code == 0


@pytest.mark.slow
def test_what_a_killed_run_and_the_system_leave_is_no_obstacle(here, cnnkit):
    file = describe(draw("photos"), epochs=1)
    Path("run/.photos.part").mkdir(parents=True)
    Path("run/.DS_Store").touch()
    assert cnnkit("train", file).exit_code == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals differ")
@pytest.mark.parametrize(
    "more", ["", pytest.param("  optimizer: adam\nmode: network\n", marks=pytest.mark.survival)]
)
def test_ctrl_c_leaves_a_run_that_ends_as_one_without_it(here, cnnkit, more):
    describe(draw("photos", count=10), "whole", epochs=10, more=more)
    describe(Path("photos"), "run", epochs=10, more=more)
    assert cnnkit("train", "whole.yml").exit_code == 0
    command = [sys.executable, "-c", "from cnnkit.cli import app; app()", "train", "run.yml"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # pytest may ignore it
    )
    history, end = Path("run/training/history.csv"), time.monotonic() + 120
    while not (history.exists() and len(history.read_text().splitlines()) > 2):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "Interrupted. The same command goes on where this one was."
    assert len(history.read_text().splitlines()) < 11
    assert cnnkit("train", "run.yml").exit_code == 0
    for name in ("history.csv", "evaluations.csv"):
        whole, run = (Path(output, "training", name).read_text() for output in ("whole", "run"))
        assert run == whole
    for name in ("best.keras", "last.keras"):
        whole, run = (
            keras.models.load_model(Path(output, "training", name)).get_weights()
            for output in ("whole", "run")
        )
        for one, other in zip(whole, run, strict=True):
            np.testing.assert_array_equal(one, other)
