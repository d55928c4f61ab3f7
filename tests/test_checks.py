from cnnkit import evaluation, models, training

import numpy as np
import pytest

PICTURES = np.zeros((6, 28, 28, 1), "float32")
LABELS = np.arange(6)


@pytest.fixture(scope="module")
def model():
    return models.mnist_cnn()


@pytest.mark.parametrize(
    ("images", "cure"),
    [
        (PICTURES[..., 0], r"\(6, 28, 28\).*expects \(n, 28, 28, 1\).*images\[..., np.newaxis\]"),
        (PICTURES[0], r"batch axis is missing: use image\[np.newaxis\]"),
        (PICTURES[0, ..., 0], r"Two axes are missing"),
        (np.zeros((6, 1, 28, 28)), r"Channels come first: use np.moveaxis\(images, 1, -1\)"),
        (np.zeros((6, 32, 32, 1)), r"\(6, 32, 32, 1\).*Bring the images into this form"),
        (PICTURES[:0], "There are no images"),
        (np.full_like(PICTURES, np.nan), "NaN"),
    ],
)
def test_pictures_that_do_not_fit_are_refused_with_the_cure(model, images, cure):
    with pytest.raises(ValueError, match=cure):
        training.check_data(model, images, LABELS)
    with pytest.raises(ValueError, match=cure):
        evaluation.predict(model, images)


@pytest.mark.parametrize(
    ("labels", "cure"),
    [
        (np.array([0, 1, 2, 3, 4, 10]), "1 of 6 labels.*first is 10.*labels are 0 to 9"),
        (np.array([-1, 1, 2, 3, 4, 5]), "first is -1"),
        (np.arange(5), r"\(5,\).*each of the 6 images"),
        (np.eye(10)[:6], r"\(6, 10\).*Use labels.argmax\(axis=1\)"),
        (LABELS[:, np.newaxis], r"\(6, 1\).*Use labels.ravel\(\)"),
        (np.arange(6.0), r"float64.*astype\(int\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_the_cure(model, labels, cure):
    with pytest.raises(ValueError, match=cure):
        training.check_data(model, PICTURES, labels)


@pytest.mark.parametrize(
    ("pixel", "cure"), [(255, "images / 255"), (-1, "Rescale them"), (4095, "Rescale them")]
)
def test_pixels_out_of_range_are_refused_before_training(model, pixel, cure):
    with pytest.raises(ValueError, match=rf"expected 0 to 1\. .*{cure}"):
        training.check_data(model, np.full_like(PICTURES, pixel), LABELS)


def test_one_output_stands_for_two_classes():
    model = models.cats_vs_dogs_cnn((78, 78, 3))
    photos = np.zeros((3, 78, 78, 3), "float32")
    training.check_data(model, photos, np.array([0, 1, 1]))
    with pytest.raises(ValueError, match="labels are 0 to 1"):
        training.check_data(model, photos, np.array([0, 1, 2]))


def small_vgg16():
    return models.vgg16_base(None, (32, 32, 3), width=1 / 16)


@pytest.mark.parametrize(
    "build",
    [
        lambda: models.cats_vs_dogs_cnn((78, 78, 3)),
        lambda: models.transfer_classifier(small_vgg16()),
    ],
)
def test_photos_are_not_rescaled_twice(build):
    model = build()
    photos = np.random.default_rng(0).uniform(0, 255, (2, *model.input_shape[1:]))
    evaluation.predict(model, photos)
    evaluation.predict(model, 0 * photos)  # black is black
    with pytest.raises(ValueError, match=r"expects 0 to 255.*Leave out the division by 255"):
        evaluation.predict(model, photos / 255)
    with pytest.raises(ValueError, match="Leave out the scaling"):
        evaluation.predict(model, photos / 127.5 - 1)


@pytest.mark.parametrize("build", [models.cats_vs_dogs_cnn, models.alexnet, models.shakenet])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": 180}, "input_shape is 180; expected .height, width, "),
        ({"input_shape": (2, 2, 3)}, r"input_shape is \(2, 2, 3\).*from \d+ up"),
        ({"augmentation": len}, "augmentation is .*with the brackets"),
    ],
)
def test_what_builders_get_wrong_first_is_told(build, arguments, message):
    with pytest.raises(ValueError, match=message):
        build(**arguments)
