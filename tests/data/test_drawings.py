"""Drawn animals: repeatable, and nothing around the face tells the species."""

import csv
import hashlib
import time
from pathlib import Path

from cnnkit import data
from cnnkit.data import drawings
from cnnkit.data.drawings import scenes

import keras
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


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    one, again = (data.drawings.write(tmp_path / name, ["cat", "owl"], 20, 3) for name in "ab")
    other = data.drawings.write(tmp_path / "other", ["cat", "owl"], 20, seed=4)
    assert hashes(one) == hashes(again)
    pictures = [name for name in hashes(one) if name.endswith("jpg")]
    assert len(pictures) == 40
    assert all(hashes(one)[name] != hashes(other)[name] for name in pictures)


def test_fewer_pictures_are_the_first_of_more(tmp_path):
    few = hashes(data.drawings.write(tmp_path / "few", ["fox"], 3, seed=0))
    many = hashes(data.drawings.write(tmp_path / "many", ["dog", "fox"], 5, seed=0))
    names = [f"fox/fox.{number}.jpg" for number in range(3)]
    assert [few[name] for name in names] == [many[name] for name in names]


def test_a_picture_costs_no_more_than_it_may(tmp_path):
    """A hundred pictures a second of one core at 128 pixels, with saving; by processor time."""
    start = time.process_time()
    data.drawings.write(tmp_path / "drawn", list(drawings.SPECIES)[:9], 15, seed=0, size=128)
    assert 135 / (time.process_time() - start) >= 100


def test_there_are_enough_species_and_each_can_be_drawn():
    assert len(drawings.SPECIES) >= 14
    random = np.random.default_rng(0)
    for species in drawings.SPECIES:
        image, (left, top, right, bottom) = drawings.draw(species, random, size=(64, 90))
        assert image.size == (90, 64)
        assert image.mode == "RGB"
        assert 0 < left < right < 90 and 0 < top < bottom < 64


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
            assert image.size == (80, 80)
            assert image.format == "JPEG"
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
def animals(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("animals")
    return data.drawings.write(folder / "neutral", ["cat", "dog"], 700, seed=11)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    return data.drawings.write(folder / "neutral", list(drawings.SPECIES), 80, seed=12)


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


def forest_accuracy(folder: Path) -> float:
    strips, sizes, labels = surroundings(folder)
    features = np.concatenate([strips.reshape(len(strips), -1), sizes], axis=1)
    forest = RandomForestClassifier(100, min_samples_leaf=3, random_state=0, n_jobs=-1)
    return cross_val_score(forest, features, labels, cv=StratifiedKFold(2)).mean()


def sizes_accuracy(folder: Path) -> float:
    _, sizes, labels = surroundings(folder)
    forest = RandomForestClassifier(100, min_samples_leaf=5, random_state=0, n_jobs=-1)
    return cross_val_score(forest, sizes, labels, cv=StratifiedKFold(5)).mean()


def network_accuracy(folder: Path) -> float:
    strips, _, labels = surroundings(folder)
    order = np.random.default_rng(0).permutation(len(labels))
    strips, labels = strips[order], labels[order]
    half = len(labels) // 2
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(int(labels.max()) + 1, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(strips[:half], labels[:half], epochs=12, verbose=0)
    return model.evaluate(strips[half:], labels[half:], verbose=0)[1]


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", [forest_accuracy, sizes_accuracy, network_accuracy])
@pytest.mark.parametrize(("name", "species"), [("animals", 2), ("zoo", len(drawings.SPECIES))])
def test_nothing_around_the_face_tells_the_species(accuracy, name, species, request):
    assert accuracy(request.getfixturevalue(name)) <= 1 / species + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("accuracy", [forest_accuracy, network_accuracy])
def test_a_background_by_species_gives_it_away(accuracy, tmp_path):
    folder = data.drawings.write(
        tmp_path / "cheat", ["cat", "dog"], 150, seed=11, background="species"
    )
    assert accuracy(folder) >= 0.9


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
