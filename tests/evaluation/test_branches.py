"""The correlation of branches, against what is known of it and against NumPy."""

from cnnkit import data, evaluation, models

import keras
import numpy as np
import pytest

PICTURES = np.random.default_rng(0).normal(size=(200, 6, 6, 3)).astype("float32")


def network(*pairs):
    """A model of one block after the other; each pair makes two branches of a tensor."""
    x = inputs = keras.Input((6, 6, 3))
    for first, second in pairs:
        x = models.ShakeShake()([first(x), second(x)])
    return keras.Model(inputs, x)


def convolution(seed, stride=1):
    start = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
    return keras.layers.Conv2D(8, 1, stride, use_bias=False, kernel_initializer=start)


def same(x):
    return x


def test_equal_opposite_and_independent_branches():
    found = evaluation.branch_correlation(network((same, same)), PICTURES)
    assert found.blocks == pytest.approx([1])
    found = evaluation.branch_correlation(network((same, lambda x: -x)), PICTURES)
    assert found.blocks == pytest.approx([-1])
    channels = network((lambda x: x[..., :1], lambda x: x[..., 1:2]))  # are independent
    found = evaluation.branch_correlation(channels, PICTURES)
    assert abs(found.blocks[0]) < 4 / (200 * 36) ** 0.5


def test_as_numpy_has_it_block_by_block_and_across():
    model = network(
        (convolution(1), convolution(2)),
        (convolution(3), convolution(4)),
        (convolution(5, stride=2), convolution(6, stride=2)),
    )
    found = evaluation.branch_correlation(model, PICTURES)
    mixes = [layer for layer in model.layers if isinstance(layer, models.ShakeShake)]
    branches = keras.Model(model.input, [layer.input for layer in mixes])
    outputs = branches.predict(PICTURES, verbose=0)
    for i, (first, _) in enumerate(outputs):
        for j, (_, second) in enumerate(outputs):
            if i // 2 == j // 2:
                expected = np.corrcoef(first.ravel(), second.ravel())[0, 1]
                assert found.matrix[i, j] == pytest.approx(expected, abs=1e-5)
            else:
                assert np.isnan(found.matrix[i, j])
    np.testing.assert_array_equal(found.blocks, np.diag(found.matrix))
    assert found.names == [layer.name for layer in mixes]


def test_values_far_from_zero_lose_nothing():
    found = evaluation.branch_correlation(network((same, lambda x: -x)), 1e4 + PICTURES)
    assert found.blocks == pytest.approx([-1], abs=1e-6)


def test_every_form_of_a_data_set_gives_the_same():
    model = network((convolution(1), convolution(2)))
    expected = evaluation.branch_correlation(model, PICTURES).blocks
    labels = np.zeros(len(PICTURES), int)
    forms = [
        data.batches(PICTURES, labels, 7),
        data.batches(PICTURES, labels, 9, shuffle=True, seed=0),
        [PICTURES[:150], PICTURES[150:]],
        [(PICTURES[:1], labels[:1]), (PICTURES[1:], labels[1:])],
        (PICTURES, labels),
    ]
    for form in forms:
        found = evaluation.branch_correlation(model, form).blocks
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_branch_that_gives_one_value_has_no_correlation(value):
    model = network((same, lambda x: 0 * x + value))
    with np.errstate(invalid="raise"):  # as the root of a variance below 0 is
        assert np.isnan(evaluation.branch_correlation(model, PICTURES).blocks[0])


def test_shakenet_has_a_block_for_each_name():
    model = models.shakenet(14, 2)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3))
    found = evaluation.branch_correlation(model, pictures)
    assert [name[:13] for name in found.names] == [
        f"stage{s}_block{b}" for s in (1, 2, 3) for b in (1, 2)
    ]
    assert np.isfinite(found.blocks).all()
    assert np.isfinite(found.matrix).sum() == 3 * 4


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"has no layer models\.ShakeShake"):
        evaluation.branch_correlation(models.digits_cnn(), PICTURES)
    with pytest.raises(ValueError, match=r"expects \(n, 6, 6, 3\)"):
        evaluation.branch_correlation(network((same, same)), PICTURES[..., 0])
