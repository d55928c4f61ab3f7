"""The commands, from a folder of drawings to an answer, and how they end."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from cnnkit import models
from cnnkit.cli import app, datasets

import keras
import numpy as np
import pytest
import yaml
from PIL import Image
from typer.testing import CliRunner

from .conftest import draw

SMALL = """\
base:
  network: vgg16
  weights: drawn
  image_size: 32
evaluation:
  every: 2
  after: 1
training:
  learning_rate: 0.01
"""
NETWORK = "  optimizer: sgd\n  momentum: 0.9\nmode: network\n"


def describe(
    folder: Path, output: str = "run", epochs: int = 3, more: str = "", network: str = "vgg16"
) -> Path:
    """Write a description beside a folder of photos, with the base that is built fastest."""
    file = folder.parent / f"{output}.yml"
    text = f"data:\n  folder: {folder.name}\noutput: {output}\n{SMALL}  epochs: {epochs}\n{more}"
    file.write_text(text.replace("vgg16", network))
    return file


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with photos, a stray file, a broken one, and a trained run of each mode."""
    folder = tmp_path_factory.mktemp("own")
    photos = draw(folder / "photos", ("cow", "horse", "owl"), 10)
    (photos / "cow/Thumbs.db").touch()
    (photos / "owl/broken.jpg").write_bytes((photos / "owl/owl.0.jpg").read_bytes()[:400])
    for output, more in (("run", ""), ("network", NETWORK)):
        file = describe(photos, output, more=more, network="densenet")
        result = CliRunner().invoke(app, ["train", str(file)])
        assert result.exit_code == 0, result.output
        assert "cow/Thumbs.db: a hidden or system file" in result.stderr
        assert "owl/broken.jpg: it is damaged or cut short" in result.stderr
        assert "on 6 test photos, which the training has not seen" in result.stdout
    return folder


def test_check_names_what_is_not_usable_and_counts_the_rest(here, cnnkit):
    draw("photos")
    assert cnnkit("check", "photos").exit_code == 0
    Path("photos/cow/Thumbs.db").touch()
    result = cnnkit("check", "photos")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "photos/cow: 5 photos",
        "photos/horse: 5 photos",
        "photos/cow/Thumbs.db: a hidden or system file; delete it",
        "10 usable photos, 1 problem",
    ]
    draw("split/train")
    draw("split/val", count=2)
    assert "split/val/horse: 2 photos" in cnnkit("check", "split").stdout
    assert cnnkit("check", "nowhere").exit_code == 1


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
def test_a_run_goes_on_from_elsewhere_and_after_a_move(here, cnnkit, monkeypatch):
    (here / "own").mkdir()
    file = describe(draw(here / "own/photos"))
    assert cnnkit("train", file).exit_code == 0
    features = sorted(path.name for path in (here / "own/run/features").iterdir())
    describe(here / "own/photos", epochs=4)
    monkeypatch.chdir(here / "own")
    result = cnnkit("train", "run.yml")
    assert "Going on after epoch 3" in result.stdout, result.stderr
    monkeypatch.chdir(here)
    Path("own").rename("moved")
    describe(here / "moved/photos", epochs=5)
    result = cnnkit("train", "moved/run.yml")
    assert "Going on after epoch 4" in result.stdout, result.stderr
    assert sorted(path.name for path in (here / "moved/run/features").iterdir()) == features


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
def test_photos_that_are_added_after_the_split_are_not_ignored(here, cnnkit):
    file = describe(draw("photos"), epochs=1)
    cnnkit("train", file)
    shutil.copy("photos/cow/cow.1.jpg", "photos/cow/new.jpg")
    result = cnnkit("train", file)
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "Error: photos is no longer what it was when run was begun. Name another output, or "
    )
    shutil.rmtree("photos")
    assert cnnkit("train", file).exit_code == 0


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


def test_a_test_set_is_looked_at_before_the_training(here, cnnkit):
    for part in ("train", "val"):
        draw(part)
    text = f"data:\n  train_folder: train\n  validation_folder: val\n  test_folder: test\n{SMALL}"
    Path("run.yml").write_text(text)
    assert "test is no folder" in cnnkit("train", "run.yml").stderr
    draw("test", ("cow", "owl"))
    assert "owl: it is none of the classes cow, horse" in cnnkit("train", "run.yml").stderr
    assert not Path("run").exists()


@pytest.mark.slow
def test_what_a_killed_run_and_the_system_leave_is_no_obstacle(here, cnnkit):
    file = describe(draw("photos"), epochs=1)
    Path("run/.photos.part").mkdir(parents=True)
    Path("run/.DS_Store").touch()
    assert cnnkit("train", file).exit_code == 0


@pytest.mark.slow
def test_a_finished_run_is_only_judged_again_and_more_epochs_prolong_it(here, cnnkit):
    file = describe(draw("photos"))
    cnnkit("train", file)
    again = cnnkit("train", file)
    assert again.exit_code == 0
    assert "The run ended with epoch 3" in again.stdout
    longer = cnnkit("train", describe(Path("photos"), epochs=4))
    assert "Going on after epoch 3" in longer.stdout
    other = cnnkit("train", describe(Path("photos"), more="  batch_size: 4\nseed: 5\n"))
    assert other.stderr == (
        "Error: run holds another run: seed is 0 there and 5 here; training.batch_size is 8 there "
        "and 4 here. Name another output, or delete the folder.\n"
    )


@pytest.mark.slow
def test_a_floor_that_is_not_reached_is_told(here, cnnkit):
    file = describe(draw("photos"), epochs=1)
    text = file.read_text().replace("after: 1", "after: 1\n  floor: 1.0")
    file.write_text(text.replace("learning_rate: 0.01", "learning_rate: 1e-8"))
    result = cnnkit("train", file)
    assert result.exit_code == 0
    assert not Path("run/training/best.keras").exists()
    assert "No evaluation reached evaluation.floor, 1.0; the last weights are" in result.stderr
    assert cnnkit("evaluate", "run").exit_code == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals differ")
@pytest.mark.parametrize(
    "more", ["", pytest.param("  optimizer: adam\nmode: network\n", marks=pytest.mark.survival)]
)
def test_ctrl_c_leaves_a_run_that_ends_as_one_without_it(here, cnnkit, more):
    describe(draw("photos", count=10), "whole", epochs=10, more=more)
    describe(Path("photos"), "run", epochs=10, more=more)
    assert cnnkit("train", "whole.yml").exit_code == 0
    command = [sys.executable, "-c", "from cnnkit.cli import app; app()", "train", "run.yml"]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # pytest may ignore it
    )
    history, end = Path("run/training/history.csv"), time.monotonic() + 120
    while not (history.exists() and len(history.read_text().splitlines()) > 2):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "Interrupted. The same command goes on where this one was."
    assert len(history.read_text().splitlines()) < 11
    assert cnnkit("train", "run.yml").exit_code == 0
    for name in ("history.csv", "evaluations.csv"):
        whole, run = (Path(output, "training", name).read_text() for output in ("whole", "run"))
        assert run == whole
    for name in ("best.keras", "last.keras"):
        whole, run = (
            keras.models.load_model(Path(output, "training", name)).get_weights()
            for output in ("whole", "run")
        )
        for one, other in zip(whole, run, strict=True):
            np.testing.assert_array_equal(one, other)


def test_exit_codes_and_errors_in_one_line(here, cnnkit):
    assert cnnkit("trian").exit_code == 2
    assert cnnkit("data", "cifar").exit_code == 2
    for count in (0, 1_000):
        assert cnnkit("similar", "run", "a.jpg", "--count", count).exit_code == 2
    for command in (["evaluate", "run"], ["predict", "run", "a.jpg"], ["similar", "run", "a.jpg"]):
        result = cnnkit(*command)
        message = "run holds no run; give a folder that `cnnkit train` has made."
        assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    for where in (["--debug", "evaluate", "run"], ["evaluate", "run", "--debug"]):
        result = cnnkit(*where)
        assert result.exit_code == 1
        assert "Traceback" in result.stderr
        assert result.stderr.splitlines()[-1].startswith("Error: run holds no run")


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["digits"], "training: 1,617 pictures of 8×8 pixels, 10 classes"),
        (["mnist"], "test: 180 pictures of 28×28 pixels, 10 classes"),
        (["cifar10"], "training: 40 pictures of 32×32 pixels, 10 classes"),
        (["drawings", "--folder", "own"], "own/koala: 4 photos"),
    ],
)
def test_data_sets_are_prepared_and_described(data_home, cnnkit, monkeypatch, arguments, line):
    monkeypatch.setattr(datasets, "PER_CLASS", 4)
    cifar10 = import_module("cnnkit.data.cifar10")
    monkeypatch.setattr(cifar10, "DRAWN", {"train": 4, "test": 1})
    result = cnnkit("data", *arguments)
    assert result.exit_code == 0, result.output
    assert line in result.stdout.splitlines()


@pytest.mark.parametrize(("options", "split"), [([], "small"), (["--split", "half"], "half")])
def test_cats_and_dogs_are_split_as_told(here, cnnkit, monkeypatch, options, split):
    folder = draw("split", ("cat", "dog"))
    taken = {("full", split): folder}
    monkeypatch.setattr(datasets.data, "cats_vs_dogs", lambda scale, split: taken[scale, split])
    result = cnnkit("data", "cats_vs_dogs", "--scale", "full", *options)
    assert "split/cat: 5 photos" in result.stdout, result.output


def test_only_drawings_go_to_a_folder_of_your_own(data_home, cnnkit):
    result = cnnkit("data", "cifar10", "--folder", "own")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: --folder is for drawings; cifar10 lies in the data")


def test_only_cats_and_dogs_are_split_in_two_ways(data_home, cnnkit):
    result = cnnkit("data", "mnist", "--split", "half")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: --split is for cats_vs_dogs; leave it out for mnist.")


def test_photos_of_your_own_are_not_to_be_deleted_for_drawings(here, cnnkit):
    Path("one/cat").mkdir(parents=True)
    result = cnnkit("data", "drawings", "--folder", "one")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: one holds files that cnnkit did not write; expected ")
    assert result.stderr.endswith(". Name another folder.\n")


def test_data_that_are_missing_are_told_with_how_to_get_them(data_home, cnnkit):
    result = cnnkit("data", "cats_vs_dogs", "--scale", "full")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert "dogs-vs-cats.zip" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_version_is_told(cnnkit):
    assert cnnkit("--version").stdout == f"cnnkit {version('cnnkit')}\n"


def test_help_lists_the_commands_and_the_exit_codes(cnnkit):
    text = cnnkit("--help").stdout
    for name in ("data", "check", "init", "train", "evaluate", "predict", "similar", "130"):
        assert name in text
