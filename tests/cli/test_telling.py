"""What the commands tell beside their answers, and how they end."""

import errno
import os
from importlib.metadata import version
from pathlib import Path

from cnnkit.cli import telling

import pytest

from .conftest import SMALL, describe, draw


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
def test_a_floor_that_is_not_reached_is_told(here, cnnkit):
    file = describe(draw("photos"), epochs=1)
    text = file.read_text().replace("after: 1", "after: 1\n  floor: 1.0")
    file.write_text(text.replace("learning_rate: 0.01", "learning_rate: 1e-8"))
    result = cnnkit("train", file)
    assert result.exit_code == 0
    assert not Path("run/training/best.keras").exists()
    assert "No evaluation reached evaluation.floor, 1.0; the last weights are" in result.stderr
    assert cnnkit("evaluate", "run").exit_code == 0


def test_the_version_is_told(cnnkit):
    assert cnnkit("--version").stdout == f"cnnkit {version('cnnkit')}\n"


def test_help_lists_the_commands_and_the_exit_codes(cnnkit):
    text = cnnkit("--help").stdout
    for name in ("data", "check", "init", "train", "evaluate", "predict", "similar", "130"):
        assert name in text


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (
            "It is missing.\nGet it from http://a/b.npz\nPut it into /c,\nor d.",
            "It is missing. Get it from http://a/b.npz; Put it into /c, or d.",
        ),
        ("What is wrong:\na: damaged\nb: empty", "What is wrong: a: damaged; b: empty"),
        ("Save the text that it\nshows", "Save the text that it shows"),
    ],
)
def test_points_of_a_message_stay_apart_in_one_line(message, line):
    assert telling._in_one_line(ValueError(message)) == line


def test_a_folder_that_cannot_be_written_is_told_by_the_files_name(here, cnnkit, monkeypatch):
    draw("photos")
    opened = Path.open

    def refuse(self, mode="r", **options):
        if self.parent.name == "closed":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return opened(self, mode, **options)

    monkeypatch.setattr(Path, "open", refuse)
    result = cnnkit("init", "photos", "--file", "closed/run.yml")
    message = "closed/run.yml: Permission denied. Allow it, or choose another place."
    assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")


def test_distribute_without_other_processes_is_told(here, cnnkit, monkeypatch):
    monkeypatch.delenv("KERAS_DISTRIBUTION_JOB_ADDRESSES", raising=False)
    note, error = cnnkit("train", "--distribute", describe(here / "photos")).stderr.splitlines()
    assert note.startswith("Note: KERAS_DISTRIBUTION_JOB_ADDRESSES is not set, so no other process")
    assert error.startswith("Error: ")
