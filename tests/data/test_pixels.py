"""Salt and pepper counted, and colour noise against the covariance of pixels."""

from cnnkit.data import augment

import numpy as np
import pytest

from .conftest import PHOTOS, change

RANDOM = np.random.default_rng(0)


def test_salt_and_pepper_have_their_share():
    grey = np.full((20, 50, 50, 3), 100, "float32")
    after = change(augment.SaltAndPepper(0.1, seed=0), grey)
    assert set(np.unique(after)) == {0, 100, 255}
    assert (after == after[..., :1]).all()  # whole pixels
    assert (after == 0).mean() == pytest.approx(0.05, abs=0.005)
    assert (after == 255).mean() == pytest.approx(0.05, abs=0.005)


def test_salt_and_pepper_take_the_range_that_is_named():
    layer = augment.SaltAndPepper(0.3, value_range=(-1, 1), seed=0)
    after = change(augment.SaltAndPepper.from_config(layer.get_config()), PHOTOS * 0)
    assert set(np.unique(after)) == {-1, 0, 1}


def test_the_colour_noise_is_a_hundredth_of_the_pixels_covariance():
    colours = RANDOM.multivariate_normal(
        [128] * 3, [[90, 60, 20], [60, 80, 10], [20, 10, 30]], 4000
    )
    images = colours.astype("float32").reshape(40, 10, 10, 3)
    layer = augment.PCAColor(0.1, seed=0)
    layer.adapt(images)
    still = np.full((20_000, 1, 2, 3), 128, "float32")
    (noise, second) = np.moveaxis((change(layer, still) - still)[:, 0], 1, 0)
    np.testing.assert_array_equal(noise, second)  # a photo has one shift
    expected = 0.01 * np.cov(images.reshape(-1, 3), rowvar=False)
    np.testing.assert_allclose(np.cov(noise, rowvar=False), expected, rtol=0.1, atol=0.02)
    batches = augment.PCAColor()
    batches.adapt([(images[:7], None), (images[7:], None)])
    np.testing.assert_allclose(np.abs(batches.components), np.abs(layer.components), rtol=1e-4)
