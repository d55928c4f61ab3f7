"""Evaluating between the ends of epochs: when, on what, and which weights are kept."""

import csv
import dataclasses
from pathlib import Path

from cnnkit import training

import keras
import numpy as np
import pytest

# Forty points in batches of four: ten steps an epoch.
X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
Y = (X.sum(axis=1) > 0).astype("int64")


def model() -> keras.Model:
    training.reproducible(1)
    built = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    built.compile(
        keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return built


class Judge:
    """Gives figures from a list, and takes note of the weights that it saw."""

    def __init__(self, figures: list[float]) -> None:
        self.figures, self.weights = list(figures), []

    def __call__(self, model: keras.Model, folder: Path) -> dict[str, float]:
        self.weights.append(model.get_weights())
        (folder / "note.txt").write_text(f"{len(self.weights)}")
        model.predict(X, verbose=0)
        return {"accuracy": self.figures[len(self.weights) - 1]}


def rows(directory: Path) -> list[tuple[str, float]]:
    with (directory / "evaluations.csv").open(newline="") as file:
        return [(row["evaluation"], float(row["accuracy"])) for row in csv.DictReader(file)]


def train(directory, figures, epochs=3, built=None, callbacks=(), **options):
    judge = Judge(figures)
    evaluations = training.Evaluations(judge, directory, **options)
    built = built or model()
    history = built.fit(
        X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=[evaluations, *callbacks]
    )
    return judge, history, built


def test_it_evaluates_every_few_steps_after_the_first_epochs_and_at_each_end(tmp_path):
    figures = [0.5, 0.6, 0.8, 0.7, 0.75, 0.81, 0.79]
    _, history, _ = train(tmp_path, figures, every=4, after=1)
    when = ["01-step-0010"]
    when += [f"{epoch}-step-{step}" for epoch in ("02", "03") for step in ("0004", "0008", "0010")]
    assert rows(tmp_path) == list(zip([f"epoch-{each}" for each in when], figures, strict=True))
    assert [(tmp_path / name / "note.txt").read_text() for name, _ in rows(tmp_path)] == [
        str(number) for number in range(1, 8)
    ]
    assert history.history["val_accuracy"] == [0.5, 0.7, 0.79]  # those of the ends of epochs


def test_an_epochs_last_step_is_evaluated_once(tmp_path):
    train(tmp_path, [0.5, 0.6, 0.7, 0.8], every=5, epochs=2)
    assert [name for name, _ in rows(tmp_path)] == [
        f"epoch-{epoch}-step-{step}" for epoch in ("01", "02") for step in ("0005", "0010")
    ]


def test_training_that_is_stopped_in_the_middle_ends_with_an_evaluation(tmp_path):
    def stop(batch: int, logs: dict) -> None:
        stopping.model.stop_training = batch == 6

    stopping = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    judge, _, built = train(tmp_path, [0.5, 0.6, 0.7], every=4, callbacks=[stopping])
    assert [name for name, _ in rows(tmp_path)] == ["epoch-01-step-0004", "epoch-01-step-0007"]
    for seen, now in zip(judge.weights[-1], built.get_weights(), strict=True):
        np.testing.assert_array_equal(seen, now)


def test_without_steps_it_evaluates_at_the_ends_alone(tmp_path):
    train(tmp_path, [0.5, 0.6], epochs=2)
    assert [name for name, _ in rows(tmp_path)] == ["epoch-01-step-0010", "epoch-02-step-0010"]


@pytest.mark.parametrize(
    ("mode", "figures", "floor", "best"),
    [
        ("max", [0.5, 0.8, 0.7, 0.8, 0.6, 0.1], None, 1),  # the first of equals
        ("min", [0.5, 0.8, 0.4, 0.6, 0.7, 0.9], None, 2),
        ("max", [0.5, 0.6, 0.65, 0.7, 0.6, 0.6], 0.7, 3),  # the floor itself is enough
        ("max", [0.5, 0.6, 0.65, 0.69, 0.6, 0.6], 0.7, None),
        ("min", [0.5, 0.6, 0.4, 0.2, 0.3, 0.2], 0.25, 3),
        ("max", [np.nan, 0.4, np.nan, 0.3, np.nan, 0.2], None, 1),
    ],
)
def test_the_best_weights_are_kept_if_they_reach_the_floor(tmp_path, mode, figures, floor, best):
    judge, _, _ = train(tmp_path, figures, every=5, mode=mode, floor=floor)
    assert (tmp_path / "best.keras").exists() == (best is not None)
    if best is not None:
        kept = keras.models.load_model(tmp_path / "best.keras").get_weights()
        for seen, expected in zip(kept, judge.weights[best], strict=True):
            np.testing.assert_array_equal(seen, expected)


def test_the_table_says_which_were_kept(tmp_path):
    train(tmp_path, [0.5, 0.8, 0.7, 0.9, 0.6, 0.1], every=5, floor=0.6)
    with (tmp_path / "evaluations.csv").open(newline="") as file:
        assert [row["kept"] for row in csv.DictReader(file)] == ["", "yes", "", "yes", "", ""]


def test_weights_that_a_repeated_part_does_not_reach_again_are_not_kept(tmp_path):
    """As where it is repeated on other hardware, which computes other figures."""
    figures = iter([0.5, 0.9, 0.6, 0.4])
    evaluations = training.Evaluations(lambda *_: {"accuracy": next(figures)}, tmp_path, every=5)
    built = model()
    evaluations.set_model(built)
    for epoch, batches in ((0, [9]), (1, [4]), (1, [4, 9])):  # killed, and the epoch anew
        evaluations.on_epoch_begin(epoch)
        for batch in batches:
            evaluations.on_train_batch_end(batch)
        if batches[-1] == 9:
            evaluations.on_epoch_end(epoch, {})
        built.set_weights([w + 1 for w in built.get_weights()])
    with (tmp_path / "evaluations.csv").open(newline="") as file:
        kept = [(row["accuracy"], row["kept"]) for row in csv.DictReader(file)]
    assert kept == [("0.5", "yes"), ("0.6", "yes"), ("0.4", "")]
    best = keras.models.load_model(tmp_path / "best.keras").get_weights()
    initial = model().get_weights()
    for one, other in zip(best, initial, strict=True):
        np.testing.assert_allclose(one, other + 2)


@pytest.mark.slow
def test_evaluating_changes_nothing_in_the_training(tmp_path):
    _, history, built = train(tmp_path, [0.5] * 30, every=1)
    plain = model()
    expected = plain.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    for name in ("loss", "accuracy"):
        assert history.history[name] == expected.history[name]
    for one, other in zip(built.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_run_in_the_directory_replaces_the_evaluations(tmp_path):
    train(tmp_path, [0.5] * 6, every=5)
    train(tmp_path, [0.6, 0.7], every=5, epochs=1)
    assert rows(tmp_path) == [("epoch-01-step-0005", 0.6), ("epoch-01-step-0010", 0.7)]
    folders = sorted(path.name for path in tmp_path.glob("epoch-*"))
    assert folders == [name for name, _ in rows(tmp_path)]


@pytest.mark.parametrize("row", ["../1-2,yes", "epoch-01-step-0001;yes"])
def test_a_table_that_somebody_changed_deletes_nothing(tmp_path, row):
    directory = tmp_path / "run"
    train(directory, [0.5] * 3)
    (tmp_path / "1-2").mkdir()
    (directory / "evaluations.csv").write_text(f"evaluation,kept\n{row}\n")
    with pytest.raises(ValueError, match="no table of evaluations any more"):
        train(directory, [0.5] * 3)
    assert (tmp_path / "1-2").exists()


def test_figures_may_have_korean_names(tmp_path):
    def judge(model: keras.Model, folder: Path) -> dict[str, float]:
        return {"accuracy": 0.5, "재현율": 0.25}

    evaluations = training.Evaluations(judge, tmp_path, every=5)
    model().fit(X, Y, batch_size=4, epochs=2, verbose=0, callbacks=evaluations)
    with (tmp_path / "evaluations.csv").open(newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    assert [row["evaluation"][-12:] for row in table] == [
        f"{epoch}-step-{step}" for epoch in ("01", "02") for step in ("0005", "0010")
    ]
    assert {row["재현율"] for row in table} == {"0.25"}


def test_a_long_run_keeps_its_order(tmp_path):
    built = model()
    evaluations = training.Evaluations(lambda *_: {"accuracy": 0.5}, tmp_path)
    evaluations.set_model(built)
    for epoch in (8, 98, 99, 100):
        evaluations.on_epoch_begin(epoch)
        evaluations.on_train_batch_end(10_000)
        evaluations.on_epoch_end(epoch, {})
    names = [name for name, _ in rows(tmp_path)]
    assert names == [f"epoch-{epoch:02}-step-10001" for epoch in (9, 99, 100, 101)]


@pytest.mark.parametrize(
    ("options", "cure"),
    [
        ({"every": 0}, "every is 0 and after 0; expected numbers of steps, from 1"),
        ({"after": -1}, "of epochs, from 0"),
        ({"mode": "best"}, "mode is 'best'; expected 'max' or 'min'|expected 'min' or 'max'"),
    ],
)
def test_bad_arguments(tmp_path, options, cure):
    with pytest.raises(ValueError, match=cure):
        training.Evaluations(lambda *_: {}, tmp_path, **options)


@pytest.mark.parametrize(
    ("returned", "cure"),
    [(0.9, "evaluate returned 0.9; expected figures by name"), ({"loss": 1}, "'accuracy' among")],
)
def test_a_function_that_returns_something_else_is_told(tmp_path, returned, cure):
    evaluations = training.Evaluations(lambda *_: returned, tmp_path)
    with pytest.raises(ValueError, match=cure):
        model().fit(X, Y, verbose=0, callbacks=[evaluations])


class Batches(keras.utils.PyDataset):
    """The points as batches of known length."""

    def __len__(self) -> int:
        return 10

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        if step >= 10:
            raise IndexError
        return X[4 * step : 4 * step + 4], Y[4 * step : 4 * step + 4]


class Validation(Batches):
    """Other points."""

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = super().__getitem__(step)
        return -x, 1 - y


def accuracy(model: keras.Model, folder: Path) -> dict[str, float]:
    share = float((model.predict(-X, verbose=0).argmax(axis=1) == 1 - Y).mean())
    (folder / "note.txt").write_text(f"{share}")
    return {"accuracy": share}


class Unplug(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if int(keras.ops.convert_to_numpy(self.model.optimizer.iterations)) == 18:
            raise KeyboardInterrupt


def run(directory: Path, *callbacks: keras.callbacks.Callback) -> keras.Model:
    recipe = dataclasses.replace(training.recipes.WHOLE_NETWORK, batch_size=4, epochs=3)
    evaluations = training.Evaluations(accuracy, directory, every=4)
    built = model()
    training.fit(
        built, recipe, Batches(), Validation(), directory, evaluations, callbacks, verbose=0
    )
    return built


@pytest.mark.slow
def test_an_interrupted_run_ends_with_the_same_evaluations_and_best_weights(tmp_path):
    expected = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", Unplug())
    assert [name for name, _ in rows(tmp_path / "run")][-1] == "epoch-02-step-0008"
    found = run(tmp_path / "run")
    assert rows(tmp_path / "run") == rows(tmp_path / "whole")
    for one, other in zip(found.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    kept = [
        keras.models.load_model(tmp_path / name / "best.keras").get_weights()
        for name in ("whole", "run")
    ]
    for one, other in zip(*kept, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (tmp_path / "run/history.csv").read_text() == (
        tmp_path / "whole/history.csv"
    ).read_text()
    assert "val_accuracy" in (tmp_path / "run/history.csv").read_text()
