"""Training on what the frozen layers computed once: the same as training the whole model."""

from cnnkit import data, training
from cnnkit.data import augment

import keras
import numpy as np
import pytest

from ..conftest import same
from .conftest import classifier, small_base

fit = training.transfer.fit_from_frozen


def train_whole(model, photos, epochs):
    order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, logs: photos.set_epoch(n))
    model.fit(photos, epochs=epochs, shuffle=False, callbacks=[order], verbose=0)
    return model


SPARSE = "sparse_categorical_crossentropy"
CASES = [("vgg16", 4, False), ("vgg16", 4, True), ("densenet", 0, True)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "free", "augmented"), CASES)
def test_ten_steps_give_the_weights_that_training_the_whole_model_gives(
    photos, name, free, augmented
):
    start = classifier(name, free, augmented).get_weights()
    whole = train_whole(classifier(name, free, augmented), photos, epochs=2)
    model = classifier(name, free, augmented)
    photos.reads = 0
    fit(model, photos, epochs=2, views=2 if augmented else None, verbose=0)
    assert photos.reads <= 16  # one to look at, for the key, and for each view
    same(whole, model, tolerance=1e-4)
    learned = [not np.array_equal(a, b) for a, b in zip(start, model.get_weights(), strict=True)]
    assert sum(learned) == 4 + (6 if free else 0)


def squared(true, predicted):
    return keras.ops.mean((keras.ops.cast(true, "float32") - predicted[:, -1]) ** 2)


@pytest.mark.parametrize("head", ["nested last", "softmax", "colours"])
def test_so_do_other_heads_and_losses(photos, head):
    def model():
        training.reproducible(1)
        base, dense = small_base(), keras.layers.Dense
        base.trainable = False
        inside = keras.Sequential([keras.layers.Flatten(), keras.layers.Dropout(0.5), dense(1)])
        layers, loss = {
            "colours": ([inside, keras.layers.Activation("sigmoid")], "binary_crossentropy"),
            "nested last": ([inside], squared),
            "softmax": ([keras.layers.Flatten(), dense(2, "softmax")], SPARSE),
        }[head]
        begin = [augment.PCAColor(seed=1)] if head == "colours" else []
        for colours in begin:
            colours.adapt(photos.images)  # it has weights of its own
        built = keras.Sequential([keras.Input((48, 48, 3)), *begin, base, *layers])
        built.compile("rmsprop", loss)
        return built

    whole, ours = train_whole(model(), photos, 1), model()
    fit(ours, photos, epochs=1, views=1 if head == "colours" else None, verbose=0)
    same(whole, ours, tolerance=1e-4)


@pytest.mark.slow
def test_keras_fit_on_a_shuffled_folder_gives_the_same(tmp_path):
    """Also where a directory holds the views of another batch size."""
    data.drawings.write(tmp_path / "photos", ["cat", "dog"], per_class=8, seed=0, size=48)
    plain = data.image_folder(tmp_path / "photos", (48, 48), 4)
    for batch_size in (4, 8):
        dataset = data.image_folder(tmp_path / "photos", (48, 48), batch_size, True, seed=5)
        model = classifier(free=4, augmented=True)
        history = fit(model, dataset, plain, 2, tmp_path / "run", views=2, verbose=0).history
        dataset.set_epoch(0)
        whole = classifier(free=4, augmented=True)
        expected = whole.fit(dataset, validation_data=plain, epochs=2, verbose=0).history
        same(whole, model, tolerance=1e-4)
        for name in history.keys() | expected.keys():
            np.testing.assert_allclose(history[name], expected[name], rtol=1e-3)


@pytest.mark.slow
def test_a_second_call_goes_on_with_the_moments_of_the_optimizer(photos):
    """Without dropout: on PyTorch, each call of `fit` draws a number of its own."""
    whole, model = (classifier(dropout=0) for _ in range(2))
    for epochs in (1, 3):
        train_whole(whole, photos, epochs)
        fit(model, photos, epochs=epochs, verbose=0)
    same(whole, model, tolerance=1e-4)


@pytest.mark.slow
def test_callbacks_see_the_whole_model(photos, tmp_path):
    model = classifier(free=4)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    stop = keras.callbacks.EarlyStopping("val_loss", patience=0, restore_best_weights=True)
    slower = keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e9, factor=0.1)
    adding = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: logs.update(seen=float(model.get_weights()[-1].sum()))
    )
    callbacks = [best, stop, slower, adding]
    history = fit(model, photos, photos, 20, tmp_path / "run", callbacks=callbacks, verbose=0)
    assert len(history.epoch) < 20
    assert float(model.optimizer.learning_rate) < 1e-3
    same(keras.models.load_model(tmp_path / "best.keras"), model)
    loss, _ = model.evaluate(photos.images, photos.labels, verbose=0)
    assert loss == pytest.approx(min(history.history["val_loss"]), rel=1e-4)
    best_epoch = int(np.argmin(history.history["val_loss"]))
    assert history.history["seen"][best_epoch] == float(model.get_weights()[-1].sum())
