"""The commands, from a folder of drawings to an answer."""

import csv
import json
import shutil
from pathlib import Path

from cnnkit import models

import keras
import numpy as np
import pytest
import yaml
from PIL import Image

from .conftest import NETWORK, describe, draw


@pytest.mark.slow
@pytest.mark.parametrize("run", ["run", "network"])
def test_a_run_leaves_what_it_promises(trained, run):
    training = trained / run / "training"
    with (training / "evaluations.csv").open(newline="") as file:
        names = [row["evaluation"] for row in csv.DictReader(file)]
    assert names == [
        "epoch-01-step-0003", "epoch-02-step-0002", "epoch-02-step-0003",
        "epoch-03-step-0002", "epoch-03-step-0003",
    ]  # fmt: skip
    for name in names:
        assert {path.name for path in (training / name).iterdir()} == {
            "report.csv", "report.txt", "confusion.png",
        }  # fmt: skip
    for name in ("best.keras", "last.keras", "history.csv", "curves.png"):
        assert (training / name).is_file()
    best = keras.models.load_model(training / "best.keras")
    assert models.class_names(best) == ["cow", "horse", "owl"]
    if run == "run":
        assert (training / "best.keras").stat().st_size < 40_000  # the head alone
        assert best.input_shape == (None, 145)


@pytest.mark.slow
def test_only_the_whole_network_changes_the_base_and_keeps_its_statistics(trained):
    before = models.densenet_base("drawn", (32, 32, 3))
    after = keras.models.load_model(trained / "network/training/last.keras").get_layer("densenet")
    changed = {
        (layer.name, weight.name)
        for layer, other in zip(before.layers, after.layers, strict=True)
        for weight, now in zip(layer.weights, other.weights, strict=True)
        if not np.array_equal(weight.numpy(), now.numpy())
    }
    assert ("conv1_conv", "kernel") in changed
    assert {name for _, name in changed} == {"kernel"}


@pytest.mark.slow
@pytest.mark.parametrize("run", ["run", "network"])
def test_the_report_adds_up(trained, cnnkit, run):
    result = cnnkit("evaluate", trained / run)
    assert result.exit_code == 0, result.output
    with (trained / run / "report/report.csv").open(newline="", encoding="utf-8") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    assert [rows[name][3] for name in ("cow", "horse", "owl", "accuracy")] == ["2", "2", "2", "6"]
    for name in ("cow", "horse", "owl"):
        assert sum(int(cell.split("/")[0]) for cell in rows[name][4:]) == 2
    right = int(rows["accuracy"][4].split("/")[0])
    with (trained / run / "report/mistakes.csv").open(newline="", encoding="utf-8") as file:
        mistakes = list(csv.DictReader(file))
    assert len(mistakes) == 6 - right
    for row in mistakes:
        assert Path(row["file"]).parent.name == row["class"] != row["taken for"]
    assert (trained / run / "report/confusion.png").is_file()


@pytest.mark.slow
def test_other_photos_may_lack_a_class_but_have_no_new_one(trained, here, cnnkit):
    draw("later", ("cow", "owl"))
    result = cnnkit("evaluate", trained / "run", "later")
    assert result.exit_code == 0, result.output
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("horse")]
    assert line.split() == ["horse", "–", "–", "–", "0"]
    assert "on 10 photos in later" in result.stdout
    assert (trained / f"run/report-{here.name}-later/report.csv").is_file()
    shutil.rmtree("later/cow")
    (Path("later/horse")).mkdir()
    result = cnnkit("evaluate", trained / "run", "later")
    assert "on 5 photos in later" in result.stdout
    Path("later/owl").rename("later/eagle")
    assert cnnkit("evaluate", trained / "run", "later").stderr == (
        "Error: later has 1 problem. These classes cannot be used: eagle: it is none of the "
        "classes cow, horse, owl; rename or remove it\n"
    )


@pytest.mark.slow
def test_predictions_are_a_table_or_json(trained, cnnkit):
    photos = [trained / "photos/cow/cow.1.jpg", trained / "photos/owl/owl.1.jpg"]
    table = cnnkit("predict", trained / "run", *photos)
    answers = json.loads(cnnkit("predict", trained / "run", "--json", *photos).stdout)
    assert [answer["file"] for answer in answers] == [str(photo) for photo in photos]
    for line, answer in zip(table.stdout.splitlines(), answers, strict=True):
        assert answer["probability"] == max(answer["probabilities"].values())
        assert answer["probabilities"][answer["class"]] == answer["probability"]
        assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-3)
        name, share, file = line.split()
        assert (name, file) == (answer["class"], answer["file"])
        assert float(share[:-1]) == pytest.approx(100 * answer["probability"], abs=0.06)


@pytest.mark.slow
def test_similar_finds_a_training_photo_itself_first(trained, cnnkit):
    photo = next((trained / "run/photos/train/horse").iterdir())
    result = cnnkit("similar", trained / "run", photo, "--count", 3)
    lines = result.stdout.splitlines()
    assert lines[0] == f"0.000  {photo}"
    distances = [float(line.split()[0]) for line in lines[:3]]
    assert distances == sorted(distances)
    with Image.open(trained / "run/similar.png") as picture:
        assert picture.width > 2 * picture.height
    assert lines[3] == f"They stand side by side in {trained / 'run/similar.png'}"


@pytest.mark.slow
def test_a_run_may_be_moved_with_its_photos(trained, here, cnnkit):
    shutil.copytree(trained, here / "moved")
    photo = next(Path("moved/run/photos/train/cow").iterdir())
    for command in (["evaluate"], ["predict", photo], ["similar", photo]):
        result = cnnkit(command[0], "moved/run", *command[1:])
        assert result.exit_code == 0, result.output
        assert str(trained) not in result.stdout


@pytest.mark.slow
def test_the_whole_network_begins_with_the_head_of_a_run(trained, here, cnnkit):
    base = f"image_size: 32\n  head_from: {trained / 'run'}"
    file = describe(trained / "photos", "after", epochs=1, more=NETWORK, network="densenet")
    file.write_text(
        file.read_text().replace("image_size: 32", base).replace("rate: 0.01", "rate: 1e-8")
    )
    result = cnnkit("train", file)
    assert result.exit_code == 0, result.output
    head = keras.models.load_model(trained / "run/training/best.keras")
    after = keras.models.load_model(trained / "after/training/last.keras").get_layer("head")
    for one, other in zip(head.get_weights(), after.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    file.write_text(file.read_text().replace("output: after", "output: other\nseed: 3"))
    assert cnnkit("train", file).stderr.endswith(
        "which base.head_from names, is no run of a head on the same base and photos: seed is 0 "
        "there and 3 here. Name another.\n"
    )


@pytest.mark.slow
def test_a_description_takes_the_base_of_the_head_to_begin_with(trained, here, cnnkit):
    options = "--mode", "network", "--head-from", trained / "run", "--output", "whole"
    result = cnnkit("init", trained / "photos", *options)
    assert result.exit_code == 0, result.output
    written = yaml.safe_load(Path("run.yml").read_text())
    base = written["base"]
    head_from = str(trained / "run")
    expected = {"network": "densenet", "weights": "drawn", "image_size": 32, "head_from": head_from}
    assert base == expected
    result = cnnkit("init", trained / "photos", *options, "--weights", "imagenet", "--force")
    assert result.exit_code == 1
    assert "has the weights drawn, and --weights says imagenet" in result.stderr
    result = cnnkit("init", trained / "photos", *options[2:], "--force")
    assert result.exit_code == 0, result.output
    assert yaml.safe_load(Path("run.yml").read_text()) == written
    result = cnnkit("init", trained / "photos", *options[2:], "--mode", "head", "--force")
    assert result.stderr == "Error: --head-from is for --mode network; leave one of them out.\n"
    for head, output, told in (
        ("network", "whole", f"{trained / 'network'} is no run of a head; name another"),
        ("run", trained / "run", f"{trained / 'run'} is the run of the head; name another --outp"),
    ):
        options = "--head-from", trained / head, "--output", output
        result = cnnkit("init", trained / "photos", "--file", "other.yml", *options)
        assert result.stderr.startswith(f"Error: {told}")


@pytest.mark.slow
def test_a_description_shares_the_photos_as_the_head_to_begin_with_did(trained, here, cnnkit):
    shutil.copytree(trained / "run", "head")
    text = Path("head/run.yml").read_text()
    Path("head/run.yml").write_text(text.replace("seed: 0", "seed: 3").replace("0.2", "0.25"))
    options = "--head-from", "head", "--output", "whole"
    assert cnnkit("init", trained / "photos", *options).exit_code == 0
    written = yaml.safe_load(Path("run.yml").read_text())
    shares = written["data"]["validation_share"], written["data"]["test_share"]
    assert (written["seed"], *shares) == (3, 0.25, 0.25)


@pytest.mark.slow
def test_photos_that_served_for_training_are_told_when_a_run_is_judged(trained, cnnkit):
    result = cnnkit("evaluate", trained / "run", trained / "photos")
    assert "on 30 photos in" in result.stdout
    assert "; 24 of them served to train it, so expect less of others" in result.stdout


@pytest.mark.slow
def test_a_search_after_more_training_uses_the_new_weights(trained, here, cnnkit):
    shutil.copytree(trained, here / "own")
    photo = next(Path("own/network/photos/train/horse").iterdir())
    assert cnnkit("similar", "own/network", photo).stdout.startswith("0.000")
    best = keras.models.load_model("own/network/training/best.keras")
    random = np.random.default_rng(0)
    best.set_weights([w * random.uniform(0.5, 2, w.shape) for w in best.get_weights()])
    best.save("own/network/training/best.keras")
    assert cnnkit("similar", "own/network", photo).stdout.startswith("0.000")


@pytest.mark.slow
def test_a_search_knows_photos_that_came_and_went(trained, here, cnnkit):
    shutil.copytree(trained, here / "own")
    folder = Path("own/network/photos/train/horse")
    photo = next(folder.iterdir())
    assert cnnkit("similar", "own/network", photo).stdout.startswith("0.000")
    added = photo.rename(folder / "another_name.jpg")
    assert added.name in cnnkit("similar", "own/network", added).stdout.splitlines()[0]

    changed = next(folder.iterdir())
    with Image.open(changed) as picture:
        picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM).save(changed)
    answer = cnnkit("similar", "own/network", changed).stdout.splitlines()[0]
    assert answer.startswith("0.000")
    assert changed.name in answer


@pytest.mark.slow
def test_photos_that_cannot_be_read_are_told_and_the_others_answered(trained, cnnkit):
    good, bad = trained / "photos/cow/cow.0.jpg", trained / "photos/cow/nothing.jpg"
    result = cnnkit("predict", trained / "run", bad, good)
    assert result.exit_code == 1
    assert result.stderr == f"Error: The photo {bad} is missing.\n"
    assert result.stdout.strip().endswith(str(good))
    answers = json.loads(cnnkit("predict", trained / "run", "--json", bad, good).stdout)
    assert answers[0] == {"file": str(bad), "error": f"The photo {bad} is missing."}
    assert answers[1]["class"] in ("cow", "horse", "owl")
    result = cnnkit("similar", trained / "run", trained / "photos/owl/broken.jpg")
    assert result.stderr.startswith(f"Error: {trained / 'photos/owl/broken.jpg'} is not usable: ")
    assert result.exit_code == 1
