"""Folders that cannot be trained on, each with what is said of it."""

from pathlib import Path

import pytest

from .conftest import draw

PHOTOS = Path("photos")


def fill(*parts, species=("cow", "horse"), **more):
    """Return a function that draws photos into parts of the folder; `more` has other classes."""

    def make():
        for part in parts:
            draw(PHOTOS / part, more.get(part, species))

    return make


def a_stray_file():
    draw(PHOTOS)
    (PHOTOS / "cow/Thumbs.db").touch()


OTHER, ONE = ("cow", "owl"), ("cow",)
# How the folder is made, what the file adds to its name, and what is said.
BROKEN = [
    (fill(), "", "photos is no folder; expected one that holds a folder for each class."),
    (fill("", species=ONE), "", "it holds only the class folder 'cow'; expected two or more"),
    (fill("", species=ONE), "output: photos/run\n", "photos/run lies inside of photos"),
    (fill("small", "large"), "", "lie one folder deeper; give one such as photos/large"),
    (
        lambda: draw(PHOTOS, count=2),
        "",
        "photos/cow has too few different photos for 3 such parts: 2",
    ),
    (fill(""), "  test_share: 0.8\n", "expected shares, together below 1"),
    (
        a_stray_file,
        "  skip_unusable: false\n",
        "cow/Thumbs.db: a hidden or system file",
    ),
    (fill("train", "val", val=OTHER), "", "owl: it is none of the classes cow, horse"),
    (fill("train", "val", "test", test=OTHER), "", "owl: it is none of the classes cow, horse"),
]


@pytest.mark.parametrize(("make", "more", "message"), BROKEN)
def test_a_broken_folder_is_told_before_the_training(here, cnnkit, make, more, message):
    make()
    Path("run.yml").write_text(f"data:\n  folder: photos\n{more}base:\n  weights: drawn\n")
    result = cnnkit("train", "run.yml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ") and message in result.stderr
    assert not Path("run/run.yml").exists()
