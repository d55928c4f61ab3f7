"""Training by a recipe: as Keras does, with the best model kept, and what is refused."""

import dataclasses
from typing import Any

from cnnkit import training

import keras
import numpy as np
import pytest

from .conftest import RECIPE, PullThePlug, build, fit, interrupt, load, same


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


def test_an_evaluation_has_to_give_the_figure_that_counts(parts, tmp_path):
    with pytest.raises(ValueError, match="no figure 'val_accuracy'"):
        fit(parts, tmp_path / "run", evaluate=lambda model, validation: {"loss": 0.1})
    with pytest.raises(ValueError, match="no validation data"):
        fit((parts[0], None), tmp_path / "other", evaluate=lambda model, validation: {})


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


def test_what_a_callback_notes_in_words_is_no_figure(parts, tmp_path):
    added = {"note": "good", "grades": keras.ops.ones(2), "grade": keras.ops.ones(())}
    note = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(added))
    history = fit(parts, tmp_path / "run", callbacks=note)[1].history
    assert {"note", "grades", "grade", "val_accuracy"} & set(history) == {"grade", "val_accuracy"}
    assert history["grade"] == [1] * 4


def test_the_best_may_follow_on_a_figure_that_is_none(parts, tmp_path):
    figures, seen = iter([float("nan"), 0.5, 0.4, float("nan")]), []

    def evaluate(model: keras.Model, validation: Any) -> dict[str, float]:
        seen.append(model.get_weights()[0])
        return {"accuracy": next(figures)}

    fit(parts, tmp_path / "run", evaluate=evaluate)
    best = keras.models.load_model(tmp_path / "run/best.keras")
    np.testing.assert_array_equal(best.get_weights()[0], seen[1])
