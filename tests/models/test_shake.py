"""The shake-shake layer against its mathematics."""

from cnnkit import backend, models
from cnnkit.models.shake import BACKWARD, FORWARD, LEVELS, RULES

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

RANDOM = np.random.default_rng(0)
BRANCHES = RANDOM.normal(size=(2, 6, 3, 3, 4)).astype("float32")
ALPHA = np.array([0.0, 0.1, 0.3, 0.5, 0.8, 1.0], "float32")
BETA = np.array([0.9, 0.2, 0.0, 0.7, 0.4, 1.0], "float32")
MODES = [(f, b, level) for f in FORWARD for b in BACKWARD for level in LEVELS]


def column(values):
    return np.reshape(np.broadcast_to(values, (6,)), (6, 1, 1, 1))


def drawn(layer, count=6):
    return (ops.convert_to_numpy(each) for each in layer.coefficients(count))


@pytest.mark.parametrize(("forward", "backward", "level"), MODES)
def test_forward_mixes_by_alpha_and_backward_by_beta(forward, backward, level):
    layer = models.ShakeShake(forward, backward, level, seed=1)
    alpha, beta = drawn(layer)
    g = np.random.default_rng(1).normal(size=BRANCHES[0].shape).astype("float32")
    mixed = layer(list(BRANCHES), training=True, alpha=alpha, beta=beta)
    expected = column(alpha) * BRANCHES[0] + (1 - column(alpha)) * BRANCHES[1]
    np.testing.assert_allclose(ops.convert_to_numpy(mixed), expected, atol=1e-6)

    def weighted(first, second):
        return ops.sum(
            ops.convert_to_tensor(g) * layer([first, second], training=True, alpha=alpha, beta=beta)
        )

    first, second = backend.gradients(weighted, *BRANCHES)
    np.testing.assert_allclose(first, column(beta) * g, atol=1e-6)
    np.testing.assert_allclose(second, (1 - column(beta)) * g, atol=1e-6)


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


def test_in_inference_it_is_a_half_whatever_the_mode():
    for mode in MODES:
        layer = models.ShakeShake(*mode)
        mixed = ops.convert_to_numpy(layer(list(BRANCHES)))
        np.testing.assert_allclose(mixed, BRANCHES.mean(axis=0), atol=1e-6)
        given = layer(list(BRANCHES), training=False, alpha=ALPHA, beta=BETA)
        np.testing.assert_array_equal(ops.convert_to_numpy(given), mixed)


def test_one_coefficient_may_be_given_and_the_other_follows():
    keep, free = models.ShakeShake("shake", "keep"), models.ShakeShake("shake", "shake")
    np.testing.assert_array_equal(ops.convert_to_numpy(keep.coefficients(6, ALPHA)[1]), ALPHA)
    alpha, beta = free.coefficients(6, beta=BETA)
    assert len(set(ops.convert_to_numpy(alpha).tolist())) == 6
    np.testing.assert_array_equal(ops.convert_to_numpy(beta), BETA)
    for one_for_all in (0.25, np.full(1, 0.25)):
        alpha, beta = (ops.convert_to_numpy(c) for c in free.coefficients(6, alpha=one_for_all))
        np.testing.assert_array_equal(alpha, np.full(6, 0.25))
        assert len(set(beta.tolist())) == 6
    mixed = free(list(BRANCHES), training=True, alpha=0.25)
    expected = 0.25 * BRANCHES[0] + 0.75 * BRANCHES[1]
    np.testing.assert_allclose(ops.convert_to_numpy(mixed), expected, atol=1e-6)


def test_alpha_and_beta_are_uniform_and_independent():
    alpha, beta = drawn(models.ShakeShake(seed=0), 20_000)
    assert stats.kstest(alpha, "uniform").pvalue > 0.01
    assert stats.kstest(beta, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(alpha, beta)[0, 1]) < 0.02
    u = np.random.default_rng(0).random((2, 20_000))
    assert stats.kstest(u[0] / u.sum(axis=0), "uniform").pvalue < 1e-6


@pytest.mark.parametrize(("forward", "level"), [(f, level) for f in FORWARD for level in LEVELS])
def test_pictures_have_coefficients_of_their_own_or_share_them(forward, level):
    alpha, beta = drawn(models.ShakeShake(forward, "shake", level), 8)
    expected = 8 if level == "image" else 1
    assert (len(alpha), len(beta)) == (expected, expected)
    assert len(set(beta.tolist())) == expected
    assert len(set(alpha.tolist())) == (expected if forward == "shake" else 1)
    ones = np.stack([np.ones((8, 2)), np.zeros((8, 2))]).astype("float32")
    mixed = models.ShakeShake("shake", "shake", level)(list(ones), training=True)
    assert len(set(ops.convert_to_numpy(mixed)[:, 0].tolist())) == expected


def test_each_step_draws_anew():
    layer = models.ShakeShake()
    first, second = list(drawn(layer)), list(drawn(layer))
    assert not np.isin(first, second).any()


# For α of 0.2: where β lies, and its mean.
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
        beta = ops.convert_to_numpy(layer.coefficients(4000, np.full(4000, alpha))[1])
        assert a - 1e-6 <= beta.min()
        assert beta.max() <= b + 1e-6
        if a < b:
            assert stats.kstest(beta, "uniform", (a, b - a)).pvalue > 0.01
    alpha, beta = drawn(layer, 4000)
    folded = np.minimum(alpha, 1 - alpha)
    beta = np.where(alpha <= 0.5, beta, 1 - beta)
    bounds = {
        "end_to_alpha": (0, folded),
        "alpha_to_half": (folded, 0.5),
        "half_to_mirror": (0.5, 1 - folded),
        "mirror_to_end": (1 - folded, 1),
        "mirror": (1 - folded, 1 - folded),
    }[rule]
    assert np.all(bounds[0] - beta < 1e-6)
    assert np.all(beta - bounds[1] < 1e-6)


def test_the_rules_cover_the_line_once():
    for alpha in np.linspace(0, 0.5, 11):
        bounds = [RULES[name](alpha) for name in list(RULES)[:4]]
        edges = [float(low) for low, _ in bounds] + [float(bounds[-1][1])]
        assert edges == [0.0, alpha, 0.5, 1 - alpha, 1.0]
        assert edges[1:] == [float(high) for _, high in bounds]


def test_it_comes_back_from_its_configuration_and_from_a_file(tmp_path):
    layer = models.ShakeShake("even", "mirror", "batch", seed=7, name="mix")
    again = models.ShakeShake.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    inputs = [keras.Input((None, 4)), keras.Input((None, 4))]
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.get_layer("mix").get_config() == layer.get_config()
    pictures = list(BRANCHES[:, :, 0])
    np.testing.assert_array_equal(
        loaded.predict(pictures, verbose=0), model.predict(pictures, verbose=0)
    )
    assert model.output_shape == (None, None, 4)


def test_bad_arguments():
    with pytest.raises(ValueError, match="forward is 'keep'; expected 'even' or 'shake'"):
        models.ShakeShake("keep")
    with pytest.raises(ValueError, match=r"backward is 'M1'; expected 'even' or .* or 'mirror'"):
        models.ShakeShake(backward="M1")
    with pytest.raises(ValueError, match="level is 'picture'"):
        models.ShakeShake(level="picture")
    for wrong in ([BRANCHES[0]], [BRANCHES[0], BRANCHES[1, :, :2]], [*BRANCHES, BRANCHES[0]]):
        with pytest.raises(ValueError, match="expected a list of two tensors of the same shape"):
            models.ShakeShake()(wrong, training=True)
    with pytest.raises(ValueError, match="expected a list of two tensors"):
        models.ShakeShake()(BRANCHES[0])
    one, other = keras.Input((8, 8, 4)), keras.Input((8, 8, 5))
    for wrong in ([one, other], [one], [one, one, one], one):
        with pytest.raises(ValueError, match="expected a list of two tensors of the same shape"):
            models.ShakeShake()(wrong)
    for name in ("alpha", "beta"):
        with pytest.raises(ValueError, match=f"{name} holds 4 numbers for 6 pictures"):
            models.ShakeShake()(list(BRANCHES), training=True, **{name: np.ones(4)})
