"""Runs in a directory: what they leave, and that they go on bit for bit."""

import contextlib
import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cnnkit import data, training
from cnnkit.data import augment
from cnnkit.training import state
from cnnkit.training.directory import RunDirectory

import filelock
import keras
import numpy as np
import pytest

RECIPE = dataclasses.replace(
    training.recipes.ALEXNET, learning_rate=0.05, batch_size=8, epochs=4, patience=0
)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for part, count, seed in (("train", 12, 0), ("validation", 4, 1)):
        data.drawings.write(folder / part, ["cat", "dog"], count, seed, size=20)
    return folder


@pytest.fixture
def parts(photos: Path) -> tuple[Any, Any]:
    return load(photos)


def load(photos: Path, seed: int = 3, batch_size: int = 8) -> tuple[Any, Any]:
    return (
        data.image_folder(photos / "train", (20, 20), batch_size, shuffle=True, seed=seed),
        data.image_folder(photos / "validation", (20, 20), 8),
    )


def build(seed: int = 1, units: int = 8) -> keras.Model:
    """A small network with all that is random, or changes though it is not trained."""
    training.reproducible(seed)
    return keras.Sequential(  # without a name: Keras numbers such models through
        [
            keras.Input((20, 20, 3)),
            augment.crop_and_flip(16),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )


def fit(
    parts: tuple[Any, Any],
    directory: Path,
    model: keras.Model | None = None,
    epochs: int = 4,
    **options: Any,
) -> tuple[keras.Model, keras.callbacks.History]:
    model = model or build()
    recipe = options.pop("recipe", dataclasses.replace(RECIPE, epochs=epochs))
    options = {"verbose": 0, **options}
    return model, training.fit(model, recipe, *parts, directory, **options)


class PullThePlug(keras.callbacks.Callback):
    """Ends a run in the middle of an epoch, as Ctrl-C does."""

    def __init__(self, epoch: int, batch: int = 1) -> None:
        super().__init__()
        self._when = epoch, batch

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_begin(self, batch: int, logs: dict | None = None) -> None:
        if (self._epoch, batch) == self._when:
            raise KeyboardInterrupt


def interrupt(parts: tuple[Any, Any], directory: Path, epoch: int, batch: int = 1) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(parts, directory, callbacks=PullThePlug(epoch, batch))


def same(one: keras.Model, other: keras.Model) -> None:
    assert len(one.weights) == len(other.weights)
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="module")
def whole(
    photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[keras.Model, keras.callbacks.History, Path]:
    """A run that was never interrupted."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    return *fit(load(photos), directory), directory


def test_it_trains_as_keras_does(parts, whole):
    """The same steps as `fit` with a callback for the learning rate, on the same data."""
    model = build()
    RECIPE.compile(model)
    history = model.fit(
        parts[0], validation_data=parts[1], epochs=4, verbose=0, callbacks=RECIPE.callbacks()
    )
    same(model, whole[0])
    for name, figures in history.history.items():
        assert whole[1].history[name] == figures
    assert whole[1].epoch == [0, 1, 2, 3]
    assert whole[0].history is whole[1]


def test_the_learning_rates_are_those_of_the_rule(whole):
    figures, rates = whole[1].history["val_accuracy"], [0.05]
    best = figures[0]
    for figure in figures[1:-1]:
        rates.append(rates[-1] if figure > best * (1 + 1e-4) else rates[-1] / 10)
        best = max(best, figure)
    assert whole[1].history["learning_rate"] == pytest.approx([0.05, *rates[: len(rates)]])
    assert rates[-1] < 0.05


@pytest.mark.slow
@pytest.mark.parametrize(("epoch", "batch"), [(0, 0), (0, 1), (1, 0), (2, 2), (3, 1)])
def test_an_interrupted_run_ends_as_one_that_was_not(photos, tmp_path, whole, epoch, batch):
    """A new model of other weights, and a new data set, as in a new process."""
    interrupt(load(photos), tmp_path / "run", epoch, batch)
    model, history = fit(load(photos), tmp_path / "run", build(seed=99))
    same(model, whole[0])
    assert history.history == whole[1].history
    assert read(tmp_path / "run") == read(whole[2])


def read(directory: Path) -> dict[str, Any]:
    """What a run ends with: its state, its models and its table."""
    about, values = state.read(directory / "state.npz")
    best, last = (keras.models.load_model(directory / f"{n}.keras") for n in ("best", "last"))
    return {
        "about": about,
        "state": [value.tolist() for value in values],
        "best": [weight.tolist() for weight in best.get_weights()],
        "last": [weight.tolist() for weight in last.get_weights()],
        "table": (directory / "history.csv").read_text(),
    }


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


def test_the_last_and_the_best_model_are_there(parts, tmp_path):
    """The best is the first of the highest figures, whatever the training figures do."""
    scores, seen = iter([0.3, 0.7, 0.7, 0.6]), []

    def evaluate(model: keras.Model, validation: Any) -> dict[str, float]:
        assert validation is parts[1]
        seen.append(model.get_weights())
        return {"accuracy": next(scores)}

    model, history = fit(parts, tmp_path / "run", evaluate=evaluate)
    assert history.history["val_accuracy"] == [0.3, 0.7, 0.7, 0.6]
    assert "val_loss" not in history.history
    best, last = (keras.models.load_model(tmp_path / f"run/{n}.keras") for n in ("best", "last"))
    for a, b in zip(best.get_weights(), seen[1], strict=True):
        np.testing.assert_array_equal(a, b)
    same(last, model)
    assert last.optimizer.iterations == 12


def test_less_is_better_where_the_recipe_says_so(parts, tmp_path):
    losses, seen = iter([0.5, 0.4, 0.6]), []

    def evaluate(model: keras.Model, validation: Any) -> dict[str, float]:
        seen.append(model.get_weights())
        return {"loss": next(losses)}

    recipe = dataclasses.replace(RECIPE, epochs=3, monitor="loss", mode="min")
    fit(parts, tmp_path / "run", recipe=recipe, evaluate=evaluate)
    best = keras.models.load_model(tmp_path / "run/best.keras")
    np.testing.assert_array_equal(best.get_weights()[0], seen[1][0])


def test_without_validation_data_the_training_figure_counts(parts, tmp_path):
    seen = []
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(model.get_weights()[0])
    )
    model = build()
    _, history = fit((parts[0], None), tmp_path / "run", model, callbacks=keep)
    assert set(history.history) == {"loss", "accuracy", "learning_rate"}
    best = keras.models.load_model(tmp_path / "run/best.keras").get_weights()[0]
    np.testing.assert_array_equal(best, seen[int(np.argmax(history.history["accuracy"]))])


@pytest.mark.slow
def test_the_data_are_described_first(parts, tmp_path, capsys):
    fit(parts, tmp_path / "run", epochs=1, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split(", pixels") == [
        "training:   24 × 20 × 20 × 3",
        f" {parts_range(parts[0])}, 12 cat, 12 dog",
    ]
    assert lines[1].startswith("validation: 8 × 20 × 20 × 3, pixels ")
    fit(parts, tmp_path / "run", epochs=2, verbose=2)
    assert "Going on after epoch 1\n" in capsys.readouterr().out
    fit(parts, tmp_path / "run", epochs=2, verbose=2)
    assert "The run ended with epoch 2\n" in capsys.readouterr().out


def parts_range(dataset: Any) -> str:
    dataset.set_epoch(0)
    images, _ = next(iter(dataset))
    return f"{np.min(images):g} to {np.max(images):g}"


def test_a_run_that_has_ended_is_restored_and_not_trained(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    model, history = fit(parts, directory, build(seed=5), callbacks=PullThePlug(0, 0))
    same(model, whole[0])
    assert history.history == whole[1].history


@pytest.mark.slow
def test_more_epochs_prolong_a_run(parts, tmp_path, whole):
    fit(parts, tmp_path / "run", epochs=2)
    model, history = fit(parts, tmp_path / "run")
    same(model, whole[0])
    assert history.history == whole[1].history


class AfterAWhile(keras.callbacks.Callback):
    """Ends each call after one epoch, as a callback that looks at the clock."""

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.model.stop_training = True


@pytest.mark.slow
def test_a_run_that_was_stopped_on_the_way_goes_on(parts, tmp_path, whole):
    for epochs in (1, 2, 3, 4):
        model, history = fit(parts, tmp_path / "run", callbacks=AfterAWhile())
        assert len(history.epoch) == epochs
    same(model, whole[0])
    assert history.history == whole[1].history


@pytest.mark.slow
def test_callbacks_of_keras_count_on(parts, tmp_path):
    """EarlyStopping ends a run once, and a run that it has ended stays ended."""

    def stopping() -> keras.callbacks.EarlyStopping:
        return keras.callbacks.EarlyStopping("val_x", mode="max", patience=3)

    def falling(model: keras.Model, validation: Any) -> dict[str, float]:
        return {"x": -float(model.optimizer.iterations), "accuracy": 0.5}

    options: dict[str, Any] = {"evaluate": falling, "epochs": 9}
    with pytest.raises(KeyboardInterrupt):
        fit(parts, tmp_path / "run", callbacks=[PullThePlug(2), stopping()], **options)
    _, history = fit(parts, tmp_path / "run", callbacks=stopping(), **options)
    assert len(history.epoch) == 4
    _, history = fit(parts, tmp_path / "run", callbacks=stopping(), **options)
    assert len(history.epoch) == 4


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


def test_other_versions_are_told(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    about["versions"]["keras"] = "3.0.0"
    (directory / "run.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.warns(UserWarning, match=r"was written with .*3\.0\.0.*figures may differ"):
        fit(parts, directory)
    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    assert about["versions"]["keras"] == keras.__version__


def test_an_evaluation_has_to_give_the_figure_that_counts(parts, tmp_path):
    with pytest.raises(ValueError, match="no figure 'val_accuracy'"):
        fit(parts, tmp_path / "run", evaluate=lambda model, validation: {"loss": 0.1})
    with pytest.raises(ValueError, match="no validation data"):
        fit((parts[0], None), tmp_path / "other", evaluate=lambda model, validation: {})


@pytest.mark.slow
def test_a_shuffled_validation_set_has_its_order_back(photos, tmp_path):
    """Its order decides the last bits of its loss, which the learning rate may depend on."""

    def shuffled() -> tuple[Any, Any]:
        validation = data.image_folder(photos / "validation", (20, 20), 3, shuffle=True, seed=0)
        return load(photos)[0], validation

    whole = fit(shuffled(), tmp_path / "whole")[1]
    interrupt(shuffled(), tmp_path / "run", 2)
    assert fit(shuffled(), tmp_path / "run")[1].history == whole.history


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


@pytest.mark.slow
def test_models_that_a_kill_left_out_are_written(parts, tmp_path, whole):
    """The state of the last epoch is there, and what follows from it is not."""
    interrupt(parts, tmp_path / "run", 3)
    (tmp_path / "run/last.keras").write_bytes(b"half")
    (tmp_path / "run/history.csv").unlink()
    fit(parts, tmp_path / "run", epochs=3)
    with pytest.raises(KeyboardInterrupt):
        fit(parts, tmp_path / "other", callbacks=PullThePlug(3))
    assert read(tmp_path / "run") == read(tmp_path / "other")


def test_a_disk_that_cannot_be_read_is_no_damage(parts, tmp_path, monkeypatch):
    interrupt(parts, tmp_path / "run", 1)

    def fail(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(np, "load", fail)
        with pytest.raises(PermissionError):
            fit(parts, tmp_path / "run")
    assert not (tmp_path / "run/state.damaged").exists()


def test_what_a_killed_process_left_is_removed(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    (directory / ".state.npz.123.part").write_bytes(b"half")
    (directory / ".model-abc").mkdir()
    (directory / ".model-abc/weights").write_bytes(b"half")
    fit(parts, directory)
    assert [path.name for path in directory.glob(".*")] == [".lock"]


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


def test_a_directory_in_use_is_refused(parts, tmp_path):
    (tmp_path / "run").mkdir()
    with (
        filelock.FileLock(tmp_path / "run/.lock"),
        pytest.raises(ValueError, match="Another process is training in"),
    ):
        fit(parts, tmp_path / "run")
    fit(parts, tmp_path / "run", epochs=1)


def test_a_loss_that_is_no_number_stops_the_run_at_its_step(parts, tmp_path):
    """The step is that in which a plain loop loses it."""
    recipe = dataclasses.replace(RECIPE, learning_rate=1e38)
    model, losses = build(), []
    recipe.compile(model)
    parts[0].set_epoch(0)
    for images, labels in parts[0]:
        losses.append(model.train_on_batch(np.asarray(images), np.asarray(labels))[0])
    expected = int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
    with pytest.raises(FloatingPointError, match=f"since step {expected} of epoch 1.*smaller"):
        fit(parts, tmp_path / "run", recipe=recipe)
    assert not (tmp_path / "run/best.keras").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda train: (np.zeros((4, 20, 20, 3)), np.zeros(4)), "Arrays were given"),
        (lambda train: train.map(lambda x, y: (x, y)), "shuffled"),
        (lambda train: unshuffled(labels=np.arange(24) % 3), "out of range.*0 to 1"),
        (lambda train: unshuffled(images=np.full((24, 20, 20, 3), 0.5)), "division by 255"),
        (lambda train: unshuffled(images=np.zeros((24, 18, 20, 3))), r"expects \(n, 20, 20, 3\)"),
        (lambda train: unshuffled().map(lambda x, y: x), "no labels"),
        (lambda train: unshuffled().unbatch(), r"dataset\.batch\(32\)|known length"),
        (lambda train: str(train.file_paths[0]), "path"),
    ],
)
def test_data_that_do_not_serve_are_refused(parts, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        fit((change(parts[0]), parts[1]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def unshuffled(**changes: np.ndarray) -> Any:
    """Make a data set that does not come from a folder."""
    tensorflow = pytest.importorskip("tensorflow")
    images = np.random.default_rng(0).uniform(0, 255, (24, 20, 20, 3))
    arrays = {"images": images, "labels": np.arange(24) % 2, **changes}
    slices = arrays["images"].astype("float32"), arrays["labels"].astype("int64")
    return tensorflow.data.Dataset.from_tensor_slices(slices).batch(8)


@pytest.mark.slow
def test_a_data_set_that_comes_from_no_folder(tmp_path):
    _, history = fit((unshuffled(), None), tmp_path / "whole")
    interrupt((unshuffled(), None), tmp_path / "run", 2)
    assert fit((unshuffled(), None), tmp_path / "run")[1].history == history.history
    others = unshuffled(images=np.full((24, 20, 20, 3), 9.0))
    with pytest.raises(ValueError, match="does not hold this run: training"):
        fit((others, None), tmp_path / "run")


@pytest.mark.slow
def test_a_single_batch_and_one_sigmoid_unit(photos, tmp_path):
    parts = load(photos, batch_size=24)
    recipe = dataclasses.replace(training.recipes.CATS_VS_DOGS, epochs=3)

    def binary() -> keras.Model:
        training.reproducible(0)
        layers = [keras.Input((20, 20, 3)), keras.layers.Flatten(), keras.layers.Dropout(0.5)]
        return keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])

    whole, history = fit(parts, tmp_path / "whole", binary(), recipe=recipe)
    with pytest.raises(KeyboardInterrupt):
        stop = PullThePlug(2, 0)
        fit(parts, tmp_path / "run", binary(), recipe=recipe, callbacks=stop)
    model, again = fit(parts, tmp_path / "run", binary(), recipe=recipe)
    same(model, whole)
    assert again.history == history.history
    with pytest.raises(ValueError, match=r"1 units.*one a class"):
        fit(parts, tmp_path / "other", binary())
    with pytest.raises(ValueError, match=r"2 units.*one sigmoid"):
        fit(parts, tmp_path / "other", recipe=recipe)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "ALEXNET"}, r"one of training\.recipes"),
        ({"epochs": 0}, "0 epochs"),
        ({"evaluate": 5}, r"evaluate is 5; expected a function \(model, validation\)"),
        ({"evaluate": lambda model, photos: 0.5}, "returned 0.5; expected figures by name"),
    ],
)
def test_arguments_that_make_no_sense_are_named(parts, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        fit(parts, tmp_path / "run", **options)
    with pytest.raises(ValueError, match="are the same"):
        fit((parts[0], parts[0]), tmp_path / "run")


def test_another_seed_does_not_pass_for_a_run_that_has_ended(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    with pytest.warns(UserWarning, match="for another seed, name another directory"):
        fit(parts, directory, build(seed=5))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model, _ = fit(parts, directory, build())
        fit(parts, directory, model)  # such as in a cell that is run again


def test_another_evaluation_makes_another_run(parts, tmp_path, whole):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    with pytest.raises(ValueError, match=r"evaluated by: 'Keras' there and .*lambda"):
        fit(parts, directory, evaluate=lambda model, photos: {"accuracy": 0.5})


def test_changed_photos_make_another_run(photos, tmp_path):
    folder = shutil.copytree(photos, tmp_path / "photos")
    fit(load(folder), tmp_path / "run", epochs=1)
    data.drawings.write(tmp_path / "red", ["cat", "dog"], 12, seed=9, size=20)
    shutil.copytree(tmp_path / "red/cat", folder / "train/cat", dirs_exist_ok=True)
    with pytest.raises(ValueError, match="fingerprint of the photos"):
        fit(load(folder), tmp_path / "run")


def test_a_batch_size_that_is_not_the_recipes_is_told(photos, tmp_path):
    with pytest.warns(UserWarning, match="batches of 6, which count; the recipe says 8"):
        fit(load(photos, batch_size=6), tmp_path / "run", epochs=1)


@pytest.mark.slow
def test_a_best_model_that_was_deleted_is_told(parts, tmp_path):
    figures = iter([0.9, 0.5, 0.4])

    def evaluate(model: keras.Model, photos: Any) -> dict[str, float]:
        return {"accuracy": next(figures)}

    fit(parts, tmp_path / "run", epochs=2, evaluate=evaluate)
    (tmp_path / "run/best.keras").unlink()
    with pytest.warns(UserWarning, match=r"best\.keras was deleted"):
        fit(parts, tmp_path / "run", epochs=3, evaluate=evaluate)


def test_a_figure_that_nothing_gives_is_found_before_training(parts, tmp_path):
    recipe = dataclasses.replace(RECIPE, monitor="f1")
    with pytest.raises(ValueError, match="monitors 'f1'"):
        fit(parts, tmp_path / "run", recipe=recipe)


def test_the_best_may_follow_on_a_figure_that_is_none(parts, tmp_path):
    figures, seen = iter([float("nan"), 0.5, 0.4, float("nan")]), []

    def evaluate(model: keras.Model, validation: Any) -> dict[str, float]:
        seen.append(model.get_weights()[0])
        return {"accuracy": next(figures)}

    fit(parts, tmp_path / "run", evaluate=evaluate)
    best = keras.models.load_model(tmp_path / "run/best.keras")
    np.testing.assert_array_equal(best.get_weights()[0], seen[1])


SCRIPT = Path(__file__).with_name("survival.py")


def lives(command: list[str], kills: int, pace: dict[str, float], seed: int) -> int:
    """Train in processes of which so many are killed at random moments; return how many were."""
    first, rest = pace["first"], pace["all"] - pace["first"]
    progress = 0.6 * rest / kills  # seconds of training that a life should last on average
    longest = first + progress + (progress**2 + 2 * progress * first) ** 0.5
    random, killed = np.random.default_rng(seed), 0
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        if killed < kills:
            try:
                process.wait(random.uniform(0, longest))
            except subprocess.TimeoutExpired:
                process.kill()  # SIGKILL
                process.wait()
                killed += 1
                continue
        assert process.wait() == 0
        return killed


@pytest.mark.slow
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.survival)])
def test_a_run_survives_being_killed(tmp_path, photos, kills):
    """Killed with SIGKILL at random moments, it ends bit for bit as one that was never killed."""
    commands = [
        [sys.executable, str(SCRIPT), str(photos), str(tmp_path / name), str(10 + kills)]
        for name in ("whole", "killed")
    ]
    run = subprocess.run(commands[0], capture_output=True, text=True, check=True)
    pace = json.loads(run.stdout.splitlines()[-1])
    assert lives(commands[1], kills, pace, seed=kills) >= 0.8 * kills
    assert read(tmp_path / "killed") == read(tmp_path / "whole")
    rates = state.read(tmp_path / "killed/state.npz")[0]["history"]
    assert len({figures["learning_rate"] for figures in rates}) > 2
