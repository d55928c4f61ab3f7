"""What tests of several parts share."""

from collections import Counter
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker waits for another's last file.

    These are the chapters, then the files with the most slow tests, then those with the most tests.
    What an ordinary run leaves out counts among the slow ones.
    """
    for item in items:
        if any(
            map(item.get_closest_marker, ("survival", "homework", "backends", "colab", "browser"))
        ):
            item.add_marker("slow")
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    count = Counter(item.path for item in items)

    def place(item: pytest.Item) -> tuple[bool, int, int]:
        return item.path.suffix != ".ipynb", -slow[item.path], -count[item.path]

    items.sort(key=place)


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
