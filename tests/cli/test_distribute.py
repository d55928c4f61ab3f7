"""One classifier trained by two processes that call the same command."""

import csv
import re
import subprocess
import sys
from pathlib import Path

from cnnkit.cli import config

import keras
import numpy as np
import pytest

from ..jobs import SOON, start_processes
from .conftest import draw

pytest.importorskip("jax")


def train(count: int, file: Path) -> list[subprocess.CompletedProcess[str]]:
    command = [sys.executable, "-c", "from cnnkit.cli import app; app()", "train", "--distribute"]
    jobs = start_processes(count, [*command, str(file)], XLA_FLAGS=SOON)
    outputs = [job.communicate(timeout=200) for job in jobs]
    return [
        subprocess.CompletedProcess(job.args, job.returncode, *output)
        for job, output in zip(jobs, outputs, strict=True)
    ]


def describe(output: str, mode: str) -> Path:
    network = {"head": "vgg16", "network": "densenet"}[mode]  # VGG16 is built sooner
    values = {
        "data": {"folder": "photos"},
        "base": {"network": network, "weights": "drawn", "image_size": 40},
        "mode": mode,
        "training": {"epochs": 2, "batch_size": 8, "learning_rate": 0.001},
        "evaluation": {"every": 2, "after": 0},
        "output": output,
    }
    file = Path(f"{output}.yml")
    config.write(config.complete(values, Path()), file)
    return file


def table(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.reader(file))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["head", pytest.param("network", marks=pytest.mark.survival)])
def test_two_processes_train_as_one_does(here, mode):
    draw("photos", count=20)
    (alone,) = train(1, describe("alone", mode))
    first, second = train(2, describe("together", mode))
    assert [run.returncode for run in (alone, first, second)] == [0, 0, 0], (
        alone.stderr + first.stderr + second.stderr
    )
    assert "Epoch 2/2" in first.stdout and "on 8 test photos" in first.stdout
    told = re.sub(r"\[Gloo\].*\n", "", second.stdout)
    assert told == "", "the second process has nothing to tell"
    one, two = (
        sorted(path.relative_to(name).as_posix() for path in Path(name).rglob("*"))
        for name in ("alone", "together")
    )
    assert [name for name in two if "features" not in name] == [
        name for name in one if "features" not in name
    ]
    for name in ("history.csv", "evaluations.csv"):
        (header, *rows), (expected_header, *expected) = (
            table(Path(run) / "training" / name) for run in ("together", "alone")
        )
        assert header == expected_header
        for row, values in zip(rows, expected, strict=True):
            for found, value in zip(row, values, strict=True):
                if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", value):
                    assert float(found) == pytest.approx(float(value), abs=1e-4)
                else:
                    assert found == value
    kept = [keras.models.load_model(f"{run}/training/last.keras") for run in ("alone", "together")]
    for weight, other in zip(*(model.get_weights() for model in kept), strict=True):
        np.testing.assert_allclose(other, weight, atol=1e-3)


@pytest.mark.slow
def test_several_processes_take_jax_and_say_so(here, cnnkit, monkeypatch):
    if keras.backend.backend() == "jax":
        pytest.skip("concerns the other backends")
    draw("photos", count=5)
    for name, value in {"JOB_ADDRESSES": "here:1", "NUM_PROCESSES": "2", "PROCESS_ID": "0"}.items():
        monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)
    result = cnnkit("train", "--distribute", describe("run", "head"))
    assert result.exit_code == 1
    assert "KERAS_BACKEND=jax" in result.stderr
    assert not Path("run").exists()
    result = cnnkit("train", describe("run", "head"))
    assert result.exit_code == 0
    assert "counts with --distribute only" in result.stderr
