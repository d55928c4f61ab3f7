"""Every builder's model: saved, trained, and the same on every Keras backend.

Each backend runs in a process of its own: ``python test_backends_agree.py FOLDER`` takes weights
and pictures from FOLDER, and leaves there what the backend that KERAS_BACKEND names makes of them.
"""

import functools
import importlib.util
import inspect
import os
import subprocess
import sys
import typing
from pathlib import Path

from cnnkit import models, networks

import keras
import numpy as np
import pytest

BACKENDS = ("tensorflow", "jax", "torch")
INSTALLED = [name for name in BACKENDS if importlib.util.find_spec(name)]
REFERENCE = keras.backend.backend()
OTHERS = [
    pytest.param(name, marks=pytest.mark.skipif(name not in INSTALLED, reason=f"needs {name}"))
    for name in BACKENDS
    if name != REFERENCE
]
TOLERANCE = 1e-4
PHOTO = (32, 32, 3)


def papers_alexnet():
    # He's weights: with the paper's, so narrow a network hardly tells photos apart. Rescaled, lest
    # the softmax saturate: there TensorFlow's loss comes from the logits, and the others clip it.
    form = {"groups": 2, "local_response_normalization": True, "mean": (120, 110, 100)}
    return models.alexnet((67, 67, 3), 3, 1 / 8, 0, initializer="he", rescale=True, **form)


@functools.cache
def vgg16():
    return models.vgg16_base("drawn", PHOTO)


@functools.cache
def head():
    return models.classification_head(vgg16(), ["cow", "horse", "koala", "owl"])


FEATURES, ONE, SEVERAL = "mse", "binary_crossentropy", "sparse_categorical_crossentropy"
# Without what draws random numbers in training, which differ by backend: dropout, augmentation and
# shakes. Of the latter, test_shake.py holds every backend to the formula.
BUILDERS = {
    "alexnet": (papers_alexnet, SEVERAL),
    "cats_vs_dogs_cnn": (lambda: models.cats_vs_dogs_cnn((78, 78, 3)), ONE),
    "classification_head": (head, SEVERAL),
    "densenet_base": (lambda: models.densenet_base(None, PHOTO, block_config=(2, 1)), FEATURES),
    "densenet_base, drawn": (lambda: models.densenet_base("drawn", PHOTO), FEATURES),
    "digits_cnn": (models.digits_cnn, SEVERAL),
    "mnist_cnn": (models.mnist_cnn, SEVERAL),
    "mnist_cnn, no pooling": (lambda: models.mnist_cnn(max_pooling=False), SEVERAL),
    "pooled": (lambda: models.pooled(vgg16()), FEATURES),
    "shakenet": (lambda: models.shakenet(8, 8, forward="even", backward="even"), SEVERAL),
    "transfer_classifier": (lambda: models.transfer_classifier(vgg16(), dropout=0), ONE),
    "vgg16_base": (lambda: models.vgg16_base(None, PHOTO), FEATURES),
    "vgg16_base, drawn": (vgg16, FEATURES),
    "with_head": (lambda: models.with_head(vgg16(), head()), SEVERAL),
}


def uneven(model: keras.Model, random: np.random.Generator) -> list[np.ndarray]:
    """Return weights of which none are all 0 or all 1, which would hide a mix-up."""
    even = [weight.ndim == 1 and np.ptp(weight) == 0 for weight in model.get_weights()]
    both = zip(model.get_weights(), even, strict=True)
    return [weight + random.uniform(0, 0.1, weight.shape) * each for weight, each in both]


def draw(path: Path) -> None:
    """Write weights, pictures and targets for every model."""
    keras.utils.set_random_seed(0)
    random, arrays = np.random.default_rng(0), {}
    for name, (build, loss) in BUILDERS.items():
        model = build()
        for number, weight in enumerate(uneven(model, random)):
            arrays[f"{name}/{number}"] = weight.astype("float32")
        shape, largest = model.input_shape[1:], 255 if model.input_shape[-1] == 3 else 1
        pictures = [random.uniform(0, largest * share, shape) for share in (0.2, 0.5, 0.7, 1)]
        arrays[f"{name}/pictures"] = np.array(pictures, "float32")
        features = random.uniform(0, 1, (4, *model.output_shape[1:])).astype("float32")
        arrays[f"{name}/targets"] = features if loss == FEATURES else np.array([0, 1, 1, 0])
    np.savez(path, **arrays)


def run(given: Path, path: Path) -> None:
    """Write every model's outputs, its losses in two training steps, and what these leave.

    What no loss shows are the moving statistics of batch normalisation.
    """
    arrays, results = np.load(given), {}
    for name, (build, loss) in BUILDERS.items():
        model = build()
        model.set_weights([arrays[f"{name}/{number}"] for number in range(len(model.weights))])
        pictures, targets = arrays[f"{name}/pictures"], arrays[f"{name}/targets"]
        results[f"{name}/outputs"] = model.predict_on_batch(pictures)
        model.compile(keras.optimizers.SGD(2e-3), loss)
        results[f"{name}/losses"] = [model.train_on_batch(pictures, targets) for _ in range(2)]
        moving = [keras.ops.convert_to_numpy(each) for each in model.non_trainable_weights]
        results[f"{name}/moving"] = np.concatenate([[], *moving])
    np.savez(path, **results)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A function that returns what a backend gave; the backends run side by side."""
    folder = tmp_path_factory.mktemp("backends")
    draw(folder / "given.npz")
    processes = {}
    for backend in INSTALLED:
        # On the CPU, because GPUs may multiply in fewer digits. JAX, for which the tests wait
        # longest, compiles in half the time if it optimises nothing.
        settings = {"CUDA_VISIBLE_DEVICES": "-1", "XLA_FLAGS": "--xla_backend_optimization_level=0"}
        with (folder / f"{backend}.txt").open("w") as log:
            processes[backend] = subprocess.Popen(
                [sys.executable, __file__, folder],
                env=os.environ | settings | {"KERAS_BACKEND": backend},
                stdout=log,
                stderr=log,
            )

    @functools.cache
    def result(backend):
        code = processes[backend].wait()
        assert code == 0, (folder / f"{backend}.txt").read_text()
        with np.load(folder / f"{backend}.npz") as arrays:
            return dict(arrays)

    yield result
    for process in processes.values():
        process.kill()
        process.wait()


@pytest.mark.backends
@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("backend", OTHERS)
def test_the_same_outputs_losses_and_moving_statistics(results, backend, name):
    expected, found = (
        [results(each)[f"{name}/{kind}"] for kind in ("outputs", "losses", "moving")]
        for each in (REFERENCE, backend)
    )
    # Pictures and the step make more of a difference than backends may.
    assert np.ptp(expected[0], axis=0).max() > 10 * TOLERANCE
    assert abs(np.diff(expected[1])) > 2 * TOLERANCE
    for given, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(given, reference, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("name", BUILDERS)
def test_saved_and_loaded_it_predicts_the_same(name, tmp_path):
    model = BUILDERS[name][0]()
    random = np.random.default_rng(0)
    pictures = random.uniform(0, 255, (2, *model.input_shape[1:])).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    largest = {networks.input_of(each)[1] for each in (loaded, model)}
    assert largest == {255.0 if pictures.shape[-1] == 3 else 1.0}
    expected = model.predict(pictures, verbose=0)
    np.testing.assert_array_equal(loaded.predict(pictures, verbose=0), expected)


@pytest.mark.parametrize("name", BUILDERS)
def test_a_step_moves_every_trained_weight(name):
    (build, loss), random = BUILDERS[name], np.random.default_rng(0)
    model = build()
    model.set_weights(uneven(model, random))
    before = {w.path: keras.ops.convert_to_numpy(w) for w in model.trainable_weights}
    pictures = random.uniform(0, 255, (4, *model.input_shape[1:])).astype("float32")
    features = random.uniform(0, 1, (4, *model.output_shape[1:])).astype("float32")
    model.compile(keras.optimizers.SGD(0.1), loss)
    model.train_on_batch(pictures, features if loss == FEATURES else np.array([0, 1, 1, 0]))
    for weight in model.trainable_weights:
        moved = keras.ops.convert_to_numpy(weight)
        assert np.isfinite(moved).all() and not np.array_equal(moved, before[weight.path])


def test_no_builder_is_left_out():
    exported = {name: getattr(models, name) for name in models.__all__}
    hints = {n: typing.get_type_hints(f) for n, f in exported.items() if inspect.isfunction(f)}
    builders = {name for name, found in hints.items() if found["return"] is keras.Model}
    assert {name.split(",")[0] for name in BUILDERS} == builders


if __name__ == "__main__":
    run(Path(sys.argv[1], "given.npz"), Path(sys.argv[1], f"{keras.backend.backend()}.npz"))
