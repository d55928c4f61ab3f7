"""Checking, loading and splitting folders of photos, whatever lies in them."""

import io
import itertools
import os
import struct
import tempfile
import tracemalloc
import warnings
from pathlib import Path

from cnnkit import data
from cnnkit.data import photos

import keras
import numpy as np
import pytest
from PIL import Image

RANDOM = np.random.default_rng(0)


def picture(width: int = 40, height: int = 30, seed: int = 0) -> Image.Image:
    """A smooth picture, so that JPEG keeps it."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), "uint8")
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven cats and five dogs of different sizes."""
    for kind, count in (("cat", 7), ("dog", 5)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(count):
            path = tmp_path / "photos" / kind / f"{kind}.{number}.jpg"
            picture(40 + number, 30, seed=number + 10 * (kind == "dog")).save(path, quality=95)
    return tmp_path / "photos"


def whole(path: Path) -> bytes:
    picture().save(path, "JPEG")
    return path.read_bytes()


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
    "CMYK": ("a.jpg", lambda path: picture().convert("CMYK").save(path), "CMYK"),
    "palette": ("a.png", lambda path: picture().quantize(8).save(path), "palette"),
    "GIF": ("a.gif", lambda path: picture().save(path), "palette"),
    "16-bit": (
        "a.png",
        lambda path: Image.fromarray(np.full((9, 9), 40_000, "uint16")).save(path),
        "more than 8 bits",
    ),
    "pages": (
        "a.tif",
        lambda path: picture().save(path, save_all=True, append_images=[picture()]),
        "several pages",
    ),
    "macOS": (".DS_Store", lambda path: path.write_bytes(b"\0\0\0\1Bud1"), "system file"),
    "Windows": ("Thumbs.db", lambda path: path.write_bytes(b"\xd0\xcf\x11\xe0"), "system file"),
    "notes": ("notes.txt", lambda path: path.write_text("mine"), "'.txt'"),
    "no extension": ("photo", whole, "''"),
    "nested": ("more", lambda path: path.mkdir(), "inside of a class"),
    "dead link": ("a.jpg", deny, "no regular file"),
    "pipe": ("a.jpg", os.mkfifo, "no regular file"),
    "huge": (
        "a.png",
        lambda path: Image.new("1", (20_000, 9_000)).save(path),
        "too many",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
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
    for name, make, _ in (BAD_FILES[kind] for kind in ("truncated", "palette", "macOS")):
        make(folder / "cat" / name)
    with pytest.raises(ValueError, match="has 3 problems") as caught:
        data.image_folder(folder, (16, 16))
    for name in ("a.jpg", "a.png", ".DS_Store"):
        assert str(Path("cat", name)) in str(caught.value)


def test_a_long_list_is_cut(folder):
    for number in range(30):
        (folder / "cat" / f"{number:02d}.jpg").touch()
    with pytest.raises(ValueError, match="has 30 problems") as caught:
        data.image_folder(folder, (16, 16))
    assert "and 10 more, which data.check_images lists" in str(caught.value)


def rename(folder: Path) -> None:
    (folder / "dog").rename(folder / "Cat")


def empty(folder: Path) -> None:
    (folder / "owl").mkdir()


def spoil(folder: Path) -> None:
    empty(folder)
    (folder / "owl" / "owl.jpg").touch()


def leave_one(folder: Path) -> None:
    for path in (folder / "dog").iterdir():
        path.unlink()
    (folder / "dog").rmdir()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (rename, "differs from 'Cat' by case alone"),
        (empty, "without a usable photo"),
        (spoil, "without a usable photo"),
        (leave_one, "1 class folders; expected two or more"),
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


@pytest.mark.parametrize("name", [".ipynb_checkpoints", "__MACOSX", ".Thumbs.db", "stray.jpg"])
def test_what_lies_beside_the_classes_never_becomes_one(name, folder):
    if "." in name[1:]:
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


def test_a_missing_folder_is_named(tmp_path):
    for use in (data.check_images, lambda path: data.image_folder(path, (9, 9))):
        with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
            use(tmp_path / "nowhere")


# EXIF's eight orientations, and what turns such a picture upright.
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_rotated_photo_is_turned_upright(orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture().save(tmp_path / "a.png", exif=exif)
    expected = UPRIGHT[orientation](np.asarray(picture()))
    np.testing.assert_array_equal(photos.decode(tmp_path / "a.png"), expected)


@pytest.mark.parametrize("mode", ["L", "1", "RGBA", "LA"])
def test_other_plain_modes_become_rgb(mode, tmp_path):
    picture().convert(mode).save(tmp_path / "a.png")
    expected = np.asarray(picture().convert(mode).convert("RGB"))
    np.testing.assert_array_equal(photos.decode(tmp_path / "a.png"), expected)


def test_what_is_transparent_becomes_white(tmp_path):
    Image.new("RGBA", (5, 5), (200, 0, 0, 0)).save(tmp_path / "a.png")
    assert (photos.decode(tmp_path / "a.png") == 255).all()


def test_a_photo_is_resized_as_keras_does_it_with_antialiasing(tmp_path):
    picture(200, 150).save(tmp_path / "a.png")
    found = photos.decode(tmp_path / "a.png", (64, 48))
    expected = keras.ops.image.resize(
        np.asarray(picture(200, 150), "float32"), (64, 48), "bilinear", antialias=True
    )
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), atol=1)


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
    """500 mutants: those that the check passes are loaded, read and trained with."""
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


@pytest.mark.parametrize("memory_budget", [2**20, 0])
def test_batches_hold_the_photos_in_the_order_that_can_be_asked_for(memory_budget, folder):
    dataset = data.image_folder(
        folder, (18, 24), batch_size=5, shuffle=True, seed=7, memory_budget=memory_budget
    )
    assert dataset.cardinality() == 3
    expected = np.stack([photos.decode(Path(path), (18, 24)) for path in dataset.file_paths])
    assert [Path(path).parent.name for path in dataset.file_paths] == ["cat"] * 7 + ["dog"] * 5
    for epoch in range(3):
        batches = [(np.asarray(images), np.asarray(labels)) for images, labels in dataset]
        order = dataset.order(epoch)
        assert sorted(order) == list(range(12))
        assert [len(images) for images, _ in batches] == [5, 5, 2]
        images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        assert images.dtype == np.float32
        np.testing.assert_array_equal(images, expected[order])
        np.testing.assert_array_equal(labels, dataset.labels[order])
    assert not np.array_equal(dataset.order(0), dataset.order(1))


@pytest.mark.parametrize("memory_budget", [2**30, 2**20])
def test_memory_does_not_grow_with_the_photos_beyond_the_budget(memory_budget, tmp_path):
    drawn = data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 100, seed=0, size=32)
    tracemalloc.start()
    dataset = data.image_folder(drawn, (180, 180), shuffle=True, memory_budget=memory_budget)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pixels = 200 * 180 * 180 * 3
    assert len(dataset.file_paths) == 200
    if memory_budget > pixels:
        assert held > pixels
    else:
        assert peak < pixels / 2


def labels_of(dataset) -> list[int]:
    return [label for _, labels in dataset for label in np.asarray(labels).tolist()]


def test_epochs_depend_on_the_seed_and_their_number_alone(folder):
    def load(**options):
        return data.image_folder(folder, (9, 9), batch_size=5, **options)

    first, again = load(shuffle=True, seed=1), load(shuffle=True, seed=1)
    epochs = [labels_of(first) for _ in range(4)]
    list(again.take(1))  # a look changes nothing
    again.set_epoch(2)
    list(again.take(2))
    assert [labels_of(again), labels_of(again)] == epochs[2:]
    other = load(shuffle=True, seed=2)
    assert any(not np.array_equal(other.order(k), first.order(k)) for k in range(3))
    still = load()
    assert labels_of(still) == labels_of(still) == sorted(still.labels)


@pytest.mark.parametrize("passes", [1, 3])
def test_each_epoch_of_fit_is_one_epoch(passes, folder):
    """Keras makes more iterators than it uses; `fit` in one go sees what separate ones do."""
    dataset = data.image_folder(folder, (9, 9), batch_size=5, shuffle=True, seed=1)
    seen = []

    inputs = keras.Input((9, 9, 3))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    model.compile("sgd", "mse")
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda k, logs: seen.append(k))
    for start in range(0, 3, 3 // passes):
        model.fit(
            dataset, epochs=start + 3 // passes, initial_epoch=start, verbose=0, callbacks=[record]
        )
    assert seen == [0, 1, 2]
    assert labels_of(dataset) == dataset.labels[dataset.order(3)].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [({"image_size": (0, 9)}, "image_size"), ({"batch_size": 0}, "batch_size")],
)
def test_arguments_out_of_range_are_refused(change, message, folder):
    with pytest.raises(ValueError, match=message):
        data.image_folder(folder, **{"image_size": (9, 9)} | change)


def test_a_disk_without_room_is_noticed_before_decoding(folder, monkeypatch):
    usage = os.statvfs(tempfile.gettempdir())
    pixels = 2 * usage.f_blocks * usage.f_frsize // (12 * 3)
    with pytest.raises(OSError, match="TMPDIR"):
        data.image_folder(folder, (pixels, 1))


def parts(folder: Path) -> dict[str, set[str]]:
    return {
        part: {path.name for path in folder.glob(f"{part}/*/*.jpg")}
        for part in ("train", "validation", "test")
    }


def test_a_folder_is_split_class_by_class(folder, tmp_path):
    split = data.split_folder(folder, tmp_path / "split", validation=0.2, test=0.4, seed=1)
    counts = {
        (part, kind): len(list((split / part / kind).iterdir()))
        for part in ("train", "validation", "test")
        for kind in ("cat", "dog")
    }
    assert list(counts.values()) == [3, 2, 1, 1, 3, 2]
    names = parts(split)
    assert set.union(*names.values()) == {path.name for path in folder.glob("*/*")}
    assert sum(map(len, names.values())) == 12
    again = data.split_folder(folder, tmp_path / "again", validation=0.2, test=0.4, seed=1)
    other = data.split_folder(folder, tmp_path / "other", validation=0.2, test=0.4, seed=2)
    assert parts(again) == names != parts(other)
    assert data.check_images(split / "train") == []


def test_a_split_mends_itself_and_keeps_out_of_other_folders(folder, tmp_path):
    split = data.split_folder(folder, tmp_path / "split")
    names = parts(split)
    next(split.glob("train/cat/*")).unlink()
    assert parts(data.split_folder(folder, tmp_path / "split")) == names
    with pytest.raises(ValueError, match="Name another folder"):
        data.split_folder(folder, tmp_path / "split", seed=5)
    with pytest.raises(ValueError, match="inside of"):
        data.split_folder(folder, folder / "split")


def test_a_split_without_validation_has_two_parts(folder, tmp_path):
    split = data.split_folder(folder, tmp_path / "split", validation=0, test=0.5)
    assert sorted(path.name for path in split.iterdir() if path.is_dir()) == ["test", "train"]


def test_a_split_takes_usable_photos_only(folder, tmp_path):
    truncate(folder / "cat" / "bad.jpg")
    with pytest.raises(ValueError, match=r"bad\.jpg"):
        data.split_folder(folder, tmp_path / "split")
    assert not (tmp_path / "split").exists()
    split = data.split_folder(folder, tmp_path / "split", skip_unusable=True)
    assert sum(map(len, parts(split).values())) == 12


@pytest.mark.parametrize(
    ("shares", "message"),
    [((0.5, 0.5), "together below 1"), ((-0.1, 0.2), "together below 1"), ((0.9, 0.05), "too few")],
)
def test_shares_out_of_range_are_refused(shares, message, folder, tmp_path):
    with pytest.raises(ValueError, match=message):
        data.split_folder(folder, tmp_path / "split", *shares)


def test_a_header_that_lies_about_the_size_is_refused(tmp_path):
    content = bytearray(whole(tmp_path / "a.jpg"))
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = struct.pack(">HH", 65_000, 65_000)
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"too many|damaged"):
        photos.decode(tmp_path / "a.jpg")
