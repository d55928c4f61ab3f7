"""Folders as people have them: links, copies, letters that a terminal lacks, long names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cnnkit.cli import config

import pytest

from .conftest import describe, draw


@pytest.fixture
def run(here, cnnkit):
    """A trained run, whose class folders are links."""
    for part, count in (("train", 6), ("val", 3), ("test", 3)):
        draw(here / "store" / part, count=count, seed=count * len(part))
        (here / "photos" / part).mkdir(parents=True)
        for kind in ("cow", "horse"):
            (here / "photos" / part / kind).symlink_to(here / "store" / part / kind)
    result = cnnkit("train", describe(here / "photos", epochs=1))
    assert result.exit_code == 0, result.output
    return here / "run"


@pytest.mark.slow
def test_what_served_to_train_is_counted_by_its_content(run, here, cnnkit):
    told = cnnkit("evaluate", run, "photos/train").stdout
    assert "; 12 of them served to train it, so expect less of others" in told
    assert "on 6 test photos, which the training has not seen" in cnnkit("evaluate", run).stdout
    shutil.copy(here / "store/train/cow/cow.0.jpg", here / "store/test/cow/cow.0.jpg")
    assert "on 6 test photos; 1 of them served to train it" in cnnkit("evaluate", run).stdout
    draw("later", ("cow", "horse"), count=2).joinpath("boxes.csv").unlink()
    shutil.rmtree("later/horse")
    (here / "a/b/photos").mkdir(parents=True)
    shutil.move("later/cow", "a/b/photos/cow")
    (here / "c/b/photos").mkdir(parents=True)
    shutil.copytree("a/b/photos/cow", "c/b/photos/cow")
    for folder in ("a/b/photos", "c/b/photos"):
        assert cnnkit("evaluate", run, folder).exit_code == 0
    assert len(list(run.glob("report-b-photos-*"))) == 2
    long = here / ("가" * 60) / ("나" * 60)
    shutil.copytree("a/b/photos", long)
    assert cnnkit("evaluate", run, long).exit_code == 0


@pytest.mark.parametrize("output", ["photos/run", "photos/train/run", "link/run"])
def test_a_run_inside_its_photos_is_refused_whenever_it_begins(here, cnnkit, output):
    draw(here / "photos")
    (here / "link").symlink_to(here / "photos")
    if "train" in output:
        shutil.move("photos", "moved")
        for part in ("train", "val"):
            shutil.copytree("moved", here / "photos" / part)
    text = "data:\n  folder: {}\nbase:\n  weights: drawn\noutput: {}\n"
    Path("run.yml").write_text(text.format("photos", output))
    for _ in range(2):
        result = cnnkit("train", "run.yml")
        assert result.exit_code == 1 and "lies inside of" in result.stderr
        Path(output).mkdir(parents=True, exist_ok=True)
        (Path(output) / "run.yml").write_text(text.format(here / "photos", "."))


@pytest.mark.parametrize("name", ["🐱", "고양이 – 1", "Ωmega"])
def test_letters_that_a_terminal_lacks_stop_no_command(here, name):
    draw(here / "photos")
    (here / "photos/cow").rename(here / "photos" / name)
    call = [sys.executable, "-c", "from cnnkit.cli import app; app()", "check", "photos"]
    environment = os.environ | {
        "PYTHONIOENCODING": "cp949",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    result = subprocess.run(call, capture_output=True, env=environment)
    assert (result.returncode, result.stderr) == (0, b"")
    assert b"usable photos: 10" in result.stdout


def test_copies_are_told_by_check(here, cnnkit):
    draw(here / "photos")
    shutil.copy("photos/cow/cow.0.jpg", "photos/cow/again.jpg")
    shutil.copy("photos/cow/cow.0.jpg", "photos/horse/wrong.jpg")
    result = cnnkit("check", "photos")
    assert "copies, byte for byte: 2; in another class: 1, in another part: 0\n" in result.stdout
    for part in ("train", "val"):
        shutil.copytree("photos", f"parts/{part}")
    assert "copies, byte for byte: 14; " in (told := cnnkit("check", "parts").stdout)
    assert "in another part: 12\n" in told


def test_photos_beside_a_run_are_not_its_split(here):
    (here / "photos").mkdir()
    text = 'data: {{folder: {}}}\nbase: {{}}\noutput: "{}"\n'
    Path("run.yml").write_text(text.format("pets", "."))
    assert config.read(Path("run.yml")).photos == Path("pets")
    for output in (r"D:\runs\new", r"D:\Photos"):  # in double quotes
        Path("run.yml").write_text(text.format("pets", output))
        with pytest.raises(ValueError, match="a Windows path stands in single quotes"):
            config.read(Path("run.yml"))
