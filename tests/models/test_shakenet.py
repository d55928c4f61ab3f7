"""ShakeNet against the published counts, a loop, and an independent PyTorch model."""

from cnnkit import models
from cnnkit.data import augment
from cnnkit.models.shakenet import DEVIATION, MEAN

import keras
import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.integers(0, 256, (6, 32, 32, 3)).astype("float32")
LABELS = np.array([0, 1, 2, 3, 3, 1])


def parameters(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


@pytest.mark.parametrize(
    ("width", "expected"), [(32, 2_923_162), (64, 11_653_978), (96, 26_192_922)]
)
def test_published_parameters(width, expected):
    assert parameters(models.shakenet(width=width).trainable_weights) == expected


def test_a_third_branch_has_the_weights_of_a_second():
    both = [models.shakenet(14, 8, branches=k) for k in (2, 3)]
    counts = [parameters(model.trainable_weights) for model in both]
    branch = sum(9 * n * (m + n) + 4 * n for m, n in [(16, 8), (8, 8), (8, 16), (16, 16)])
    branch += sum(9 * n * (m + n) + 4 * n for m, n in [(16, 32), (32, 32)])
    assert counts[1] - counts[0] == branch
    mixes = [layer for layer in both[1].layers if isinstance(layer, models.ShakeShake)]
    assert [len(layer.input) for layer in mixes] == [3] * 6


def test_stages_blocks_and_convolutions():
    mode = {"forward": "even", "backward": "mirror", "level": "batch"}
    model = models.shakenet(**mode)
    mixes = [layer for layer in model.layers if isinstance(layer, models.ShakeShake)]
    names = [f"stage{n // 4 + 1}_block{n % 4 + 1}" for n in range(12)]
    assert [layer.name[:-4] for layer in mixes] == names
    assert [layer.mode for layer in mixes] == 12 * [mode]
    shapes = [layer.output.shape[1:] for layer in mixes]
    assert shapes == [(32, 32, 32)] * 4 + [(16, 16, 64)] * 4 + [(8, 8, 128)] * 4
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert not any(layer.use_bias for layer in convolutions)
    of_size_3 = [layer for layer in convolutions if layer.kernel_size == (3, 3)]
    assert len(of_size_3) == 1 + 2 * 24
    assert len(convolutions) == len(of_size_3) + 2 * 3
    norms = [la for la in model.layers if isinstance(la, keras.layers.BatchNormalization)]
    assert {(layer.momentum, layer.epsilon) for layer in norms} == {(0.9, 1e-5)}


def test_weights_begin_by_he_with_the_outputs_counted():
    keras.utils.set_random_seed(0)
    model = models.shakenet(width=64)
    fans = {"stage3_block2_branch1_conv1": 9 * 256, "stage3_block1_skip_conv2": 128}
    for name, fan_out in fans.items():
        kernel = np.asarray(model.get_layer(name).kernel)
        assert kernel.std() == pytest.approx((2 / fan_out) ** 0.5, rel=0.02)
        assert np.abs(kernel).max() > 3 * kernel.std()  # not cut off
    dense = model.get_layer("predictions")
    assert np.abs(np.asarray(dense.kernel)).max() <= 256**-0.5
    assert not np.asarray(dense.bias).any()


def test_colours_are_standardised_inside():
    model = models.shakenet(8, 2)
    standardize = keras.Model(model.input, model.get_layer("standardize").output)
    expected = (PICTURES / 255 - MEAN) / DEVIATION
    np.testing.assert_allclose(standardize.predict(PICTURES, verbose=0), expected, atol=1e-5)


def test_the_second_path_of_a_skip_sees_the_pixel_above_and_to_the_left():
    model = models.shakenet(8, 2)
    x = RANDOM.normal(size=(2, 32, 32, 2)).astype("float32")
    before = model.get_layer("stage2_block1_skip_relu").output
    shifted = keras.Model(before, model.get_layer("stage2_block1_skip_shift").output)
    expected = np.zeros_like(x)
    for i in range(1, 32):
        for j in range(1, 32):
            expected[:, i, j] = x[:, i - 1, j - 1]
    np.testing.assert_array_equal(shifted.predict(x, verbose=0), expected)


def test_without_skip_and_without_batch_norm():
    model = models.shakenet(14, 4, skip=False)
    assert not any("skip" in layer.name for layer in model.layers)
    bare = models.shakenet(14, 4, batch_norm=False)
    assert not any(isinstance(la, keras.layers.BatchNormalization) for la in bare.layers)
    for each in (model, bare):
        rows = keras.ops.convert_to_numpy(each(PICTURES))
        np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-5)


def test_augmentation_fills_with_the_mean_colour_in_training_alone():
    model = models.shakenet(8, 2, augmentation=augment.pad_and_crop(seed=0))
    looking = keras.Model(model.input, model.get_layer("pad_and_crop").output)
    white = np.full_like(PICTURES, 255)
    still, moved = (keras.ops.convert_to_numpy(looking(white, training=t)) for t in (False, True))
    assert np.ptp(still, axis=(0, 1, 2)).max() == 0
    assert (moved == 0).any()
    with pytest.raises(ValueError, match="expected one that only moves pixels"):
        models.shakenet(8, 2, augmentation=augment.color_jitter())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 27}, r"depth is 27; expected 8, 14, 20, 26, …"),
        ({"width": 5}, r"width is 5; expected an even number"),
        ({"classes": 1}, r"classes is 1"),
        ({"branches": 1}, r"branches is 1"),
        ({"branches": 3, "backward": "mirror"}, r"a rule for two branches, not 3"),
        ({"input_shape": (32, 32, 1)}, r"input_shape is \(32, 32, 1\)"),
        ({"input_shape": (None, None, 3)}, r"input_shape is \(None, None, 3\)"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        models.shakenet(**arguments)


ARGUMENTS = ("forward", "backward", "level")
COEFFICIENTS = {  # of each, how many α and β are drawn
    ("shake", "shake", "image"): (6, 6),
    ("shake", "keep", "image"): (6, None),
    ("even", "even", "batch"): (None, None),
    ("shake", "shake", "batch"): (1, 1),
}


@pytest.fixture
def double():
    """In double precision nothing but the mathematics is left to differ."""
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.mark.torch
@pytest.mark.skipif(keras.backend.backend() == "jax", reason="JAX has no double precision")
@pytest.mark.parametrize("mode", COEFFICIENTS)
def test_forward_and_backward_equal_an_independent_pytorch_model(mode, double, monkeypatch):
    torch = pytest.importorskip("torch")
    from benchmarks.shakenet_in_torch import ShakeNet, gradients, load

    tolerance, random = 1e-6, np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    model = models.shakenet(14, 8, classes=4, **dict(zip(ARGUMENTS, mode, strict=True)))
    loss = "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.SGD(1.0), loss, run_eagerly=True)  # XLA compiles for long
    _unlike_at_the_beginning(model, random)
    given = {}
    for layer in model.layers:
        if isinstance(layer, models.ShakeShake):
            both = _coefficients(mode, random)
            given[layer.name[:-4]] = both
            monkeypatch.setattr(layer, "coefficients", lambda *_, both=both, **__: both)
    network = ShakeNet(14, 8, classes=4).to(torch.float64)
    load(network, model)
    x = torch.tensor((PICTURES / 255 - MEAN) / DEVIATION).permute(0, 3, 1, 2).to(torch.float64)

    network.eval()
    expected = network(x).softmax(1).detach().numpy()
    np.testing.assert_allclose(model.predict(PICTURES, verbose=0), expected, atol=tolerance)

    network.train()
    network.coefficients = given
    logits = network(x)
    found = keras.ops.convert_to_numpy(model(PICTURES, training=True))
    np.testing.assert_allclose(found, logits.softmax(1).detach().numpy(), atol=tolerance)
    loss = torch.nn.functional.cross_entropy(logits, torch.tensor(LABELS))
    loss.backward()
    expected = gradients(network)
    before = {weight.path: keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights}
    found = model.train_on_batch(PICTURES, LABELS)
    assert float(found) == pytest.approx(float(loss.detach()), abs=tolerance)
    assert len(expected) == len(before)
    for weight in model.trainable_weights:
        step = before[weight.path] - keras.ops.convert_to_numpy(weight)
        np.testing.assert_allclose(step, expected[weight.path], atol=1e-4, err_msg=weight.path)


def _coefficients(mode, random):
    alphas, betas = COEFFICIENTS[mode]
    alpha = random.random(alphas) if alphas else np.full(1, 0.5)
    beta = random.random(betas) if betas else alpha
    return alpha.astype("float32"), beta.astype("float32")


def _unlike_at_the_beginning(model, random):
    """Give the batch normalisations other values than 0 and 1."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            values = [random.uniform(0.5, 1.5, shape), random.normal(0, 0.2, shape)]
            values += [random.normal(0, 0.2, shape), random.uniform(0.5, 1.5, shape)]
            layer.set_weights(values)
