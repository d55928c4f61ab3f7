"""The promises that the project's files make to one another, and to a fresh machine."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TRAIN = """
import os, sys
import numpy
from cnnkit import data, evaluation, models, training
assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == "1"  # on every processor
for _ in range(4):  # as many models as make TensorFlow suspect a mistake
    model = models.digits_cnn()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(numpy.zeros((70, 8, 8, 1)), numpy.zeros(70), batch_size=64, verbose=0)
    evaluation.predict(model, numpy.zeros((70, 8, 8, 1)))
photos = data.image_folder(data.drawings.write(sys.argv[1], ["cat", "dog"], 4, seed=0), (78, 78))
model = models.cats_vs_dogs_cnn((78, 78, 3), data.augment.flip_rotate_zoom(), dropout=0.5)
training.recipes.CATS_VS_DOGS.compile(model)
model.fit(photos, validation_data=photos, epochs=2, verbose=0)
"""


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    ours = ("TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS")  # which this process has got already
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=kept | environment,
        text=True,
        capture_output=True,
    )


def readme_extras() -> set[str]:
    """The extras that the README's commands install."""
    return set(",".join(re.findall(r'-e "?\.\[([a-z,]+)\]', README)).split(","))


def test_conda_installs_the_extras_of_the_readmes_commands():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert "--constraint constraints.txt" in pip
    (install,) = [line for line in pip if line.startswith("--editable")]
    extras = re.fullmatch(r"--editable \.\[([a-z,]+)\]", install)
    assert set(extras[1].split(",")) == readme_extras()
    assert readme_extras() <= set(PROJECT["optional-dependencies"])
    (conda_python,) = [line for line in environment["dependencies"] if "python=" in str(line)]
    required = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert Version(conda_python.split("=")[1]) in required


def test_constraints_pin_every_requirement_within_its_range():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert all(pin.url is None and str(pin.specifier).startswith("==") for pin in pins)
    versions = {pin.name.lower().replace("_", "-"): str(pin.specifier)[2:] for pin in pins}
    wanted = PROJECT["dependencies"] + [
        requirement
        for extra in readme_extras()
        for requirement in PROJECT["optional-dependencies"][extra]
    ]
    for requirement in map(Requirement, wanted):
        if requirement.name != "cnnkit":
            assert Version(versions[requirement.name]) in requirement.specifier


@pytest.mark.slow
def test_importing_and_training_write_nothing(tmp_path):
    run = python(TRAIN, tmp_path / "drawn")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.torch)])
def test_cnnkit_does_without_tensorflow_and_without_a_standard_error(backend):
    pytest.importorskip(backend)
    code = (
        "import os, sys; os.close(2); sys.stderr = None; sys.modules['tensorflow'] = None\n"
        "from cnnkit import models; print(models.digits_cnn().count_params() > 0)"
    )
    assert python(code, KERAS_BACKEND=backend).stdout == "True\n"


def test_no_module_needs_a_backend_to_be_imported():
    for path in (ROOT / "cnnkit").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in getattr(node, "names", [])]
            imported = {name.split(".")[0] for name in [*names, getattr(node, "module", "") or ""]}
            assert not {"tensorflow", "jax", "torch"} & imported, path
