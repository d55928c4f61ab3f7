"""What the tests of the command line share."""

from collections.abc import Callable
from pathlib import Path

from cnnkit import data
from cnnkit.cli import app

import pytest
from click.testing import Result
from typer.testing import CliRunner

SMALL = """\
base:
  network: vgg16
  weights: drawn
  image_size: 32
evaluation:
  every: 2
  after: 1
training:
"""
NETWORK = "  optimizer: sgd\n  momentum: 0.9\nmode: network\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def cnnkit() -> Callable[..., Result]:
    """A function that calls the command line."""
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


def draw(folder: Path | str, species: tuple[str, ...] = ("cow", "horse"), count: int = 5,
         seed: int = 0) -> Path:  # fmt: skip
    """Draw small photos."""
    return data.drawings.write(folder, species, count, seed, size=40)


def describe(folder: Path, output: str = "run", epochs: int = 3, more: str = "") -> Path:
    """Write a description beside a folder of photos."""
    file = folder.parent / f"{output}.yml"
    text = f"data:\n  folder: {folder.name}\noutput: {output}\n{SMALL}  epochs: {epochs}\n{more}"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos, with a stray and a broken file; a run of a head, and of the network after it."""
    folder = tmp_path_factory.mktemp("own")
    photos = draw(folder / "photos", ("cow", "horse", "owl"), 10)
    (photos / "cow/Thumbs.db").touch()
    (photos / "owl/broken.jpg").write_bytes((photos / "owl/owl.0.jpg").read_bytes()[:400])
    head, network = (
        describe(photos),
        describe(photos, "network", more=f"  learning_rate: 1e-4\n{NETWORK}"),
    )
    changed = {"base:": "base:\n  head_from: run", "after: 1": "after: 1\n  floor: 0.9999"}
    for text, other in changed.items():
        network.write_text(network.read_text().replace(text, other))
    for file, told in ((head, ""), (network, "No evaluation reached evaluation.floor; the last")):
        result = CliRunner().invoke(app, ["train", str(file)])
        assert result.exit_code == 0, result.output
        assert "on 6 test photos, which the training has not seen" in result.stdout
        assert told in result.stderr
    return folder
