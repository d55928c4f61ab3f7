import functools
import importlib

from cnnkit import data, evaluation, models

import keras
import numpy as np
import pytest


@pytest.fixture
def photos(tmp_path):
    return data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 9, seed=0)


@pytest.mark.parametrize("build", [models.digits_cnn, lambda: models.cats_vs_dogs_cnn((78, 78, 3))])
def test_a_row_of_probabilities_for_each_picture_in_order(build):
    """Two of them where there is one sigmoid unit; arrays, batches and views of one window."""
    model, labels = build(), np.arange(10) % 2
    images = 250 * np.random.default_rng(0).random((10, *model.input_shape[1:]))
    images = (images if images.shape[-1] == 3 else images / 255).astype("float32")
    expected = keras.ops.convert_to_numpy(model(images))
    found = evaluation.predict(model, images)
    assert found.shape == (10, max(2, expected.shape[1]))
    np.testing.assert_allclose(found[:, -expected.shape[1] :], expected, atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    batches = data.batches(images, labels, 4)
    for views in (None, lambda x: np.asarray(x)[:, np.newaxis]):
        np.testing.assert_allclose(evaluation.predict(model, batches, views), found, atol=1e-6)


def test_a_data_set_is_predicted_in_its_order(photos):
    model = models.cats_vs_dogs_cnn((78, 78, 3))
    dataset = data.image_folder(photos, (78, 78), batch_size=4)
    images = np.concatenate([np.asarray(images) for images, _ in dataset])
    probabilities = evaluation.predict(model, dataset)
    np.testing.assert_allclose(probabilities, evaluation.predict(model, images), atol=1e-6)
    assert evaluation.report(dataset.labels, probabilities, dataset.class_names).count == 18
    without_labels = dataset.map(images_alone)
    np.testing.assert_array_equal(evaluation.predict(model, without_labels), probabilities)


def folder(photos, size=20, **options):
    return data.image_folder(photos, (size, size), **options)


def images_alone(images, labels):
    return images


@pytest.mark.parametrize("views", [None, lambda images: np.asarray(images)[:, None]])
@pytest.mark.parametrize(
    ("make", "cure"),
    [
        (lambda _: data.batches(np.ones((4, 20, 20, 3)), np.zeros(4, int), 2, True), "shuffled"),
        (lambda photos: folder(photos).unbatch(), r"batch\(32\)"),
        (lambda photos: folder(photos, 18), r"18, 18, 3.*\(n, 20, 20, 3\)"),
    ],
)
def test_a_data_set_that_is_shuffled_or_does_not_fit_is_refused(photos, make, cure, views):
    with pytest.raises(ValueError, match=cure):
        evaluation.predict(small(), make(photos), views)


def small(classes: int = 3) -> keras.Model:
    """A network of random weights for windows of 20 by 20."""
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((20, 20, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, 2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(classes, "softmax" if classes > 1 else "sigmoid"),
        ]
    )


TEN = functools.partial(data.augment.ten_crop, size=20)


def by_a_loop(model: keras.Model, photos: np.ndarray) -> np.ndarray:
    """Ten predictions of each photo, one by one, and their mean."""
    rows = []
    for photo in photos:
        down, right = photo.shape[0] - 20, photo.shape[1] - 20
        corners = [(0, 0), (0, right), (down, 0), (down, right), (down // 2, right // 2)]
        windows = [photo[top : top + 20, left : left + 20] for top, left in corners]
        windows += [window[:, ::-1] for window in windows]
        each = [model.predict_on_batch(window[np.newaxis])[0] for window in windows]
        rows.append(np.mean(each, axis=0))
    return np.array(rows)


@pytest.mark.parametrize(
    ("shape", "classes", "together"), [((24, 24), 3, 3), ((20, 31), 3, 99), ((25, 20), 1, 0)]
)
def test_ten_crops_are_averaged(shape, classes, together, monkeypatch):
    """Also where memory holds the views of a few photos, or not even those of one."""
    module = importlib.import_module("cnnkit.evaluation.predict")
    monkeypatch.setattr(module, "VIEW_BUDGET", together * 10 * 20 * 20 * 3 * 4)
    photos = np.random.default_rng(0).uniform(0, 255, (7, *shape, 3)).astype("float32")
    model, sizes = small(classes), []
    predict = model.predict_on_batch
    monkeypatch.setattr(model, "predict_on_batch", lambda x: sizes.append(len(x)) or predict(x))
    found = evaluation.predict(model, photos, views=TEN)
    assert max(sizes) == 10 * min(7, max(1, together))
    np.testing.assert_allclose(found[:, -classes:], by_a_loop(model, photos), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert np.abs(found - evaluation.predict(model, photos[:, :20, :20])).max() > 1e-3


def test_views_that_do_not_fit_are_refused():
    photos, inputs = np.full((2, 24, 24, 3), 9.0, "float32"), keras.Input((None, None, 3))
    cropping = keras.Model(inputs, small()(data.augment.crop_and_flip(20)(inputs)))
    for model, images, views, message in (
        (small(), photos, lambda images: images[:, np.newaxis], r"expects \(n, 20, 20, 3\)"),
        (small(), photos[:, :18], TEN, "each side at least 20"),
        (cropping, photos, functools.partial(TEN, size=22), r"\(22, 22, 3\).*crops images to"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluation.predict(model, images, views=views)
    found = evaluation.predict(cropping, photos, views=TEN)
    np.testing.assert_allclose(found, by_a_loop(small(), photos), atol=1e-6)
