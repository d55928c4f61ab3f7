"""Evaluating between the ends of epochs: when, on what, and which weights are kept."""

import csv
from pathlib import Path

from cnnkit import training

import keras
import numpy as np
import pytest

from .conftest import same

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


def table(directory: Path) -> list[dict[str, str]]:
    with (directory / "evaluations.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def train(directory, values, epochs=3, callbacks=(), **options):
    """Train while a function gives values from a list, and notes the weights that it saw."""
    seen = []

    def judge(model: keras.Model, folder: Path) -> dict[str, float]:
        seen.append(model.get_weights())
        (folder / "note.txt").write_text(f"{len(seen)}")
        model.predict(X, verbose=0)
        return {"accuracy": values[len(seen) - 1], "재현율": 0.25}

    built = model()
    evaluations = training.Evaluations(judge, directory, **options)
    callbacks = [evaluations, *callbacks]
    history = built.fit(X, Y, 4, epochs=epochs, verbose=0, callbacks=callbacks)
    return seen, history.history, built


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"every": 4, "after": 1}, "1-10 2-04 2-08 2-10 3-04 3-08 3-10"),
        ({"every": 5}, "1-05 1-10 2-05 2-10 3-05 3-10"),  # the last step once
        ({}, "1-10 2-10 3-10"),
    ],
)
def test_when_it_evaluates(tmp_path, options, expected):
    values = [0.5, 0.6, 0.8, 0.7, 0.75, 0.81, 0.79]
    seen, history, _ = train(tmp_path, values, **options)
    names = [f"epoch-0{each[0]}-step-00{each[2:]}" for each in expected.split()]
    rows = table(tmp_path)
    assert [row["evaluation"] for row in rows] == names
    assert [float(row["accuracy"]) for row in rows] == values[: len(names)]
    assert {row["재현율"] for row in rows} == {"0.25"}
    for number, name in enumerate(names, 1):
        assert (tmp_path / name / "note.txt").read_text() == str(number)
    ends = [value for value, name in zip(values, names, strict=False) if name.endswith("10")]
    assert history["val_accuracy"] == ends
    assert len(seen) == len(names)


def test_training_that_is_stopped_in_the_middle_ends_with_an_evaluation(tmp_path):
    def stop(batch: int, logs: dict) -> None:
        stopping.model.stop_training = batch == 6

    stopping = keras.callbacks.LambdaCallback(on_train_batch_end=stop)
    seen, _, built = train(tmp_path, [0.5, 0.6, 0.7], every=4, callbacks=[stopping])
    assert [row["evaluation"][-4:] for row in table(tmp_path)] == ["0004", "0007"]
    for then, now in zip(seen[-1], built.get_weights(), strict=True):
        np.testing.assert_array_equal(then, now)


@pytest.mark.parametrize(
    ("mode", "values", "floor", "kept"),
    [
        ("max", [0.5, 0.8, 0.7, 0.8, 0.6, 0.1], None, [0, 1]),  # the first of equals
        ("min", [0.5, 0.8, 0.4, 0.6, 0.7, 0.9], None, [0, 2]),
        ("max", [0.5, 0.6, 0.65, 0.7, 0.6, 0.6], 0.7, [3]),  # the floor itself is enough
        ("max", [0.5, 0.6, 0.65, 0.69, 0.6, 0.6], 0.7, []),
        ("min", [0.5, 0.6, 0.4, 0.2, 0.3, 0.2], 0.25, [3]),
        ("max", [np.nan, 0.4, np.nan, 0.3, np.nan, 0.2], None, [1]),
    ],
)
def test_the_best_weights_are_kept_if_they_reach_the_floor(tmp_path, mode, values, floor, kept):
    seen, _, _ = train(tmp_path, values, every=5, mode=mode, floor=floor)
    assert [n for n, row in enumerate(table(tmp_path)) if row["kept"]] == kept
    assert (tmp_path / "best.keras").exists() == bool(kept)
    if kept:
        best = keras.models.load_model(tmp_path / "best.keras").get_weights()
        for found, expected in zip(best, seen[kept[-1]], strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_evaluating_changes_nothing_in_the_training(tmp_path):
    _, history, built = train(tmp_path, [0.5] * 30, every=1)
    plain = model()
    expected = plain.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert {name: history[name] for name in expected.history} == expected.history
    same(built, plain)


def test_another_run_in_the_directory_replaces_the_evaluations(tmp_path):
    train(tmp_path, [0.5] * 6, every=5)
    train(tmp_path, [0.6, 0.7], every=5, epochs=1)
    assert [row["accuracy"] for row in table(tmp_path)] == ["0.6", "0.7"]


def test_a_long_run_keeps_its_order(tmp_path):
    evaluations = training.Evaluations(lambda *_: {"accuracy": 0.5}, tmp_path)
    evaluations.set_model(model())
    for epoch in (8, 98, 99, 100):
        evaluations.on_epoch_begin(epoch)
        evaluations.on_train_batch_end(10_000)
        evaluations.on_epoch_end(epoch, {})
    names = [row["evaluation"] for row in table(tmp_path)]
    assert names == [f"epoch-{epoch:02}-step-10001" for epoch in (9, 99, 100, 101)]


@pytest.mark.parametrize(
    ("returned", "options", "cure"),
    [
        ({}, {"every": 0}, "every is 0; expected a whole number from 1"),
        ({}, {"mode": "best"}, "mode is 'best'; expected 'min' or 'max'"),
        (0.9, {}, "evaluate returned 0.9; expected metrics"),
        ({"loss": 1}, {}, r"no metric 'val_accuracy'.*\['val_loss'\]"),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path, returned, options, cure):
    with pytest.raises(ValueError, match=cure):
        evaluations = training.Evaluations(lambda *_: returned, tmp_path, **options)
        model().fit(X, Y, verbose=0, callbacks=[evaluations])
