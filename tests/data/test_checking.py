"""Finding what cannot be used in a folder of photos."""

import io
import itertools
import os
import shutil
import warnings
from pathlib import Path

from cnnkit import data

import numpy as np
import pytest
from PIL import Image

from .conftest import picture, whole


def truncate(path: Path) -> None:
    content = whole(path)
    path.write_bytes(content[:-60])


def animate(path: Path) -> None:
    picture().save(path, "WEBP", save_all=True, append_images=[picture(seed=1)])


def deny(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


# What is wrong with a file, its name, and what the reason says.
BAD_FILES = {
    "text": ("a.jpg", lambda path: path.write_text("no photo"), "no picture"),
    "truncated": ("a.jpg", truncate, "damaged or cut short"),
    "zero-byte": ("a.jpg", lambda path: path.touch(), "empty"),
    "wrong extension": ("a.png", whole, "a JPEG file with the extension '.png'"),
    "animated": ("a.webp", animate, "animated"),
    "32-bit": ("a.tif", lambda path: Image.new("F", (9, 9)).save(path), "not known for sure"),
    "pages": (
        "a.tif",
        lambda path: picture().save(path, save_all=True, append_images=[picture()]),
        "several pages",
    ),
    "macOS": (".DS_Store", lambda path: path.write_bytes(b"\0\0\0\1Bud1"), "system file"),
    "Windows": ("Thumbs.db", lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0"), "system file"),
    "HEIC": ("a.HEIC", lambda path: path.write_bytes(b"ftypheic"), "convert it to JPEG"),
    "AVIF": ("a.avif", lambda path: picture().save(path), "convert it to JPEG"),
    "HEIC as JPEG": ("a.jpg", lambda path: path.write_bytes(b"....ftypheic"), "HEIC or AVIF photo"),
    "notes": ("notes.txt", lambda path: path.write_text("mine"), "'.txt'"),
    "no extension": ("photo", whole, "''"),
    "nested": ("more", lambda path: path.mkdir(), "inside of a class"),
    "dead link": ("a.jpg", deny, "no regular file"),
    "pipe": ("a.jpg", lambda path: os.mkfifo(path), "no regular file"),
    "huge": (
        "a.png",
        lambda path: Image.new("1", (20_000, 9_000)).save(path),
        "too many",
    ),
}


@pytest.mark.parametrize(
    "kind", [kind for kind in BAD_FILES if kind != "pipe" or hasattr(os, "mkfifo")]
)
def test_a_bad_file_is_found_before_training(kind, folder):
    name, make, reason = BAD_FILES[kind]
    bad = folder / "dog" / name
    make(bad)
    assert [path for path, _ in data.check_images(folder)] == [bad]
    assert reason in data.check_images(folder)[0].reason
    with pytest.raises(ValueError, match="has 1 problem") as caught:
        data.image_folder(folder, (16, 16))
    assert f"{Path('dog', name)}: " in str(caught.value) and reason in str(caught.value)
    dataset = data.image_folder(folder, (16, 16), skip_unusable=True)
    assert dataset.class_names == ["cat", "dog"]
    assert len(dataset.file_paths) == 12
    assert dataset.skipped == data.check_images(folder)


def test_all_problems_stand_in_one_message(folder):
    for name, make, _ in (BAD_FILES[kind] for kind in ("truncated", "32-bit", "macOS")):
        make(folder / "cat" / name)
    with pytest.raises(ValueError, match="has 3 problems") as caught:
        data.image_folder(folder, (16, 16))
    for name in ("a.jpg", "a.tif", ".DS_Store"):
        assert str(Path("cat", name)) in str(caught.value)


def test_a_long_list_is_cut(folder):
    for number in range(30):
        (folder / "cat" / f"{number:02d}.jpg").touch()
    with pytest.raises(ValueError, match="has 30 problems") as caught:
        data.image_folder(folder, (16, 16))
    assert str(caught.value).count("it is empty") == 20
    assert str(caught.value).endswith("and more: data.check_images lists all")


def empty(folder: Path) -> None:
    (folder / "owl").mkdir()


def spoil(folder: Path) -> None:
    empty(folder)
    (folder / "owl" / "owl.jpg").touch()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (empty, "without a usable photo"),
        (spoil, "without a usable photo"),
        (lambda folder: shutil.rmtree(folder / "dog"), "only the class folder 'cat'; expected two"),
    ],
)
def test_folders_that_are_no_classes_are_refused_even_when_files_are_skipped(
    change, reason, folder
):
    change(folder)
    assert any(reason in problem.reason for problem in data.check_images(folder))
    for skip in (False, True):
        with pytest.raises(ValueError, match=reason):
            data.image_folder(folder, (16, 16), skip_unusable=skip)


BESIDE = [".ipynb_checkpoints", "__MACOSX", "$RECYCLE.BIN", ".Thumbs.db", "stray.jpg", "link"]


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_the_classes_never_becomes_one(name, folder):
    if name == "link":
        (folder / name).symlink_to("nowhere")
    elif name.endswith((".db", ".jpg")):
        (folder / name).touch()
    else:
        (folder / name).mkdir()
        whole(folder / name / "a.jpg")
    assert [path for path, _ in data.check_images(folder)] == [folder / name]
    assert data.image_folder(folder, (9, 9), skip_unusable=True).class_names == ["cat", "dog"]


def test_notes_beside_the_classes_are_no_problem(folder):
    (folder / "README.txt").write_text("mine")
    (folder / "boxes.csv").write_text("file\n")
    assert data.check_images(folder) == []


def test_the_folder_above_or_below_the_right_one_is_noticed(folder, tmp_path):
    above = tmp_path / "split"
    for part in ("Testing", "Training"):
        shutil.copytree(folder, above / part)
    for wrong, cure in (
        (above, "one folder deeper; give one such as split/Training"),
        (folder / "cat", "no folder for each class; make these, or give the folder above"),
    ):
        ((path, reason),) = data.check_images(wrong)
        assert path == wrong and cure in reason
        for skip in (False, True):
            with pytest.raises(ValueError, match=cure):
                data.image_folder(wrong, (9, 9), skip_unusable=skip)
    (above / "Testing" / "cat.jpg").touch()  # so that it is a class, with folders inside
    assert len(data.check_images(above)) > 1


def test_a_missing_folder_is_named(tmp_path):
    for use in (data.check_images, lambda path: data.image_folder(path, (9, 9))):
        with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
            use(tmp_path / "nowhere")


def mutate(content: bytes, random: np.random.Generator) -> bytes:
    """Damage a JPEG: bytes at random places, its end cut off, or parts of its header swapped."""
    damaged = bytearray(content)
    kind = random.integers(3)
    if kind == 0:
        for place in random.integers(0, len(damaged), random.integers(1, 40)):
            damaged[place] = random.integers(256)
    elif kind == 1:
        del damaged[random.integers(1, len(damaged)) :]
    else:
        a, b = sorted(random.integers(0, 600, 2))
        length = int(random.integers(1, 60))
        damaged[a : a + length], damaged[b : b + length] = (
            damaged[b : b + length],
            damaged[a : a + length],
        )
    return bytes(damaged)


def test_mutated_photos_never_crash_and_what_passes_stays_good(tmp_path):
    """500 mutants: those that the check passes are loaded and read."""
    contents = []
    for number, options in enumerate(
        itertools.product((False, True), (60, 95), ("4:4:4", "4:2:0"))
    ):
        progressive, quality, subsampling = options
        file = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = number % 8 + 1
        picture(120, 90, number).save(
            file, "JPEG", progressive=progressive, quality=quality, subsampling=subsampling,
            exif=exif,
        )  # fmt: skip
        contents.append(file.getvalue())
    random = np.random.default_rng(5)
    for number in range(500):
        path = tmp_path / "photos" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(mutate(contents[number % len(contents)], random))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        problems = data.check_images(tmp_path / "photos")
        assert 50 < len(problems) < 450
        for path, _ in problems:
            path.unlink()
        assert data.check_images(tmp_path / "photos") == []
        dataset = data.image_folder(tmp_path / "photos", (16, 16), shuffle=True, seed=0)
    seen = sum(len(labels) for _, labels in dataset)
    assert seen == len(dataset.file_paths) == 500 - len(problems)


def test_a_check_counts_the_usable_photos_of_each_class(tmp_path):
    data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 3, seed=0, size=20)
    (tmp_path / "drawn/cat/cat.1.jpg").write_bytes(b"")
    (tmp_path / "drawn/dog/Thumbs.db").touch()
    classes, problems = data.check_folder(tmp_path / "drawn")
    assert classes == {"cat": 2, "dog": 3}
    assert problems == data.check_images(tmp_path / "drawn")
    assert [problem.path.name for problem in problems] == ["cat.1.jpg", "Thumbs.db"]
