"""Several processes that train one model: as one process would, and killed."""

import json
import signal
import sys
import time
from pathlib import Path

from cnnkit import data, training
from cnnkit.training.distribution import Processes

import keras
import numpy as np
import pytest

from ..jobs import NAMES, SOON, start_processes

pytest.importorskip("jax")


def start(count, *arguments, **environment):
    script = Path(__file__).with_name("together.py")
    command = [sys.executable, str(script), *map(str, arguments)]
    return start_processes(count, command, **{"XLA_FLAGS": SOON} | environment)


def finish(jobs):
    """Return their results, when all have ended well."""
    outputs = [job.communicate(timeout=120) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * len(jobs), outputs
    return [json.loads(written.splitlines()[-1]) for written, _ in outputs]


def assert_same(one, other, atol=1e-5):
    assert one["history"].keys() == other["history"].keys()
    for name, values in one["history"].items():
        np.testing.assert_allclose(other["history"][name], values, atol=atol)
    for weight, expected in zip(other["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(weight, expected, atol=10 * atol)


@pytest.mark.survival
@pytest.mark.parametrize("source", ["batches", "judged", "folder"])
def test_two_processes_train_as_one_does(tmp_path, source):
    """Losses over three epochs to 1e-5, where the last batch has 12 pictures of 16, or 8 of 10."""
    for name in ("one", "two"):
        data.drawings.write(tmp_path / f"{name}-photos", ["cat", "dog"], 24, seed=0, size=16)
    (expected,) = finish(start(1, tmp_path / "one", 3, source))
    first, second = finish(start(2, tmp_path / "two", 3, source))
    assert len(first["history"]["loss"]) == 3
    assert_same(expected, first)
    assert first == second
    left, right = ({path.name for path in (tmp_path / n).iterdir()} for n in ("one", "two"))
    assert left == right


@pytest.mark.survival
def test_one_process_trains_on_all_its_devices(tmp_path):
    four = {"XLA_FLAGS": f"{SOON} --xla_force_host_platform_device_count=4"}
    (one,) = finish(start(1, tmp_path / "one", 3, "judged"))
    (several,) = finish(start(1, tmp_path / "four", 3, "judged", **four))
    assert_same(one, several)


def epochs(history):
    return len(history.read_text().splitlines()) - 1 if history.exists() else 0


@pytest.mark.survival
def test_when_one_is_killed_the_others_end_and_all_resume_later(tmp_path):
    history, done = tmp_path / "killed" / "history.csv", 0
    for victim in (0, 1):
        jobs = start(2, tmp_path / "killed", 40, "batches")
        until = time.monotonic() + 100
        while epochs(history) <= done:
            assert time.monotonic() < until
            time.sleep(0.05)
        jobs[victim].send_signal(signal.SIGKILL)
        jobs[1 - victim].communicate(timeout=120)
        assert jobs[1 - victim].returncode != 0
        jobs[victim].communicate(timeout=60)
        assert done < epochs(history) < 40
        done = epochs(history)
    resumed, _ = finish(start(2, tmp_path / "killed", 40, "batches"))
    (whole,) = finish(start(1, tmp_path / "whole", 40, "batches"))
    assert_same(whole, resumed, atol=1e-3)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="concerns the other backends")
def test_several_processes_take_jax_and_one_is_the_first(monkeypatch):
    for name, value in zip(NAMES, ("127.0.0.1:9", "2", "0"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax"), training.distributed():
        pass
    for name in NAMES:
        monkeypatch.delenv(name)
    with training.distributed() as processes:
        assert (processes.index, processes.count, processes.first) == (0, 1, True)


@pytest.fixture
def model(monkeypatch):
    monkeypatch.setattr(
        Processes, "move", lambda *_, **__: None
    )  # which takes JAX, and two devices
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    model.compile()
    return model


@pytest.mark.parametrize("shuffle", [False, True])
def test_shares_are_equal_and_in_order(model, shuffle):
    """Of batches of 8, 8 and 7 pictures, with four devices, the last three are left out."""
    batches = data.batches(np.arange(23), np.arange(23), 8, shuffle=shuffle, seed=0)
    order = batches.order(0)
    for index in (0, 1):
        with Processes(2, index, devices=4).together(model, batches, None):
            found = [images.tolist() for images, _ in batches]
        ends = [(0, 4), (8, 12), (16, 18)] if index == 0 else [(4, 8), (12, 16), (18, 20)]
        assert found == [order[slice(*each)].tolist() for each in ends]
        assert sum(len(labels) for _, labels in batches) == 23


@pytest.mark.parametrize("counts", [[(60, 15)], [(61, 20)], [(60, 20), (63, 20)]])
def test_batches_that_cannot_be_shared_are_refused(model, counts):
    parts = [data.batches(np.ones((n, 4)), np.zeros(n, int), size) for n, size in counts]
    refused = pytest.raises(ValueError, match=r"devices .*batch_size.* a multiple of")
    with refused, Processes(2, 0, devices=2).together(model, *parts):
        pass
