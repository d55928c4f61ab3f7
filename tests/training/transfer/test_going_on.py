"""Training from the frozen part that goes on after an interruption, bit for bit."""

import errno

from cnnkit import training
from cnnkit.training import locking, state
from cnnkit.training.state import random_states
from cnnkit.training.transfer import resuming

import keras
import numpy as np
import pytest

from ..conftest import PullThePlug
from .conftest import Photos, assert_same_weights, classifier

fit = training.transfer.fit_from_frozen


@pytest.mark.slow
@pytest.mark.parametrize("augmented", [False, True])
def test_an_interrupted_run_goes_on(photos, tmp_path, capsys, augmented):
    views = 2 if augmented else None
    expected = classifier(free=4, augmented=augmented)
    history = fit(expected, photos, photos, epochs=4, views=views, verbose=0)
    for stop in (0, 1, 3):
        model = classifier(free=4, augmented=augmented)
        plug = PullThePlug(stop, 3)
        with pytest.raises(KeyboardInterrupt):
            fit(model, photos, photos, 4, tmp_path, views, callbacks=[plug], verbose=0)
    model = classifier(free=4, augmented=augmented)
    resumed = fit(model, photos, photos, 4, tmp_path, views, verbose=2)
    assert "Going on after epoch 3" in capsys.readouterr().out
    for one, two in zip(expected.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert resumed.epoch == [0, 1, 2, 3]
    assert resumed.history == history.history
    assert not (tmp_path / "state.npz").exists(), "an ended run leaves no state"


ALWAYS, NEVER = 0, 1e9  # values of `resuming.SPARE` with which each epoch is written, or none


@pytest.fixture
def written(monkeypatch):
    """A list of how many epochs there were, each time when a state was written."""
    epochs, write = [], state.write

    def write_and_note(path, about, values):
        with pytest.raises(ValueError, match="Another process"):
            locking.lock(path.parent)
        write(path, about, values)
        epochs.append(len(about["history"]))

    monkeypatch.setattr(state, "write", write_and_note)
    return epochs


@pytest.mark.parametrize(("spare", "epochs"), [(ALWAYS, [0, 0, 1, 2]), (NEVER, [0, 0, 2])])
def test_epochs_are_left_out_where_writing_takes_long(
    photos, tmp_path, monkeypatch, written, spare, epochs
):
    """But for the last one of a run that is interrupted."""
    monkeypatch.setattr(resuming, "SPARE", spare)
    expected = classifier()
    fit(expected, photos, epochs=3, verbose=0)
    plug = PullThePlug(2, 3)
    with pytest.raises(KeyboardInterrupt):
        fit(classifier(), photos, None, 3, tmp_path, callbacks=[plug], verbose=0)
    assert written == epochs
    model = classifier()
    assert fit(model, photos, None, 3, tmp_path, verbose=0).epoch == [0, 1, 2]
    assert_same_weights(expected, model, tolerance=0)


def test_a_run_that_ends_writes_no_epoch_that_was_left_out(photos, tmp_path, monkeypatch, written):
    monkeypatch.setattr(resuming, "SPARE", NEVER)
    fit(classifier(), photos, None, 2, tmp_path, verbose=0)
    assert written == [0, 0]


@pytest.mark.slow
def test_a_cell_that_was_interrupted_goes_on_in_the_same_session(photos, tmp_path):
    expected = classifier(free=4)
    fit(expected, photos, epochs=3, verbose=0)
    for stop in (0, 2):
        model = classifier(free=4)
        with pytest.raises(KeyboardInterrupt):
            fit(model, photos, None, 3, tmp_path, callbacks=[PullThePlug(stop, 3)], verbose=0)
        fit(model, photos, None, 3, tmp_path, verbose=0)
        assert_same_weights(expected, model, tolerance=1e-6)


def interrupt(model, photos, directory):
    with pytest.raises(KeyboardInterrupt):
        fit(model, photos, epochs=3, directory=directory, callbacks=[PullThePlug(1, 3)], verbose=0)


def test_a_run_that_set_no_seed_goes_on_with_the_same_views(photos, tmp_path):
    def unseeded():
        model = classifier(augmented=True)
        for generator in random_states(model):
            generator.assign(np.random.default_rng().integers(0, 2**31, 2))
        return model

    for stop in (0, 2):
        plug = PullThePlug(stop, 3)
        with pytest.raises(KeyboardInterrupt):
            fit(unseeded(), photos, None, 3, tmp_path, 2, callbacks=[plug], verbose=0)
    assert len(list((tmp_path / "features").iterdir())) == 1
    assert fit(unseeded(), photos, None, 3, tmp_path, 2, verbose=0).epoch == [0, 1, 2]


def test_the_run_of_another_recipe_or_model_is_not_continued(photos, tmp_path):
    interrupt(classifier(), photos, tmp_path)
    other = classifier()
    other.compile(keras.optimizers.RMSprop(1e-4), "binary_crossentropy", metrics=["accuracy"])
    for model, dataset in (
        (other, photos),
        (classifier(free=4), photos),
        (classifier(), Photos(1)),
    ):
        with pytest.raises(ValueError, match=r"interrupted run (of another model|on other photos)"):
            fit(model, dataset, epochs=3, directory=tmp_path, verbose=0)
    assert len(fit(classifier(), photos, epochs=3, directory=tmp_path, verbose=0).epoch) == 3


def test_a_call_that_never_trained_gives_way_to_another_model(photos, tmp_path):
    unlabelled = [images for images, _ in photos]
    with pytest.raises(ValueError, match="labels"):
        fit(classifier(), unlabelled, directory=tmp_path, verbose=0)
    assert (tmp_path / "state.npz").exists()
    assert fit(classifier(free=4), photos, directory=tmp_path, verbose=0).epoch == [0]


def test_a_disk_that_is_full_at_an_interruption_hides_nothing(photos, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, "full")

    class FillTheDisk(PullThePlug):
        def on_train_batch_begin(self, batch, logs=None):
            if self._epoch == self._when[0]:
                monkeypatch.setattr(state, "write", full)
            super().on_train_batch_begin(batch, logs)

    monkeypatch.setattr(resuming, "SPARE", NEVER)
    with (
        pytest.raises(KeyboardInterrupt),
        pytest.warns(UserWarning, match="last epochs are lost: .*Make room there"),
    ):
        fit(classifier(), photos, None, 3, tmp_path, callbacks=[FillTheDisk(2, 3)], verbose=0)
    monkeypatch.undo()
    assert fit(classifier(), photos, None, 3, tmp_path, verbose=0).epoch == [0, 1, 2]


def test_a_damaged_state_begins_anew(photos, tmp_path):
    interrupt(classifier(), photos, tmp_path)
    path = tmp_path / "state.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="is damaged; the run begins anew"):
        fit(classifier(), photos, epochs=1, directory=tmp_path, verbose=0)


def test_a_directory_belongs_to_one_process_and_one_kind_of_run(photos, tmp_path):
    held = locking.lock(tmp_path / "held")
    with pytest.raises(ValueError, match=r"Another process is training in .*held"):
        fit(classifier(), photos, directory=tmp_path / "held", verbose=0)
    held.release()
    about = {"history": [], "callbacks": [], "stopped": False, "begun": True}  # of training.fit
    state.write(tmp_path / "state.npz", about, [])
    with pytest.raises(ValueError, match="holds an interrupted run of another model"):
        fit(classifier(), photos, directory=tmp_path, verbose=0)


def test_callbacks_count_on_after_an_interruption(photos, tmp_path):
    def callbacks(stop):
        best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
        slower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        return [best, slower, PullThePlug(stop, 3)]

    model = classifier()
    with pytest.raises(KeyboardInterrupt):
        fit(model, photos, None, 4, tmp_path / "run", callbacks=callbacks(2), verbose=0)
    again = callbacks(-1)
    fit(model, photos, None, 4, tmp_path / "run", callbacks=again, verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3 / 16)
    assert again[0].best == pytest.approx(min(model.history.history["loss"]))


def test_a_run_that_stopped_early_has_ended(photos, tmp_path):
    stop = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1e9)
    history = fit(classifier(), photos, None, 9, tmp_path, callbacks=[stop], verbose=0)
    assert len(history.epoch) < 9
    assert not (tmp_path / "state.npz").exists()


def test_validation_may_be_added_when_a_run_goes_on(photos, tmp_path):
    interrupt(classifier(), photos, tmp_path)
    history = fit(classifier(), photos, photos, 3, tmp_path, verbose=0).history
    assert np.isnan(history["val_loss"][0]) and np.isfinite(history["val_loss"][1:]).all()
