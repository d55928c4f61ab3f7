"""What the tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

from cnnkit import data
from cnnkit.cli import app

import pytest
from click.testing import Result
from typer.testing import CliRunner


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cnnkit() -> Callable[..., Result]:
    """A function that calls the command line."""
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def draw(folder: Path | str, species: tuple[str, ...] = ("cow", "horse"), count: int = 5) -> Path:
    """Draw small photos."""
    return data.drawings.write(folder, species, count, seed=0, size=40)
