"""Arrays as batches: orders that repeat, and runs that go on."""

from cnnkit import data

import numpy as np
import pytest

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 4, 4, 3), "uint8")
LABELS = np.arange(10) % 3


def labels_of(batches):
    return np.concatenate([batches[step][1] for step in range(len(batches))])


def test_in_order_without_shuffling():
    batches = data.batches(IMAGES, LABELS, 4, class_names=["ant", "bee", "fly"])
    assert len(batches) == 3
    images, labels = batches[2]
    np.testing.assert_array_equal(images, IMAGES[8:])
    np.testing.assert_array_equal(labels, LABELS[8:])
    batches.on_epoch_end()
    np.testing.assert_array_equal(labels_of(batches), LABELS)
    assert (batches.shuffled, batches.class_names) == (False, ["ant", "bee", "fly"])


def test_each_epoch_has_an_order_of_its_own_that_can_be_repeated():
    one, other = (data.batches(IMAGES, np.arange(10), 4, shuffle=True, seed=3) for _ in range(2))
    seen = []
    for epoch in range(3):
        assert one.epoch() == epoch
        np.testing.assert_array_equal(labels_of(one), one.order(epoch))
        np.testing.assert_array_equal(one[0][0], IMAGES[one.order(epoch)[:4]])
        seen.append(labels_of(one).tolist())
        one.on_epoch_end()
    assert len({tuple(order) for order in seen}) == 3
    assert all(sorted(order) == list(range(10)) for order in seen)
    other.set_epoch(2)
    assert labels_of(other).tolist() == seen[2]


def test_a_loop_over_the_batches_ends():
    batches = data.batches(IMAGES, LABELS, 4)
    assert [len(labels) for _, labels in batches] == [4, 4, 2]
    with pytest.raises(IndexError):
        batches[3]


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"labels have shape \(9,\); expected one whole number"):
        data.batches(IMAGES, LABELS[:9])
    with pytest.raises(ValueError, match=r"\(10, 1\).*Use labels.ravel\(\)"):
        data.batches(IMAGES, LABELS[:, np.newaxis])
    with pytest.raises(ValueError, match=r"Use labels.argmax\(axis=1\)"):
        data.batches(IMAGES, np.eye(10)[LABELS])
    with pytest.raises(ValueError, match=r"Use labels.astype\(int\)"):
        data.batches(IMAGES, LABELS.astype(float))
    with pytest.raises(ValueError, match="labels have dtype <U3; expected whole numbers"):
        data.batches(IMAGES, np.array(["ant"] * len(IMAGES)))
    with pytest.raises(ValueError, match="with 2 classes, labels are 0 to 1"):
        data.batches(IMAGES, LABELS, class_names=["ant", "bee"])
    with pytest.raises(ValueError, match="at least one picture"):
        data.batches(IMAGES[:0], LABELS[:0])
    for wrong in (0, 2.5, "4"):
        with pytest.raises(ValueError, match=f"batch_size is {wrong!r}; expected a whole number"):
            data.batches(IMAGES, LABELS, wrong)
    with pytest.raises(ValueError, match="seed is -1"):
        data.batches(IMAGES, LABELS, shuffle=True, seed=-1)
