"""How the command starts, and how it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cnnkit.cli import runs

import keras
import numpy as np
import pytest

from .conftest import NETWORK, describe, draw

# What commands that need no network import; and how each of them ends.
LIGHT = """
import sys
from typer.testing import CliRunner
from cnnkit import cli

cli.PER_CLASS = 1
for command in ("--help", "data --help", "data drawings", "check photos", "init photos"):
    result = CliRunner().invoke(cli.app, command.split())
    assert result.exit_code == 0, result.output
heavy = {"keras", "tensorflow", "jax", "torch", "sklearn", "scipy", "matplotlib"}
print(*sorted(heavy & set(sys.modules)))
"""


def test_what_trains_nothing_imports_no_keras(here):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", LIGHT], env=environment, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("\n", "")


def test_exit_codes(here, cnnkit):
    for wrong in (["trian"], ["data", "cifar"], ["similar", "run", "a.jpg", "--count", 0]):
        assert cnnkit(*wrong).exit_code == 2
    for command in (["evaluate", "run"], ["predict", "run", "a.jpg"], ["similar", "run", "a.jpg"]):
        result = cnnkit(*command)
        message = "run/run.yml is missing; `cnnkit init` and `cnnkit train` write it."
        assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    exception = cnnkit("--debug", "evaluate", "run").exception
    assert isinstance(exception, FileNotFoundError)  # which Python shows


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, ""),
        (ValueError("Wrong:\n  a: this\n  b: that"), 1, "Error: Wrong:\n  a: this\n  b: that\n"),
        (FloatingPointError("The loss is nan."), 1, "Error: The loss is nan.\n"),
    ],
)  # fmt: skip
def test_an_error_is_told_with_its_lines(here, cnnkit, monkeypatch, error, code, told):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(runs, "train", fail)
    result = cnnkit("train", describe(here / "photos"))
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", told)


@pytest.mark.survival
@pytest.mark.skipif(os.name == "nt", reason="signals differ")
@pytest.mark.parametrize("more", ["", NETWORK])
def test_ctrl_c_leaves_a_run_that_ends_as_one_without_it(here, cnnkit, more):
    for output in ("whole", "run"):
        describe(draw("photos", count=10), output, epochs=10, more=more)
    assert cnnkit("train", "whole.yml").exit_code == 0
    process = subprocess.Popen(
        [sys.executable, "-c", "from cnnkit.cli import app; app()", "train", "run.yml"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # pytest may ignore it
    )
    whole, run = (Path(output, "training/history.csv") for output in ("whole", "run"))
    end = time.monotonic() + 120
    while not (run.exists() and len(run.read_text().splitlines()) > 2):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert len(run.read_text().splitlines()) < 11
    assert "Going on after epoch" in cnnkit("train", "run.yml").stdout
    assert run.read_text() == whole.read_text()
    one, other = (keras.models.load_model(path.with_name("last.keras")) for path in (whole, run))
    for weight, now in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, now)
