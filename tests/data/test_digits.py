import importlib
import inspect

from cnnkit import data

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

DIGITS = importlib.import_module("cnnkit.data.digits")


def test_digits_have_the_published_form():
    (x_train, y_train), (x_test, y_test) = data.digits()
    assert x_train.shape == (1617, 8, 8, 1)
    assert x_test.shape == (180, 8, 8, 1)
    assert y_train.shape == (1617,)
    assert y_test.shape == (180,)
    assert x_train.dtype == x_test.dtype == np.float32
    assert x_train.min() == 0
    assert x_train.max() == 1


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


def test_a_seed_that_is_none_is_told():
    with pytest.raises(ValueError, match="seed is -1; expected a whole number from 0"):
        data.digits(-1)


def test_the_sample_of_mnist_is_the_digits_enlarged_bilinearly():
    (x_train, y_train), (x_test, y_test) = data.mnist("sample")
    (small, labels), _ = data.digits()
    expected = keras.ops.image.resize(small, (28, 28), interpolation="bilinear")
    np.testing.assert_allclose(x_train, expected, atol=1e-6)
    np.testing.assert_array_equal(y_train, labels)
    assert x_test.shape == (180, 28, 28, 1)
    assert x_train.dtype == np.float32
    assert y_test.dtype == np.int64


def test_mnist_at_full_scale_is_the_file_in_the_data_folder(write_mnist):
    with np.load(write_mnist()) as file:
        (x_train, y_train), (x_test, y_test) = data.mnist("full")
        np.testing.assert_array_equal(np.round(x_train[..., 0] * 255), file["x_train"])
        np.testing.assert_array_equal(y_train, file["y_train"])
        np.testing.assert_array_equal(y_test, file["y_test"])
    assert x_train.shape == (60_000, 28, 28, 1)
    assert x_test.shape == (10_000, 28, 28, 1)
    assert x_train.dtype == np.float32
    assert x_train.max() == 1
    assert y_train.dtype == np.int64


def test_an_unknown_scale_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match="scale is 'ful'; expected 'sample' or 'full'"):
        data.mnist("ful")


def test_mnist_is_downloaded_from_where_keras_downloads_it():
    source = inspect.getsource(keras.datasets.mnist.load_data)
    folder, name = DIGITS.MNIST_URL.rsplit("/", 1)
    assert f'"{folder}/"' in source
    assert f'"{name}"' in source
    assert DIGITS.MNIST_SHA256 in source


def test_a_truncated_mnist_says_what_to_do(write_mnist):
    path = write_mnist()
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(
        ValueError, match=r"mnist\.npz is not a sound MNIST file: it cannot be read.*Delete it"
    ):
        data.mnist("full")


def test_damage_inside_mnist_says_what_to_do(write_mnist):
    path = write_mnist()
    content = bytearray(path.read_bytes())
    content[60:4000] = bytes(3940)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"it cannot be read.*Delete it"):
        data.mnist("full")


def test_an_encrypted_archive_says_what_to_do(write_mnist):
    path = write_mnist()
    content = path.read_bytes()
    central = content.index(b"PK\x01\x02")  # its flags lie 8 bytes further on
    path.write_bytes(content[: central + 8] + b"\x01" + content[central + 9 :])
    with pytest.raises(ValueError, match=r"it cannot be read.*Delete it"):
        data.mnist("full")


def test_another_archive_is_not_mnist(data_home):
    np.savez(data_home / "mnist.npz", pictures=np.zeros(3))
    with pytest.raises(ValueError, match=r"it cannot be read.*x_train.*Delete it"):
        data.mnist("full")


def test_a_file_of_another_kind_is_not_mnist(data_home):
    (data_home / "mnist.npz").write_text("<html>Please sign in to the network</html>")
    with pytest.raises(ValueError, match=r"it cannot be read.*Delete it"):
        data.mnist("full")


def test_a_pickle_is_refused(write_mnist):
    write_mnist(y_test=np.array([{}] * 10_000, dtype=object))
    with pytest.raises(ValueError, match=r"it cannot be read.*Delete it"):
        data.mnist("full")


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"x_test": np.zeros((9, 28, 28), "uint8")}, r"x_test is uint8 \(9, 28, 28\)"),
        ({"y_test": np.zeros(10_000, "float64")}, r"y_test is float64"),
        ({"y_test": np.full(10_000, 12, "uint8")}, "labels above 9"),
    ],
)
def test_arrays_of_another_data_set_are_not_mnist(write_mnist, changes, found):
    write_mnist(**changes)
    with pytest.raises(ValueError, match=found):
        data.mnist("full")


def test_full_scale_without_a_network_says_how_to_get_the_file(data_home, monkeypatch):
    monkeypatch.setattr(DIGITS, "MNIST_URL", "http://127.0.0.1:9/mnist.npz")
    with pytest.raises(FileNotFoundError) as caught:
        data.mnist("full")
    message = str(caught.value)
    assert f"{data_home / 'mnist.npz'} is missing" in message
    assert "could not be reached" in message
    assert 'curl -L -o "mnist.npz" http://127.0.0.1:9/mnist.npz' in message
    assert "CNNKIT_DATA" in message
    assert list(data_home.iterdir()) == []
