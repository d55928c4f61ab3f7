"""Features, computed once: right, kept, and of their own photos, whatever these are called."""

import dataclasses
import shutil
import tracemalloc

from cnnkit import data, models, training
from cnnkit.models.pretrained import Preprocessing

import keras
import numpy as np
import pytest

from ..conftest import interrupt, same
from .conftest import small_base

as_features, extract = training.transfer.as_features, training.transfer.extract_features
RECIPE = dataclasses.replace(training.recipes.HEAD_ONLY, learning_rate=0.01, epochs=3)


@pytest.fixture
def folders(tmp_path):
    """Two folders split as train/cat/…, test/cat/…: equal names and counts, other photos."""
    return [
        data.drawings.write(tmp_path / part, ["cat", "dog"], 6, seed=seed, size=48)
        for seed, part in enumerate(("train", "test"))
    ]


def load(folder, **options):
    return data.image_folder(folder, (48, 48), 4, **options)


def assert_features_of(base, dataset, features):
    expected = base.predict(dataset, verbose=0)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5)


def test_features_are_what_the_base_predicts_in_the_order_of_the_files(photos, folders):
    base = small_base()
    assert_features_of(base, photos.images, extract(base, photos))
    assert photos.epoch() == 0
    dataset = load(folders[0], shuffle=True, seed=3)
    dataset.set_epoch(2)
    assert_features_of(base, load(folders[0]), extract(base, dataset))
    assert dataset.epoch() == 2


@pytest.mark.parametrize(
    "features_of",
    [extract, lambda *given: np.concatenate([x for x, _ in as_features(*given)])],
)
def test_two_folders_with_equal_names_have_features_of_their_own(folders, tmp_path, features_of):
    base = models.pooled(small_base("densenet"))
    for dataset in map(load, folders):
        assert_features_of(base, dataset, features_of(base, dataset, tmp_path / "store"))


def test_equal_photos_with_other_labels(photos, tmp_path):
    base = small_base()
    for labels in (photos.labels, 1 - photos.labels):
        features = as_features(base, data.batches(photos.images, labels, 8), tmp_path)
        np.testing.assert_array_equal(np.concatenate([y for _, y in features]), labels)


def test_one_photo_replaced_in_place(folders, tmp_path):
    base, (folder, other) = small_base(), folders
    before = extract(base, load(folder), tmp_path / "store")
    photo, new = (sorted(each.rglob("*.jpg"))[3] for each in (folder, other))
    shutil.copyfile(new, photo)
    after = extract(base, load(folder), tmp_path / "store")
    assert_features_of(base, load(folder), after)
    assert not np.allclose(after[3], before[3])


def pooling(kind="relu", by=1.0, kernel=0.0):
    """A base, called as its activation is."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((48, 48, 3))
    x = keras.layers.Conv2D(2, 1)(Preprocessing("vgg16")(inputs / by))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Activation(kind)(x))
    model = keras.Model(inputs, x, name=kind)
    model.set_weights([weight + kernel for weight in model.get_weights()])
    return model


def test_they_are_computed_once_for_a_base_and_its_photos(photos, monkeypatch):
    """A copy of the base finds them; other weights, preprocessing or activation do not."""
    before = np.array(extract(pooling(), photos))
    for change, batches in (({}, 0), ({"kind": "tanh"}, 5), ({"by": 2.0}, 5), ({"kernel": 0.1}, 5)):
        base, calls = pooling(**change), []
        predict = base.predict_on_batch
        base.predict_on_batch = lambda x, calls=calls, run=predict: calls.append(1) or run(x)
        assert np.array_equal(extract(base, photos), before) == (not change)
        assert len(calls) == batches


def test_memory_stays_constant(tmp_path):
    class Many(list):
        def __iter__(self):
            return (np.full((8, 32, 32, 3), step, "float32") for step in range(len(self)))

    inputs, peaks = keras.Input((32, 32, 3)), []
    base = keras.Model(inputs, keras.layers.UpSampling2D(4)(inputs))  # 196 kB a photo
    extract(base, Many([0]), tmp_path)
    for steps in (4, 40):
        tracemalloc.start()
        extract(base, Many(range(steps)), tmp_path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2**20


class Restless(list):
    """Another order each time, and no word of it."""

    def __iter__(self):
        self.append(self.pop(0))
        return super().__iter__()


def test_bad_data_sets_are_refused_and_leave_nothing(photos, folders, cache):
    base, folder = small_base(), load(folders[0])
    for dataset, cure in (
        (np.split(photos.images[:, :32], 5), r"\(8, 32, 48, 3\); the model .* \(n, 48, 48, 3\)"),
        (((x, y) for x, y in photos), "endless, a generator"),
        (folder.repeat(), "endless"),
        ([], "no images"),
        ([(photos.images, photos.labels, photos.labels)], "and no more"),
        (Restless(np.split(photos.images, 5)), "another order each time"),
        (folder.unbatch().shuffle(9).batch(4), "unknown length"),
    ):
        with pytest.raises(ValueError, match=cure):
            extract(base, dataset)
    with pytest.raises(ValueError, match="holds no labels"):
        as_features(base, [photos.images])
    assert not list(cache.glob("*"))


def built(change=0.0):
    training.reproducible(1)
    base = small_base("densenet")
    base.trainable = False
    base.set_weights([weight + change for weight in base.get_weights()])
    return base, models.classification_head(base, ["ant", "bee"])


@pytest.mark.slow
def test_a_head_on_features_is_the_whole_classifier_and_resumes(folders, tmp_path):
    def run(directory, callbacks=(), change=0.0):
        base, head = built(change)
        features = as_features(models.pooled(base), photos, tmp_path / "features")
        training.fit(head, RECIPE, features, None, directory, callbacks=callbacks, verbose=0)
        assert (features.class_names, features.file_paths) == (["cat", "dog"], photos.file_paths)
        np.testing.assert_array_equal(features.order(2), photos.order(2))
        return head

    photos = load(folders[0], shuffle=True, seed=4)
    head, whole = run(tmp_path / "whole"), models.with_head(*built())
    interrupt(lambda callbacks: run(tmp_path / "run", callbacks), 1)
    with pytest.raises(ValueError, match=r"another run: .*training, features"):
        run(tmp_path / "run", change=0.01)
    same(run(tmp_path / "run"), head)
    RECIPE.compile(whole)
    photos.set_epoch(0)
    whole.fit(photos, epochs=3, verbose=0, callbacks=RECIPE.callbacks())
    same(head, whole.get_layer("head"), tolerance=1e-3)
