"""Training from the frozen part that is interrupted: it ends as one that was not, bit for bit."""

from cnnkit import data, training

import keras
import pytest

from ..conftest import interrupt, press_ctrl_c, same
from .conftest import Photos, classifier


def run(photos, directory, epochs=4, model=None, validation=None, **options):
    """Train a model, of the same seed each time, from its frozen part."""
    model, options = model or classifier(free=4), {"verbose": 0, **options}
    given = model, photos, validation, epochs, directory
    return model, training.transfer.fit_from_frozen(*given, **options)


def views(photos, directory, **options):
    model = classifier(free=4, augmented=True)
    return run(photos, directory, model=model, views=2, **options)


def plateau(photos, directory, callbacks=(), **options):
    """Callbacks that count: they reduce the learning rate, and end the run."""
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    counting = [training.ReduceOnPlateau("val_loss", patience=0), halve]
    counting += [keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e9)]
    counting += [keras.callbacks.EarlyStopping("loss", patience=3, min_delta=1e9)]
    callbacks = [*callbacks, *counting]
    return run(photos, directory, 9, validation=photos, callbacks=callbacks, **options)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [run, views, plateau])
def test_an_interrupted_run_ends_as_one_that_was_not(photos, tmp_path, capsys, kind):
    """A new model each time, of the same seed, as in a new process."""
    expected, history = kind(photos, None)
    for epoch in (0, 3):
        interrupt(lambda **options: kind(photos, tmp_path, **options), epoch, 3)
    model, resumed = kind(photos, tmp_path, verbose=2)
    assert "Going on after epoch 3" in capsys.readouterr().out
    same(model, expected)
    assert resumed.history == history.history
    assert float(model.optimizer.learning_rate) == float(expected.optimizer.learning_rate)
    assert resumed.epoch == [0, 1, 2, 3]
    assert not (tmp_path / "state.npz").exists(), "an ended run leaves no state"


@pytest.mark.slow
def test_a_cell_that_was_interrupted_goes_on_in_the_same_session(photos, tmp_path):
    model = classifier(free=4)
    interrupt(lambda **options: run(photos, tmp_path, 3, model, **options), 2, 3)
    same(run(photos, tmp_path, 3, model)[0], run(photos, None, 3)[0])


@pytest.mark.parametrize(("times", "ended"), [(1, [0]), (2, [])])
def test_ctrl_c_ends_it_after_its_batch_or_at_once(photos, times, ended):
    press_ctrl_c(lambda **options: run(photos, None, **options), times, ended)


def test_a_model_of_another_seed_goes_on_with_the_same_views(photos, tmp_path):
    def unseeded(**options):
        model = classifier(augmented=True)
        for variable in model.variables:
            if variable.name == "seed_generator_state":
                variable.assign(variable + next(shifts))
        return run(photos, tmp_path, 3, model, views=2, **options)

    shifts = iter(range(100))
    for epoch in (0, 2):
        interrupt(unseeded, epoch, 3)
    assert len(list((tmp_path / "features").glob("*.npy"))) == 2
    assert unseeded()[1].epoch == [0, 1, 2]


@pytest.mark.slow
def test_another_run_is_refused_unless_it_never_ended_an_epoch(photos, tmp_path):
    interrupt(lambda **options: run(photos, tmp_path, model=classifier(), **options), 2)
    slower = classifier()
    slower.compile(keras.optimizers.RMSprop(1e-4), "binary_crossentropy", metrics=["accuracy"])
    labels = data.batches(photos.images, 1 - photos.labels, 8, shuffle=True, seed=7)
    for model, dataset, message in (
        (slower, photos, "optimizer, learning_rate"),
        (classifier(free=4), photos, "model, "),
        (classifier(), Photos(1), "training, photos"),
        (classifier(), labels, "training, labels"),
    ):
        with pytest.raises(ValueError, match=f"holds another run: .*{message}"):
            run(dataset, tmp_path, model=model)
    assert len(run(photos, tmp_path, model=classifier())[1].epoch) == 4

    interrupt(lambda **options: run(photos, tmp_path, **options), 0)
    assert (tmp_path / "state.npz").exists()
    assert run(photos, tmp_path, 1, classifier())[1].epoch == [0]
