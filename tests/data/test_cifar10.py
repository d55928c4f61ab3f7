"""CIFAR-10 on files of the real one's layout, and the drawn sample."""

import hashlib
import importlib
import inspect
import pickle
import tarfile

from cnnkit import data
from cnnkit.data import drawings

import keras
import numpy as np
import pytest
from keras.src.datasets import cifar as kerass_own

cifar10 = importlib.import_module("cnnkit.data.cifar10")


class AsPython2(pickle._Pickler):
    """Writes what Python 2 wrote: texts as byte strings, as in the files of CIFAR."""

    dispatch = pickle._Pickler.dispatch.copy()

    def save_bytes(self, text):
        code = pickle.SHORT_BINSTRING if len(text) < 256 else pickle.BINSTRING
        self.write(code + len(text).to_bytes(1 if len(text) < 256 else 4, "little") + text)
        self.memoize(text)

    dispatch[bytes] = save_bytes


def write(path, count=10_000, seed=0):
    random = np.random.default_rng(seed)
    contents = {
        b"data": random.integers(0, 256, (count, 3072), "uint8"),
        b"labels": random.integers(0, 10, count).tolist(),
        b"batch_label": b"a batch",
    }
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as file:
        AsPython2(file, protocol=2).dump(contents)


@pytest.fixture
def archive(data_home, tmp_path_factory, monkeypatch):
    """An archive of the published one's layout, which passes for the published one."""
    folder = tmp_path_factory.mktemp("cifar") / "cifar-10-batches-py"
    for number, name in enumerate(cifar10.BATCHES):
        write(folder / name, seed=number)
    archive = data_home / cifar10.ARCHIVE
    with tarfile.open(archive, "w:gz", compresslevel=0) as tar:
        tar.add(folder, folder.name)
    monkeypatch.setattr(cifar10, "MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    return folder


def test_the_archive_is_read_as_keras_reads_its_files(archive):
    (x, y), (x_test, y_test) = data.cifar10("full")
    assert (x.shape, y.shape) == ((50_000, 32, 32, 3), (50_000,))
    assert (x_test.shape, y_test.shape) == ((10_000, 32, 32, 3), (10_000,))
    assert (x.dtype, y.dtype) == ("uint8", "int64")
    for name, images, labels in (
        ("data_batch_1", x[:10_000], y[:10_000]),
        ("data_batch_5", x[40_000:], y[40_000:]),
        ("test_batch", x_test, y_test),
    ):
        pixels, expected = kerass_own.load_batch(archive / name)
        np.testing.assert_array_equal(images, pixels.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(labels, expected)


class Bomb:
    def __reduce__(self):
        return (print, ("boom",))


def test_another_archive_is_refused_and_nothing_in_it_runs(data_home, capsys):
    file = data_home / "data_batch_1"
    file.write_bytes(pickle.dumps(Bomb()))
    with tarfile.open(data_home / cifar10.ARCHIVE, "w:gz") as tar:
        tar.add(file, "cifar-10-batches-py/data_batch_1")
    with pytest.raises(ValueError, match="another file: its hash is not c58f3010"):
        data.cifar10("full")
    assert "boom" not in capsys.readouterr().out


def test_it_is_downloaded_from_where_keras_downloads_it(data_home, monkeypatch):
    assert f'"{cifar10.URL}"' in inspect.getsource(keras.datasets.cifar10.load_data)
    monkeypatch.setattr(cifar10, "URL", "http://127.0.0.1:9/cifar-10-python.tar.gz")
    with pytest.raises(FileNotFoundError) as error:
        data.cifar10("full")
    for part in ("cifar-10-python.tar.gz is missing", "40 minutes", str(data_home), '"sample"'):
        assert part in str(error.value)


@pytest.mark.slow
def test_the_sample_is_drawn_once_and_has_the_form_of_cifar_10(data_home, monkeypatch):
    assert cifar10.DRAWN == {"train": 500, "test": 100}  # and a tenth of it here
    monkeypatch.setattr(cifar10, "DRAWN", {"train": 50, "test": 10})
    (x, y), (x_test, y_test) = data.cifar10("sample")
    assert (x.shape, x_test.shape) == ((500, 32, 32, 3), (100, 32, 32, 3))
    assert (x.dtype, y.dtype) == ("uint8", "int64")
    np.testing.assert_array_equal(np.bincount(y), np.full(10, 50))
    np.testing.assert_array_equal(np.bincount(y_test), np.full(10, 10))
    assert set(y[:100]) == set(range(10))
    every = np.concatenate([x, x_test]).reshape(600, -1)
    assert len(np.unique(every, axis=0)) == 600
    assert len(data.CIFAR10_CLASSES["sample"]) == len(data.CIFAR10_CLASSES["full"]) == 10
    assert set(data.CIFAR10_CLASSES["sample"]) <= set(drawings.SPECIES)
    monkeypatch.setattr(drawings, "write", None)  # a second call draws nothing
    (again, _), _ = data.cifar10("sample")
    np.testing.assert_array_equal(again, x)
    assert [path.name for path in (data_home / "cifar10").iterdir()] == [
        f"sample-v{drawings.VERSION}"
    ]
