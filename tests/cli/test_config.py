"""The file that describes a run: what it holds, and how it is read, written and compared."""

import itertools
from pathlib import Path
from unittest import mock

from cnnkit.cli import config
from cnnkit.training import recipes

import pytest
import yaml

from .conftest import draw

GOOD = "data:\n  folder: photos\n"
INNER = GOOD + "training:\n  "
SECTION = "Input should be a valid dictionary or instance of"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"all: {SECTION} Run (given: None)"),
        ("mode: head", "data: Field required"),
        (GOOD + "epochs: 3", "epochs: Extra inputs are not permitted (given: 3)"),
        (GOOD + "training: 10", f"training: {SECTION} _Training (given: 10)"),
        (INNER + "epochs: ten", "training.epochs: Input should be a valid integer (given: ten)"),
        (INNER + "epochs: true", "training.epochs: Input should be a valid integer (given: True)"),
        (INNER + f"epochs: {10**30}", "training.epochs: Input should be less than or equal to 100"),
        (INNER + "momentum: 0.9", "training.momentum: Value error, it is for the optimizer sgd"),
        (INNER + "decay: .nan", "training.decay: Input should be a finite number (given: nan)"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(here, cnnkit, text, message):
    (here / "run.yml").write_text(text)
    result = cnnkit("train", "run.yml")
    assert result.exit_code == 1
    first, line = result.stderr.splitlines()
    assert first == "Error: run.yml has mistakes:"
    assert line.startswith(f"  {message}")
    assert list(here.iterdir()) == [here / "run.yml"]


def test_all_mistakes_are_named_at_once(here, cnnkit):
    lines = ["mode: all", "data:", "  folder: 7"]
    lines += ["training:", "  epochs: 0", "  momentum: 0.9", "  batch: 4"]
    (here / "run.yml").write_text("\n".join(lines))
    names = [line.split(":")[0] for line in cnnkit("train", "run.yml").stderr.splitlines()[1:]]
    inside = ["  training.momentum", "  training.epochs", "  training.batch"]
    assert names == ["  mode", "  data.folder", *inside]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"data:\n  folder: [photos\nmode: head\n", "line 3"),
        (b"data: !!python/object/apply:os.system [true]\n", "could not determine a constructor"),
        ("data:\n  folder: bären\n".encode("latin-1"), "utf-8"),
    ],
)
def test_a_file_that_is_no_yaml_is_told(here, cnnkit, text, told):
    (here / "run.yml").write_bytes(text)
    result = cnnkit("train", "run.yml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ") and told in result.stderr


@pytest.mark.parametrize("mode", ["head", "network"])
@pytest.mark.parametrize("weights", ["imagenet", "drawn"])
def test_what_init_writes_suits_and_is_read_back(here, cnnkit, mode, weights):
    draw("bären und füchse")
    result = cnnkit("init", "bären und füchse", "--mode", mode, "--weights", weights)
    assert result.stdout.endswith('call: cnnkit train "run.yml"\n'), result.output
    text = (here / "run.yml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["data"]["folder"] == "bären und füchse"
    run = config.read(Path("run.yml"))
    assert (run.mode, run.base.weights, run.output) == (mode, weights, Path("run"))
    assert run.base.image_size == {"imagenet": 224, "drawn": 112}[weights]
    recipe = recipes.HEAD_ONLY if mode == "head" else recipes.WHOLE_NETWORK
    for name, value in run.training:
        assert value == getattr(recipe, name) or name == "learning_rate"
    rates = {("head", "imagenet"): 1e-3, ("head", "drawn"): 5e-3}
    assert run.training.learning_rate == rates.get((mode, weights), recipe.learning_rate)
    config.write(run, here / "again.yml")
    assert (here / "again.yml").read_text(encoding="utf-8") == text


def test_every_value_has_its_meaning_above_it(here, cnnkit):
    draw("photos")
    cnnkit("init", "photos")
    lines = (here / "run.yml").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 100
    values = [line for line in lines if ": " in line and "#" not in line]
    assert len(values) == 21
    for above, line in itertools.pairwise(lines):
        assert line not in values or above.lstrip().startswith("# ")


def test_init_replaces_no_file_unasked_and_wants_a_folder(here, cnnkit):
    draw("photos")
    (here / "run.yml").write_text("mine")
    result = cnnkit("init", "photos")
    message = "Error: run.yml is there already; name another --file, or --force it.\n"
    assert (result.exit_code, result.stderr) == (1, message)
    assert (here / "run.yml").read_text() == "mine"
    assert cnnkit("init", "photos", "--force").exit_code == 0
    assert "mode: head" in (here / "run.yml").read_text()
    assert cnnkit("init", "nowhere", "--force").exit_code == 2
    result = cnnkit("init", "photos", "--mode", "a", "--force")
    assert "should be 'head' or 'network'" in result.stderr


def test_init_takes_over_what_a_head_was_trained_with(here, cnnkit):
    draw("photos")
    base = {"network": "vgg16", "weights": "drawn", "image_size": 64}
    values = {"data": {"folder": "../photos", "test_share": 0.25}, "seed": 3, "base": base}
    Path("run").mkdir()
    Path("run/run.yml").write_text(yaml.safe_dump(values))
    options = "--head-from", "run", "--output", "whole"
    assert cnnkit("init", "photos", "--file", "sub/whole.yml", *options).exit_code == 0
    written = yaml.safe_load(Path("sub/whole.yml").read_text())
    assert (written["mode"], written["seed"], written["output"]) == ("network", 3, "../whole")
    assert written["data"].items() >= values["data"].items()
    assert written["base"] == base | {"head_from": "../run"}
    assert (written["training"]["optimizer"], written["training"]["epochs"]) == ("sgd", 25)


def test_paths_count_from_the_file(here, monkeypatch):
    (here / "own").mkdir()
    (here / "own/run.yml").write_text("data:\n  folder: ../photos\noutput: /elsewhere/run\n")
    run = config.read(Path("own/run.yml"))
    assert (run.data.folder, run.output) == (Path("photos"), Path("/elsewhere/run"))
    monkeypatch.chdir(here / "own")
    assert config.read(Path("run.yml")).data.folder == here / "photos"


def test_a_path_on_another_drive_is_written_whole(here, monkeypatch):
    """Windows has no path from one drive to another."""
    run = config.Run(data={"folder": here / "photos"})
    fail = mock.Mock(side_effect=ValueError("path is on mount 'C:', start on mount 'D:'"))
    monkeypatch.setattr(config.os.path, "relpath", fail)
    config.write(run, here / "run.yml")
    assert yaml.safe_load((here / "run.yml").read_text())["data"]["folder"] == str(here / "photos")


def test_numbers_may_be_written_as_people_write_them(here):
    text = GOOD + "training:\n  learning_rate: 1e-3\n  decay: 1\n  decay_every: null\n"
    (here / "run.yml").write_text(text)
    training = config.read(here / "run.yml").training
    assert (training.learning_rate, training.decay, training.decay_every) == (1e-3, 1.0, None)


def test_the_descriptions_of_two_runs_are_compared_value_by_value(here):
    def read(text):
        (here / "run.yml").write_text(text)
        return config.read(here / "run.yml")

    one = read(GOOD)
    free = "output: other\ntraining:\n  epochs: 99\nevaluation:\n  every: 1\n  after: 0\n"
    assert config.differences(one, read(f"data:\n  folder: {here}/photos\n{free}")) == []
    other = read("data:\n  folder: other\nmode: network\nevaluation:\n  floor: 0.7\n")
    assert config.differences(one, other) == [
        "mode is head there and network here",
        "data.folder is photos there and other here",
        "evaluation.floor is 0.0 there and 0.7 here",
    ]
