"""The README's way from a folder of photos to a search by picture, typed as it stands there."""

import csv
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from cnnkit.data import store

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
REAL = store.home() / "hymenoptera_data"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for a shell")
def test_the_readmes_commands_take_less_than_three_minutes(here):
    (commands,) = re.findall(r"<!-- own photos -->\n```sh\n(.*?)```", README, re.DOTALL)
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]}
    start = time.monotonic()
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=environment,
        text=True,
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    assert time.monotonic() - start < 180
    assert "on 80 test photos, which the training has not seen" in run.stdout
    accuracy = re.search(r"^accuracy +([\d.]+)", run.stdout, re.MULTILINE)
    assert float(accuracy[1]) > 0.6  # of four classes, by the drawn base
    assert "photos/cow/cow.0.jpg" in run.stdout
    assert (here / "run/similar.png").is_file()


@pytest.mark.skipif(not REAL.is_dir(), reason="real photos are not here")
def test_the_same_on_real_photos(here, cnnkit):
    checked = cnnkit("check", REAL)
    assert checked.exit_code == 1
    assert "train/ants/imageNotFound.gif: it has a palette" in checked.stdout
    assert checked.stdout.splitlines()[-1] == "397 usable photos, 1 problem"
    assert cnnkit("init", REAL, "--weights", "drawn").exit_code == 0
    trained = cnnkit("train", "run.yml")
    assert trained.exit_code == 0, trained.stderr
    assert "imageNotFound.gif" in trained.stderr
    assert cnnkit("evaluate", "run").exit_code == 0
    with Path("run/report/report.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = {row[0]: row for row in csv.reader(file)}
    right = [int(rows[name][5 + n].split("/")[0]) for n, name in enumerate(("ants", "bees"))]
    assert [rows["ants"][4], rows["bees"][4]] == ["70", "83"]
    assert rows["accuracy"][5] == f"{sum(right)}/153"
    photo = next((REAL / "val/bees").iterdir())
    for command in (["predict"], ["predict", "--json"], ["similar"]):
        assert cnnkit(*command, "run", photo).exit_code == 0
