"""Feeding photos from a folder: the right ones, in the order that can be asked for."""

import gc
import os
import tempfile
import tracemalloc
import weakref
from pathlib import Path

from cnnkit import data
from cnnkit.data import photos

import keras
import numpy as np
import pytest


@pytest.mark.parametrize("memory_budget", [2**20, 0])
def test_batches_hold_the_photos_in_the_order_that_can_be_asked_for(memory_budget, folder):
    dataset = data.image_folder(
        folder, (18, 24), batch_size=5, shuffle=True, seed=7, memory_budget=memory_budget
    )
    assert dataset.cardinality() == 3
    expected = np.stack([photos.decode(Path(path), (18, 24)) for path in dataset.file_paths])
    assert [Path(path).parent.name for path in dataset.file_paths] == ["cat"] * 7 + ["dog"] * 5
    for epoch in range(3):
        batches = [(np.asarray(images), np.asarray(labels)) for images, labels in dataset]
        order = dataset.order(epoch)
        assert sorted(order) == list(range(12))
        assert [len(images) for images, _ in batches] == [5, 5, 2]
        images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
        assert images.dtype == np.float32
        np.testing.assert_array_equal(images, expected[order])
        np.testing.assert_array_equal(labels, dataset.labels[order])
    assert not np.array_equal(dataset.order(0), dataset.order(1))


@pytest.mark.parametrize("memory_budget", [2**30, 2**20])
def test_memory_does_not_grow_with_the_photos_beyond_the_budget(memory_budget, tmp_path):
    drawn = data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 100, seed=0, size=32)
    tracemalloc.start()
    dataset = data.image_folder(drawn, (180, 180), shuffle=True, memory_budget=memory_budget)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    pixels = 200 * 180 * 180 * 3
    assert len(dataset.file_paths) == 200
    if memory_budget > pixels:
        assert held > pixels
    else:
        assert peak < pixels / 2


def labels_of(dataset) -> list[int]:
    return [label for _, labels in dataset for label in np.asarray(labels).tolist()]


def test_epochs_depend_on_the_seed_and_their_number_alone(folder):
    def load(**options):
        return data.image_folder(folder, (9, 9), batch_size=5, **options)

    first, again = load(shuffle=True, seed=1), load(shuffle=True, seed=1)
    epochs = [labels_of(first) for _ in range(4)]
    list(again.take(1))  # a look changes nothing
    again.set_epoch(2)
    list(again.take(2))
    assert [labels_of(again), labels_of(again)] == epochs[2:]
    other = load(shuffle=True, seed=2)
    assert any(not np.array_equal(other.order(k), first.order(k)) for k in range(3))
    still = load()
    assert labels_of(still) == labels_of(still) == sorted(still.labels)


@pytest.mark.parametrize("passes", [1, 3])
def test_each_epoch_of_fit_is_one_epoch(passes, folder):
    """Keras makes more iterators than it uses; `fit` in one go sees what separate ones do."""
    dataset = data.image_folder(folder, (9, 9), batch_size=5, shuffle=True, seed=1)
    seen = []

    inputs = keras.Input((9, 9, 3))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(inputs)))
    model.compile("sgd", "mse")
    record = keras.callbacks.LambdaCallback(on_epoch_end=lambda k, logs: seen.append(k))
    for start in range(0, 3, 3 // passes):
        model.fit(
            dataset, epochs=start + 3 // passes, initial_epoch=start, verbose=0, callbacks=[record]
        )
    assert seen == [0, 1, 2]
    assert labels_of(dataset) == dataset.labels[dataset.order(3)].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_size": (0, 9)}, "image_size"),
        ({"image_size": 80}, "image_size is 80"),
        ({"image_size": (9.5, 9)}, "whole pixels"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": "a"}, "seed is 'a'"),
    ],
)
def test_arguments_out_of_range_are_refused(change, message, folder):
    with pytest.raises(ValueError, match=message):
        data.image_folder(folder, **{"image_size": (9, 9)} | change)


def test_a_disk_without_room_is_noticed_before_decoding(folder, monkeypatch):
    usage = os.statvfs(tempfile.gettempdir())
    pixels = 2 * usage.f_blocks * usage.f_frsize // (12 * 3)
    with pytest.raises(OSError, match="TMPDIR"):
        data.image_folder(folder, (pixels, 1))


@pytest.mark.parametrize("memory_budget", [2**20, 0])
def test_photos_are_the_right_ones_where_others_were_left_out(memory_budget, folder):
    for name in ("cat.0a.jpg", "cat.3a.jpg"):
        (folder / "cat" / name).touch()
    dataset = data.image_folder(
        folder, (18, 24), skip_unusable=True, memory_budget=memory_budget, batch_size=4
    )
    found = np.concatenate([np.asarray(images) for images, _ in dataset])
    expected = [photos.decode(Path(path), (18, 24)) for path in dataset.file_paths]
    np.testing.assert_array_equal(found, expected)


def test_photos_are_let_go_with_their_data_set(folder):
    def load():
        return data.image_folder(folder, (9, 9), memory_budget=0)

    dataset = load()
    pixels = weakref.ref(dataset.batches)
    images = next(iter(dataset.map(lambda images, labels: images)))
    assert images.shape == (12, 9, 9, 3)
    del dataset
    gc.collect()
    assert pixels() is None
    derived = load().unbatch().batch(5)  # keeps what it was made from
    gc.collect()
    assert sum(len(labels) for _, labels in derived) == 12


IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 3), "uint8")
LABELS = np.arange(10) % 3


def test_arrays_become_batches_in_order_or_in_an_order_that_repeats():
    batches = data.batches(IMAGES, LABELS, 4, class_names=["ant", "bee", "fly"])
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    np.testing.assert_array_equal(batches[2][0], IMAGES[8:])
    np.testing.assert_array_equal(batches[2][1], LABELS[8:])
    assert (batches.shuffled, batches.class_names) == (False, ["ant", "bee", "fly"])
    one, other = (data.batches(IMAGES, np.arange(10), 4, shuffle=True, seed=3) for _ in range(2))
    seen = []
    for epoch in range(3):
        assert one.epoch() == epoch
        np.testing.assert_array_equal(one[0][0], IMAGES[one.order(epoch)[:4]])
        seen.append(labels_of(one))
        assert seen[-1] == one.order(epoch).tolist()
        one.on_epoch_end()
    assert len({tuple(order) for order in seen}) == 3
    assert all(sorted(order) == list(range(10)) for order in seen)
    other.set_epoch(2)
    assert labels_of(other) == seen[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((IMAGES, LABELS[:9]), r"labels have shape \(9,\); expected one whole number"),
        ((IMAGES, LABELS[:, np.newaxis]), r"\(10, 1\).*Use labels.ravel\(\)"),
        ((IMAGES, np.eye(10)[LABELS]), r"Use labels.argmax\(axis=1\)"),
        ((IMAGES, LABELS.astype(float)), r"labels.astype\(int\)"),
        ((IMAGES, LABELS, 4, False, 0, ["ant", "bee"]), "with 2 classes, labels are 0 to 1"),
        ((IMAGES[:0], LABELS[:0]), "at least one picture"),
        ((IMAGES, LABELS, 0), "batch_size is 0; expected a whole number"),
        ((IMAGES, LABELS, 4, True, -1), "seed is -1"),
    ],
)
def test_arrays_that_are_no_data_set_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.batches(*arguments)
