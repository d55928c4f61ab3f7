"""Windows of photos, where a search finds them; and ten of each beside slices."""

from collections import Counter

from cnnkit.data import augment

import keras
import numpy as np
import pytest
from keras import ops

from .conftest import PHOTOS, change

RANDOM = np.random.default_rng(0)


def test_flip_pad_and_crop_gives_windows_of_the_padded_picture_or_of_its_mirror_image():
    images = np.repeat(PHOTOS[:1, :12, :12], 64, axis=0)
    after = change(augment.flip_pad_and_crop(2, seed=0), images)
    padded = np.pad(images[0], ((2, 2), (2, 2), (0, 0)))
    kinds = {}
    for mirrored, side in enumerate((padded, padded[:, ::-1])):
        for top in range(5):
            for left in range(5):
                kinds[side[top : top + 12, left : left + 12].tobytes()] = mirrored
    found = [kinds[picture.tobytes()] for picture in after.astype(images.dtype)]
    assert 0.25 < np.mean(found) < 0.75
    assert len({picture.tobytes() for picture in after}) > 20
    straight = change(augment.pad_and_crop(2, seed=0), np.repeat(images, 8, axis=0))
    counts = Counter(picture.tobytes() for picture in straight)
    assert not any(kinds[picture] for picture in counts)
    assert (len(counts), len(straight)) == (25, 512)
    np.testing.assert_allclose(list(counts.values()), 512 / 25, atol=20)


def places(windows: np.ndarray, photo: np.ndarray) -> list[tuple[int, int, bool]]:
    """Find where each window was cut out of a photo, and whether it was mirrored."""
    size, found = windows.shape[1], []
    for window in windows:
        for top in range(photo.shape[0] - size + 1):
            for left in range(photo.shape[1] - size + 1):
                cut = photo[top : top + size, left : left + size]
                for mirrored in (False, True):
                    if np.array_equal(window, cut[:, ::-1] if mirrored else cut):
                        found.append((top, left, mirrored))
    return found


def test_random_windows_lie_anywhere_and_half_are_mirrored():
    photo = RANDOM.integers(0, 256, (12, 14, 3)).astype("float32")
    layer = augment.crop_and_flip(10, seed=1)
    windows = change(layer, np.repeat(photo[np.newaxis], 300, axis=0))
    assert windows.shape == (300, 10, 10, 3)
    found = places(windows, photo)
    assert len(found) == 300
    tops, lefts, mirrored = (np.bincount(values) for values in np.array(found).T)
    for counts in (tops, lefts, mirrored):  # within five standard deviations of their share
        share = 1 / len(counts)
        assert np.abs(counts - 300 * share).max() < 5 * (300 * share * (1 - share)) ** 0.5
    assert (len(tops), len(lefts), len(mirrored)) == (3, 5, 2)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "float16"])
def test_in_inference_the_window_is_the_middle(dtype):
    layer = augment.crop_and_flip(19)
    middle = ops.convert_to_numpy(layer(PHOTOS.astype(dtype)))
    np.testing.assert_array_equal(middle, PHOTOS[:, 2:21, 2:21].astype(dtype))
    assert change(layer, PHOTOS.astype(dtype)).dtype == dtype
    tens = ops.convert_to_numpy(augment.ten_crop(PHOTOS, 19))
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(PHOTOS)), tens[:, 4])


def test_windows_in_a_model_of_photos_of_any_size():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, augment.crop_and_flip(16, seed=1)(inputs))
    assert model.output_shape == (None, 16, 16, 3)
    for side in (16, 24):
        photos = PHOTOS[:, :side, :side]
        middle = photos[:, (side - 16) // 2 :][:, :16, (side - 16) // 2 :][:, :, :16]
        np.testing.assert_array_equal(model.predict(photos, verbose=0), middle)


def test_the_windows_seed_decides_and_each_call_goes_on():
    first, again, other = (augment.crop_and_flip(16, seed=seed) for seed in (1, 1, 2))
    once, twice = change(first, PHOTOS), change(first, PHOTOS)
    np.testing.assert_array_equal(change(again, PHOTOS), once)
    assert (once != twice).any()
    assert (once != change(other, PHOTOS)).any()
    for photo, window in zip(PHOTOS, once, strict=True):  # each of its own photo
        assert len(places(window[np.newaxis], photo)) == 1
    copy = type(first).from_config(first.get_config())
    np.testing.assert_array_equal(change(copy, PHOTOS), once)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: augment.crop_and_flip(0), "size is 0"),
        (lambda: augment.crop_and_flip(67.5), r"size is 67\.5"),
        (lambda: augment.ten_crop(PHOTOS, (20, 20)), r"size is \(20, 20\)"),
        (lambda: augment.ten_crop(PHOTOS, -5), "size is -5"),
        (lambda: augment.ten_crop(PHOTOS[0], 20), "each side at least 20"),
        (lambda: augment.ten_crop(PHOTOS[:, :10], 20), "each side at least 20"),
        (lambda: augment.crop_and_flip(30)(PHOTOS), "at least 30 by 30"),
        (lambda: augment.crop_and_flip(10)(PHOTOS[0]), r"photo\[np.newaxis\]"),
    ],
)
def test_windows_that_do_not_fit_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_ten_crops_are_the_corners_the_middle_and_their_mirror_images():
    wide = np.concatenate([PHOTOS, PHOTOS[:, :, :6]], axis=2)  # 24×30
    crops = ops.convert_to_numpy(augment.ten_crop(wide, 20))
    assert crops.shape == (12, 10, 20, 20, 3)
    for photo, ten in zip(wide, crops, strict=True):
        slices = [(0, 0), (0, 10), (4, 0), (4, 10), (2, 5)]
        for number, (top, left) in enumerate(slices):
            window = photo[top : top + 20, left : left + 20]
            np.testing.assert_array_equal(ten[number], window)
            np.testing.assert_array_equal(ten[number + 5], window[:, ::-1])
