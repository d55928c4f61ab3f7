"""Runs on a folder of drawings: trained once, then evaluated, asked, moved and resumed."""

import csv
import json
import shutil
from pathlib import Path

from cnnkit import models

import keras
import numpy as np
import pytest
from PIL import Image

from .conftest import NETWORK, describe, draw

pytestmark = pytest.mark.slow
NAMES = ["cow", "horse", "owl"]


def table(path: Path) -> dict[str, list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return {row[0]: row[1:] for row in csv.reader(file)}


@pytest.mark.parametrize(("run", "kept"), [("run", "best"), ("network", "last")])
def test_a_run_leaves_what_it_promises(trained, run, kept):
    training = trained / run / "training"
    (_, *names) = table(training / "evaluations.csv")
    assert names == [f"epoch-0{n}-step-000{m}" for n, m in ("13", "22", "23", "32", "33")]
    for name in names:
        found = {path.name for path in (training / name).iterdir()}
        assert found == {"report.csv", "report.txt", "confusion.png"}
    for name in ("last.keras", "history.csv", "curves.png"):
        assert (training / name).is_file()
    assert (training / "best.keras").is_file() == (kept == "best")  # the other has a floor
    model = keras.models.load_model(training / f"{kept}.keras")
    assert models.class_names(model) == NAMES
    assert model.input_shape == ((None, 64) if run == "run" else (None, 32, 32, 3))


def test_the_network_begins_with_the_head_and_changes_its_base(trained):
    network = keras.models.load_model(trained / "network/training/last.keras")
    head = keras.models.load_model(trained / "run/training/best.keras")
    base = models.vgg16_base("drawn", (32, 32, 3))
    for name, start in (("head", head), ("vgg16", base)):
        for weight, now in zip(start.weights, network.get_layer(name).weights, strict=True):
            assert 0 < np.abs(weight - now).max() < 0.02


def test_a_head_of_another_split_is_refused(trained, cnnkit):
    file = describe(trained / "photos", "other", more=f"{NETWORK}seed: 3\n")
    file.write_text(file.read_text().replace("base:\n", "base:\n  head_from: run\n"))
    error = cnnkit("train", file).stderr
    assert error.endswith("a head's run on the same photos: seed is 0 there and 3 here.\n")
    file.write_text(file.read_text().replace("seed: 3\n", "").replace(": run\n", ": network\n"))
    assert "on the same photos: its mode is network.\n" in cnnkit("train", file).stderr


def test_the_report_adds_up(trained, cnnkit):
    run = trained / "network"
    result = cnnkit("evaluate", run)
    assert result.exit_code == 0, result.output
    rows = table(run / "report/report.csv")
    assert [rows[name][3] for name in (*NAMES, "accuracy")] == ["2", "2", "2", "6"]
    for name in NAMES:
        assert sum(int(cell.split("/")[0]) for cell in rows[name][4:]) == 2
    right = int(rows["accuracy"][4].split("/")[0])
    _, *mistakes = table(run / "report/mistakes.csv").items()
    assert len(mistakes) == 6 - right
    for file, (name, taken, probability) in mistakes:
        assert Path(file).parent.name == name != taken
        assert 1 / 3 < float(probability) <= 1
    assert (run / "report/confusion.png").is_file()


def test_other_photos_may_lack_a_class_but_have_no_new_one(trained, here, cnnkit):
    draw("later", ("cow", "owl"))
    result = cnnkit("evaluate", trained / "run", "later")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("horse")]
    assert line.split()[-1] == "0"
    assert "on 10 photos in later" in result.stdout
    assert len(list(trained.glob(f"run/report-{here.name}-later-*/report.csv"))) == 1
    Path("later/owl").rename("later/eagle")
    error = cnnkit("evaluate", trained / "run", "later").stderr
    assert "later/eagle: it is none of the classes cow, horse, owl; rename or remove it\n" in error
    told = cnnkit("evaluate", trained / "run", trained / "photos").stdout
    assert "on 30 photos in" in told
    assert "; 24 of them served to train it, so expect less of others" in told


def test_predictions_are_a_table_or_json(trained, cnnkit):
    photos = [trained / "photos/cow/cow.1.jpg", trained / "photos/owl/owl.1.jpg"]
    lines = cnnkit("predict", trained / "run", *photos).stdout.splitlines()
    answers = json.loads(cnnkit("predict", trained / "run", "--json", *photos).stdout)
    assert [answer["file"] for answer in answers] == [str(photo) for photo in photos]
    for line, answer in zip(lines, answers, strict=True):
        assert answer["probability"] == max(answer["probabilities"].values())
        assert answer["probabilities"][answer["class"]] == answer["probability"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        name, share, file = line.split()
        assert (name, file) == (answer["class"], answer["file"])
        assert float(share[:-1]) == pytest.approx(100 * answer["probability"], abs=0.06)


def test_photos_that_cannot_be_read_are_named(trained, cnnkit):
    missing, broken = trained / "photos/cow/nothing.jpg", trained / "photos/owl/broken.jpg"
    result = cnnkit("predict", trained / "run", trained / "photos/cow/cow.0.jpg", missing)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {missing} is not usable: it cannot be read (No such")
    result = cnnkit("similar", trained / "run", broken)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {broken} is not usable: ")


def test_similar_finds_a_training_photo_itself_first(trained, cnnkit):
    photo = next((trained / "run/photos/train/horse").iterdir())
    *lines, where = cnnkit("similar", trained / "run", photo, "--count", 3).stdout.splitlines()
    assert lines[0] == f"0.000  {photo}"
    distances = [float(line.split()[0]) for line in lines]
    assert distances == sorted(distances)
    assert len(distances) == 3
    with Image.open(trained / "run/similar.png") as picture:
        assert picture.width > 2 * picture.height
    assert where == f"They stand side by side in {trained / 'run/similar.png'}"


def test_a_search_follows_new_weights_and_photos(trained, here, cnnkit):
    shutil.copytree(trained, here / "own")
    photo = next(Path("own/network/photos/train/horse").iterdir())
    assert cnnkit("similar", "own/network", photo).stdout.startswith("0.000")
    last = keras.models.load_model("own/network/training/last.keras")
    random = np.random.default_rng(0)
    last.set_weights([w * random.uniform(0.5, 2, w.shape) for w in last.get_weights()])
    last.save("own/network/training/last.keras")
    with Image.open(photo) as picture:
        picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(photo)
    renamed = photo.rename(photo.with_name("another.jpg"))
    answer = cnnkit("similar", "own/network", renamed).stdout.splitlines()[0]
    assert answer == f"0.000  {renamed}"


def test_a_run_is_moved_prolonged_and_told_from_another(trained, here, cnnkit):
    shutil.copytree(trained, here / "own")
    features = sorted(path.name for path in Path("own/run/features").iterdir())
    result = cnnkit("train", describe(here / "own/photos", epochs=4))
    assert "Going on after epoch 3" in result.stdout, result.stderr
    assert sorted(path.name for path in Path("own/run/features").iterdir()) == features
    assert "The run ended with epoch 4" in cnnkit("train", "own/run.yml").stdout
    other = cnnkit("train", describe(Path("own/photos"), more="  batch_size: 4\nseed: 5\n"))
    assert other.stderr == (
        "Error: own/run holds another run: seed is 0 there and 5 here; training.batch_size is 8 "
        "there and 4 here. Name another.\n"
    )


def test_photos_that_are_added_after_the_split_are_not_ignored(trained, here, cnnkit):
    shutil.copytree(trained, here / "own")
    shutil.copy("own/photos/cow/cow.1.jpg", "own/photos/cow/new.jpg")
    result = cnnkit("train", "own/run.yml")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: own/run/photos holds ")
    shutil.rmtree("own/photos")
    assert cnnkit("train", "own/run.yml").exit_code == 0
    for command in (["evaluate"], ["predict", next(Path("own/run/photos/train/cow").iterdir())]):
        result = cnnkit(command[0], "own/run", *command[1:])
        assert result.exit_code == 0, result.output
        assert str(trained) not in result.stdout
