"""Cats and dogs: from an archive of Kaggle's layout, from a drawn one, from a damaged one."""

import importlib
import io
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from cnnkit import data
from cnnkit.data import store
from cnnkit.data.drawings import SPECIES

import pytest

from .conftest import picture

cats_vs_dogs = importlib.import_module("cnnkit.data.cats_vs_dogs")
Write = Callable[..., Path]


def content(kind: str, number: int) -> str:
    return f"a photo of {kind} {number}"


@pytest.fixture
def write_archive(data_home: Path) -> Write:
    """A function that writes dogs-vs-cats.zip of Kaggle's layout, with small texts as photos."""

    def write(per_kind: int = 2_500) -> Path:
        inner = data_home / "train.zip"
        with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as photos:
            photos.writestr("train/", "")
            for kind in ("cat", "dog"):
                for number in range(per_kind):
                    photos.writestr(f"train/{kind}.{number}.jpg", content(kind, number))
        with zipfile.ZipFile(data_home / "dogs-vs-cats.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(inner, "train.zip")
            archive.writestr("test1.zip", "not needed")
            archive.writestr("sampleSubmission.csv", "id,label")
        inner.unlink()
        return data_home / "dogs-vs-cats.zip"

    return write


def numbers(folder: Path) -> dict[tuple[str, str], list[int]]:
    return {
        (part, kind): sorted(
            int(path.name.split(".")[1]) for path in folder.glob(f"{part}/{kind}/{kind}.*.jpg")
        )
        for part in ("train", "validation", "test")
        for kind in ("cat", "dog")
    }


def test_the_full_scale_has_the_published_parts(write_archive):
    write_archive()
    folder = data.cats_vs_dogs("full")
    limits = {"train": range(1_000), "validation": range(1_000, 1_500), "test": range(1_500, 2_500)}
    assert numbers(folder) == {
        (part, kind): list(limits[part]) for part in limits for kind in ("cat", "dog")
    }
    for kind, number in (("cat", 0), ("dog", 1_499)):
        (path,) = folder.glob(f"*/{kind}/{kind}.{number}.jpg")
        assert path.read_text() == content(kind, number)


@pytest.mark.slow
def test_half_of_all_photos_are_for_training_and_a_fifth_of_them_for_validation(write_archive):
    write_archive(12_500)
    found = numbers(data.cats_vs_dogs("full", "half"))
    sizes = [len(found[part, "cat"]) for part in ("train", "validation", "test")]
    assert sizes == [5_000, 1_250, 6_250]
    for kind in ("cat", "dog"):
        everything = [n for part in ("train", "validation", "test") for n in found[part, kind]]
        assert sorted(everything) == list(range(12_500))
    assert found["train", "cat"] != found["train", "dog"]


def test_the_seed_decides_which_half_and_few_photos_make_small_parts(write_archive):
    archive = write_archive(500)

    def half(seed: int) -> dict:
        with pytest.warns(UserWarning, match=r"gave 500 of 12,500 photos of a kind; 0 files"):
            return numbers(data.cats_vs_dogs("full", "half", seed))

    first, other = half(0), half(1)
    assert [len(names) for names in first.values()] == [200, 200, 50, 50, 250, 250]
    assert first != other
    shutil.rmtree(data.cats_vs_dogs("full", "half"))
    assert half(0) == first
    with pytest.raises(ValueError, match="it gave 500 of 2,500 photos of a kind"):
        data.cats_vs_dogs("full")
    assert archive.exists()


JPEG = io.BytesIO()
picture(8, 8).save(JPEG, "JPEG")
BAD = {"Cat/666.jpg": b"", "Cat/667.jpg": b"no photo", "Dog/1000.jpg": JPEG.getvalue()[:-9]}


@pytest.fixture
def microsofts(data_home: Path) -> Path:
    """Its archive, with a few more photos than the split "small" takes."""
    path = data_home / cats_vs_dogs.MICROSOFT
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme[1].txt", "licence")
        for name in (f"{kind}/{n}.jpg" for kind in ("Cat", "Dog") for n in range(2_510)):
            archive.writestr(f"PetImages/{name}", BAD.get(name, JPEG.getvalue()))
        archive.writestr("PetImages/Cat/Thumbs.db", "no photo")
    return path


@pytest.mark.slow
def test_microsofts_archive_serves_and_the_next_number_takes_the_place_of_a_bad_one(microsofts):
    with pytest.warns(UserWarning, match=r"(?s)3 files were left out.*cat.666.jpg: it is empty"):
        folder = data.cats_vs_dogs("full")
    found = numbers(folder)
    assert found["train", "cat"] == [n for n in range(1_002) if n not in (666, 667)]
    assert found["validation", "cat"] == list(range(1_002, 1_502))
    assert found["test", "cat"] == list(range(1_502, 2_502))
    assert found["train", "dog"] == list(range(1_000))
    assert found["validation", "dog"] == list(range(1_001, 1_501))
    assert [len(found["test", kind]) for kind in ("cat", "dog")] == [1_000, 1_000]
    with pytest.warns(UserWarning, match=r"gave 2,508 of 12,500 photos of a kind; 3 files"):
        half = numbers(data.cats_vs_dogs("full", "half"))
    sizes = [len(half[part, "dog"]) for part in ("train", "validation", "test")]
    assert sizes == [1_004, 250, 1_254]
    assert 666 not in half["train", "cat"] + half["validation", "cat"] + half["test", "cat"]


def test_the_archive_that_is_asked_for_is_fetched(data_home, write_archive, monkeypatch):
    asked = []
    monkeypatch.setattr(
        store, "fetch", lambda name, url, hint: asked.append(url) or write_archive()
    )
    assert data.cats_vs_dogs("full", source="microsoft").is_dir()
    assert asked == [cats_vs_dogs.MICROSOFT_URL] and asked[0].endswith(cats_vs_dogs.MICROSOFT)


@pytest.mark.slow
def test_the_sample_is_drawn_and_travels_the_same_way(data_home, monkeypatch):
    assert cats_vs_dogs.SMALL["sample"] == (200, 100, 300)  # and a tenth of it here
    monkeypatch.setitem(cats_vs_dogs.SMALL, "sample", (20, 10, 30))
    folder = data.cats_vs_dogs("sample")
    limits = {"train": range(20), "validation": range(20, 30), "test": range(30, 60)}
    assert numbers(folder) == {
        (part, kind): list(limits[part]) for part in limits for kind in ("cat", "dog")
    }
    assert data.check_images(folder / "train") == []
    for part in limits:
        lines = (folder / part / "boxes.csv").read_text().splitlines()
        assert lines[0] == "file,left,top,right,bottom"
        assert {line.split(",")[0] for line in lines[1:]} == {
            path.relative_to(folder / part).as_posix() for path in (folder / part).glob("*/*.jpg")
        }
    drawn = data.drawings.write(data_home / "drawn", ["cat", "dog"], 60, seed=0)
    for name in ("cat/cat.0.jpg", "dog/dog.19.jpg"):
        assert (folder / "train" / name).read_bytes() == (drawn / name).read_bytes()
    assert [path.name for path in (data_home / "cats_vs_dogs").iterdir()] == [folder.name]
    assert {"cat", "dog"} <= set(SPECIES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ful",), "scale is 'ful'"),
        (("full", "most"), "split is 'most'"),
        (("full", "half", -1), "seed is -1"),
        (("full", "small", 0, "google"), "source is 'google'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments, message, data_home):
    with pytest.raises(ValueError, match=message):
        data.cats_vs_dogs(*arguments)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5_000])


def flip_bytes(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for place in range(5_000, len(content) - 5_000, 997):
        content[place] ^= 0xFF
    path.write_bytes(content)


def other_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("birds/duck.1.jpg", "quack")


@pytest.mark.parametrize("damage", [cut_short, flip_bytes, other_zip])
def test_an_archive_that_does_not_serve_is_named_with_the_cure(damage, write_archive, data_home):
    archive = write_archive()
    damage(archive)
    with pytest.raises(ValueError, match=r"(?s)dogs-vs-cats\.zip does not serve.*delete it"):
        data.cats_vs_dogs("full")
    assert list((data_home / "cats_vs_dogs").iterdir()) == []


def test_photos_without_an_inner_zip_will_do(write_archive, data_home):
    with zipfile.ZipFile(write_archive()) as archive:
        archive.extract("train.zip", data_home)
    (data_home / "train.zip").replace(data_home / "dogs-vs-cats.zip")
    assert sum(map(len, numbers(data.cats_vs_dogs("full")).values())) == 5_000
