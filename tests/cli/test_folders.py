"""Folders that cannot be trained on, each with what is said of it."""

from pathlib import Path

import pytest

from .conftest import draw

PHOTOS = Path("photos")


def nothing():
    pass


def one_class():
    draw(PHOTOS, ("cow",))


def a_folder_too_high():
    draw(PHOTOS / "small")
    draw(PHOTOS / "large")


def two_photos_a_class():
    draw(PHOTOS, count=2)


def a_stray_file():
    draw(PHOTOS)
    (PHOTOS / "cow/Thumbs.db").touch()


def another_class_to_validate():
    draw(PHOTOS / "train")
    draw(PHOTOS / "val", ("cow", "owl"))


def another_class_to_test():
    for part in ("train", "val"):
        draw(PHOTOS / part)
    draw(PHOTOS / "test", ("cow", "owl"))


# How the folder is made, what the file adds to its name, and what is said.
BROKEN = [
    (nothing, "", "photos is no folder; expected one that holds a folder for each class."),
    (one_class, "", "it holds only the class folder 'cow'; expected two or more"),
    (one_class, "output: photos/run\n", "photos/run/photos lies inside of photos"),
    (a_folder_too_high, "", "the classes lie one folder deeper; give one such as photos/large"),
    (two_photos_a_class, "", "photos/cow has too few usable photos for 3 such parts: 2"),
    (two_photos_a_class, "  test_share: 0.8\n", "expected shares, together below 1"),
    (a_stray_file, "  skip_unusable: false\n", "cow/Thumbs.db: a hidden or system file; delete it"),
    (another_class_to_validate, "", "owl: it is none of the classes cow, horse"),
    (another_class_to_test, "", "owl: it is none of the classes cow, horse"),
]


@pytest.mark.parametrize(("make", "more", "message"), BROKEN)
def test_a_broken_folder_is_told_before_the_training(here, cnnkit, make, more, message):
    make()
    Path("run.yml").write_text(f"data:\n  folder: photos\n{more}base:\n  weights: drawn\n")
    result = cnnkit("train", "run.yml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert not Path("run/run.yml").exists()
