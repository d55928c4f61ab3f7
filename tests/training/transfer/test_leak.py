"""Features belong to the photos that they were computed from, whatever these are called."""

import shutil

from cnnkit import data, models, training

import keras
import numpy as np
import pytest

from .conftest import classifier, small_base

transfer = training.transfer
SIZE = (48, 48)


@pytest.fixture
def folders(tmp_path):
    """Two folders split as train/cat/…, test/cat/…: equal names and counts, other photos."""
    return [
        data.drawings.write(tmp_path / part, ["cat", "dog"], 6, seed=seed, size=48)
        for seed, part in enumerate(("train", "test"))
    ]


def load(folder):
    return data.image_folder(folder, SIZE, 4)


def assert_features_of(base, dataset, features):
    expected = base.predict(dataset, verbose=0)
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_two_folders_with_equal_names_have_features_of_their_own(folders, tmp_path):
    base, (one, other) = small_base(), map(load, folders)
    first = transfer.extract_features(base, one, tmp_path / "store")
    second = transfer.extract_features(base, other, tmp_path / "store")
    assert_features_of(base, one, first)
    assert_features_of(base, other, second)


def test_as_features_of_two_folders(folders, tmp_path):
    base, (one, other) = small_base(), map(load, folders)
    first = transfer.as_features(base, one, tmp_path / "store")
    second = transfer.as_features(base, other, tmp_path / "store")
    assert_features_of(base, one, np.concatenate([x for x, _ in first]))
    assert_features_of(base, other, np.concatenate([x for x, _ in second]))


@pytest.mark.parametrize("views", [None, 1])
def test_fit_from_frozen_trains_on_its_training_photos(folders, tmp_path, views):
    """With validation photos of the same names it ends as without any."""
    weights = []
    for number, validation in enumerate((None, load(folders[1]))):
        model = classifier(augmented=bool(views), dropout=0)
        transfer.fit_from_frozen(
            model, load(folders[0]), validation, 2, tmp_path / f"run{number}", views, verbose=0
        )
        weights.append(model.get_weights())
    for with_validation, without in zip(*weights, strict=True):
        np.testing.assert_array_equal(with_validation, without)


def test_batches_whose_first_is_equal(tmp_path):
    base, random = small_base(), np.random.default_rng(0)
    start = random.uniform(0, 255, (4, *SIZE, 3)).astype("float32")
    one, other = ([start, 255 - start * share] for share in (1, 0.5))
    first = transfer.extract_features(base, one, tmp_path)
    second = transfer.extract_features(base, other, tmp_path)
    assert_features_of(base, np.concatenate(one), first)
    assert_features_of(base, np.concatenate(other), second)


def test_swapped_labels_are_the_data_sets(tmp_path):
    base, images = small_base(), np.random.default_rng(0).uniform(0, 255, (8, *SIZE, 3))
    labels = np.arange(8) % 2
    for given in (labels, 1 - labels):
        batches = data.batches(images.astype("float32"), given, 4)
        features = transfer.as_features(base, batches, tmp_path)
        np.testing.assert_array_equal(np.concatenate([y for _, y in features]), given)


def test_a_run_on_other_labels_is_another_run(tmp_path):
    """Also where each class has as many photos as before."""
    random = np.random.default_rng(0)
    images, labels = random.uniform(0, 255, (8, *SIZE, 3)).astype("float32"), np.arange(8) % 2

    def fit(given, epochs, callbacks=()):
        model = classifier()
        transfer.fit_from_frozen(
            model, data.batches(images, given, 4), None, epochs, tmp_path / "run",
            callbacks=callbacks, verbose=0,
        )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        fit(labels, 3, Unplug())
    with pytest.raises(ValueError, match="labels"):
        fit(1 - labels, 3)


class Unplug(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


def test_one_photo_replaced_in_place(folders, tmp_path):
    base, (folder, other) = small_base(), folders
    before = np.array(transfer.extract_features(base, load(folder), tmp_path / "store"))
    kept = transfer.extract_features(base, load(folder), tmp_path / "store")
    photo, new = (sorted(each.rglob("*.jpg"))[3] for each in (folder, other))
    shutil.copyfile(new, photo)
    after = transfer.extract_features(base, load(folder), tmp_path / "store")
    assert_features_of(base, load(folder), after)
    np.testing.assert_array_equal(kept, before)
    assert not np.allclose(after[3], before[3])


def test_pooled_features_of_the_cli_s_two_sets(folders, tmp_path):
    """As ``cnnkit train`` makes them: one folder of features for training and validation."""
    base = models.pooled(small_base("densenet"))
    sets = [load(each) for each in folders]
    features = [transfer.as_features(base, each, tmp_path / "store") for each in sets]
    for photos, found in zip(sets, features, strict=True):
        assert_features_of(base, photos, found.features)
