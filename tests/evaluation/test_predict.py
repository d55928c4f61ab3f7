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
