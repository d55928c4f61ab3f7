"""The README's way from a folder of photos to a search by picture, typed as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")


@pytest.mark.survival
@pytest.mark.skipif(shutil.which("bash") is None, reason="the commands are for a shell")
def test_the_readmes_commands_work(here):
    (commands,) = re.findall(r"<!-- own photos -->\n```sh\n(.*?)```", README, re.DOTALL)
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]}
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        env=environment,
        text=True,
        capture_output=True,
    )
    assert run.returncode == 0, run.stderr
    assert "on 80 test photos, which the training has not seen" in run.stdout
    accuracy = re.search(r"^accuracy +([\d.]+)", run.stdout, re.MULTILINE)
    assert float(accuracy[1]) > 0.6  # of four classes, by the drawn base
    assert "run/photos/test/cow/cow.13.jpg" in run.stdout
    assert (here / "run/similar.png").is_file()
