"""Several processes that train one model: as one process would, and killed."""

import functools
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnkit import data, training
from cnnkit.training import distribution

import keras
import numpy as np
import pytest

from ..jobs import NAMES, SOON, start_processes

SCRIPT = Path(__file__).with_name("together.py")

pytest.importorskip("jax")


def start(count: int, *arguments: object, **environment: str) -> list[subprocess.Popen]:
    """Start the script in several processes."""
    command = [sys.executable, str(SCRIPT), *map(str, arguments)]
    return start_processes(count, command, **{"XLA_FLAGS": SOON} | environment)


def finish(jobs: list[subprocess.Popen], limit: float = 120) -> list[tuple[str, str]]:
    """Return what they have written, when all have ended well."""
    outputs = [job.communicate(timeout=limit) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * len(jobs), outputs
    return outputs


def result(output: tuple[str, str]) -> dict[str, Any]:
    return json.loads(output[0].splitlines()[-1])


def assert_same(one: dict[str, Any], other: dict[str, Any], atol: float = 1e-5) -> None:
    assert one["history"].keys() == other["history"].keys()
    for name, figures in one["history"].items():
        np.testing.assert_allclose(other["history"][name], figures, atol=atol, err_msg=name)
    for weight, expected in zip(other["weights"], one["weights"], strict=True):
        np.testing.assert_allclose(weight, expected, atol=10 * atol)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """A function that returns the directory and the result of a run by one process."""

    @functools.cache
    def run(source: str) -> tuple[Path, dict[str, Any]]:
        directory = tmp_path_factory.mktemp(source) / "run"
        draw_photos(directory)
        (output,) = finish(start(1, directory, 3, source))
        return directory, result(output)

    return run


def draw_photos(directory: Path) -> None:
    folder = directory.with_name(f"{directory.name}-photos")
    data.drawings.write(folder, ["cat", "dog"], 24, seed=0, size=16)


@pytest.mark.survival
@pytest.mark.parametrize("source", ["batches", "judged", "folder"])
def test_two_processes_train_as_one_does(tmp_path, alone, source):
    """Losses over three epochs to 1e-5, where the last batch has 12 pictures of 16, or 8 of 10."""
    draw_photos(tmp_path / "together")
    together = finish(start(2, tmp_path / "together", 3, source))
    first, second = map(result, together)
    assert len(first["history"]["loss"]) == 3
    directory, expected = alone(source)
    assert_same(expected, first)
    assert first == second
    assert "Epoch 3/3" in together[0][0]
    assert "Epoch" not in together[1][0]
    left, right = (
        sorted(path.name for path in each.iterdir()) for each in (tmp_path / "together", directory)
    )
    assert left == right
    best = keras.models.load_model(tmp_path / "together" / "last.keras")
    for weight, value in zip(best.get_weights(), first["weights"], strict=True):
        np.testing.assert_array_equal(weight, np.array(value, "float32"))


@pytest.mark.survival
def test_when_one_is_killed_the_others_stop_and_all_go_on_later(tmp_path):
    history = tmp_path / "killed" / "history.csv"
    done = 0
    for victim in (0, 1):
        jobs = start(2, tmp_path / "killed", 40, "batches")
        until = time.monotonic() + 100
        while epochs(history) <= done:
            assert time.monotonic() < until
            time.sleep(0.05)
        jobs[victim].send_signal(signal.SIGKILL)
        killed = time.monotonic()
        _, told = jobs[1 - victim].communicate(timeout=60)
        assert time.monotonic() - killed < 30
        assert jobs[1 - victim].returncode == 1
        assert re.search(
            rf"ConnectionError: Another of the 2 processes has ended.* process {1 - victim} "
            "stops.*start all of them again: the run goes on after its last whole epoch",
            told,
        )
        jobs[victim].communicate(timeout=60)
        assert done < epochs(history) < 40
        done = epochs(history)
    again = finish(start(2, tmp_path / "killed", 40, "batches"))
    going_on = re.search(r"Going on after epoch (\d+)", again[0][0])
    assert going_on and int(going_on[1]) in (done, done + 1)
    (whole,) = finish(start(1, tmp_path / "whole", 40, "batches"))
    assert_same(result(whole), result(again[0]), atol=1e-3)


def epochs(history: Path) -> int:
    """Return how many epochs a run has written down."""
    return len(history.read_text().splitlines()) - 1 if history.exists() else 0


@pytest.mark.slow
def test_when_one_fails_the_others_stop(tmp_path):
    first, second = start(2, tmp_path / "run", 3, "broken")
    assert "ConnectionError: Another of the 2 processes" in first.communicate(timeout=100)[1]
    assert "This one cannot read its data." in second.communicate(timeout=10)[1]
    assert first.returncode == second.returncode == 1


@pytest.mark.slow
def test_one_process_trains_on_all_its_devices(tmp_path, alone):
    four = {"XLA_FLAGS": f"{SOON} --xla_force_host_platform_device_count=4"}
    (several,) = finish(start(1, tmp_path / "several", 3, "judged", **four))
    assert_same(alone("judged")[1], result(several))


@pytest.mark.parametrize(
    ("values", "error", "cure"),
    [
        (("", "2", "0"), ValueError, "expected the host:port of the first process"),
        (("here", "2", "0"), ValueError, "expected the host:port of the first process"),
        (("here:x", "2", "0"), ValueError, "expected the host:port of the first process"),
        (("here:1", "two", "0"), ValueError, "expected the host:port of the first process"),
        (("here:1", "2", ""), ValueError, "expected the host:port of the first process"),
        (("here:1", "2", "2"), ValueError, "is 2 of 2 processes; expected a smaller number"),
    ],
)
def test_variables_that_are_wrong_are_told(monkeypatch, values, error, cure):
    for name, value in zip(NAMES, values, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(error, match=cure), training.distributed():
        pass


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="concerns the other backends")
def test_several_processes_take_jax(monkeypatch):
    for name, value in zip(NAMES, ("127.0.0.1:9", "2", "0"), strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="KERAS_BACKEND=jax"), training.distributed():
        pass


def no_address(*asked: object) -> None:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


def test_a_port_that_is_taken_and_a_first_process_that_is_missing_are_told(monkeypatch):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=r"listens on .* already; name another port"):
            distribution._check_port("127.0.0.1", port)
        distribution._wait_for("127.0.0.1", port)
    monkeypatch.setattr(distribution, "PATIENCE", 0.3)
    with pytest.raises(ConnectionError, match=rf"cannot be reached at 127\.0\.0\.1:{port}"):
        distribution._wait_for("127.0.0.1", port)
    distribution._check_port("127.0.0.1", port)
    monkeypatch.setattr(socket, "getaddrinfo", no_address)
    for look in (distribution._check_port, distribution._wait_for):
        with pytest.raises(ConnectionError, match=r"no host 'nowhere\.invalid'"):
            look("nowhere.invalid", 9)


def test_only_what_jax_says_of_lost_processes_counts_as_such():
    for text in (
        "UNKNOWN: Gloo AllGather failed: [external/gloo/…] Connection closed by peer [127.0.0.1]",
        "UNKNOWN: Gloo all-reduce failed: [external/gloo/…] Read error [127.0.0.1]",
        "UNKNOWN: Gloo collective permute failed: [external/gloo/…] Write error [127.0.0.1]",
        "DEADLINE_EXCEEDED: Barrier timed out",
    ):
        assert distribution.LOST.search(text)
    assert not distribution.LOST.search("photos/gloomy/peer.jpg is missing")


def test_a_process_that_has_computed_cannot_join(tmp_path):
    (job,) = start(1, tmp_path, 1, "late", KERAS_DISTRIBUTION_NUM_PROCESSES="2")
    _, told = job.communicate(timeout=100)
    assert job.returncode == 1
    assert "Begin a new one with training.distributed()" in told


@pytest.mark.survival
def test_the_first_process_does_not_wait_for_ever(tmp_path):
    (job,) = start(1, tmp_path, 1, "alone", KERAS_DISTRIBUTION_NUM_PROCESSES="2")
    _, told = job.communicate(timeout=100)
    assert job.returncode == 1
    assert "Another of the 2 processes has ended, never came" in told


def test_one_process_is_first_and_alone(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    with training.distributed() as processes:
        assert (processes.index, processes.count, processes.first) == (0, 1, True)
        assert processes.in_turn(lambda: 7) == processes.from_first(lambda: 7) == 7


def shares(numbers: np.ndarray, count: int, devices: int) -> list[list[int]]:
    found = []
    for index in range(count):
        processes = training.Processes(index, count)
        processes._devices = devices
        found.append(processes._share(numbers).tolist())
    return found


def test_shares_are_equal_and_in_order():
    assert shares(np.arange(6), 2, 2) == [[0, 1, 2], [3, 4, 5]]
    assert shares(np.array([4, 2, 9, 7, 5]), 2, 2) == [[4, 2], [9, 7]]
    assert shares(np.arange(11), 2, 4) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize(
    ("part", "count", "batch_size", "cure"),
    [
        ("training", 60, 15, "batches of 15.*Take another batch_size."),
        ("training", 61, 20, "and 1 in the last one.*no fewer. Take"),
        ("validation", 63, 20, "and 3 in the last one.*too. Take.* or give `evaluate`"),
    ],
)
def test_batches_that_cannot_be_shared_are_told(part, count, batch_size, cure):
    processes = training.Processes(0, 2)
    processes._devices, processes._distribution = 2, object()
    batches = data.batches(np.ones((count, 4, 4, 1)), np.zeros(count, int), batch_size)
    about = {part: {"batch size": batch_size, "shape": [count, 4, 4, 1]}}
    with pytest.raises(ValueError, match=cure), processes.sharing(about, **{part: batches}):
        pass
    assert len(batches[0][1]) == batch_size
    with (
        pytest.raises(ValueError, match="list cannot be shared by several processes"),
        processes.sharing(about, **{part: [batches]}),
    ):
        pass


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_data_set_hands_out_what_is_left_of_each_batch(tmp_path, shuffle):
    folder = data.drawings.write(tmp_path / "photos", ["cat", "dog"], 5, seed=0, size=16)
    photos = data.image_folder(folder, (16, 16), 4, shuffle=shuffle, seed=2)
    images = np.concatenate([np.asarray(batch) for batch, _ in photos])
    images = images[np.argsort(photos.order(0))]
    arrays = data.batches(images, photos.labels, 4, shuffle=shuffle, seed=2)
    for dataset in (photos, arrays):
        dataset.share(lambda numbers: numbers[::2])
        dataset.set_epoch(1)
        found = [(np.asarray(x), np.asarray(y)) for x, y in dataset]
        assert [len(labels) for _, labels in found] == [2, 2, 1]
        order = dataset.order(1)
        numbers = np.concatenate([order[n : n + 4][::2] for n in (0, 4, 8)])
        np.testing.assert_array_equal(np.concatenate([x for x, _ in found]), images[numbers])
        np.testing.assert_array_equal(np.concatenate([y for _, y in found]), photos.labels[numbers])
        dataset.share(None)
        dataset.set_epoch(0)
        assert sum(len(labels) for _, labels in dataset) == 10
