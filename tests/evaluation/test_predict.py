import functools
import importlib

from cnnkit import data, evaluation, models

import keras
import numpy as np
import pytest


def test_a_row_of_probabilities_for_each_picture():
    model = models.digits_cnn()
    images = np.random.default_rng(0).random((70, 8, 8, 1)).astype("float32")
    probabilities = evaluation.predict(model, images)
    assert probabilities.shape == (70, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(probabilities, keras.ops.convert_to_numpy(model(images)), atol=1e-6)


@pytest.fixture
def photos(tmp_path):
    return data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 9, seed=0)


def test_one_sigmoid_unit_gives_two_probabilities():
    model = models.cats_vs_dogs_cnn((78, 78, 3))
    images = 255 * np.random.default_rng(0).random((5, 78, 78, 3)).astype("float32")
    probabilities = evaluation.predict(model, images)
    assert probabilities.shape == (5, 2)
    np.testing.assert_array_equal(probabilities[:, 1:], model.predict(images, verbose=0))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_a_data_set_is_predicted_in_its_order(photos):
    model = models.cats_vs_dogs_cnn((78, 78, 3))
    dataset = data.image_folder(photos, (78, 78), batch_size=4)
    images = np.concatenate([np.asarray(images) for images, _ in dataset])
    probabilities = evaluation.predict(model, dataset)
    np.testing.assert_allclose(probabilities, evaluation.predict(model, images), atol=1e-6)
    assert evaluation.report(dataset.labels, probabilities, dataset.class_names).count == 18
    without_labels = dataset.map(lambda images, labels: images)
    np.testing.assert_array_equal(evaluation.predict(model, without_labels), probabilities)


def test_batches_of_arrays_are_predicted_in_their_order():
    model = models.digits_cnn()
    images = np.random.default_rng(0).random((10, 8, 8, 1)).astype("float32")
    labels = np.arange(10)
    expected = evaluation.predict(model, images)
    batches = data.batches(images, labels, 4)
    np.testing.assert_allclose(evaluation.predict(model, batches), expected, atol=1e-6)
    seen = evaluation.predict(model, batches, views=lambda x: np.asarray(x)[:, np.newaxis])
    np.testing.assert_allclose(seen, expected, atol=1e-6)
    for views in (None, lambda x: x[:, np.newaxis]):
        with pytest.raises(ValueError, match=r"shuffled.*shuffle=False"):
            evaluation.predict(model, data.batches(images, labels, 4, shuffle=True), views)
    with pytest.raises(ValueError, match=r"expects \(n, 8, 8, 1\)"):
        evaluation.predict(model, data.batches(images[:, :4], labels, 4))


def test_a_shuffled_data_set_is_refused(photos):
    model = models.cats_vs_dogs_cnn((78, 78, 3))
    with pytest.raises(ValueError, match=r"shuffled.*shuffle=False"):
        evaluation.predict(model, data.image_folder(photos, (78, 78), shuffle=True))
    flipped = data.image_folder(photos, (78, 78), shuffle=True).map(lambda images, labels: images)
    with pytest.raises(ValueError, match="shuffled"):
        evaluation.predict(model, flipped)
    single = data.image_folder(photos, (78, 78)).unbatch()
    with pytest.raises(ValueError, match=r"batch\(32\)"):
        evaluation.predict(model, single)


def test_a_data_set_that_does_not_fit_the_model_is_refused(photos):
    model = models.cats_vs_dogs_cnn((80, 80, 3))
    with pytest.raises(ValueError, match=r"\(None, 78, 78, 3\).*\(n, 80, 80, 3\)"):
        evaluation.predict(model, data.image_folder(photos, (78, 78)))


def small(classes: int = 3, **options: object) -> keras.Model:
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


@pytest.mark.parametrize("shape", [(24, 24), (20, 31), (25, 20)])
def test_ten_crops_are_averaged(shape):
    photos = np.random.default_rng(0).uniform(0, 255, (7, *shape, 3)).astype("float32")
    model = small()
    found = evaluation.predict(model, photos, views=TEN)
    np.testing.assert_allclose(found, by_a_loop(model, photos), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert np.abs(found - evaluation.predict(model, photos[:, :20, :20])).max() > 1e-3


def test_ten_crops_of_one_sigmoid_unit():
    photos = np.random.default_rng(0).uniform(0, 255, (3, 24, 24, 3)).astype("float32")
    model = small(1)
    found = evaluation.predict(model, photos, views=TEN)
    np.testing.assert_allclose(found[:, 1:], by_a_loop(model, photos), atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 4, 32])
def test_ten_crops_of_a_data_set_whatever_its_batches(photos, batch_size):
    dataset = data.image_folder(photos, (24, 24), batch_size)
    images = np.concatenate([np.asarray(images) for images, _ in dataset])
    found = evaluation.predict(small(), dataset, views=TEN)
    np.testing.assert_allclose(found, by_a_loop(small(), images), atol=1e-6)


def test_views_go_through_the_model_in_few_steps_of_bounded_size(monkeypatch):
    """A budget of 30 views and a half holds three photos of ten views."""
    model, sizes = small(), []
    real = model.predict_on_batch

    def count(batch):
        sizes.append(len(batch))
        return real(batch)

    monkeypatch.setattr(model, "predict_on_batch", count)
    module = importlib.import_module("cnnkit.evaluation.predict")
    monkeypatch.setattr(module, "VIEW_BUDGET", int(30.5 * 20 * 20 * 3 * 4))
    photos = np.random.default_rng(0).uniform(0, 255, (8, 24, 24, 3)).astype("float32")
    found = evaluation.predict(model, photos, views=TEN)
    assert sizes == [30, 30, 20]
    np.testing.assert_allclose(found, by_a_loop(small(), photos), atol=1e-6)
    sizes.clear()
    monkeypatch.setattr(module, "VIEW_BUDGET", 1)
    evaluation.predict(model, photos[:2], views=TEN)
    assert sizes == [10, 10]  # those of one photo at least


def test_any_views_are_averaged():
    photos = np.random.default_rng(0).uniform(0, 255, (3, 20, 20, 3)).astype("float32")
    found = evaluation.predict(small(), photos, views=lambda images: images[:, np.newaxis])
    np.testing.assert_allclose(found, evaluation.predict(small(), photos), atol=1e-6)


@pytest.mark.parametrize(
    ("images", "views", "message"),
    [
        (np.full((2, 24, 24, 3), 9.0), lambda images: images, r"\(1, k, height"),
        (np.full((2, 24, 24, 3), 9.0), lambda images: images[:, None], r"expects \(n, 20, 20, 3\)"),
        (np.full((24, 24, 3), 9.0), TEN, r"\(24, 24, 3\); expected \(n, height"),
        (np.full((0, 24, 24, 3), 9.0), TEN, "n at least 1"),
        (np.full((2, 18, 18, 3), 9.0), TEN, "each side at least 20"),
        (np.full((2, 24, 24, 3), 0.5), TEN, "division by 255"),
    ],
)
def test_views_that_do_not_fit_are_refused(images, views, message):
    with pytest.raises(ValueError, match=message):
        evaluation.predict(small(), images.astype("float32"), views=views)


@pytest.mark.parametrize("size", [16, 22])
def test_views_that_the_model_would_cut_are_refused(size):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, small()(data.augment.crop_and_flip(20)(inputs)))
    photos = np.full((2, 24, 24, 3), 9.0, "float32")
    views = functools.partial(data.augment.ten_crop, size=size)
    with pytest.raises(ValueError, match=rf"\({size}, {size}, 3\).*cuts pictures to \(20, 20, 3\)"):
        evaluation.predict(model, photos, views=views)
    with pytest.raises(ValueError, match="views is 10; expected a function"):
        evaluation.predict(model, photos, views=10)
    found = evaluation.predict(model, photos, views=TEN)
    np.testing.assert_allclose(found, by_a_loop(small(), photos), atol=1e-6)


def test_a_data_set_divided_by_255_is_refused(photos):
    divided = data.image_folder(photos, (20, 20)).map(lambda images, labels: (images / 255, labels))
    for views in (None, lambda images: images[:, None]):
        with pytest.raises(ValueError, match="division by 255"):
            evaluation.predict(small(), divided, views=views)


def test_views_of_a_shuffled_data_set_are_refused(photos):
    with pytest.raises(ValueError, match="shuffled"):
        evaluation.predict(small(), data.image_folder(photos, (24, 24), shuffle=True), views=TEN)
