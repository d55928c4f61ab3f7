"""Folders that cannot be trained on, each with what is said of it in one line."""

import os
import shutil
from pathlib import Path

import pytest

from .conftest import draw

PHOTOS = Path("photos")
WHOLE = "folder: photos"
PARTS = "train_folder: train\n  validation_folder: val"
NO_CLASSES = "photos has 1 problem. These classes cannot be used: "
HIDDEN = "photos has 1 problem. Mend or delete them, or leave the files out with "


def nothing():
    pass


def a_file():
    PHOTOS.write_text("photos")


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


def an_empty_class():
    draw(PHOTOS)
    (PHOTOS / "owl").mkdir()


def a_class_of_broken_files():
    draw(PHOTOS)
    for photo in (PHOTOS / "horse").iterdir():
        photo.write_bytes(b"no photo")


def a_folder_too_high():
    draw(PHOTOS / "train")
    draw(PHOTOS / "val")


def two_photos_a_class():
    draw(PHOTOS, count=2)


def a_stray_file():
    draw(PHOTOS)
    (PHOTOS / "cow/Thumbs.db").touch()


def other_classes_to_validate():
    draw("train")
    draw("val", ("cow", "owl"))


def something_else_in_the_output():
    draw(PHOTOS)
    Path("run").mkdir()
    Path("run/thesis.doc").touch()


def a_file_for_the_output():
    draw(PHOTOS)
    Path("run").write_text("run")


def twins():
    draw(PHOTOS)
    shutil.copytree(PHOTOS / "cow", PHOTOS / "Cow")


# How the folders are made, what the description says of the data, and the message.
BROKEN = [
    (
        nothing,
        WHOLE,
        "{here}/photos is no folder; expected one that holds a folder for each class.",
    ),
    (a_file, WHOLE, "{here}/photos is no folder; expected one that holds a folder for each class."),
    (empty, WHOLE, NO_CLASSES + "photos: it holds no class folder; expected two or more"),
    (
        photos_without_classes,
        WHOLE,
        NO_CLASSES
        + "photos: it holds photos and no folder for each class; give the folder above it",
    ),
    (
        one_class,
        WHOLE,
        NO_CLASSES + "photos: it holds only the class folder 'cow'; expected two or more",
    ),
    (
        an_empty_class,
        WHOLE,
        NO_CLASSES + "owl: a class without a usable photo; fill or delete it",
    ),
    (
        a_class_of_broken_files,
        WHOLE,
        NO_CLASSES + "horse: a class without a usable photo; fill or delete it",
    ),
    (
        a_folder_too_high,
        WHOLE,
        NO_CLASSES + "photos: the classes lie one folder deeper; give one such as photos/train",
    ),
    (
        two_photos_a_class,
        WHOLE,
        "photos/cow has too few usable photos for 3 such parts: 2. "
        "Add photos, or set a share to 0.",
    ),
    (
        a_stray_file,
        WHOLE + "\n  skip_unusable: false",
        HIDDEN + "skip_unusable=True: cow/Thumbs.db: a hidden or system file; delete it",
    ),
    (
        other_classes_to_validate,
        PARTS,
        "The training photos have the classes cow, horse, and the validation photos cow, owl; "
        "expected the same.",
    ),
    (
        something_else_in_the_output,
        WHOLE,
        "run holds 'thesis.doc' and no run; name another output.",
    ),
    (a_file_for_the_output, WHOLE, "run is a file; name another output."),
    (
        one_class,
        WHOLE + "\noutput: photos/run",
        "photos/run/photos lies inside of photos; choose a place outside.",
    ),
]
if os.path.normcase("Cow") != "cow":  # where two such folders are possible
    BROKEN.append(
        (twins, WHOLE, NO_CLASSES + "cow: its name differs from 'Cow' by case alone; merge the two")
    )


@pytest.mark.parametrize(
    ("make", "photos", "message"), BROKEN, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_broken_folder_is_told_in_one_line(here, cnnkit, make, photos, message):
    make()
    base = "base:\n  weights: drawn\n  image_size: 32\n"
    Path("run.yml").write_text(f"data:\n  {photos}\n{base}")
    result = cnnkit("train", "run.yml")
    assert (result.exit_code, result.stderr) == (1, f"Error: {message.format(here=here)}\n")
    assert not Path("run/run.yml").exists()
