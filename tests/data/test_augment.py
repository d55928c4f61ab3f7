"""Every augmentation through every check; and each beside a plain loop or a formula."""

from collections.abc import Callable

from cnnkit.data import augment

import keras
import numpy as np
import pytest
from keras import ops

from .conftest import PHOTOS, change, pca_color

SMOOTH = ops.convert_to_numpy(ops.image.resize(PHOTOS[:, :4, :4], (24, 24)))

Build = Callable[..., augment.Augmentation]
NAMES = """flip_rotate_zoom flip rotate color_jitter blur sharpen pad_and_crop flip_pad_and_crop
QuarterTurns CropAndResize SaltAndPepper"""
ALL: dict[str, Build] = {name: getattr(augment, name) for name in NAMES.split()}
ALL["PCAColor"] = pca_color
COLOURS = {"color_jitter", "blur", "sharpen", "SaltAndPepper", "PCAColor"}
every = pytest.mark.parametrize("name", ALL)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Which pictures are not what they were."""
    return np.abs(before.astype(float) - after).max(axis=(1, 2, 3)) > 0.5


@every
@pytest.mark.parametrize("dtype", ["float32", "uint8", "float16"])
def test_shape_dtype_and_range_stay(name, dtype):
    images = PHOTOS.astype(dtype)
    layer = ALL[name](seed=1)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(images)), images)  # in inference
    after = layer(images, training=True)
    assert keras.backend.standardize_dtype(after.dtype) == dtype
    assert tuple(after.shape) == images.shape
    after = ops.convert_to_numpy(after)
    assert after.min() >= 0 and after.max() <= 255
    assert changed(images, after).any()
    assert after.astype(float).std() > 20


@pytest.mark.parametrize("name", sorted(ALL.keys() - {"blur"}))
def test_photos_of_a_batch_change_each_in_its_own_way(name):
    after = change(ALL[name](seed=1), np.repeat(SMOOTH[:1], 12, axis=0))
    assert len({picture.tobytes() for picture in after}) >= (2 if name == "flip" else 3)


@every
def test_the_seed_decides_and_each_call_goes_on(name):
    first, again, other = (ALL[name](seed=seed) for seed in (1, 1, 2))
    once = change(first, PHOTOS)
    np.testing.assert_array_equal(change(again, PHOTOS), once)
    assert not np.array_equal(change(other, PHOTOS), once)
    assert not np.array_equal(change(first, PHOTOS), once)
    runs = []
    for _ in range(2):
        keras.utils.set_random_seed(3)
        runs.append(change(ALL[name](), PHOTOS))
    np.testing.assert_array_equal(*runs)  # without a seed, the global one decides


@every
def test_a_model_with_it_is_saved_loaded_and_trained(name, tmp_path):
    inputs = keras.Input((24, 24, 3))
    layer = ALL[name](seed=1)
    x = keras.layers.GlobalAveragePooling2D()(layer(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Rescaling(1 / 255)(x)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    again = loaded.get_layer(layer.name)
    np.testing.assert_array_equal(change(again, PHOTOS), change(ALL[name](seed=1), PHOTOS))
    loaded.compile("sgd", "mse")
    loss = loaded.fit(PHOTOS, np.zeros(12), epochs=1, verbose=0).history["loss"]
    assert np.isfinite(loss).all()


def test_flips_are_mirror_images_and_half_of_them():
    images = np.repeat(PHOTOS, 50, axis=0)
    after = change(augment.flip(seed=0), images)
    for before, picture in zip(images, after, strict=True):
        assert np.array_equal(picture, before) or np.array_equal(picture, before[:, ::-1])
    assert changed(images, after).mean() == pytest.approx(0.5, abs=0.1)
    vertical = change(augment.flip("vertical", seed=0), PHOTOS)
    turned = changed(PHOTOS, vertical)
    np.testing.assert_array_equal(vertical[turned], PHOTOS[turned][:, ::-1])


def test_quarter_turns_are_those_of_numpy_and_all_four_as_often():
    images = np.repeat(PHOTOS[:1], 400, axis=0)
    after = change(augment.QuarterTurns(seed=0), images)
    turned = [np.rot90(PHOTOS[0], number) for number in range(4)]
    counts = [sum(np.array_equal(picture, turn) for picture in after) for turn in turned]
    assert sum(counts) == 400
    np.testing.assert_allclose(counts, 100, atol=40)


def test_a_free_turn_keeps_the_middle_and_fills_corners_with_zeros():
    white = np.full((40, 31, 31, 3), 255, "float32")
    after = change(augment.rotate(45, seed=0), white)
    np.testing.assert_allclose(after[:, 14:17, 14:17], 255, atol=1e-3)
    assert (after[:, 0, 0] == 0).any()
    np.testing.assert_allclose(change(augment.rotate(0, seed=0), white), 255, atol=1e-3)


def test_a_crop_shows_an_enlarged_window():
    """On a ramp, where a pixel's value says where it comes from."""
    row = np.linspace(10, 240, 24, dtype="float32")
    ramp = np.broadcast_to(row[None, None, :, None], (200, 24, 24, 3))
    after = change(augment.CropAndResize(0.5, seed=0), ramp)
    widths = (after[:, 0, -1, 0] - after[:, 0, 0, 0]) / (row[-1] - row[0])
    assert 0.5 <= widths.min() < 0.6 and 0.9 < widths.max() <= 1.001
    assert after.min() >= 10 - 1e-3 and after.max() <= 240 + 1e-3  # nothing from outside
    steps = np.diff(after[:, 0, :, 0], axis=1)
    np.testing.assert_allclose(steps, np.repeat(steps[:, :1], 23, axis=1), atol=1e-2)
    downwards = change(augment.CropAndResize(0.5, seed=0), ramp.swapaxes(1, 2))
    for first in (after[:, 0, 0, 0], downwards[:, 0, 0, 0]):  # windows begin at many places
        assert first.min() < 15 and first.max() > 60


def test_blurring_takes_edges_away_and_sharpening_adds_to_them():
    def edges(images: np.ndarray) -> float:
        return np.abs(np.diff(images, axis=2)).mean()

    middle = 60 + SMOOTH * 0.5
    assert edges(change(augment.blur(seed=0), PHOTOS)) < 0.8 * edges(PHOTOS)
    assert edges(change(augment.sharpen(seed=0), middle)) > 1.02 * edges(middle)


def test_the_factors_are_those_that_were_asked_for():
    config = augment.flip_rotate_zoom(seed=4).get_config()
    flip, rotation, zoom = augment.Chain.from_config(config).layers
    assert (flip.mode, flip.get_config()["seed"]) == ("horizontal", 4)
    assert rotation.get_config()["factor"] in (0.1, (-0.1, 0.1))
    assert zoom.get_config()["height_factor"] in (0.2, (-0.2, 0.2))
    (turn,) = augment.rotate(45).layers
    assert turn.get_config()["factor"] in (0.125, (-0.125, 0.125))
    (jitter,) = augment.color_jitter(0.3).layers
    config = jitter.get_config()
    assert config["hue_factor"] == pytest.approx(0.05) and config["brightness_factor"] == 0.3
    assert config["saturation_factor"] == pytest.approx((0.35, 0.65))
    (gaussian,) = augment.blur(5, 3.0).layers
    assert gaussian.get_config()["sigma"] in ((0.1, 3.0), [0.1, 3.0])
    assert augment.PCAColor().deviation == 0.1  # as in the paper


def test_a_chain_applies_its_layers_in_their_order():
    dark = augment.Chain([keras.layers.Rescaling(0.5), keras.layers.Rescaling(1.0, offset=10)])
    np.testing.assert_allclose(change(dark, PHOTOS), PHOTOS / 2 + 10)


@pytest.mark.parametrize("name", sorted(ALL.keys() - COLOURS))
def test_what_moves_photos_keeps_any_range(name):
    after = change(ALL[name](seed=0), (PHOTOS / 127.5 - 1).astype("float32"))
    assert after.min() == pytest.approx(-1, abs=0.1) and after.max() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("name", sorted(COLOURS - {"PCAColor"}))
def test_what_changes_colours_keeps_the_range_that_is_named(name):
    after = change(ALL[name](seed=0, value_range=(0, 1)), PHOTOS / 255)
    assert after.min() >= 0 and after.max() <= 1
    assert after.mean() == pytest.approx(PHOTOS.mean() / 255, abs=0.15)


def test_results_are_clipped_to_the_range_and_rounded():
    bright = augment.Chain([keras.layers.Rescaling(2.0)])
    np.testing.assert_array_equal(change(bright, PHOTOS), np.minimum(2 * PHOTOS, 255))
    brighter = augment.Chain([keras.layers.Rescaling(1.0, offset=0.7)])
    assert (change(brighter, np.full((2, 4, 4, 3), 100, "uint8")) == 101).all()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: augment.SaltAndPepper(1.5), "share is 1.5"),
        (lambda: augment.CropAndResize(0), "smallest is 0"),
        (lambda: augment.pad_and_crop(0), "padding is 0"),
        (lambda: augment.flip("diagonal"), "mode is 'diagonal'"),
        (lambda: augment.color_jitter(2), "factor=2"),
        (lambda: augment.sharpen(-1), "strength is -1"),
        (lambda: change(augment.QuarterTurns(), PHOTOS[:, :, :20]), r"24×20.*square"),
        (lambda: change(augment.flip(), PHOTOS[0]), r"photo\[np.newaxis\]"),
        (lambda: change(augment.PCAColor(), PHOTOS), "call adapt"),
        (lambda: augment.PCAColor().adapt(PHOTOS[..., :1]), r"\(n, height, width, 3\)"),
        (lambda: augment.PCAColor().adapt([]), "no photos"),
    ],
)
def test_arguments_out_of_range_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
