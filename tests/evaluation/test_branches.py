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
    opposite = network((same, lambda x: -x))
    for pictures in (PICTURES, 1e4 + PICTURES):  # far from zero, nothing is lost
        found = evaluation.branch_correlation(opposite, pictures)
        assert found.blocks == pytest.approx([-1], abs=1e-6)
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
            alike = first.shape == second.shape
            expected = np.corrcoef(first.ravel(), second.ravel())[0, 1] if alike else np.nan
            assert found.matrix[i, j] == pytest.approx(expected, abs=1e-5, nan_ok=True)
    np.testing.assert_array_equal(found.blocks, np.diag(found.matrix))
    assert found.names == [layer.name for layer in mixes]


def test_every_form_of_a_data_set_gives_the_same():
    model = network((convolution(1), convolution(2)))
    expected = evaluation.branch_correlation(model, PICTURES).blocks
    labels = np.zeros(len(PICTURES), int)
    shuffled = data.batches(PICTURES, labels, 9, shuffle=True, seed=0)
    for form in (shuffled, [PICTURES[:1], PICTURES[1:]], (PICTURES, labels)):
        found = evaluation.branch_correlation(model, form).blocks
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_branch_that_gives_one_value_has_no_correlation(value):
    model = network((same, lambda x: 0 * x + value))
    with np.errstate(invalid="raise"):  # as the root of a variance below 0 is
        assert np.isnan(evaluation.branch_correlation(model, PICTURES).blocks[0])


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"has no layer models\.ShakeShake"):
        evaluation.branch_correlation(models.digits_cnn(), PICTURES)
    with pytest.raises(ValueError, match=r"expects \(n, 6, 6, 3\)"):
        evaluation.branch_correlation(network((same, same)), PICTURES[..., 0])
