from cnnkit import evaluation, models, training

import numpy as np
import pytest

PICTURES = np.zeros((6, 28, 28, 1), "float32")
LABELS = np.arange(6)


@pytest.fixture(scope="module")
def model():
    return models.mnist_cnn()


def test_data_that_fit_pass(model):
    training.check_data(model, PICTURES, LABELS)


@pytest.mark.parametrize(
    ("images", "cure"),
    [
        (PICTURES[..., 0], r"\(6, 28, 28\).*expects \(n, 28, 28, 1\).*images\[..., np.newaxis\]"),
        (PICTURES[0], r"batch axis is missing: use image\[np.newaxis\]"),
        (PICTURES[0, ..., 0], r"Batch and channel axes are missing"),
        (np.zeros((6, 32, 32, 1)), "Resize the images"),
        (PICTURES[:0], "There are no images"),
        (np.full_like(PICTURES, np.nan), "NaN"),
    ],
)
@pytest.mark.parametrize("use", ["train", "predict"])
def test_pictures_that_do_not_fit_are_refused_with_the_cure(model, images, cure, use):
    with pytest.raises(ValueError, match=cure):
        if use == "train":
            training.check_data(model, images, LABELS)
        else:
            evaluation.predict(model, images)


@pytest.mark.parametrize(
    ("labels", "cure"),
    [
        (np.array([0, 1, 2, 3, 4, 10]), "1 of 6 labels.*first is 10.*labels are 0 to 9"),
        (np.array([-1, 1, 2, 3, 4, 5]), "first is -1"),
        (np.arange(5), r"\(5,\).*each of the 6 images"),
        (np.eye(10)[:6], r"One-hot.*argmax"),
        (np.arange(6.0), r"float64.*astype\(int\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_the_cure(model, labels, cure):
    with pytest.raises(ValueError, match=cure):
        training.check_data(model, PICTURES, labels)
