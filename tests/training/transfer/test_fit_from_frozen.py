"""Training on what the frozen layers computed once: the same as training the whole model."""

from cnnkit import data, models, training
from cnnkit.data import augment
from cnnkit.training.state import random_states

import keras
import numpy as np
import pytest

from .conftest import Photos, classifier, small_base

fit = training.transfer.fit_from_frozen


class _InOrder(keras.utils.PyDataset):
    """Photos for Keras's own fit, on every backend."""

    def __init__(self, photos: Photos) -> None:
        super().__init__()
        self._photos = photos
        self.begin(0)

    def __len__(self) -> int:
        return len(self._photos)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        return self._batches[step]

    def begin(self, epoch: int, logs: object = None) -> None:
        self._photos.set_epoch(epoch)
        self._batches = list(self._photos)


def train_whole(model: keras.Model, photos: Photos, epochs: int) -> keras.Model:
    batches = _InOrder(photos)
    callback = keras.callbacks.LambdaCallback(on_epoch_begin=batches.begin)
    model.fit(batches, epochs=epochs, shuffle=False, callbacks=[callback], verbose=0)
    return model


def assert_same_weights(model: keras.Model, other: keras.Model, tolerance: float) -> None:
    for one, two in zip(model.weights, other.weights, strict=True):
        one, two = keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(two)
        assert np.abs(one - two).max() <= tolerance * np.abs(one).max(), two.shape


CASES = [("vgg16", 0, False), ("vgg16", 4, False), ("vgg16", 0, True), ("vgg16", 4, True)]
CASES += [("densenet", 0, False), ("densenet", 0, True)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "free", "augmented"), CASES)
def test_ten_steps_give_the_weights_that_training_the_whole_model_gives(
    photos, name, free, augmented
):
    start = classifier(name, free, augmented).get_weights()
    whole = train_whole(classifier(name, free, augmented), photos, epochs=2)
    model = classifier(name, free, augmented)
    fit(model, photos, epochs=2, views=2 if augmented else None, verbose=0)
    assert_same_weights(whole, model, tolerance=1e-4)
    learned = [not np.array_equal(a, b) for a, b in zip(start, model.get_weights(), strict=True)]
    assert sum(learned) == 4 + (6 if free else 0)


@pytest.mark.slow
def test_keras_fit_on_a_shuffled_folder_gives_the_same(tmp_path):
    data.drawings.write(tmp_path / "photos", ["cat", "dog"], per_class=10, seed=0, size=48)
    trained = []
    for frozen in (False, True):
        dataset = data.image_folder(tmp_path / "photos", (48, 48), 4, shuffle=True, seed=5)
        model = classifier("vgg16", free=4, augmented=True)
        if frozen:
            history = fit(model, dataset, dataset, epochs=2, views=2, verbose=0)
        else:
            plain = data.image_folder(tmp_path / "photos", (48, 48), 4)
            expected = model.fit(dataset, validation_data=plain, epochs=2, verbose=0)
        trained.append(model)
    assert_same_weights(*trained, tolerance=1e-4)
    assert history.history.keys() == expected.history.keys()
    for name, values in expected.history.items():
        np.testing.assert_allclose(history.history[name], values, rtol=1e-3)


@pytest.mark.slow
def test_views_repeat_when_there_are_more_epochs(photos):
    one, two = (classifier("vgg16", 0, True) for _ in range(2))
    fit(one, photos, epochs=3, views=1, verbose=0)
    fit(two, photos, epochs=3, views=3, verbose=0)
    assert not np.allclose(one.get_layer("dense").kernel, two.get_layer("dense").kernel)


@pytest.mark.slow
def test_training_goes_on_where_it_was(photos):
    """The moments of the optimizer stay in the model.

    Without dropout: on PyTorch, each call of `fit` draws a number of its own from the generator.
    """
    whole = train_whole(classifier(dropout=0), photos, epochs=4)
    model = classifier(dropout=0)
    fit(model, photos, epochs=1, verbose=0)
    moved = Photos()
    moved.order = lambda epoch: photos.order(epoch + 1)
    fit(model, moved, epochs=3, verbose=0)
    assert_same_weights(whole, model, tolerance=1e-4)


class StopAt(keras.callbacks.Callback):
    def __init__(self, epoch: int) -> None:
        super().__init__()
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.seen == self.epoch and batch == 2:
            raise KeyboardInterrupt

    def on_epoch_begin(self, epoch, logs=None):
        self.seen = epoch


@pytest.mark.slow
@pytest.mark.parametrize("augmented", [False, True])
def test_an_interrupted_run_goes_on(photos, tmp_path, capsys, augmented):
    views = 2 if augmented else None
    expected = classifier(free=4, augmented=augmented)
    history = fit(expected, photos, photos, epochs=4, views=views, verbose=0)
    for stop in (0, 1, 3):
        model = classifier(free=4, augmented=augmented)
        with pytest.raises(KeyboardInterrupt):
            fit(model, photos, photos, 4, tmp_path, views, callbacks=[StopAt(stop)], verbose=0)
    model = classifier(free=4, augmented=augmented)
    resumed = fit(model, photos, photos, 4, tmp_path, views, verbose=2)
    assert "Going on after epoch 3" in capsys.readouterr().out
    for one, two in zip(expected.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert resumed.epoch == [0, 1, 2, 3]
    assert resumed.history == history.history
    assert not (tmp_path / "state.npz").exists(), "an ended run leaves no state"


def interrupt(model, photos, directory):
    with pytest.raises(KeyboardInterrupt):
        fit(model, photos, epochs=3, directory=directory, callbacks=[StopAt(1)], verbose=0)


def test_a_run_that_set_no_seed_goes_on_with_the_same_views(photos, tmp_path):
    def unseeded():
        model = classifier(augmented=True)
        for state in random_states(model):
            state.assign(np.random.default_rng().integers(0, 2**31, 2))
        return model

    for stop in (0, 2):
        with pytest.raises(KeyboardInterrupt):
            fit(unseeded(), photos, None, 3, tmp_path, 2, callbacks=[StopAt(stop)], verbose=0)
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


def test_a_damaged_state_begins_anew(photos, tmp_path):
    interrupt(classifier(), photos, tmp_path)
    state = tmp_path / "state.npz"
    state.write_bytes(state.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="is damaged; the run begins anew"):
        fit(classifier(), photos, epochs=1, directory=tmp_path, verbose=0)


@pytest.mark.slow
def test_callbacks_see_the_whole_model(photos, tmp_path):
    model = classifier(free=4)
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor="val_loss", save_best_only=True
    )
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, restore_best_weights=True)
    slower = keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e9, factor=0.1)
    history = fit(model, photos, photos, 20, callbacks=[best, stop, slower], verbose=0)
    assert len(history.epoch) < 20
    assert float(model.optimizer.learning_rate) < 1e-3
    saved = keras.models.load_model(tmp_path / "best.keras")
    np.testing.assert_array_equal(
        saved.predict(photos.images, verbose=0), model.predict(photos.images, verbose=0)
    )
    loss, _ = model.evaluate(photos.images, photos.labels, verbose=0)
    assert loss == pytest.approx(min(history.history["val_loss"]), rel=1e-4)


def test_the_frozen_part_is_run_once(photos):
    model = classifier()
    fit(model, photos, epochs=5, verbose=0)
    assert photos.read <= 2 * 5


def test_a_sequential_model_and_softmax(photos):
    training.reproducible(1)
    base = small_base()
    base.trainable = False
    layers = [base, keras.layers.Flatten(), keras.layers.Dense(2, activation="softmax")]
    model = keras.Sequential([keras.Input((48, 48, 3)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    start = model.layers[-1].get_weights()[0]
    fit(model, photos, epochs=1, verbose=0)
    assert not np.array_equal(model.layers[-1].get_weights()[0], start)


def frozen_after_free():
    model = classifier(free=4)
    model.get_layer("vgg16").get_layer("block5_conv2").trainable = False
    return model


def dropout_inside():
    base = small_base()
    x = keras.layers.Dropout(0.5, name="noise")(base.output)
    x = keras.layers.Conv2D(8, 1, name="late")(x)
    wider = keras.Model(base.input, x, name="wider")
    wider.trainable = False
    return compiled(models.transfer_classifier(wider))


def compiled(model):
    model.compile("rmsprop", "binary_crossentropy")
    return model


def all_frozen():
    model = classifier()
    model.trainable = False
    return model


def freed_after_training():
    model = classifier()
    model.optimizer.build(model.trainable_variables)
    training.transfer.unfreeze_top(model.get_layer("vgg16"), 4)
    return model


def two_inputs():
    a, b = keras.Input((48, 48, 3)), keras.Input((48, 48, 3))
    return compiled(keras.Model([a, b], keras.layers.Flatten()(a + b)))


@pytest.mark.parametrize(
    ("build", "arguments", "message"),
    [
        (lambda: classifier(free=20), {}, "does not begin with frozen layers. Freeze its base"),
        (frozen_after_free, {}, "'block5_conv2' is frozen, but the frozen layers cannot be cut"),
        (dropout_inside, {}, "'late' is frozen.*draws random numbers"),
        (all_frozen, {}, "All layers of 'transfer_classifier' are frozen"),
        (two_inputs, {}, "one input and one output"),
        (lambda: models.transfer_classifier(small_base()), {}, "not compiled"),
        (freed_after_training, {}, "were freed after it was compiled. Compile it again"),
        (lambda: classifier(augmented=True), {}, "Say in how many ways .* views=8"),
        (classifier, {"views": 3}, "nothing random comes before"),
        (lambda: classifier(augmented=True), {"views": 0}, "views is 0"),
        (classifier, {"epochs": 0}, "epochs is 0"),
    ],
)
def test_what_cannot_be_trained_so_is_refused(photos, build, arguments, message):
    with pytest.raises(ValueError, match=message):
        fit(build(), photos, verbose=0, **arguments)


def test_photos_without_labels_are_refused(photos):
    with pytest.raises(ValueError, match="holds no labels"):
        fit(classifier(), [photos.images], verbose=0)


def test_augmentation_with_weights_of_its_own(photos):
    colours = augment.PCAColor()
    colours.adapt(photos.images)
    training.reproducible(2)
    base = small_base()
    base.trainable = False
    model = compiled(models.transfer_classifier(base, augmentation=colours))
    assert len(fit(model, photos, epochs=1, views=1, verbose=0).epoch) == 1


@pytest.mark.slow
def test_a_cell_that_was_interrupted_goes_on_in_the_same_session(photos, tmp_path):
    expected = classifier(free=4)
    fit(expected, photos, epochs=3, verbose=0)
    for stop in (0, 2):
        model = classifier(free=4)
        with pytest.raises(KeyboardInterrupt):
            fit(model, photos, None, 3, tmp_path, callbacks=[StopAt(stop)], verbose=0)
        fit(model, photos, None, 3, tmp_path, verbose=0)
        assert_same_weights(expected, model, tolerance=1e-6)


def test_callbacks_count_on_after_an_interruption(photos, tmp_path):
    def callbacks(stop):
        best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", "loss", save_best_only=True)
        slower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
        return [best, slower, StopAt(stop)]

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


@pytest.mark.slow
def test_another_batch_size_makes_other_views(tmp_path):
    data.drawings.write(tmp_path / "photos", ["cat", "dog"], per_class=8, seed=0, size=48)
    for batch_size in (4, 8):
        dataset = data.image_folder(tmp_path / "photos", (48, 48), batch_size, True, seed=1)
        model = classifier(augmented=True)
        fit(model, dataset, epochs=2, views=2, directory=tmp_path / "run", verbose=0)
        whole = classifier(augmented=True)
        dataset.set_epoch(0)
        whole.fit(dataset, epochs=2, verbose=0)
        assert_same_weights(whole, model, tolerance=1e-4)


def nested_head(base):
    layers = [keras.layers.Flatten(), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    return keras.Sequential([base, keras.Sequential(layers), keras.layers.Activation("sigmoid")])


def nested_head_last(base):
    layers = [keras.layers.Flatten(), keras.layers.Dropout(0.5)]
    return keras.Sequential(
        [base, keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])]
    )


@pytest.mark.parametrize("build", [nested_head, nested_head_last])
def test_a_nested_head(photos, build):
    def model():
        training.reproducible(1)
        base = small_base()
        base.trainable = False
        built = build(base)
        built.build((None, 48, 48, 3))
        return compiled(built)

    whole, ours = train_whole(model(), photos, 1), model()
    fit(ours, photos, epochs=1, verbose=0)
    assert_same_weights(whole, ours, tolerance=1e-4)


def test_a_loss_of_ones_own(photos):
    def squared(true, predicted):
        return keras.ops.mean((keras.ops.cast(true, "float32") - predicted[:, 0]) ** 2)

    model = classifier()
    model.compile("rmsprop", squared)
    assert len(fit(model, photos, epochs=1, verbose=0).epoch) == 1


def test_labels_that_the_model_cannot_have_are_refused(photos):
    photos.labels[3] = 2
    with pytest.raises(ValueError, match="with 2 classes, labels are 0 to 1"):
        fit(classifier(), photos, verbose=0)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="concerns TensorFlow's tf.data")
def test_no_epoch_waits_for_a_pipeline_that_tunes_itself(photos, monkeypatch):
    fed, keras_fit = [], keras.Model.fit

    def noting(self, x, validation_data, **options):
        fed.extend([x, validation_data])
        return keras_fit(self, x, validation_data=validation_data, **options)

    monkeypatch.setattr(keras.Model, "fit", noting)
    fit(classifier(), photos, photos, epochs=1, verbose=0)
    assert [dataset.options().autotune.enabled for dataset in fed] == [False, False]
