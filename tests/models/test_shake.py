"""The shake-shake layer against its mathematics."""

import functools

from cnnkit import backend, models
from cnnkit.models.shake import BACKWARD, FORWARD, LEVELS, RULES

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

BRANCHES = np.random.default_rng(0).normal(size=(3, 6, 3, 3, 4)).astype("float32")
GRADIENT = np.random.default_rng(1).normal(size=BRANCHES[0].shape).astype("float32")
MODES = [(f, b, level) for f in FORWARD for b in BACKWARD for level in LEVELS]
CASES = [(2, *mode) for mode in MODES] + [(3, *mode) for mode in MODES if mode[1] not in RULES]


def drawn(layer, count=6, *alpha, **branches):
    return [ops.convert_to_numpy(each) for each in layer.coefficients(count, *alpha, **branches)]


def of_each_branch(coefficients):
    """Return coefficients (branches, n or 1, 1, 1, 1)."""
    if coefficients.ndim == 1:
        coefficients = np.stack([coefficients, 1 - coefficients], axis=1)
    return coefficients.T[..., np.newaxis, np.newaxis, np.newaxis]


@pytest.mark.parametrize(("count", "forward", "backward", "level"), CASES)
def test_forward_mixes_by_alpha_and_backward_by_beta(count, forward, backward, level):
    build = functools.partial(models.ShakeShake, forward, backward, level, seed=1)
    alpha, beta = map(of_each_branch, drawn(build(), branches=count))
    assert len(alpha) == len(beta) == count
    np.testing.assert_allclose(alpha.sum(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(beta.sum(axis=0), 1, atol=1e-6)
    branches, layer = BRANCHES[:count], build()
    mixed = ops.convert_to_numpy(layer(list(branches), training=True))
    np.testing.assert_allclose(mixed, (alpha * branches).sum(axis=0), atol=1e-6)
    still = ops.convert_to_numpy(layer(list(branches)))
    np.testing.assert_allclose(still, branches.mean(axis=0), atol=1e-6)
    layer = build()  # which draws the same again

    def weighted(*tensors):
        return ops.sum(ops.convert_to_tensor(GRADIENT) * layer(list(tensors), training=True))

    for number, found in enumerate(backend.gradients(weighted, *branches)):
        np.testing.assert_allclose(found, beta[number] * GRADIENT, atol=1e-6)


@pytest.mark.parametrize("backward", BACKWARD)
def test_what_a_step_draws_is_what_the_gradient_gets(backward):
    """A network of one layer and the weights 1 and 1, trained by a step of plain descent."""
    inputs = [keras.Input((1,)), keras.Input((1,))]
    scaled = [keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(x) for x in inputs]
    model = keras.Model(inputs, models.ShakeShake("shake", backward, "image", seed=3)(scaled))
    model.compile(keras.optimizers.SGD(1.0), loss=lambda true, found: found)
    model.train_on_batch([np.ones((1, 1)), np.zeros((1, 1))], np.zeros(1))
    _, beta = drawn(models.ShakeShake("shake", backward, "image", seed=3), 1)
    first, second = model.get_weights()
    assert first[0, 0] == pytest.approx(1 - beta[0], abs=1e-6)
    assert second[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("branches", [2, 3, 5])
def test_coefficients_are_uniform_on_the_simplex_and_independent(branches):
    """Then each has the distribution Beta(1, k - 1), of mean 1/k; for two, it is uniform."""
    alpha, beta = drawn(models.ShakeShake(seed=0), 20_000, branches=branches)
    for each in (alpha, beta):
        rows = each if branches > 2 else np.stack([each, 1 - each], axis=1)
        assert rows.min() >= 0 and rows.shape == (20_000, branches)
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
        truth = stats.beta(1, branches - 1)
        for column in rows.T:
            assert column.mean() == pytest.approx(1 / branches, abs=4 * truth.std() / 20_000**0.5)
            assert column.var() == pytest.approx(truth.var(), rel=0.05)
            assert stats.kstest(column, truth.cdf).pvalue > 0.005
        covariance = -1 / (branches**2 * (branches + 1))  # of a Dirichlet(1, …, 1)
        assert np.cov(rows.T)[0, 1] == pytest.approx(covariance, rel=0.1)
    first = [each.reshape(20_000, -1)[:, 0] for each in (alpha, beta)]
    assert abs(np.corrcoef(*first)[0, 1]) < 0.02
    u = np.random.default_rng(0).random((branches, 20_000))  # divided by their sum, they are not
    assert stats.kstest(u[0] / u.sum(axis=0), truth.cdf).pvalue < 1e-6


@pytest.mark.parametrize(("forward", "level"), [(f, level) for f in FORWARD for level in LEVELS])
def test_images_have_coefficients_of_their_own_or_share_them(forward, level):
    layer = models.ShakeShake(forward, "shake", level)
    (alpha, beta), later = drawn(layer, 8), drawn(layer, 8)
    expected = 8 if level == "image" else 1
    assert (len(alpha), len(beta)) == (expected, expected)
    assert len(set(beta.tolist())) == expected
    assert len(set(alpha.tolist())) == (expected if forward == "shake" else 1)
    assert not np.isin(beta, later[1]).any()  # each step draws anew


# For α of 0.2: where β lies.
PLACES = {
    "end_to_alpha": (0.0, 0.2),
    "alpha_to_half": (0.2, 0.5),
    "half_to_mirror": (0.5, 0.8),
    "mirror_to_end": (0.8, 1.0),
    "mirror": (0.8, 0.8),
}


@pytest.mark.parametrize("rule", RULES)
def test_the_rules_place_beta(rule):
    layer = models.ShakeShake("shake", rule, seed=0)
    low, high = PLACES[rule]
    for alpha, (a, b) in ((0.2, (low, high)), (0.8, (1 - high, 1 - low))):
        given, beta = drawn(layer, 4000, np.full(4000, alpha))
        np.testing.assert_array_equal(given, np.float32(alpha))
        assert a - 1e-6 <= beta.min()
        assert beta.max() <= b + 1e-6
        if a < b:
            assert stats.kstest(beta, "uniform", (a, b - a)).pvalue > 0.01


def test_it_comes_back_from_a_file(tmp_path):
    layer = models.ShakeShake("even", "keep", "batch", seed=7, name="mix")
    inputs = [keras.Input((None, 4)) for _ in range(3)]
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("mix").get_config() == layer.get_config()
    assert loaded.output_shape == (None, None, 4)


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ({"forward": "keep"}, "forward is 'keep'; expected 'even' or 'shake'"),
        ({"backward": "M1"}, r"backward is 'M1'; expected 'even' or .* or 'mirror'"),
        ({"level": "picture"}, "level is 'picture'"),
    ],
)
def test_modes_that_do_not_exist_are_refused(mode, message):
    with pytest.raises(ValueError, match=message):
        models.ShakeShake(**mode)


def test_branches_that_do_not_fit_are_refused():
    one, other = keras.Input((8, 8, 4)), keras.Input((8, 8, 5))
    eager = [BRANCHES[0], BRANCHES[1, :, :2]]
    for wrong in ([one, other], [one], [one, one, other], one, eager, eager[:1], eager[0]):
        with pytest.raises(ValueError, match="expected a list of two or more tensors of the same"):
            models.ShakeShake()(wrong)
    for rule in RULES:
        with pytest.raises(ValueError, match=f"'{rule}' is a rule for two branches, not 3"):
            models.ShakeShake(backward=rule)([one, one, one])
