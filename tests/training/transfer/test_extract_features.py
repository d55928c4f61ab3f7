"""Features, computed once: right, kept, and computed again only where they have to be."""

import tracemalloc
import warnings

from cnnkit import data, training
from cnnkit.models.pretrained import Preprocessing

import keras
import numpy as np
import pytest

from .conftest import Photos, small_base

extract = training.transfer.extract_features


@pytest.fixture
def base() -> keras.Model:
    keras.utils.set_random_seed(0)
    return small_base()


def test_features_are_what_the_base_predicts_in_the_order_of_the_files(base, photos):
    features = extract(base, photos)
    expected = base.predict(photos.images, verbose=0)
    assert features.shape == (40, 1, 1, 32) and features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5)
    assert photos.epoch() == 0


def test_a_folder_of_photos(base, tmp_path):
    data.drawings.write(tmp_path / "photos", ["cat", "dog"], per_class=5, seed=0, size=48)
    plain = data.image_folder(tmp_path / "photos", (48, 48), batch_size=4)
    shuffled = data.image_folder(tmp_path / "photos", (48, 48), batch_size=4, shuffle=True, seed=3)
    shuffled.set_epoch(2)
    expected = base.predict(plain, verbose=0)
    for dataset in (plain, shuffled):
        features = extract(base, dataset, tmp_path / str(dataset.shuffled))
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-5)
    assert shuffled.epoch() == 2


def computed(base, dataset, monkeypatch) -> int:
    """How many batches the base is run on."""
    calls = []
    predict = base.predict_on_batch
    monkeypatch.setattr(base, "predict_on_batch", lambda x: calls.append(len(x)) or predict(x))
    extract(base, dataset)
    monkeypatch.setattr(base, "predict_on_batch", predict)
    return len(calls)


def test_a_second_call_computes_nothing(base, photos, monkeypatch):
    before = np.array(extract(base, photos))
    assert computed(base, photos, monkeypatch) == 0
    np.testing.assert_array_equal(extract(base, photos), before)


def test_a_copy_of_the_base_finds_the_features_too(base, photos, monkeypatch):
    extract(base, photos)
    copy = small_base()
    copy.set_weights(base.get_weights())
    assert computed(copy, photos, monkeypatch) == 0


def test_a_changed_photo_is_computed_again(base, photos, monkeypatch):
    extract(base, photos)
    photos.images[11] = 255 - photos.images[11]
    assert computed(base, Still(photos), monkeypatch) == 5  # another data set: no order
    assert computed(base, photos, monkeypatch) == 1
    np.testing.assert_allclose(
        extract(base, photos)[11], base.predict(photos.images[11:12], verbose=0)[0], rtol=1e-5
    )


def test_another_base_is_noticed(base, photos, monkeypatch):
    before = np.array(extract(base, photos))
    kernel = base.get_layer("block3_conv2").kernel
    kernel.assign(kernel + 1e-3)
    assert computed(base, photos, monkeypatch) == 5
    assert not np.allclose(extract(base, photos), before)


def test_other_preprocessing_is_noticed(photos, monkeypatch):
    def scaled(by):
        inputs = keras.Input((48, 48, 3))
        x = keras.layers.GlobalAveragePooling2D()(inputs / by)
        return keras.Model(inputs, x)

    extract(scaled(255.0), photos)
    assert computed(scaled(255.0), photos, monkeypatch) == 0
    assert computed(scaled(127.5), photos, monkeypatch) == 5


def test_preprocessing_and_activation_belong_to_the_key(photos, monkeypatch):
    """Also where the model is called as one of them is."""

    def named(kind):
        inputs = keras.Input((48, 48, 3))
        x = keras.layers.Activation(kind)(Preprocessing("vgg16")(inputs))
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name=kind)

    extract(named("relu"), photos)
    assert computed(named("linear"), photos, monkeypatch) == 5


def test_an_interrupted_call_goes_on(base, photos, monkeypatch):
    predict, calls = base.predict_on_batch, []

    def interrupted(images):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return predict(images)

    monkeypatch.setattr(base, "predict_on_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extract(base, photos)
    monkeypatch.setattr(base, "predict_on_batch", predict)
    assert computed(base, photos, monkeypatch) == 2
    expected = base.predict(photos.images, verbose=0)
    np.testing.assert_allclose(extract(base, photos), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("place", [0.3, 0.6, 0.999])
def test_a_damaged_row_is_computed_again_with_one_line(base, photos, cache, monkeypatch, place):
    expected = np.array(extract(base, photos))
    (path,) = cache.glob("*.npy")
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"\.npy is damaged; computing it again\.") as lines:
        assert computed(base, photos, monkeypatch) == 1
    assert len([line for line in lines if line.category is UserWarning]) == 1
    np.testing.assert_array_equal(extract(base, photos), expected)


@pytest.mark.parametrize("damage", ["cut", "empty", "header", "text"])
def test_a_damaged_file_is_computed_again_with_one_line(base, photos, cache, damage):
    expected = np.array(extract(base, photos))
    (path,) = cache.glob("*.npy")
    content = path.read_bytes()
    path.write_bytes(
        {
            "cut": content[: len(content) // 2],
            "empty": b"",
            "header": b"\0" * 40 + content[40:],
            "text": b"not features",
        }[damage]
    )
    with pytest.warns(UserWarning, match="is damaged; computing it again") as lines:
        features = extract(base, photos)
    assert len([line for line in lines if line.category is UserWarning]) == 1
    np.testing.assert_array_equal(features, expected)


def test_any_damaged_header_is_survived(base, photos, cache):
    expected = np.array(extract(base, photos))
    (path,) = cache.glob("*.npy")
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(content)
        damaged[random.integers(0, 128)] ^= 1 << random.integers(0, 8)
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            np.testing.assert_array_equal(extract(base, photos), expected)


def test_finished_features_need_no_permission_to_write(base, photos, cache, monkeypatch):
    expected = np.array(extract(base, photos))
    load = np.load

    def read_only(path, mmap_mode):
        if mmap_mode == "r+":
            raise PermissionError
        return load(path, mmap_mode=mmap_mode)

    monkeypatch.setattr(np, "load", read_only)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        np.testing.assert_array_equal(extract(base, photos), expected)
    photos.images[0] = 0
    with pytest.raises(OSError, match=r"may not be written\. Name another directory"):
        extract(base, photos)


def test_a_full_disk_says_how_much_is_needed_and_leaves_nothing(base, photos, cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array_header_2_0", full)
    with pytest.raises(OSError, match=r"needs 0\.00 GB.*or name another directory"):
        extract(base, photos)
    assert not list(cache.iterdir())


def test_memory_stays_constant(tmp_path):
    class Many:
        def __init__(self, steps):
            self.steps = steps

        def __len__(self):
            return self.steps

        def __iter__(self):
            for step in range(self.steps):
                yield np.full((8, 32, 32, 3), step, "float32")

    inputs = keras.Input((32, 32, 3))
    base = keras.Model(inputs, keras.layers.UpSampling2D(4)(inputs))  # 196 kB a photo
    extract(base, Many(1), tmp_path)
    peaks = []
    for steps in (4, 40):
        tracemalloc.start()
        extract(base, Many(steps), tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2**20


class Still:
    """A data set that does not say its order: the photos as they are, in lists."""

    def __init__(self, photos: Photos) -> None:
        self.batches = [
            (x, y)
            for x, y in zip(*(np.split(a, 5) for a in (photos.images, photos.labels)), strict=True)
        ]

    def __len__(self) -> int:
        return 5

    def __iter__(self):
        return iter(self.batches)


class Restless(Still):
    """Another order each time, and no word of it."""

    def __iter__(self):
        self.batches.append(self.batches.pop(0))
        return iter(self.batches)


def test_bad_data_sets_are_refused(base, photos, tmp_path):
    with pytest.raises(ValueError, match=r"shape \(8, 48, 48, 3\); the model .* \(n, 32, 32, 3\)"):
        extract(keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()]), photos)
    with pytest.raises(ValueError, match="neither a generator nor an endless"):
        extract(base, ((x, y) for x, y in photos))
    with pytest.raises(ValueError, match="no photos"):
        extract(base, [])
    for arrays in (photos.images, (photos.images, photos.labels)):
        with pytest.raises(ValueError, match="Arrays were given; expected batches"):
            extract(base, arrays)
    with pytest.raises(ValueError, match=r"'photos' is a path; give data\.image_folder"):
        extract(base, "photos")
    with pytest.raises(ValueError, match="more than images and labels"):
        extract(base, [(photos.images, photos.labels, photos.labels)])
    with pytest.raises(ValueError, match="another order each time"):
        extract(base, Restless(photos))
    with pytest.raises(ValueError, match="Their size has to be known"):
        extract(keras.applications.MobileNet(include_top=False, weights=None, alpha=0.25), photos)
    data.drawings.write(tmp_path / "photos", ["cat", "dog"], per_class=5, seed=0, size=48)
    shuffled = data.image_folder(tmp_path / "photos", (48, 48), shuffle=True)
    with pytest.raises(ValueError, match="order is not known"):
        extract(base, shuffled.map(lambda images, labels: (images / 255, labels)))
    with pytest.raises(ValueError, match="order is not known"):
        extract(
            base, data.image_folder(tmp_path / "photos", (48, 48)).unbatch().shuffle(9).batch(4)
        )
    with pytest.raises(ValueError, match="endless"):
        extract(base, data.image_folder(tmp_path / "photos", (48, 48)).repeat())
