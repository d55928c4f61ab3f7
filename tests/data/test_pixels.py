"""Salt and pepper counted, and colour noise against the covariance of pixels."""

from cnnkit.data import augment

import numpy as np
import pytest

from .conftest import PHOTOS, change, pca_color

RANDOM = np.random.default_rng(0)


def test_salt_and_pepper_have_their_share():
    grey = np.full((20, 50, 50, 3), 100, "float32")
    after = change(augment.SaltAndPepper(0.1, seed=0), grey)
    assert set(np.unique(after)) == {0, 100, 255}
    assert (after == after[..., :1]).all()  # whole pixels
    assert (after == 0).mean() == pytest.approx(0.05, abs=0.005)
    assert (after == 255).mean() == pytest.approx(0.05, abs=0.005)


def test_salt_and_pepper_take_the_range_that_is_named():
    after = change(augment.SaltAndPepper(0.3, value_range=(-1, 1), seed=0), PHOTOS * 0)
    assert set(np.unique(after)) == {-1, 0, 1}


def test_the_range_is_saved_with_the_layer():
    layer = augment.SaltAndPepper(value_range=(-1, 1))
    assert augment.SaltAndPepper.from_config(layer.get_config()).value_range == (-1, 1)


def test_the_colour_noise_is_a_hundredth_of_the_pixels_covariance():
    colours = RANDOM.multivariate_normal(
        [128] * 3, [[90, 60, 20], [60, 80, 10], [20, 10, 30]], 4000
    )
    images = colours.astype("float32").reshape(40, 10, 10, 3)
    layer = augment.PCAColor(0.1, seed=0)
    layer.adapt(images)
    still = np.full((20_000, 1, 1, 3), 128, "float32")
    noise = (change(layer, still) - still)[:, 0, 0]
    expected = 0.01 * np.cov(images.reshape(-1, 3), rowvar=False)
    np.testing.assert_allclose(np.cov(noise, rowvar=False), expected, rtol=0.1, atol=0.02)
    batches = augment.PCAColor()
    batches.adapt([(images[:7], None), (images[7:], None)])
    np.testing.assert_allclose(np.abs(batches.components), np.abs(layer.components), rtol=1e-4)


def test_a_photo_has_one_colour_shift():
    after = change(pca_color(seed=0), np.full((5, 6, 6, 3), 128, "float32"))
    assert (after == after[:, :1, :1]).all()


def test_colour_noise_asks_for_photos_first():
    with pytest.raises(ValueError, match="adapt"):
        change(augment.PCAColor(), PHOTOS)


@pytest.mark.parametrize("photos", [PHOTOS[..., :1], PHOTOS[0], []])
def test_colour_noise_asks_for_colour_photos(photos):
    with pytest.raises(ValueError, match=r"\(n, height, width, 3\)|no photos"):
        augment.PCAColor().adapt(photos)
