"""Training on what the frozen layers computed once: the same as training the whole model."""

from cnnkit import data, models, training
from cnnkit.data import augment

import keras
import numpy as np
import pytest

from .conftest import Photos, assert_same_weights, classifier, compiled, small_base

fit = training.transfer.fit_from_frozen


def train_whole(model: keras.Model, photos: Photos, epochs: int) -> keras.Model:
    order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, logs: photos.set_epoch(n))
    model.fit(photos, epochs=epochs, shuffle=False, callbacks=[order], verbose=0)
    return model


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
    whole, model = (classifier(dropout=0) for _ in range(2))
    for epochs in (1, 3):
        train_whole(whole, photos, epochs)
        fit(model, photos, epochs=epochs, verbose=0)
    assert_same_weights(whole, model, tolerance=1e-4)


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


class Adding(keras.callbacks.Callback):
    """Looks at the whole model after each step, and adds a figure to those of the epoch."""

    def on_train_batch_end(self, batch, logs=None):
        self.weights = self.model.get_weights()

    def on_epoch_end(self, epoch, logs=None):
        logs["seen"] = float(self.weights[-1].sum())


def test_callbacks_see_the_model_after_each_step_and_may_add_figures(photos, tmp_path):
    model, adding = classifier(), Adding()
    history = fit(model, photos, epochs=2, directory=tmp_path, callbacks=adding, verbose=0)
    np.testing.assert_array_equal(adding.weights[-1], model.get_weights()[-1])
    assert history.history["seen"][-1] == pytest.approx(float(model.get_weights()[-1].sum()))


def test_what_a_callback_of_ones_own_remembers_need_not_be_a_number(photos, tmp_path):
    own = keras.callbacks.LambdaCallback()
    own.best, own.wait = ["weights"], {"of": "a student"}
    fit(classifier(), photos, directory=tmp_path, callbacks=own, verbose=0)
    assert own.best == ["weights"]


def test_the_frozen_part_is_run_once(photos):
    model = classifier()
    fit(model, photos, epochs=5, verbose=0)
    assert photos.reads <= 2 * 5


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


def test_augmentation_with_weights_of_its_own(photos):
    colours = augment.PCAColor()
    colours.adapt(photos.images)
    training.reproducible(2)
    base = small_base()
    base.trainable = False
    model = compiled(models.transfer_classifier(base, augmentation=colours))
    assert len(fit(model, photos, epochs=1, views=1, verbose=0).epoch) == 1


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


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="concerns TensorFlow's tf.data")
def test_no_epoch_waits_for_a_pipeline_that_tunes_itself(photos, monkeypatch):
    fed, keras_fit = [], keras.Model.fit

    def noting(self, x, validation_data, **options):
        fed.extend([x, validation_data])
        return keras_fit(self, x, validation_data=validation_data, **options)

    monkeypatch.setattr(keras.Model, "fit", noting)
    fit(classifier(), photos, photos, epochs=1, verbose=0)
    assert [dataset.options().autotune.enabled for dataset in fed] == [False, False]
