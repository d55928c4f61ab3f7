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
    with pytest.raises(ValueError, match=r"expects \(n, 8, 8, 1\)"):
        evaluation.predict(model, data.batches(images[:, :4], labels, 4))


def test_batches_whose_shape_is_not_known_beforehand():
    """As tf.data has it after a NumPy function."""
    tf = pytest.importorskip("tensorflow")
    images = np.random.default_rng(0).random((10, 8, 8, 1)).astype("float32")
    dataset = tf.data.Dataset.range(2).map(
        lambda n: tf.numpy_function(lambda n: images[5 * n : 5 * n + 5], [n], tf.float32)
    )
    assert dataset.element_spec.shape.rank is None
    model = models.digits_cnn()
    expected = evaluation.predict(model, images)
    np.testing.assert_allclose(evaluation.predict(model, dataset), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"expects \(n, 28, 28, 1\)"):
        evaluation.predict(models.mnist_cnn(), dataset)


def folder(photos, size=20, **options):
    return data.image_folder(photos, (size, size), **options)


def images_alone(images, labels):
    return images


def divided(images, labels):
    return images / 255, labels


@pytest.mark.parametrize("views", [None, lambda images: np.asarray(images)[:, None]])
@pytest.mark.parametrize(
    ("make", "cure"),
    [
        (lambda photos: folder(photos, shuffle=True), "shuffle=False"),
        (lambda photos: folder(photos, shuffle=True).map(images_alone), "shuffle=False"),
        (lambda _: data.batches(np.ones((4, 20, 20, 3)), np.zeros(4, int), 2, True), "shuffled"),
        (lambda photos: folder(photos).unbatch(), r"batch\(32\)"),
        (lambda photos: folder(photos, 18), r"18, 18, 3.*\(n, 20, 20, 3\)"),
        (lambda photos: folder(photos).map(divided), "division by 255"),
    ],
)
def test_a_data_set_that_is_shuffled_or_does_not_fit_is_refused(photos, make, cure, views):
    with pytest.raises(ValueError, match=cure):
        evaluation.predict(small(), make(photos), views)


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


@pytest.mark.parametrize(("shape", "classes"), [((24, 24), 3), ((20, 31), 3), ((25, 20), 1)])
def test_ten_crops_are_averaged(shape, classes):
    photos = np.random.default_rng(0).uniform(0, 255, (7, *shape, 3)).astype("float32")
    model = small(classes)
    found = evaluation.predict(model, photos, views=TEN)
    np.testing.assert_allclose(found[:, -classes:], by_a_loop(model, photos), atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert np.abs(found - evaluation.predict(model, photos[:, :20, :20])).max() > 1e-3


def test_ten_crops_of_a_data_set(photos):
    dataset = data.image_folder(photos, (24, 24), batch_size=4)
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
    monkeypatch.setattr(module, "VIEW_BUDGET", 1)
    evaluation.predict(model, photos[:2], views=TEN)
    assert sizes[3:] == [10, 10]  # those of one photo at least


def test_views_that_do_not_fit_are_refused():
    photos = np.full((2, 24, 24, 3), 9, "float32")
    with pytest.raises(ValueError, match=r"expects \(n, 20, 20, 3\)"):
        evaluation.predict(small(), photos, views=lambda images: images[:, np.newaxis])
    with pytest.raises(ValueError, match="each side at least 20"):
        evaluation.predict(small(), photos[:, :18], views=TEN)


def test_views_that_the_model_would_crop_are_refused():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, small()(data.augment.crop_and_flip(20)(inputs)))
    photos = np.full((2, 24, 24, 3), 9.0, "float32")
    views = functools.partial(data.augment.ten_crop, size=22)
    with pytest.raises(ValueError, match=r"\(22, 22, 3\).*crops images to \(20, 20, 3\)"):
        evaluation.predict(model, photos, views=views)
    found = evaluation.predict(model, photos, views=TEN)
    np.testing.assert_allclose(found, by_a_loop(small(), photos), atol=1e-6)
