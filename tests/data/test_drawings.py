"""Drawn animals: repeatable, and nothing around the face tells the species."""

import csv
import hashlib
from functools import partial
from pathlib import Path

from cnnkit import data
from cnnkit.data import drawings
from cnnkit.data.drawings import scenes

import numpy as np
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_score

STRIP = 5  # pixels along each side that count as the border


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def boxes(folder: Path) -> dict[str, tuple[int, ...]]:
    with (folder / "boxes.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "left", "top", "right", "bottom"]
    return {name: tuple(map(int, box)) for name, *box in rows}


def test_the_seed_decides_and_fewer_pictures_are_the_first_of_more(tmp_path):
    one, again = (data.drawings.write(tmp_path / name, ["cat", "owl"], 5, seed=3) for name in "ab")
    other = data.drawings.write(tmp_path / "other", ["cat", "owl"], 5, seed=4)
    more = data.drawings.write(tmp_path / "more", ["dog", "owl"], 8, seed=3)
    assert hashes(one) == hashes(again)
    pictures = [name for name in hashes(one) if name.endswith("jpg")]
    assert len(pictures) == 10
    assert all(hashes(one)[name] != hashes(other)[name] for name in pictures)
    assert {name: hashes(more)[name] for name in pictures[5:]} == {
        name: hashes(one)[name] for name in pictures[5:]
    }


def test_the_drawings_are_those_that_results_were_recorded_with():
    """Another drawing asks for another `VERSION`, and for new weights and results."""
    image, box = drawings.draw("cat", np.random.default_rng(0), size=64)
    assert (image.mode, image.size, box) == ("RGB", (64, 64), (9, 15, 48, 53))
    assert np.mean(image) == pytest.approx(111.7, abs=0.2)


def test_the_box_holds_the_face_and_no_more(monkeypatch):
    """Where the picture differs from its background alone is the face."""
    monkeypatch.setattr(scenes, "_photograph", lambda image, random: image)
    monkeypatch.setattr(scenes, "_occlude", lambda draw, size, random: None)
    for number, species in enumerate(drawings.SPECIES):
        face = drawings.draw_face(drawings.SPECIES[species], np.random.default_rng(number))
        face = [(points, (255, 0, 255)) for points, _ in face]  # which no background has
        image, box = scenes.draw_scene(face, 150, 120, np.random.default_rng(number))
        empty = scenes._background(150, 120, np.random.default_rng(number), None)
        difference = np.abs(np.asarray(image, int) - np.asarray(empty, int)).max(axis=2) > 20
        rows, columns = np.flatnonzero(difference.any(axis=1)), np.flatnonzero(difference.any(0))
        found = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        np.testing.assert_allclose(found, box, atol=4, err_msg=species)
        assert found[0] >= box[0] and found[1] >= box[1]
        assert found[2] <= box[2] and found[3] <= box[3]


def test_the_boxes_stand_beside_the_class_folders(tmp_path):
    folder = data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 4, seed=0, size=80)
    found = boxes(folder)
    assert list(found) == [f"{kind}/{kind}.{n}.jpg" for kind in ("cat", "dog") for n in range(4)]
    for name, (left, top, right, bottom) in found.items():
        with Image.open(folder / name) as image:
            assert (image.size, image.format) == ((80, 80), "JPEG")
        side = max(right - left, bottom - top)
        low, high = scenes.FACE
        assert low * 80 - 2 <= side <= high * 80 + 2


def test_boxes_are_resized_with_their_pictures(tmp_path):
    folder = data.drawings.write(tmp_path / "drawn", ["dog"], 3, seed=0, size=(60, 90))
    paths = sorted((folder / "dog").iterdir(), reverse=True)
    as_drawn = [list(boxes(folder)[f"dog/dog.{n}.jpg"]) for n in (2, 1, 0)]
    np.testing.assert_array_equal(drawings.face_boxes(paths, (60, 90)), as_drawn)
    np.testing.assert_array_equal(
        drawings.face_boxes(paths, (120, 270)), np.array(as_drawn) * [3, 2, 3, 2]
    )
    left, top, right, bottom = drawings.face_boxes(map(str, paths), (30, 30)).T
    assert (left >= 0).all() and (left < right).all() and (right <= 30).all()
    assert (top >= 0).all() and (top < bottom).all() and (bottom <= 30).all()


def test_pictures_without_boxes_have_none(tmp_path):
    folder = data.drawings.write(tmp_path / "drawn", ["dog"], 1, seed=0, size=32)
    with pytest.raises(ValueError, match=r"does not list dog/dog\.7\.jpg"):
        drawings.face_boxes([folder / "dog" / "dog.7.jpg"], (32, 32))
    (folder / "boxes.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"boxes\.csv is missing; only drawn pictures"):
        drawings.face_boxes([folder / "dog" / "dog.0.jpg"], (32, 32))


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("drawn")
    return {
        "animals": data.drawings.write(folder / "animals", ["cat", "dog"], 300, seed=11),
        "zoo": data.drawings.write(folder / "zoo", list(drawings.SPECIES), 20, seed=12),
        "cheat": data.drawings.write(folder / "cheat", ["cat", "dog"], 60, 11, None, "species"),
    }


def surroundings(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All that is not the face: strips along the four sides, and width, height and file size."""
    strips, sizes, labels = [], [], []
    for number, species in enumerate(sorted(path for path in folder.iterdir() if path.is_dir())):
        for path in sorted(species.iterdir()):
            with Image.open(path) as image:
                pixels = np.asarray(image)
            sizes.append((*pixels.shape[:2], path.stat().st_size))
            sides = [pixels[:STRIP], pixels[-STRIP:]]
            sides += [np.swapaxes(side, 0, 1) for side in (pixels[:, :STRIP], pixels[:, -STRIP:])]
            resized = [np.asarray(Image.fromarray(side).resize((48, STRIP))) for side in sides]
            strips.append(np.concatenate(resized))
            labels.append(number)
    return np.stack(strips) / np.float32(255), np.array(sizes), np.array(labels)


def forest_accuracy(folder: Path, sizes_alone: bool = False) -> float:
    strips, features, labels = surroundings(folder)
    if not sizes_alone:
        features = np.concatenate([strips.reshape(len(strips), -1), features], axis=1)
    forest = RandomForestClassifier(100, min_samples_leaf=4, random_state=0, n_jobs=-1)
    return cross_val_score(forest, features, labels, cv=StratifiedKFold(3)).mean()


sizes_accuracy = partial(forest_accuracy, sizes_alone=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "accuracy", "low", "high"),
    [
        ("animals", forest_accuracy, 0.4, 0.55),
        ("animals", sizes_accuracy, 0.4, 0.55),
        ("zoo", forest_accuracy, 0, 0.1),
        ("zoo", sizes_accuracy, 0, 0.1),
        ("cheat", forest_accuracy, 0.9, 1),
    ],
)
def test_only_a_background_by_species_tells_it_without_the_face(name, accuracy, low, high, folders):
    assert low <= accuracy(folders[name]) <= high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"species": ["cat", "unicorn"]}, "unicorn"),
        ({"species": ["cat", "cat"]}, "each once"),
        ({"species": []}, "one or more"),
        ({"per_class": 0}, "per_class is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"size": 8}, "at least 16"),
        ({"background": "blue"}, "'neutral' or 'species'"),
    ],
)
def test_arguments_out_of_range_are_refused(change, message, tmp_path):
    arguments = {"species": ["cat", "dog"], "per_class": 2, "seed": 0} | change
    with pytest.raises(ValueError, match=message):
        data.drawings.write(tmp_path / "drawn", **arguments)
    assert not list(tmp_path.iterdir())
