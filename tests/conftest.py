"""What tests of several parts share."""

import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker waits for another's last file.

    What an ordinary run leaves out counts among the slow tests.
    """
    for item in items:
        if any(map(item.get_closest_marker, ("survival", "homework", "backends", "colab"))):
            item.add_marker("slow")
    slow = Counter(
        item.path
        for item in items
        if item.path.suffix == ".ipynb" or item.get_closest_marker("slow")
    )
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture(autouse=True)
def seeds() -> None:
    """Begin each test with the same random numbers, so that what fails fails again.

    Fixtures of a module begin before, and set their own.
    """
    import cnnkit  # noqa: F401 - which decides how TensorFlow computes, before that is imported

    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder that cnnkit uses."""
    monkeypatch.setenv("CNNKIT_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def mnist_file(data_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An mnist.npz of the real one's layout, which passes for the real one."""
    random, path = np.random.default_rng(0), data_home / "mnist.npz"
    arrays = {
        "x_train": np.zeros((60_000, 28, 28), "uint8"),
        "y_train": random.integers(0, 10, 60_000).astype("uint8"),
        "x_test": np.zeros((10_000, 28, 28), "uint8"),
        "y_test": random.integers(0, 10, 10_000).astype("uint8"),
    }
    arrays["x_train"][:10] = random.integers(0, 256, (10, 28, 28))
    np.savez_compressed(path, **arrays)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("cnnkit.data.digits.MNIST_SHA256", sha)
    return path
