"""What tests of several parts share."""

from collections import Counter
from collections.abc import Callable
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
def write_mnist(data_home: Path) -> Callable[..., Path]:
    """A function that writes an mnist.npz of the real one's layout; arguments replace arrays."""

    def write(**changes: np.ndarray) -> Path:
        random = np.random.default_rng(0)
        arrays = {
            "x_train": np.zeros((60_000, 28, 28), "uint8"),
            "y_train": random.integers(0, 10, 60_000).astype("uint8"),
            "x_test": np.zeros((10_000, 28, 28), "uint8"),
            "y_test": random.integers(0, 10, 10_000).astype("uint8"),
        }
        arrays["x_train"][:10] = random.integers(0, 256, (10, 28, 28))
        path = data_home / "mnist.npz"
        np.savez_compressed(path, **arrays | changes)
        return path

    return write
