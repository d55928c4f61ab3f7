"""Folders that cannot be trained on, each with what is said of it."""

import os
import shutil
from pathlib import Path

import pytest

from .conftest import draw

PHOTOS = Path("photos")


def empty():
    PHOTOS.mkdir()


def photos_without_classes():
    draw(PHOTOS)
    for photo in list(PHOTOS.glob("*/*.jpg")):
        photo.rename(PHOTOS / photo.name)
    for name in ("cow", "horse"):
        (PHOTOS / name).rmdir()


def one_class():
    draw(PHOTOS, ("cow",))


def a_class_of_broken_files():
    draw(PHOTOS)
    for photo in (PHOTOS / "horse").iterdir():
        photo.write_bytes(b"no photo")


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


def twins():
    draw(PHOTOS)
    shutil.copytree(PHOTOS / "cow", PHOTOS / "Cow")


def nothing():
    pass


# How the folder is made, and what is said, in the file beside the folder's name or without.
BROKEN = [
    (nothing, "", "photos is no folder; expected one that holds a folder for each class."),
    (empty, "", "it holds no class folder; expected two or more"),
    (photos_without_classes, "", "it holds photos and no folder for each class; give the folder"),
    (one_class, "", "it holds only the class folder 'cow'; expected two or more"),
    (a_class_of_broken_files, "", "horse: a class without a usable photo; fill or delete it"),
    (a_folder_too_high, "", "the classes lie one folder deeper; give one such as photos/large"),
    (two_photos_a_class, "", "photos/cow has too few usable photos for 3 such parts: 2"),
    (two_photos_a_class, "  test_share: 0.8\n", "expected shares, together below 1"),
    (a_stray_file, "  skip_unusable: false\n", "cow/Thumbs.db: a hidden or system file; delete it"),
    (another_class_to_validate, "", "owl: it is none of the classes cow, horse"),
    (one_class, "output: photos/run\n", "photos/run/photos lies inside of photos"),
]
if os.path.normcase("Cow") != "cow":  # where two such folders are possible
    BROKEN.append((twins, "", "its name differs from 'Cow' by case alone; merge the two"))


@pytest.mark.parametrize(("make", "more", "message"), BROKEN)
def test_a_broken_folder_is_told_before_the_training(here, cnnkit, make, more, message):
    make()
    Path("run.yml").write_text(f"data:\n  folder: photos\n{more}base:\n  weights: drawn\n")
    result = cnnkit("train", "run.yml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert not Path("run/run.yml").exists()
