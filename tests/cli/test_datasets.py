"""`cnnkit data` and `cnnkit check`: what they prepare, count, and refuse."""

from importlib import import_module
from pathlib import Path

from cnnkit.cli import datasets

import pytest

from .conftest import draw


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["digits"], "training: 1,617 pictures of 8×8 pixels, 10 classes"),
        (["mnist"], "test: 180 pictures of 28×28 pixels, 10 classes"),
        (["cifar10"], "training: 40 pictures of 32×32 pixels, 10 classes"),
        (["drawings", "--folder", "own"], "own/koala: 4 photos"),
    ],
)
def test_data_sets_are_prepared_and_described(data_home, cnnkit, monkeypatch, arguments, line):
    monkeypatch.setattr(datasets, "PER_CLASS", 4)
    cifar10 = import_module("cnnkit.data.cifar10")
    monkeypatch.setattr(cifar10, "DRAWN", {"train": 4, "test": 1})
    result = cnnkit("data", *arguments)
    assert result.exit_code == 0, result.output
    assert line in result.stdout.splitlines()


@pytest.mark.parametrize(("options", "split"), [([], "small"), (["--split", "half"], "half")])
def test_cats_and_dogs_are_split_as_told(here, cnnkit, monkeypatch, options, split):
    folder = draw("split", ("cat", "dog"))
    taken = {("full", split): folder}
    monkeypatch.setattr(datasets.data, "cats_vs_dogs", lambda scale, split: taken[scale, split])
    result = cnnkit("data", "cats_vs_dogs", "--scale", "full", *options)
    assert "split/cat: 5 photos" in result.stdout, result.output


def test_only_drawings_go_to_a_folder_of_your_own(data_home, cnnkit):
    result = cnnkit("data", "cifar10", "--folder", "own")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: --folder is for drawings; cifar10 lies in the data")


def test_only_cats_and_dogs_are_split_in_two_ways(data_home, cnnkit):
    result = cnnkit("data", "mnist", "--split", "half")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: --split is for cats_vs_dogs; leave it out for mnist.")


def test_photos_of_your_own_are_not_to_be_deleted_for_drawings(here, cnnkit):
    Path("one/cat").mkdir(parents=True)
    result = cnnkit("data", "drawings", "--folder", "one")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: one holds files that cnnkit did not write; expected ")
    assert result.stderr.endswith(". Name another folder.\n")


def test_data_that_are_missing_are_told_with_how_to_get_them(data_home, cnnkit):
    result = cnnkit("data", "cats_vs_dogs", "--scale", "full")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "dogs-vs-cats.zip" in result.stderr
    assert len(result.stderr.splitlines()) == 1


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
        "10 usable photos, 1 problem",
    ]
    draw("split/train")
    draw("split/val", count=2)
    assert "split/val/horse: 2 photos" in cnnkit("check", "split").stdout
    assert cnnkit("check", "nowhere").exit_code == 1
