"""What must run on every Keras backend, run on those that are installed beside TensorFlow."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


MODULES = [
    "data/test_augment.py",
    "data/test_pixels.py",
    "data/test_windows.py",
    "evaluation/explain",
    "evaluation/test_branches.py",
    "evaluation/test_predict.py",
    "models",
    "test_backend.py",
    "training/test_recipes.py",
    "training/test_resuming.py",
    "training/test_runs.py",
    "training/transfer",
]


@pytest.mark.backends
@pytest.mark.parametrize("tests", MODULES)
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_it_runs_on_the_other_backends(backend, tests):
    pytest.importorskip(backend)
    command = [sys.executable, "-m", "pytest", "-q", "-n0", f"tests/{tests}"]
    command.append("--ignore=tests/models/test_backends_agree.py")  # which compares all by itself
    # JAX compiles for longer than it computes here.
    quickly = {"XLA_FLAGS": "--xla_backend_optimization_level=0"}
    environment = os.environ | quickly | {"KERAS_BACKEND": backend}
    run = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
    assert run.returncode == 0, run.stdout
