"""Training by a recipe: as Keras does, what the directory keeps, and what is refused."""

import csv
import dataclasses
import json
import shutil

from cnnkit import training

import keras
import numpy as np
import pytest

from .conftest import RECIPE, build, fit, load, same, unshuffled


def test_it_trains_as_keras_does(parts, whole):
    """The same steps as `fit` with a callback for the learning rate, on the same data."""
    model, found = build(), whole[1].history
    RECIPE.compile(model)
    options = {"epochs": 4, "verbose": 0, "callbacks": RECIPE.callbacks()}
    history = model.fit(parts[0], validation_data=parts[1], **options).history
    same(model, whole[0])
    assert {name: found[name] for name in history} == history
    assert whole[0].history is whole[1] and whole[1].epoch == [0, 1, 2, 3]
    assert not np.array_equal(build(seed=1).get_weights()[0], build(seed=2).get_weights()[0])

    values, rates = found["val_accuracy"], [0.05, 0.05]
    best = values[0]
    for value in values[1:-1]:
        rates.append(rates[-1] if value > best * (1 + 1e-4) else rates[-1] / 10)
        best = max(best, value)
    assert found["learning_rate"] == pytest.approx(rates)
    assert rates[-1] < 0.05


@pytest.mark.parametrize(
    ("metric", "mode", "values", "best"),
    [
        ("loss", "min", [0.5, 0.4, 0.6, 0.5], 1),
        ("accuracy", "max", [np.nan, 0.7, 0.7, 0.6], 1),  # the first of the highest
    ],
)
def test_the_last_and_the_best_model_are_there(parts, tmp_path, metric, mode, values, best):
    seen, left = [], iter(values)

    def evaluate(model, validation):
        assert validation is parts[1]
        seen.append(model.get_weights())
        return {metric: next(left)}

    recipe = dataclasses.replace(RECIPE, monitor=metric, mode=mode)
    model, history = fit(parts, tmp_path, recipe=recipe, evaluate=evaluate)
    np.testing.assert_array_equal(history.history[f"val_{metric}"], values)
    names = {"loss", "accuracy", "learning_rate", f"val_{metric}"}
    assert set(history.history) == names  # and what Keras would evaluate is not
    same(keras.models.load_model(tmp_path / "best.keras"), seen[best])
    last = keras.models.load_model(tmp_path / "last.keras")
    same(last, model)
    assert last.optimizer.iterations == 12


def test_without_validation_data_the_training_metric_counts(tmp_path):
    seen, model = [], build()

    def keep(epoch, logs):
        seen.append(model.get_weights())
        logs.update(note="good", grade=keras.ops.ones(()))  # of which the words are no metric

    callback = keras.callbacks.LambdaCallback(on_epoch_end=keep)
    _, history = fit((unshuffled(), None), tmp_path, model, callbacks=callback)
    assert set(history.history) == {"loss", "accuracy", "learning_rate", "grade"}
    best = seen[int(np.argmax(history.history["accuracy"]))]
    same(keras.models.load_model(tmp_path / "best.keras"), best)


def test_the_directory_holds_what_it_should(whole):
    model, history, directory = whole
    visible = ["best.keras", "curves.png", "history.csv", "last.keras", "run.json", "state.npz"]
    assert sorted(path.name for path in directory.iterdir()) == visible
    about = json.loads((directory / "run.json").read_text(encoding="utf-8"))
    kept = about["recipe"] | {"epochs": about["may change"]["epochs"]}
    assert kept == dataclasses.asdict(RECIPE)
    assert about["model"]["parameters"] == model.count_params()
    with (directory / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row.pop("epoch") for row in rows] == ["1", "2", "3", "4"]
    for name, values in history.history.items():
        assert [float(row[name]) for row in rows] == values
    assert (directory / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": {"units": 9}}, r"parameters: \d+ there and \d+ here"),
        ({"recipe": {"momentum": 0.5}}, r"momentum: 0\.9 there and 0\.5 here"),
        ({"parts": {"seed": 4}}, "order: 3 there and 4 here"),
        ({"parts": {"batch_size": 6}}, "batch size: 8 there and 6 here"),
        ({"validation": None}, "validation, .* there and None here"),
        ({"evaluate": lambda *_: {"accuracy": 0.5}}, "validation, evaluate.*lambda"),
        ({"photos": 23}, "labels"),
    ],
)
def test_the_directory_of_another_run_is_refused(photos, tmp_path, whole, change, message):
    directory = shutil.copytree(whole[2], tmp_path / "run")
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    if "photos" in change:
        photos = shutil.copytree(photos, tmp_path / "photos")
        min((photos / "train/dog").iterdir()).unlink()
    train, validation = load(photos, **change.get("parts", {}))
    parts, model = (train, change.get("validation", validation)), build(**change.get("model", {}))
    recipe = dataclasses.replace(RECIPE, **change.get("recipe", {}))
    with pytest.raises(ValueError, match=f"holds another run: .*{message}.*Name another"):
        fit(parts, directory, model, recipe=recipe, evaluate=change.get("evaluate"))
    assert before == {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_run_without_an_epoch_gives_way(parts, tmp_path):
    """As after a learning rate that was too high."""
    high = dataclasses.replace(RECIPE, learning_rate=1e38)
    with pytest.raises(FloatingPointError, match=r"loss is (nan|inf) in epoch 1.*smaller learning"):
        fit(parts, tmp_path / "run", recipe=high)
    assert not (tmp_path / "run/best.keras").exists()
    same(*(fit(parts, tmp_path / name, epochs=1)[0] for name in ("fresh", "run")))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"train": lambda _: (np.zeros((4, 20, 20, 3)), np.zeros(4))}, "is a tuple"),
        ({"train": lambda train: train.map(lambda x, y: (x, y))}, "is shuffled, or"),
        ({"train": lambda _: unshuffled(np.full((24, 20, 20, 3), 0.5))}, "division by 255"),
        ({"train": lambda _: unshuffled().map(lambda x, y: x)}, "no labels"),
        ({"train": lambda _: unshuffled().unbatch()}, "unknown length"),
        ({"train": lambda train: str(train.file_paths[0])}, "is a str"),
        ({"recipe": training.recipes.CATS_VS_DOGS}, "ends in a softmax.*asks for a sigmoid"),
        ({"evaluate": lambda *_: 0.5}, "returned 0.5; expected metrics"),
        ({"evaluate": lambda *_: {"loss": 0.1}}, "no metric 'val_accuracy'"),
    ],
)
def test_what_does_not_fit_is_refused(parts, tmp_path, given, message):
    options = dict(given)
    train = options.pop("train", lambda train: train)(parts[0])
    with pytest.raises(ValueError, match=message):
        fit((train, parts[1]), tmp_path / "run", **options)
    assert "evaluate" in given or not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="are the same"):
        fit((parts[0], parts[0]), tmp_path / "run")
