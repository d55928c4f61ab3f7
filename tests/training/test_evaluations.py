"""Evaluating between the ends of epochs: when, on what, and which weights are kept."""

import csv

from cnnkit import training

import keras
import numpy as np
import pytest

from .conftest import same

X = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")  # in batches of four
Y = (X.sum(axis=1) > 0).astype("int64")


def model():
    training.reproducible(1)
    built = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    built.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return built


def table(directory):
    with (directory / "evaluations.csv").open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def train(directory, values, epochs=3, **options):
    """Train while a function gives values from a list, and notes the weights that it saw."""
    seen = []

    def judge(model, folder):
        seen.append(model.get_weights())
        (folder / "note.txt").write_text(f"{len(seen)}")
        model.predict(X, verbose=0)
        return {"accuracy": values[len(seen) - 1], "재현율": 0.25}

    built, evaluations = model(), training.Evaluations(judge, directory, **options)
    history = built.fit(X, Y, 4, epochs=epochs, verbose=0, callbacks=evaluations)
    return seen, history.history, built


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"every": 4, "after": 1}, "1-10 2-04 2-08 2-10 3-04 3-08 3-10"),
        ({"every": 5}, "1-05 1-10 2-05 2-10 3-05 3-10"),  # the last step once
    ],
)
def test_when_it_evaluates(tmp_path, options, expected):
    values = [0.5, 0.6, 0.8, 0.7, 0.75, 0.81, 0.79]
    history = train(tmp_path, values, **options)[1]
    names, rows = [f"epoch-0{n[0]}-step-00{n[2:]}" for n in expected.split()], table(tmp_path)
    assert [row["evaluation"] for row in rows] == names
    assert [float(row["accuracy"]) for row in rows] == values[: len(names)]
    assert {row["재현율"] for row in rows} == {"0.25"}
    notes = [int((tmp_path / name / "note.txt").read_text()) for name in names]
    assert notes == [*range(1, len(names) + 1)]
    ends = [float(row["accuracy"]) for row in rows if row["evaluation"].endswith("10")]
    assert history["val_accuracy"] == ends


@pytest.mark.parametrize(
    ("mode", "values", "floor", "kept"),
    [
        ("max", [0.5, 0.8, 0.7, 0.8, 0.6, 0.1], None, [0, 1]),  # the first of equals
        ("min", [0.5, 0.8, 0.4, 0.6, 0.7, 0.9], None, [0, 2]),
        ("max", [0.5, 0.6, 0.65, 0.7, 0.6, 0.6], 0.7, [3]),  # the floor itself is enough
        ("max", [0.5, 0.6, 0.65, 0.69, 0.6, 0.6], 0.7, []),
        ("max", [np.nan, 0.4, np.nan, 0.3, np.nan, 0.2], None, [1]),
    ],
)
def test_the_best_weights_are_kept_if_they_reach_the_floor(tmp_path, mode, values, floor, kept):
    seen, _, _ = train(tmp_path, values, every=5, mode=mode, floor=floor)
    assert [n for n, row in enumerate(table(tmp_path)) if row["kept"]] == kept
    assert (tmp_path / "best.keras").exists() == bool(kept)
    if kept:
        same(keras.models.load_model(tmp_path / "best.keras"), seen[kept[-1]])


@pytest.mark.slow
def test_evaluating_changes_nothing_in_the_training(tmp_path):
    _, history, built = train(tmp_path, [0.5] * 30, every=3)
    plain = model()
    expected = plain.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    assert {name: history[name] for name in expected.history} == expected.history
    same(built, plain)
    train(tmp_path, [0.6] * 4, every=3, epochs=1)  # another run replaces the evaluations
    assert [row["accuracy"] for row in table(tmp_path)] == ["0.6"] * 4


@pytest.mark.parametrize(
    ("returned", "options", "cure"),
    [
        ({}, {"every": 0}, "every is 0; expected a whole number from 1"),
        (0.9, {}, "evaluate returned 0.9; expected metrics"),
        ({"loss": 1}, {}, r"no metric 'val_accuracy'.*\['val_loss'\]"),
    ],
)
def test_what_makes_no_sense_is_told(tmp_path, returned, options, cure):
    with pytest.raises(ValueError, match=cure):
        evaluations = training.Evaluations(lambda *_: returned, tmp_path, **options)
        model().fit(X, Y, verbose=0, callbacks=[evaluations])
