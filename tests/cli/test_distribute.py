"""One classifier trained by two processes that call the same command."""

import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from ..jobs import SOON, start_processes
from .conftest import NETWORK, describe, draw

pytest.importorskip("jax")


def train(count: int, file: Path) -> list[subprocess.CompletedProcess[str]]:
    command = [sys.executable, "-c", "from cnnkit.cli import app; app()", "train", "--distribute"]
    jobs = start_processes(count, [*command, str(file)], XLA_FLAGS=SOON)
    outputs = [job.communicate(timeout=200) for job in jobs]
    return [
        subprocess.CompletedProcess(job.args, job.returncode, *output)
        for job, output in zip(jobs, outputs, strict=True)
    ]


def numbers(path: Path) -> np.ndarray:
    found = re.findall(r"\d+\.\d+(?:e-?\d+)?", path.read_text())
    return np.array(found, float)


@pytest.mark.survival
@pytest.mark.parametrize("more", ["", NETWORK])
def test_two_processes_train_as_one_does(here, more):
    draw("photos", count=20)
    (alone,) = train(1, describe(here / "photos", "alone", 2, more))
    first, second = train(2, describe(here / "photos", "together", 2, more))
    assert [run.returncode for run in (alone, first, second)] == [0, 0, 0], (
        alone.stderr + first.stderr + second.stderr
    )
    assert "Epoch 2/2" in first.stdout and "on 8 test photos" in first.stdout
    told = re.sub(r"\[Gloo\].*\n", "", second.stdout)
    assert told == "", "the second process has nothing to tell"
    one, two = (Path(name, "training") for name in ("alone", "together"))
    assert {path.relative_to(two) for path in two.rglob("*")} == {
        path.relative_to(one) for path in one.rglob("*")
    }
    for name in ("history.csv", "evaluations.csv"):
        np.testing.assert_allclose(numbers(two / name), numbers(one / name), atol=1e-3)
    kept = [keras.models.load_model(folder / "last.keras") for folder in (one, two)]
    for weight, other in zip(*(model.get_weights() for model in kept), strict=True):
        np.testing.assert_allclose(other, weight, atol=1e-3)
