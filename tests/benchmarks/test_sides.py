"""What the sides of a benchmark do, against plain ways and numbers by hand."""

from functools import partial
from types import SimpleNamespace

from benchmarks import input_pipeline, ten_crop, transfer
from cnnkit import data

import keras
import numpy as np


def test_the_sources_ten_windows_are_those_of_ten_crop():
    photos = np.random.default_rng(0).random((2, ten_crop.SIDE, ten_crop.SIDE, 3), "float32")
    expected = keras.ops.convert_to_numpy(data.augment.ten_crop(photos, ten_crop.WINDOW))
    np.testing.assert_array_equal(ten_crop._windows(photos), expected)


def test_each_window_that_is_predicted_by_itself_counts_a_tenth():
    """By a network that returns the mean colour of a window."""
    inputs = keras.Input((ten_crop.WINDOW, ten_crop.WINDOW, 3))
    mean = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(inputs))
    photos = np.random.default_rng(0).random((3, ten_crop.SIDE, ten_crop.SIDE, 3), "float32")
    expected = ten_crop._windows(photos).mean(axis=(1, 2, 3))
    found = ten_crop.source(mean, [(photos[:2], None), (photos[2:], None)])
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_first_epoch_counts_from_the_call_and_the_last_one_shows_an_end_alone():
    """Made at 0, epochs begin at 5, 9, 11, 13; then at 7, 10, 12, 15 in another turn."""
    turns = [SimpleNamespace(times=[0, *begins]) for begins in ([5, 9, 11, 13], [7, 10, 12, 15])]
    first, later = transfer._medians(turns)
    assert first == (9 + 10) / 2
    assert later == np.median([2, 2, 2, 3])


def test_the_memory_of_more_photos_lies_on_the_line_through_two():
    line = partial(input_pipeline._extrapolated, {1_000: 2_000.0, 5_000: 6_000.0})
    assert (line(5_000), line(25_000)) == (6_000, 26_000)
    assert input_pipeline._extrapolated({1_000: 2_000.0}, 5_000) == 10_000
    assert input_pipeline._extrapolated({}, 1_000) == 0
