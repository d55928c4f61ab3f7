"""The file that describes a run: what it holds, and twenty and more ways to get it wrong."""

import dataclasses
import itertools
import os
import shlex
from pathlib import Path

from cnnkit.cli import config, reading
from cnnkit.training import recipes

import pytest
import yaml

from .conftest import draw

LOOK = " Look at the spaces in front and the colons, here and in the line above."
GOOD = "data:\n  folder: photos\n"
SECTIONS = "data, base, mode, training, evaluation, output, seed"
INNER = "optimizer, learning_rate, momentum, batch_size, epochs, decay, decay_every"

# The text of run.yml, and what is said of it.
BROKEN = {
    "missing": (None, " is missing; `cnnkit init` writes such a file."),
    "empty": ("", " holds no settings; expected lines such as `mode: head`."),
    "a list": ("- a\n- b\n", " holds no settings; expected lines such as `mode: head`."),
    "no YAML": (
        "data:\n  folder: [photos\nmode: head\n",
        ", line 3: not valid YAML: expected ',' or ']', but got ':'." + LOOK,
    ),
    "a tab": (
        "data:\n\tfolder: photos\n",
        r", line 2: not valid YAML: found character '\t' that cannot start any token." + LOOK,
    ),
    "not UTF-8": (
        "data:\n  folder: bären\n".encode("latin-1"),
        " is no text in UTF-8; save it as such.",
    ),
    "code": (
        "data: !!python/object/apply:os.system [true]\n",
        ", line 1: not valid YAML: could not determine a constructor for the tag "
        "'tag:yaml.org,2002:python/object/apply:os.system'." + LOOK,
    ),
    "misspelt": (
        GOOD + "training:\n  learning_rat: 0.1\n",
        ", line 4: training.learning_rat is unknown; did you mean learning_rate?",
    ),
    "in the wrong section": (
        GOOD + "learning_rate: 0.1\n",
        ", line 3: learning_rate is unknown; did you mean training.learning_rate?",
    ),
    "unheard of": (GOOD + "colour: blue\n", f", line 3: colour is unknown; expected {SECTIONS}."),
    "twice": (GOOD + "mode: head\nmode: network\n", ", line 4: mode is given twice; keep one."),
    "a value for a section": (
        GOOD + "training: 10\n",
        f", line 3: training is a section; expected {INNER} below it.",
    ),
    "a section for a value": (
        GOOD + "mode:\n  head: true\n",
        ', line 4: mode is {"head": true}; expected head or network.',
    ),
    "text for a number": (
        GOOD + "training:\n  epochs: ten\n",
        ', line 4: training.epochs is "ten"; expected a whole number.',
    ),
    "a fraction for a whole number": (
        GOOD + "training:\n  epochs: 2.5\n",
        ", line 4: training.epochs is 2.5; expected a whole number.",
    ),
    "true for a number": (
        GOOD + "training:\n  batch_size: true\n",
        ", line 4: training.batch_size is true; expected a whole number.",
    ),
    "null for a number": (
        GOOD + "training:\n  epochs: null\n",
        ", line 4: training.epochs is null; expected a whole number.",
    ),
    "a number for true": (
        "data:\n  folder: photos\n  skip_unusable: 1\n",
        ", line 3: data.skip_unusable is 1; expected true or false.",
    ),
    "a number for a path": (
        "data:\n  folder: 7\n",
        ", line 2: data.folder is 7; expected text or null.",
    ),
    "an empty path": (GOOD + "output: ''\n", ', line 3: output is ""; expected a path.'),
    "no epochs": (
        GOOD + "training:\n  epochs: 0\n",
        ", line 4: training.epochs is 0; expected 1 or more.",
    ),
    "a rate below zero": (
        GOOD + "training:\n  learning_rate: -1e-3\n",
        ", line 4: training.learning_rate is -0.001; expected 1e-08 to 10.",
    ),
    "a rate that is no number": (
        GOOD + "training:\n  learning_rate: .nan\n",
        ", line 4: training.learning_rate is NaN; expected 1e-08 to 10.",
    ),
    "a share above one": (
        "data:\n  folder: photos\n  validation_share: 1.5\n",
        ", line 3: data.validation_share is 1.5; expected 0.01 or more, and below 1.",
    ),
    "shares of everything": (
        "mode: head\ndata:\n  folder: photos\n  validation_share: 0.5\n  test_share: 0.5\n",
        ", line 2: data.validation_share and data.test_share leave nothing to train on.",
    ),
    "per cents": (
        GOOD + "evaluation:\n  floor: 70\n",
        ", line 4: evaluation.floor is 70.0; expected 0 to 1.",
    ),
    "another network": (
        GOOD + "base:\n  network: resnet\n",
        ', line 4: base.network is "resnet"; expected densenet or vgg16.',
    ),
    "photos too small": (
        GOOD + "base:\n  image_size: 16\n",
        ", line 4: base.image_size is 16; expected 32 or more.",
    ),
    "a seed below zero": (GOOD + "seed: -1\n", ", line 3: seed is -1; expected 0 to 4294967295."),
    "momentum for Adam": (
        GOOD + "training:\n  momentum: 0.9\n",
        ", line 3: training.momentum is 0.9, but adam has none; set it to null, or take sgd.",
    ),
    "a head for a head": (
        GOOD + "base:\n  head_from: other\n",
        ", line 3: base.head_from is for mode network; set it to null, or change the mode.",
    ),
    "a day that there is not": (
        GOOD + "output: 2024-13-45\n",
        ", not valid YAML: month must be in 1..12.",
    ),
    "no photos": (
        "mode: head\n",
        ", line 1: data names no photos; set folder, or both train_folder and validation_folder.",
    ),
    "a whole and its parts": (
        "data:\n  folder: photos\n  test_folder: test\n",
        ", line 1: data.folder and folders of its parts are both given; set one to null.",
    ),
    "the same photos twice": (
        "data:\n  train_folder: photos\n  validation_folder: photos/\n",
        ", line 1: two parts of data are the same folder; expected different photos in each.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_description_is_told_in_one_line(case, here, cnnkit):
    text, message = BROKEN[case]
    draw(here / "photos")
    if text is not None:
        (here / "run.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
    before = sorted(here.iterdir())
    result = cnnkit("train", "run.yml")
    assert (result.exit_code, result.stderr) == (1, f"Error: run.yml{message}\n")
    assert sorted(here.iterdir()) == before


@pytest.mark.parametrize("mode", ["head", "network"])
@pytest.mark.parametrize("weights", ["imagenet", "drawn"])
def test_what_init_writes_is_read_back_with_every_value(here, cnnkit, mode, weights):
    draw("bären und füchse")
    result = cnnkit("init", "bären und füchse", "--mode", mode, "--weights", weights)
    assert result.exit_code == 0, result.output
    text = (here / "run.yml").read_text(encoding="utf-8")
    written = yaml.safe_load(text)
    assert written["data"]["folder"] == "bären und füchse"
    expected = dataclasses.asdict(config.Config())
    del expected["home"]
    assert written.keys() == expected.keys()
    for section, values in expected.items():
        if isinstance(values, dict):
            assert written[section].keys() == values.keys()
    read = reading.read(Path("run.yml"))
    assert (read.mode, read.base.weights) == (mode, weights)
    assert read.base.image_size == {"imagenet": 224, "drawn": 112}[weights]
    recipe = recipes.HEAD_ONLY if mode == "head" else recipes.WHOLE_NETWORK
    for name, value in dataclasses.asdict(read.training).items():
        if name != "learning_rate":
            assert value == getattr(recipe, name)
    config.write(read, here / "again.yml")
    assert (here / "again.yml").read_text(encoding="utf-8") == text


def test_every_value_has_its_meaning_above_it(here, cnnkit):
    draw("photos")
    cnnkit("init", "photos")
    lines = (here / "run.yml").read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 100
    for above, line in itertools.pairwise(lines):
        if ": " in line and not line.lstrip().startswith(("#", "validation_folder", "test_folder")):
            assert above.lstrip().startswith("#"), line
    assert str(here) not in "\n".join(lines)


def test_numbers_may_be_written_as_people_write_them(here):
    text = GOOD + "training:\n  learning_rate: 1e-3\n  decay: 1\n  decay_every: null\n"
    (here / "run.yml").write_text(text)
    training = reading.read(here / "run.yml").training
    assert (training.learning_rate, training.decay, training.decay_every) == (1e-3, 1.0, None)


def test_values_that_are_missing_suit_the_mode_and_the_weights(here):
    (here / "run.yml").write_text(GOOD + "mode: network\nbase:\n  weights: drawn\n")
    read = reading.read(here / "run.yml")
    assert read.base.image_size == 112
    assert (read.training.optimizer, read.training.momentum) == ("sgd", 0.9)
    (here / "run.yml").write_text(GOOD + "mode: network\ntraining:\n  optimizer: adam\n")
    assert reading.read(here / "run.yml").training.momentum is None
    (here / "run.yml").write_text(GOOD + f"seed: {10**400}\n")
    with pytest.raises(ValueError, match="expected 0 to 4294967295"):
        reading.read(here / "run.yml")


def test_a_folder_that_is_split_already_is_recognised(here, cnnkit):
    for part in ("train", "val"):
        draw(f"elsewhere/photos/{part}")
    (here / "runs").mkdir()
    cnnkit("init", "elsewhere/photos", "--file", "runs/a.yml")
    photos = reading.read(Path("runs/a.yml")).data
    assert (photos.folder, photos.test_folder) == (None, None)
    assert photos.train_folder == "../elsewhere/photos/train"
    assert photos.validation_folder == "../elsewhere/photos/val"


def test_init_replaces_no_file_unasked_and_wants_a_folder(here, cnnkit):
    draw("photos")
    (here / "run.yml").write_text("mine")
    result = cnnkit("init", "photos")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: run.yml is there already; name another --file, or --force it.\n"
    )
    assert (here / "run.yml").read_text() == "mine"
    assert cnnkit("init", "photos", "--force").exit_code == 0
    assert "mode: head" in (here / "run.yml").read_text()
    assert "nowhere is no folder" in cnnkit("init", "nowhere", "--force").stderr
    (here / "empty").mkdir()
    assert cnnkit("init", "empty", "--force").stderr == (
        "Error: empty: it holds no class folder; expected two or more\n"
    )
    assert "give the folder above it" in cnnkit("init", "photos/cow", "--force").stderr
    for force in ([], ["--force"]):
        result = cnnkit("init", "photos", "--file", "photos", *force)
        assert result.stderr == "Error: photos is a folder; name a --file in it.\n"


def test_the_command_that_init_names_can_be_copied(here, cnnkit):
    draw("photos")
    file = str(Path("my runs/it's the first.yml"))
    _, _, command = cnnkit("init", "photos", "--file", file).stdout.partition("call: ")
    assert shlex.split(command, posix=os.name != "nt") == ["cnnkit", "train", file]


def test_the_descriptions_of_two_runs_are_compared_value_by_value(here):
    one = config.Config(data=config.Data("photos"), home=here)
    same = dataclasses.replace(
        one, data=config.Data("../photos"), home=here / "run", output=".",
        training=dataclasses.replace(one.training, epochs=99),
        evaluation=config.Evaluation(every=1),
    )  # fmt: skip
    assert config.differences(one, same) == []
    higher = dataclasses.replace(one, evaluation=config.Evaluation(floor=0.7))
    assert config.differences(one, higher) == ["evaluation.floor is 0.0 there and 0.7 here"]
    other = dataclasses.replace(one, mode="network", data=config.Data("other"))
    assert config.differences(one, other) == [
        "mode is head there and network here",
        f"data.folder is {here / 'photos'} there and {here / 'other'} here",
    ]
