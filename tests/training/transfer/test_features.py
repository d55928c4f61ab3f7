"""Features, computed once: right, kept, and of their own photos, whatever these are called."""

import dataclasses
import shutil
import tracemalloc

from cnnkit import data, models, training
from cnnkit.models.pretrained import Preprocessing

import keras
import numpy as np
import pytest

from ..conftest import PullThePlug
from .conftest import Photos, classifier, small_base

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


def computed(base, dataset, monkeypatch) -> int:
    """How many batches the base is run on."""
    calls, predict = [], base.predict_on_batch
    with monkeypatch.context() as patch:
        patch.setattr(base, "predict_on_batch", lambda x: calls.append(len(x)) or predict(x))
        extract(base, dataset)
    return len(calls)


def test_features_are_what_the_base_predicts_in_the_order_of_the_files(photos, folders):
    base, (folder, _) = small_base(), folders
    assert_features_of(base, photos.images, extract(base, photos))
    assert photos.epoch() == 0
    for options in ({}, {"shuffle": True, "seed": 3}):
        dataset = load(folder, **options)
        dataset.set_epoch(2)
        assert_features_of(base, load(folder), extract(base, dataset))
        assert dataset.epoch() == 2


def test_they_are_computed_once_and_kept(photos, monkeypatch):
    base, copy = small_base(), small_base()
    copy.set_weights(base.get_weights())
    assert computed(base, photos, monkeypatch) == 5
    before = np.array(extract(base, photos))
    assert computed(base, photos, monkeypatch) == computed(copy, photos, monkeypatch) == 0
    np.testing.assert_array_equal(extract(copy, photos), before)


def test_what_changes_them_is_noticed(photos, monkeypatch):
    base = small_base()
    before = np.array(extract(base, photos))
    photos.images[11] = 255 - photos.images[11]
    assert computed(base, photos, monkeypatch) == 5
    kernel = base.get_layer("block3_conv2").kernel
    kernel.assign(kernel + 1e-3)
    assert computed(base, photos, monkeypatch) == 5
    assert not np.allclose(extract(base, photos), before)


def test_preprocessing_and_activation_belong_to_the_key(photos, monkeypatch):
    """Also where the model is called as one of them is."""

    def named(kind, by):
        inputs = keras.Input((48, 48, 3))
        x = keras.layers.Activation(kind)(Preprocessing("vgg16")(inputs / by))
        return keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x), name=kind)

    extract(named("relu", 1.0), photos)
    for kind, by, batches in (("relu", 1.0, 0), ("linear", 1.0, 5), ("relu", 2.0, 5)):
        assert computed(named(kind, by), photos, monkeypatch) == batches


def test_an_interrupted_call_begins_anew(photos, monkeypatch):
    base, predict, calls = small_base(), keras.Model.predict_on_batch, []

    def interrupted(self, images):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return predict(self, images)

    monkeypatch.setattr(keras.Model, "predict_on_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        extract(base, photos)
    assert_features_of(base, photos.images, extract(base, photos))


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


@pytest.mark.parametrize(
    "features_of",
    [extract, lambda *given: np.concatenate([x for x, _ in as_features(*given)])],
)
def test_two_folders_with_equal_names_have_features_of_their_own(folders, tmp_path, features_of):
    for base in (small_base(), models.pooled(small_base("densenet"))):
        for dataset in map(load, folders):
            assert_features_of(base, dataset, features_of(base, dataset, tmp_path / "store"))


@pytest.mark.parametrize("views", [None, 1])
def test_fit_from_frozen_trains_on_its_training_photos(folders, tmp_path, views):
    """With validation photos of the same names it ends as without any."""
    weights = []
    for number, validation in enumerate((None, load(folders[1]))):
        model = classifier(augmented=bool(views), dropout=0)
        training.transfer.fit_from_frozen(
            model, load(folders[0]), validation, 2, tmp_path / f"run{number}", views, verbose=0
        )
        weights.append(model.get_weights())
    for with_validation, without in zip(*weights, strict=True):
        np.testing.assert_array_equal(with_validation, without)


def test_batches_whose_first_is_equal(tmp_path):
    base, random = small_base(), np.random.default_rng(0)
    start = random.uniform(0, 255, (4, 48, 48, 3)).astype("float32")
    for share in (1, 0.5):
        batches = [start, 255 - start * share]
        assert_features_of(base, np.concatenate(batches), extract(base, batches, tmp_path))


def test_swapped_labels_are_the_data_sets(photos, tmp_path):
    base = small_base()
    for labels in (photos.labels, 1 - photos.labels):
        features = as_features(base, data.batches(photos.images, labels, 8), tmp_path)
        np.testing.assert_array_equal(np.concatenate([y for _, y in features]), labels)


def test_one_photo_replaced_in_place(folders, tmp_path):
    base, (folder, other) = small_base(), folders
    before = np.array(extract(base, load(folder), tmp_path / "store"))
    kept = extract(base, load(folder), tmp_path / "store")
    photo, new = (sorted(each.rglob("*.jpg"))[3] for each in (folder, other))
    shutil.copyfile(new, photo)
    after = extract(base, load(folder), tmp_path / "store")
    assert_features_of(base, load(folder), after)
    np.testing.assert_array_equal(kept, before)
    assert not np.allclose(after[3], before[3])


class Restless:
    """Another order each time, and no word of it."""

    def __init__(self, photos: Photos) -> None:
        self.batches = np.split(photos.images, 5)

    def __len__(self) -> int:
        return 5

    def __iter__(self):
        self.batches.append(self.batches.pop(0))
        return iter(self.batches)


def test_bad_data_sets_are_refused(photos, folders):
    base, folder = small_base(), load(folders[0])
    pairs = photos.images, photos.labels
    shuffled = load(folders[0], shuffle=True).map(lambda images, labels: (images / 255, labels))
    for dataset, cure in (
        (np.split(photos.images[:, :32], 5), r"\(8, 32, 48, 3\); the model .* \(n, 48, 48, 3\)"),
        ([images / 255 for images, _ in photos], "Leave out the division by 255"),
        (((x, y) for x, y in photos), "neither a generator nor an endless"),
        (folder.repeat(), "endless"),
        ([], "no photos"),
        (photos.images, "Arrays were given; expected batches"),
        (pairs, "Arrays were given; expected batches"),
        ("photos", r"'photos' is a path; give data\.image_folder"),
        ([(*pairs, photos.labels)], "more than images and labels"),
        (Restless(photos), "another order each time"),
        (shuffled, "order is not known"),
        (folder.unbatch().shuffle(9).batch(4), "order is not known"),
    ):
        with pytest.raises(ValueError, match=cure):
            extract(base, dataset)
    with pytest.raises(ValueError, match="holds no labels"):
        as_features(base, [photos.images])


def built():
    training.reproducible(1)
    base = small_base("densenet")
    base.trainable = False
    return base, models.classification_head(base, ["ant", "bee"])


@pytest.mark.slow
def test_the_head_ends_with_the_weights_of_the_whole_classifier(folders, tmp_path):
    base, head = built()
    photos = load(folders[0], shuffle=True, seed=4)
    features = as_features(models.pooled(base), photos, tmp_path / "features")
    assert features.class_names == ["cat", "dog"]
    assert features.file_paths == photos.file_paths
    np.testing.assert_array_equal(features.labels, photos.labels)
    for epoch in range(3):
        assert features.epoch() == epoch
        labels = np.concatenate([labels for _, labels in features])
        np.testing.assert_array_equal(labels, photos.labels[photos.order(epoch)])
        features.on_epoch_end()
    training.fit(head, RECIPE, features, None, tmp_path / "run", verbose=0)
    whole = models.with_head(*built())
    RECIPE.compile(whole)
    photos.set_epoch(0)
    whole.fit(photos, epochs=3, verbose=0, callbacks=RECIPE.callbacks())
    for one, other in zip(head.get_weights(), whole.get_layer("head").get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
def test_a_run_on_features_resumes_bit_for_bit_and_knows_its_base(tmp_path, photos):
    def run(directory, callbacks=(), change=0.0):
        base, head = built()
        base.set_weights([w + change for w in base.get_weights()])
        features = as_features(models.pooled(base), photos, tmp_path / "features")
        training.fit(head, RECIPE, features, None, directory, callbacks=callbacks, verbose=0)
        return head.get_weights()

    expected = run(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", PullThePlug(1))
    with pytest.raises(ValueError, match=r"another run: .*training, features"):
        run(tmp_path / "run", change=0.01)
    for one, other in zip(run(tmp_path / "run"), expected, strict=True):
        np.testing.assert_array_equal(one, other)
