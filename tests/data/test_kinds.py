"""Kinds of names, copies and colours that folders of people's photos hold."""

import os
import struct
import unicodedata
from pathlib import Path

from cnnkit import data
from cnnkit.data import photos

import numpy as np
import pytest
from PIL import Image

from .conftest import picture

NFC, NFD = (unicodedata.normalize(form, "고양이") for form in ("NFC", "NFD"))


def gps(*altitude: int) -> bytes:
    """EXIF with orientation 6 and an altitude as a signed rational, as phones write it."""
    place = struct.pack("<HHHLLL", 1, 6, 10, 1, 56, 0) + struct.pack("<ll", *altitude)
    main = struct.pack("<H", 2) + struct.pack("<HHLHH", 0x112, 3, 1, 6, 0)
    pointer = struct.pack("<HHLL", 0x8825, 4, 1, 38) + bytes(4)
    return b"Exif\0\0II*\0\x08\0\0\0" + main + pointer + place


@pytest.mark.parametrize(
    ("name", "exif", "turned"),
    [
        ("a.jpg", gps(-35, 1), True),
        ("a.png", gps(-35, 0), True),
        ("a.jpg", b"Exif\0\0II*\0\xff\xff", False),
        ("a.png", b"garbage!", False),
        ("a.webp", b"II*\0", False),
    ],
)
def test_an_odd_entry_of_exif_spoils_no_photo(name, exif, turned, tmp_path):
    picture(60, 40).save(tmp_path / name, exif=exif)
    assert photos.decode(tmp_path / name).shape == ((60, 40, 3) if turned else (40, 60, 3))


RED, GREEN = (255, 0, 0), (0, 255, 0)


def palette() -> Image.Image:
    image = Image.new("P", (8, 8), 1)
    image.putpalette([*GREEN, *RED])
    return image


@pytest.mark.parametrize(
    ("name", "make", "colour"),
    [
        ("a.png", palette, RED),
        ("a.jpg", lambda: Image.new("CMYK", (8, 8), (0, 255, 255, 0)), RED),
        ("c.jpg", lambda: Image.new("CMYK", (8, 8), (0, 0, 0, 255)), (0, 0, 0)),
        ("a.tif", lambda: Image.new("RGB", (8, 8), RED).convert("YCbCr"), RED),
    ],
)
def test_colours_that_need_no_guess_are_used(name, make, colour, tmp_path):
    make().save(tmp_path / name)
    found = photos.decode(tmp_path / name).reshape(-1, 3)
    np.testing.assert_allclose(found, np.broadcast_to(colour, found.shape), atol=3)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_are_scaled_and_never_clipped(name, tmp_path):
    grey = np.array([[0, 255, 256, 1000, 65535]], "uint16")
    Image.fromarray(grey).save(tmp_path / name)
    found = photos.decode(tmp_path / name)
    np.testing.assert_array_equal(found[0, :, 0], [0, 0, 0, 3, 255])
    assert (found == found[..., :1]).all()


@pytest.mark.parametrize("mode", ["F", "I", "LAB"])
def test_colours_that_need_a_guess_are_refused(mode, tmp_path):
    Image.new(mode, (8, 8)).save(tmp_path / "a.tif")
    with pytest.raises(ValueError, match=f"its colours, {mode}, are not known"):
        photos.decode(tmp_path / "a.tif")


def test_only_the_systems_names_are_the_systems(folder):
    (folder / "cat/cat.0.jpg").rename(folder / "cat/__drawn_by_someone.jpg")
    (folder / "dog").rename(folder / "__background__")
    assert data.check_images(folder) == []
    for name in ("__MACOSX", "__pycache__", ".ipynb_checkpoints"):
        (folder / name).mkdir()
    assert len(data.image_folder(folder, (8, 8), skip_unusable=True).class_names) == 2
    assert len(data.check_images(folder)) == 3  # which are to be deleted


@pytest.mark.parametrize("names", [(NFC, NFD), ("Cat", "cat"), ("é", "e\u0301")])
def test_two_classes_whose_names_look_alike_are_a_problem(names, folder):
    (folder / "cat").rename(folder / "owl")
    for name in names:
        (folder / name).mkdir()
        picture().save(folder / name / "a.jpg")
    reasons = [reason for _, reason in data.check_images(folder)]
    assert reasons == ["it looks like another class's name; merge the two"]


@pytest.mark.parametrize(("on_disk", "known"), [(NFD, NFC), (NFC, NFD), ("e\u0301", "é")])
def test_a_class_is_the_same_in_either_form(on_disk, known, folder, tmp_path):
    (folder / "cat").rename(folder / on_disk)
    (folder / "dog").rename(folder / "zoo")
    dataset = data.image_folder(folder, (8, 8), class_names=["zoo", known])
    assert np.bincount(dataset.labels).tolist() == [5, 7]
    found = data.image_folder(folder, (8, 8)).class_names
    assert found == ["zoo", unicodedata.normalize("NFC", known)]  # whatever the disk has
    split = data.split_folder(folder, tmp_path / "split")
    assert (split / "train" / unicodedata.normalize("NFC", known)).is_dir()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
@pytest.mark.parametrize("name", ["사진".encode("cp949"), "写真🐱".encode("gb18030"), b"\xff"])
@pytest.mark.parametrize("place", ["cat/{}.jpg", "{}", "../{}"])
def test_a_name_in_another_encoding_is_told_before_a_training(name, place, folder, tmp_path):
    new = (folder / place.format(os.fsdecode(name))).resolve()
    old = {"cat/{}.jpg": folder / "cat/cat.0.jpg", "{}": folder / "cat"}.get(place, folder)
    old.rename(new)
    folder = new if old == folder else folder
    assert any(
        "in another encoding; rename it" in reason for _, reason in data.check_images(folder)
    )
    for use in (
        lambda: data.image_folder(folder, (8, 8)),
        lambda: data.split_folder(folder, tmp_path / "split"),
    ):
        with pytest.raises(ValueError, match="another encoding; rename it") as caught:
            use()
        str(caught.value).encode()  # can be printed
    if place == "cat/{}.jpg":
        assert len(data.image_folder(folder, (8, 8), skip_unusable=True).labels) == 11


def copy(photo: Path, *places: Path) -> None:
    for place in places:
        place.write_bytes(photo.read_bytes())


def test_copies_are_counted_within_and_across_classes(folder):
    assert data.find_copies(folder) == []
    copy(folder / "cat/cat.0.jpg", folder / "cat/x.jpg", folder / "cat/y.jpg", folder / "dog/z.jpg")
    ((_, *copies),) = data.find_copies(folder)
    assert [path.parent.name for path in copies] == ["cat", "cat", "dog"]
    assert data.check_images(folder) == []
    for name in ("one", "two"):
        (folder / f"cat/{name}.jpg").touch()
        (folder / f"dog/{name}.jpg").symlink_to(folder / "nowhere")
    assert len(data.find_copies(folder)) == 1  # what holds nothing is no copy


def test_copies_stay_on_one_side_of_a_split(folder, tmp_path):
    for number in range(5):
        names = [folder / "cat" / f"cat.{number} ({n}).jpg" for n in (1, 2)]
        copy(folder / f"cat/cat.{number}.jpg", *names, folder / f"dog/same.{number}.jpg")
    with pytest.warns(UserWarning, match="15 photos are copies of others.*one side"):
        split = data.split_folder(folder, tmp_path / "split", 0.3, 0.3)
    sides: dict[bytes, set[str]] = {}
    for path in split.glob("*/*/*.jpg"):
        sides.setdefault(photos.content(path), set()).add(path.relative_to(split).parts[0])
    assert len(sides) == 12 and all(len(parts) == 1 for parts in sides.values())
    assert len(list(split.glob("*/*/*.jpg"))) == 27


def test_a_photo_with_copies_is_drawn_as_seldom_as_others(folder, tmp_path):
    copy(folder / "cat/cat.0.jpg", *(folder / f"cat/{n}.jpg" for n in range(40)))
    tests = 0
    for seed in range(20):
        with pytest.warns(UserWarning, match="40 photos are copies"):
            split = data.split_folder(folder, tmp_path / str(seed), 0.2, 0.2, seed)
        tests += (split / "test/cat/0.jpg").exists()
    assert 1 <= tests <= 9  # one of seven is drawn


def test_a_home_is_a_home(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    folder.rename(tmp_path / "home/photos")
    data.split_folder("~/photos", "~/split")
    assert data.find_parts("~/split").keys() == {"train", "validation", "test"}
    assert len(data.image_folder("~/photos", (8, 8)).labels) == 12
    assert data.check_images("~/photos") == data.find_copies("~/photos") == []
    assert data.drawings.write("~/drawn", ["cat", "dog"], 1, seed=0) == tmp_path / "home/drawn"


def test_a_part_with_nothing_but_hidden_folders_is_no_part(folder, tmp_path):
    split = data.split_folder(folder, tmp_path / "split", test=0)
    for name in (".ipynb_checkpoints", "__MACOSX"):
        (split / "test" / name).mkdir(parents=True)
        assert data.find_parts(split).keys() == {"train", "validation"}
