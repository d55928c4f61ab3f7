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
import numpy, sys
from cnnkit import evaluation, models
for _ in range(4):  # as many models as make TensorFlow suspect a mistake
    model = models.digits_cnn()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(numpy.zeros((70, 8, 8, 1)), numpy.zeros(70), batch_size=64, verbose=0)
    evaluation.predict(model, numpy.zeros((70, 8, 8, 1)))
"""
TRAIN_ON_PHOTOS = """
import sys
from cnnkit import data, models, training
photos = data.image_folder(data.drawings.write(sys.argv[1], ["cat", "dog"], 4, seed=0), (78, 78))
model = models.cats_vs_dogs_cnn((78, 78, 3), data.augment.flip_rotate_zoom(), dropout=0.5)
training.recipes.CATS_VS_DOGS.compile(model)
model.fit(photos, validation_data=photos, epochs=2, verbose=0)
"""


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess:
    kept = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
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


def test_the_parts_keep_to_their_rooms():
    lint = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")], cwd=ROOT, text=True, capture_output=True
    )
    assert lint.returncode == 0, lint.stdout


@pytest.mark.slow
def test_importing_and_training_write_nothing():
    run = python(TRAIN)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


@pytest.mark.slow
def test_training_on_photos_writes_nothing(tmp_path):
    run = python(TRAIN_ON_PHOTOS, tmp_path / "drawn")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_what_a_failing_import_writes_is_let_through():
    run = python("import cnnkit", KERAS_BACKEND="abacus")
    assert run.returncode != 0
    assert "abacus" in run.stderr


@pytest.mark.parametrize("name", ["abacus", "torch"])
def test_a_backend_that_keras_cannot_have_is_told_with_the_cure(name):
    code = f"import sys; sys.modules[{name!r}] = None; import cnnkit"
    last = python(code, KERAS_BACKEND=name).stderr.splitlines()[-1]
    assert last.startswith("ImportError: Keras cannot compute: ")
    assert name in last
    assert "KERAS_BACKEND to one of tensorflow, jax, torch that is installed" in last


@pytest.mark.slow
def test_tensorflow_takes_onednn_on_every_processor(monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    code = "import os, cnnkit; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    assert python(code).stdout == "1\n"


@pytest.mark.slow
def test_cnnkit_imports_where_there_is_no_standard_error():
    run = python("import os; os.close(2); import cnnkit; print('imported')")
    assert run.stdout == "imported\n"


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_cnnkit_imports_where_tensorflow_is_missing(backend):
    pytest.importorskip(backend)
    code = "import sys; sys.modules['tensorflow'] = None; import cnnkit; print('imported')"
    assert python(code, KERAS_BACKEND=backend).stdout == "imported\n"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "cnnkit").rglob("*.py")), ids=lambda path: path.stem
)
def test_no_module_needs_a_backend_to_be_imported(path):
    imported = [
        name.split(".")[0]
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    assert not {"tensorflow", "jax", "torch"} & set(imported)


@pytest.mark.slow
def test_importing_cnnkit_costs_little_more_than_keras():
    """At most a tenth in the best of three tries, since a machine may be busy.

    Measured in one process, where the noise of two does not matter, and without garbage
    collection: a pass over all that Keras has loaded would count as cnnkit's.
    """
    code = (
        "import gc; gc.disable()\n"
        "from time import perf_counter as now\n"
        "start = now(); import keras; middle = now(); import cnnkit; end = now()\n"
        "print((end - middle) / (middle - start))"
    )
    assert any(float(python(code).stdout) <= 0.10 for _ in range(3))
