"""Features in place of photos: a head trained on them against the whole classifier."""

import dataclasses

from cnnkit import data, models, training

import keras
import numpy as np
import pytest

from .conftest import small_base

RECIPE = dataclasses.replace(training.recipes.HEAD_ONLY, learning_rate=0.01, epochs=3)


def built():
    training.reproducible(1)
    base = small_base("densenet")
    base.trainable = False
    return base, models.classification_head(base, ["ant", "bee"])


def folder(path, seed=0):
    data.drawings.write(path, ["cat", "dog"], 12, seed, size=48)
    return data.image_folder(path, (48, 48), 8, shuffle=True, seed=4)


@pytest.mark.slow
def test_the_head_ends_with_the_weights_of_the_whole_classifier(tmp_path):
    base, head = built()
    photos = folder(tmp_path / "photos")
    features = training.transfer.as_features(models.pooled(base), photos, tmp_path / "features")
    training.fit(head, RECIPE, features, None, tmp_path / "run", verbose=0)
    whole = models.with_head(*built())
    RECIPE.compile(whole)
    decay = RECIPE.callbacks()
    whole.fit(folder(tmp_path / "photos"), epochs=3, verbose=0, callbacks=decay)
    for one, other in zip(head.get_weights(), whole.get_layer("head").get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_it_says_what_the_photos_said(tmp_path, photos):
    base = models.pooled(small_base("densenet"))
    loaded = folder(tmp_path / "photos")
    features = training.transfer.as_features(base, loaded, tmp_path)
    assert features.class_names == ["cat", "dog"]
    assert features.file_paths == loaded.file_paths
    assert features.shuffled
    np.testing.assert_array_equal(features.labels, loaded.labels)
    np.testing.assert_array_equal(features.order(2), loaded.order(2))
    extracted = training.transfer.extract_features(base, loaded, tmp_path)
    np.testing.assert_array_equal(features.features, extracted)
    plain = training.transfer.as_features(base, photos, tmp_path)
    assert (plain.class_names, plain.file_paths, len(plain)) == ([], [], 5)


def test_each_epoch_has_its_order(photos, tmp_path):
    base = models.pooled(small_base("densenet"))
    features = training.transfer.as_features(base, photos, tmp_path)
    for epoch in range(3):
        assert features.epoch() == epoch
        labels = np.concatenate([labels for _, labels in features])
        np.testing.assert_array_equal(labels, photos.labels[photos.order(epoch)])
        features.on_epoch_end()


@pytest.mark.slow
def test_a_run_on_features_goes_on_bit_for_bit_and_knows_its_base(tmp_path, photos):
    def run(directory, epochs=3, seed=1):
        base, head = built()
        keras.utils.set_random_seed(seed)
        if seed != 1:
            base.set_weights([w + 0.01 for w in base.get_weights()])
        features = training.transfer.as_features(models.pooled(base), photos, tmp_path / "features")
        recipe = dataclasses.replace(RECIPE, epochs=epochs)
        training.fit(head, recipe, features, None, directory, verbose=0)
        return head.get_weights()

    expected = run(tmp_path / "whole")
    run(tmp_path / "run", epochs=1)
    for one, other in zip(run(tmp_path / "run"), expected, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="does not hold this run: training"):
        run(tmp_path / "run", seed=2)


def test_photos_without_labels_are_refused(tmp_path):
    base = models.pooled(small_base("densenet"))
    with pytest.raises(ValueError, match="holds no labels"):
        training.transfer.as_features(base, [np.zeros((4, 48, 48, 3), "float32")], tmp_path)
