"""`cnnkit data` and `cnnkit check`: what they prepare, count, and refuse."""

from importlib import import_module
from pathlib import Path

from cnnkit import cli, data

import pytest

from .conftest import draw


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["digits"], "training: 1,617 images of 8×8 pixels"),
        (["cifar10"], "training: 40 images of 32×32 pixels"),
        (["drawings", "--folder", "own"], "own/koala: 4 photos"),
    ],
)
def test_data_sets_are_prepared_and_described(data_home, cnnkit, monkeypatch, arguments, line):
    monkeypatch.setattr(cli, "PER_CLASS", 4)
    monkeypatch.setattr(import_module("cnnkit.data.cifar10"), "DRAWN", {"train": 4, "test": 1})
    result = cnnkit("data", *arguments)
    assert result.exit_code == 0, result.output
    assert line in result.stdout.splitlines()


@pytest.mark.parametrize(
    ("options", "split", "source"),
    [
        ([], "small", None),
        (["--split", "half"], "half", None),
        (["--source", "microsoft"], "small", "microsoft"),
    ],
)
def test_cats_and_dogs_are_taken_as_asked(here, cnnkit, monkeypatch, options, split, source):
    taken = {("full", split, source): draw("split", ("cat", "dog"))}
    monkeypatch.setattr(
        data, "cats_vs_dogs", lambda scale, split, source: taken[scale, split, source]
    )
    result = cnnkit("data", "cats_vs_dogs", "--scale", "full", *options)
    assert "split/cat: 5 photos" in result.stdout, result.output


def test_data_that_are_missing_are_told(data_home, cnnkit):
    result = cnnkit("data", "ants_and_bees")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "hymenoptera_data" in result.stderr


def test_photos_of_your_own_are_not_to_be_deleted_for_drawings(here, cnnkit):
    Path("one/cat").mkdir(parents=True)
    Path("one/cat/own.jpg").touch()
    result = cnnkit("data", "drawings", "--folder", "one")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: one ")
    assert [path.name for path in Path("one").rglob("*")] == ["cat", "own.jpg"]


def test_check_names_what_is_not_usable_and_counts_the_rest(here, cnnkit):
    draw("photos")
    assert cnnkit("check", "photos").exit_code == 0
    Path("photos/cow/Thumbs.db").touch()
    result = cnnkit("check", "photos")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "photos/cow: 5 photos",
        "photos/horse: 5 photos",
        "photos/cow/Thumbs.db: a hidden or system file; delete it",
        "usable photos: 10, problems: 1",
    ]
    draw("split/train")
    draw("split/val", count=2)
    lines = cnnkit("check", "split").stdout.splitlines()
    assert "split/val/horse: 2 photos" in lines
    assert lines[-1] == "usable photos: 14, problems: 0"
    assert cnnkit("check", "nowhere").exit_code == 2
