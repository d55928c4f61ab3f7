"""Splitting a folder of photos."""

from pathlib import Path

from cnnkit import data

import pytest


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


def test_a_split_keeps_out_of_other_folders(folder, tmp_path):
    data.split_folder(folder, tmp_path / "split")
    with pytest.raises(ValueError, match="Name another folder"):
        data.split_folder(folder, tmp_path / "split", seed=5)
    with pytest.raises(ValueError, match="inside of"):
        data.split_folder(folder, folder / "split")


def test_a_split_without_validation_has_two_parts(folder, tmp_path):
    split = data.split_folder(folder, tmp_path / "split", validation=0, test=0.5)
    assert sorted(path.name for path in split.iterdir() if path.is_dir()) == ["test", "train"]


def test_a_split_takes_usable_photos_only(folder, tmp_path):
    (folder / "cat" / "bad.jpg").touch()
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


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train", "val"], {"train": "train", "validation": "val"}),
        (["Train", "valid", "test"], {"train": "Train", "validation": "valid", "test": "test"}),
        (["train", "validation", "val"], {"train": "train", "validation": "validation"}),
        (["train", "test"], {}),
        (["cat", "dog"], {}),
    ],
)
def test_the_parts_of_a_split_folder_are_found(tmp_path, names, expected):
    for name in names:
        (tmp_path / name / "cat").mkdir(parents=True)
    found = data.find_parts(tmp_path)
    assert found == {part: tmp_path / name for part, name in expected.items()}


def test_class_folders_with_such_names_are_no_parts(tmp_path):
    for name in ("train", "val"):  # of railways
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    assert data.find_parts(tmp_path) == {}
    with pytest.raises(FileNotFoundError, match="is no folder"):
        data.find_parts(tmp_path / "nowhere")
