"""CIFAR-10 on files of the real one's layout, and the drawn sample."""

import pickle
import shutil

from cnnkit import data
from cnnkit.data import drawings

import keras
import numpy as np
import pytest
from keras.src.datasets import cifar as kerass_own


class AsPython2(pickle._Pickler):
    """Writes what Python 2 wrote: texts as byte strings, as in the files of CIFAR."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, text):
        code = pickle.SHORT_BINSTRING if len(text) < 256 else pickle.BINSTRING
        self.write(code + len(text).to_bytes(1 if len(text) < 256 else 4, "little") + text)
        self.memoize(text)

    dispatch[bytes] = save_bytes


def write(path, key, classes, count, seed=0, **changes):
    random = np.random.default_rng(seed)
    contents = {
        b"data": random.integers(0, 256, (count, 3072), "uint8"),
        key: random.integers(0, classes, count).tolist(),
        b"batch_label": b"a batch",
    }
    contents |= {name.encode(): value for name, value in changes.items()}
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        AsPython2(file, protocol=2).dump(contents)


@pytest.fixture
def cifar10_folder(data_home):
    folder = data_home / "cifar-10-batches-py"
    write(folder / "data_batch_1", b"labels", 10, 10_000)
    for number in (2, 3, 4):
        shutil.copy(folder / "data_batch_1", folder / f"data_batch_{number}")
    write(folder / "data_batch_5", b"labels", 10, 10_000, seed=5)
    write(folder / "test_batch", b"labels", 10, 10_000, seed=6)
    return folder


def test_the_files_are_read_as_keras_reads_them(cifar10_folder):
    (x, y), (x_test, y_test) = data.cifar10("full")
    assert (x.shape, y.shape) == ((50_000, 32, 32, 3), (50_000,))
    assert (x_test.shape, y_test.shape) == ((10_000, 32, 32, 3), (10_000,))
    assert (x.dtype, y.dtype) == ("uint8", "int64")
    for name, images, labels in (
        ("data_batch_1", x[:10_000], y[:10_000]),
        ("data_batch_5", x[40_000:], y[40_000:]),
        ("test_batch", x_test, y_test),
    ):
        pixels, expected = kerass_own.load_batch(cifar10_folder / name)
        np.testing.assert_array_equal(images, pixels.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(labels, expected)


def test_cifar_100_is_an_argument_away(data_home):
    folder = data_home / "cifar-100-python"
    write(folder / "train", b"fine_labels", 100, 50_000)
    write(folder / "test", b"fine_labels", 100, 10_000)
    (x, y), (x_test, y_test) = data.cifar10("full", classes=100)
    assert (x.shape, x_test.shape) == ((50_000, 32, 32, 3), (10_000, 32, 32, 3))
    assert set(y) == set(y_test) == set(range(100))


def test_keras_downloads_what_is_missing(data_home, monkeypatch):
    given = (np.zeros((50, 32, 32, 3), "uint8"), np.arange(50, dtype="uint8")[:, None] % 10)
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: (given, given))
    (x, y), _ = data.cifar10("full")
    np.testing.assert_array_equal(x, given[0])
    assert (y.shape, y.dtype) == ((50,), "int64")


def test_without_a_network_it_says_how_to_get_them(data_home, monkeypatch):
    def fail():
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", fail)
    monkeypatch.setattr(keras.datasets.cifar100, "load_data", fail)
    for classes in (10, 100):
        with pytest.raises(FileNotFoundError) as error:
            data.cifar10("full", classes)
        message = str(error.value)
        assert "could not download it (URL fetch failure)" in message
        assert f"curl -L -O https://www.cs.toronto.edu/~kriz/cifar-{classes}-python" in message
        assert f"tar -xzf cifar-{classes}-python.tar.gz" in message
        assert str(data_home) in message
        assert '"sample"' in message


def test_an_archive_that_is_not_unpacked_is_told(data_home):
    archive = data_home / "cifar-100-python.tar.gz"
    archive.touch()
    with pytest.raises(FileNotFoundError, match=f"not unpacked yet:\n  tar -xzf {archive} -C"):
        data.cifar10("full", classes=100)


class Bomb:
    def __reduce__(self):
        return (print, ("boom",))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "cannot be read"),
        (lambda path: path.write_bytes(b"a text"), "cannot be read"),
        (lambda path: path.write_bytes(pickle.dumps(Bomb())), "builtins.print"),
        (lambda path: write(path, b"labels", 10, 10), r"uint8 \(10, 3072\), not uint8 \(10000"),
        (lambda path: write(path, b"labels", 12, 10_000), "numbers from 0 to 9"),
        (lambda path: write(path, b"fine_labels", 10, 10_000), "labels"),
        (lambda path: write(path, b"labels", 10, 10_000, data=[1]), r"int64 \(1,\)"),
    ],
)
def test_damaged_files_are_named(cifar10_folder, spoil, message, capsys):
    spoil(cifar10_folder / "data_batch_1")
    with pytest.raises(ValueError, match=r"data_batch_1 is not of CIFAR-10: .*" + message):
        data.cifar10("full")
    assert "boom" not in capsys.readouterr().out


def test_an_archive_that_was_not_unpacked_to_the_end_is_named(cifar10_folder):
    (cifar10_folder / "test_batch").unlink()
    with pytest.raises(FileNotFoundError, match="test_batch is missing: its archive was not"):
        data.cifar10("full")


@pytest.mark.slow
def test_the_sample_is_drawn_once_and_has_the_form_of_cifar_10(data_home, monkeypatch):
    (x, y), (x_test, y_test) = data.cifar10("sample")
    assert (x.shape, x_test.shape) == ((5_000, 32, 32, 3), (1_000, 32, 32, 3))
    assert (x.dtype, y.dtype) == ("uint8", "int64")
    np.testing.assert_array_equal(np.bincount(y), np.full(10, 500))
    np.testing.assert_array_equal(np.bincount(y_test), np.full(10, 100))
    assert set(y[:100]) == set(range(10))
    every = np.concatenate([x, x_test]).reshape(6_000, -1)
    assert len(np.unique(every, axis=0)) == 6_000
    assert len(data.CIFAR10_CLASSES["sample"]) == len(data.CIFAR10_CLASSES["full"]) == 10
    assert set(data.CIFAR10_CLASSES["sample"]) <= set(drawings.SPECIES)
    monkeypatch.setattr(drawings, "write", None)  # a second call draws nothing
    (again, _), _ = data.cifar10("sample")
    np.testing.assert_array_equal(again, x)
    assert [path.name for path in (data_home / "cifar10").iterdir()] == [
        f"sample-v{drawings.VERSION}"
    ]


def test_bad_arguments(data_home):
    with pytest.raises(ValueError, match="scale is 'small'"):
        data.cifar10("small")
    with pytest.raises(ValueError, match="classes is 20; expected 10 or 100"):
        data.cifar10("full", 20)
    with pytest.raises(ValueError, match='100 are there at the scale "full"'):
        data.cifar10("sample", 100)
