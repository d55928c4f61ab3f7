"""The directory of a run: what it holds, whose it is, and damage to it."""

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnkit import data
from cnnkit.training.directory import RunDirectory

import filelock
import keras
import numpy as np
import pytest

from .conftest import RECIPE, build, fit, interrupt, load, read, same


def test_the_directory_holds_what_it_should(whole):
    model, history, directory = whole
    files = sorted(path.name for path in directory.iterdir())
    visible = ["best.keras", "curves.png", "history.csv", "last.keras", "run.json"]
    assert files == [".lock", *visible, "state-before.npz", "state.npz"]

    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert about["recipe"] == dataclasses.asdict(RECIPE)
    assert about["training"]["shape"] == [24, 20, 20, 3]
    assert about["training"]["classes"] == {"cat": 12, "dog": 12}
    assert about["validation"]["shape"] == [8, 20, 20, 3]
    assert about["model"]["parameters"] == model.count_params()
    assert about["versions"]["keras"] == keras.__version__

    with (directory / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row.pop("epoch") for row in rows] == ["1", "2", "3", "4"]
    for name, figures in history.history.items():
        assert [float(row[name]) for row in rows] == figures
    assert (directory / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": lambda: build(units=9)}, r"model, parameters: \d+ there and \d+ here"),
        (
            {"recipe": dataclasses.replace(RECIPE, momentum=0.5)},
            "recipe, momentum: 0.9 there and 0.5 here",
        ),
        ({"parts": {"seed": 4}}, "training, fingerprint of their order"),
        ({"parts": {"batch_size": 6}}, "training, batch size: 8 there and 6 here"),
    ],
)
def test_the_directory_of_another_run_is_refused(photos, tmp_path, whole, change, message):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    model = change.get("model", build)()
    with pytest.raises(ValueError, match=f"does not hold this run.*{message}.*Name another"):
        fit(
            load(photos, **change.get("parts", {})),
            directory,
            model,
            recipe=change.get("recipe", RECIPE),
        )
    assert before == {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_run_without_its_validation_data_is_another(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    with pytest.raises(ValueError, match="validation is"):
        fit((parts[0], None), directory)


def test_another_evaluation_makes_another_run(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    with pytest.raises(ValueError, match=r"evaluated by: 'Keras' there and .*lambda"):
        fit(parts, directory, evaluate=lambda model, photos: {"accuracy": 0.5})


def test_a_run_that_never_ended_an_epoch_gives_way(parts, tmp_path):
    """As after a learning rate that was too high."""
    high = dataclasses.replace(RECIPE, learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        fit(parts, tmp_path / "run", recipe=high)
    expected, _ = fit(parts, tmp_path / "fresh", epochs=1)
    model, _ = fit(parts, tmp_path / "run", epochs=1)
    same(expected, model)


def test_changed_photos_make_another_run(photos, tmp_path):
    folder = shutil.copytree(photos, tmp_path / "photos")
    fit(load(folder), tmp_path / "run", epochs=1)
    data.drawings.write(tmp_path / "red", ["cat", "dog"], 12, seed=9, size=20)
    shutil.copytree(tmp_path / "red/cat", folder / "train/cat", dirs_exist_ok=True)
    with pytest.raises(ValueError, match="fingerprint of the photos"):
        fit(load(folder), tmp_path / "run")


def written_with(versions, whole, tmp_path):
    """Copy a run, as if it had been written with other versions of the software."""
    directory = shutil.copytree(whole[2], tmp_path / "run")
    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    del about["versions"]
    about |= {"versions": versions} if versions else {}
    (directory / "run.json").write_text(json.dumps(about), encoding="utf-8")
    return directory


@pytest.mark.parametrize(("versions", "told"), [({"keras": "3.0.0"}, r".*3\.0\.0"), (None, "None")])
def test_other_versions_are_told(parts, tmp_path, whole, versions, told):
    directory = written_with(versions, whole, tmp_path)
    with pytest.warns(UserWarning, match=rf"was written with {told}.*figures may differ"):
        fit(parts, directory)
    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert about["versions"]["keras"] == keras.__version__


def test_where_a_run_differs_its_versions_are_told_too(parts, tmp_path, whole):
    """Since another backend computes other features."""
    directory = written_with({"keras": "3.0.0"}, whole, tmp_path)
    with pytest.raises(ValueError, match=r"momentum: .*; versions are .*3\.0\.0.* there and"):
        fit(parts, directory, recipe=dataclasses.replace(RECIPE, momentum=0.5))


def test_a_directory_with_something_else_in_it_is_refused(parts, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(ValueError, match=r"holds no run, but thesis\.tex"):
        fit(parts, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    with pytest.raises(ValueError, match="is a file"):
        fit(parts, tmp_path / "thesis.tex")
    for damaged in ("{", "{}", "[]"):
        (tmp_path / "run.json").write_text(damaged)
        with pytest.raises(ValueError, match=r"run\.json is damaged"):
            fit(parts, tmp_path)


def test_a_directory_in_use_is_refused(parts, tmp_path):
    (tmp_path / "run").mkdir()
    with (
        filelock.FileLock(tmp_path / "run/.lock"),
        pytest.raises(ValueError, match="Another process is training in"),
    ):
        fit(parts, tmp_path / "run")
    fit(parts, tmp_path / "run", epochs=1)


def test_a_directory_that_may_not_be_written_is_an_error(parts, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match=r"file/run cannot be written.*name another"):
        fit(parts, tmp_path / "file/run")

    (tmp_path / "readonly").mkdir()
    (tmp_path / "readonly").chmod(0o555)
    if os.geteuid() == 0:  # for whom permissions do not count
        real = os.open

        def refuse(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if str(path).startswith(str(tmp_path)) and flags & (os.O_WRONLY | os.O_RDWR):
                raise PermissionError(13, "Permission denied")
            return real(path, flags, *rest, **options)

        monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(OSError, match=r"readonly cannot be written: Permission denied.*another"):
        fit(parts, tmp_path / "readonly")


def damage(path: Path) -> None:
    """Lose a block in the middle, as a failing disk does."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 512] = bytes(512)
    path.write_bytes(content)


@pytest.mark.slow
@pytest.mark.parametrize("how", [damage, lambda path: path.write_bytes(b""), Path.unlink])
def test_a_damaged_last_state_falls_back_to_the_one_before(parts, tmp_path, whole, how):
    interrupt(parts, tmp_path / "run", 3)
    how(tmp_path / "run/state.npz")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model, _ = fit(parts, tmp_path / "run", build(seed=99))
    told = [str(each.message) for each in caught if "damaged" in str(each.message)]
    assert len(told) == (how is not Path.unlink)  # between two steps, a kill leaves none
    assert all("state.npz is damaged; going on after epoch 2" in line for line in told)
    assert (tmp_path / "run/state.damaged").exists() == (how is not Path.unlink)
    same(model, whole[0])
    assert read(tmp_path / "run") == read(whole[2])


def test_two_damaged_states_are_an_error_and_the_models_stay(parts, tmp_path):
    fit(parts, tmp_path / "run", epochs=2)
    for name in ("state.npz", "state-before.npz"):
        damage(tmp_path / "run" / name)
    with pytest.raises(ValueError, match=r"are damaged, so the run cannot go on.*best\.keras"):
        fit(parts, tmp_path / "run")
    assert keras.models.load_model(tmp_path / "run/best.keras")


def test_a_run_whose_states_were_deleted_keeps_its_models(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    for name in ("state.npz", "state-before.npz"):
        (directory / name).unlink()
    with pytest.raises(ValueError, match=r"state was deleted.*Load its best\.keras"):
        fit(parts, directory)
    assert (directory / "best.keras").read_bytes() == (whole[2] / "best.keras").read_bytes()


def test_a_disk_that_cannot_be_read_is_no_damage(parts, tmp_path, monkeypatch):
    interrupt(parts, tmp_path / "run", 1)

    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", fail)
        with pytest.raises(PermissionError):
            fit(parts, tmp_path / "run")
    assert not (tmp_path / "run/state.damaged").exists()


@contextlib.contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Let writing fail as it does where the disk is full."""
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.slow
@pytest.mark.parametrize("size", [100, 100_000, 1_000_000])
def test_a_full_disk_stops_with_an_error_and_loses_nothing(parts, tmp_path, whole, size):
    interrupt(parts, tmp_path / "run", 2)
    before = read(tmp_path / "run")
    with (
        files_no_larger_than(size),
        pytest.raises(OSError, match=r"run cannot be written: File too large\..*call again"),
    ):
        fit(parts, tmp_path / "run")
    assert read(tmp_path / "run") == before
    assert [path.name for path in (tmp_path / "run").glob(".*")] == [".lock"]
    model, history = fit(parts, tmp_path / "run")
    same(model, whole[0])
    assert history.history == whole[1].history


def test_a_state_that_finds_no_room_leaves_the_last_one(tmp_path):
    with RunDirectory(tmp_path) as run:
        run.write_state({"epoch": 1}, [np.zeros(9)])
        with files_no_larger_than(50_000), pytest.raises(OSError, match="cannot be written"):
            run.write_state({"epoch": 2}, [np.zeros(9_000)])
        assert run.read_state()[0] == {"epoch": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "state.npz"]
