"""A training step of each network against PyTorch, and against what the machine can multiply.

Both sides begin with the same weights and take the same batch, already in memory, with the same
optimizer and as many threads, on the processor. Before any time is taken, their probabilities have
to agree, the number of weights that they train, the loss of a step without dropout and shaking, and
with gradient descent what this step makes of the probabilities.
"""

import dataclasses
import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.measuring import Measured, Ratio, Step, agree, cores, in_turns
from cnnkit import models, training
from cnnkit.training import recipes

import keras
import numpy as np

SIDE = 2048  # of the square matrices whose product measures the machine
PRODUCT = 2 * SIDE**3  # floating-point operations
SECONDS = 40  # that the turns of a network take, about
COLUMNS = "network", "batch", "ours", "PyTorch", "ratio", "GFLOP a picture", "of the limit"
REMARKS = [
    f"The limit is the rate at which NumPy multiplies matrices of {SIDE:,} by {SIDE:,}, in the "
    "same turns. Counted are the products of convolutions and dense layers: forward, and backward "
    "where something is trained. What keeps small networks from it lies between the products: "
    "copies of feature maps, activations, pooling, normalisation, and the call of a step. A "
    "network may pass it, since some ways to convolve take fewer multiplications than are counted "
    "(Winograd's, for 3×3).",
    "Where PyTorch is ahead, it is with `densenet`, by some hundredths: what a step needs beside "
    "its products goes into normalising and joining many feature maps. This waits for memory, on "
    "both sides, and a compiled graph does not save it.",
    "Keras's step is a compiled graph, as `fit` has it, PyTorch's is eager, as its tutorials have "
    "it. RMSprop adds its epsilon inside of the root in Keras and outside in PyTorch.",
]
NO_TORCH = "PyTorch is not installed, so that there is no ratio: pip install torch"


@dataclasses.dataclass(frozen=True)
class Case:
    """A network, its recipe, and the pictures of a step."""

    build: Callable[[], keras.Model]
    recipe: training.Recipe
    batch: int


def _fine_tuning() -> keras.Model:
    base = models.vgg16_base(None, (180, 180, 3))
    training.transfer.unfreeze_top(base, 4)
    return models.transfer_classifier(base)


def _densenet() -> keras.Model:
    base = models.densenet_base(None, (224, 224, 3))
    return models.with_head(base, models.classification_head(base, ["cat", "dog"]))


def _alexnet() -> keras.Model:
    return models.alexnet(mean=[124, 124, 124])


ALEXNET = dataclasses.replace(recipes.ALEXNET, weight_decay=5e-4)  # which the model has itself
CASES = {
    "digits_cnn": Case(models.digits_cnn, recipes.DIGITS, 1617),
    "mnist_cnn": Case(models.mnist_cnn, recipes.MNIST, 64),
    "cats_vs_dogs_cnn": Case(models.cats_vs_dogs_cnn, recipes.CATS_VS_DOGS, 32),
    "fine_tuning": Case(_fine_tuning, recipes.FINE_TUNING, 32),
    "alexnet": Case(_alexnet, ALEXNET, 64),
    "densenet": Case(_densenet, recipes.WHOLE_NETWORK, 8),
    "shakenet": Case(models.shakenet, recipes.SHAKENET, 128),
}


def measure() -> Measured:
    """Time a step of each network on both sides."""
    with_torch = importlib.util.find_spec("torch") is not None
    rows, ratios = [], []
    for name, case in CASES.items():
        training.reproducible(0)
        model = case.build()
        x, y = batch(model, case.batch)
        steps = {"limit": _multiply()}
        if with_torch:
            steps["PyTorch"] = in_torch(name, case, model, x, y)
        steps["ours"] = keras_step(case.recipe, model, x, y)
        medians = in_turns(steps, SECONDS)
        speeds = {side: case.batch / seconds for side, seconds in medians.items()}
        operations = training_operations(model)
        share = speeds["ours"] * operations * medians["limit"] / PRODUCT
        if with_torch:
            ratios.append(speeds["ours"] / speeds["PyTorch"])
        theirs = (_speed(speeds["PyTorch"]), f"{ratios[-1]:.2f}") if with_torch else ("–", "–")
        gigaflop, own = f"{operations / 1e9:.3g}", _speed(speeds["ours"])
        rows.append((name, f"{case.batch:,}", own, *theirs, gigaflop, f"{share:.0%}"))
    title = f"Pictures a second in training, by medians of turns, {len(cores())} threads"
    mean = float(np.exp(np.mean(np.log(ratios)))) if ratios else float("nan")
    ratio = Ratio("speed against PyTorch, geometric mean of the networks", mean)
    return Measured(title, COLUMNS, rows, [ratio], REMARKS if with_torch else [*REMARKS, NO_TORCH])


def _speed(pictures: float) -> str:
    return f"{pictures:,.0f}" if pictures >= 100 else f"{pictures:.1f}"


def batch(model: keras.Model, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random pictures that a model takes, and labels of its classes."""
    random = np.random.default_rng(0)
    shape = model.input_shape[1:]
    x = random.integers(0, 256, (count, *shape)).astype("float32")
    x /= 255 if shape[-1] == 1 else 1
    return x, random.integers(0, max(2, model.output_shape[-1]), count)


def in_torch(name: str, case: Case, model: keras.Model, x: np.ndarray, y: np.ndarray) -> Step:
    """Build the same network, and check that it is the same."""
    from benchmarks import networks_in_torch
    from benchmarks.side_in_torch import Side

    network = getattr(networks_in_torch, name)()
    networks_in_torch.load(network, model)
    side = Side(network, case.recipe, x, y)
    agree("probabilities", model.predict(x, verbose=0), side.predict())
    agree("numbers of trained weights", _count(model.trainable_variables), side.trained)
    case.recipe.compile(model, steps=100)
    decay = float(sum(model.losses))  # which PyTorch's optimizer adds to the gradient alone
    with _without_chance(model), side.without_chance():
        ours, theirs = model.train_on_batch(x, y)[0], side.step()
    agree("losses", (ours - decay) / theirs, 1)
    if case.recipe.optimizer == "sgd":
        agree("probabilities after a step", model.predict(x, verbose=0), side.predict())
    return side.step


@contextmanager
def _without_chance(model: keras.Model) -> Iterator[None]:
    """Let a model drop and shake nothing, until it is compiled again."""
    changed: list[tuple[keras.Layer, str, Any]] = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            changed.append((layer, "rate", 0.0))
        elif isinstance(layer, models.ShakeShake):
            even = {"forward": "even", "backward": "even", "level": "batch"}
            changed.append((layer, "mode", even))
    before = [(layer, name, getattr(layer, name)) for layer, name, _ in changed]
    for layer, name, value in changed:
        setattr(layer, name, value)
    try:
        yield
    finally:
        for layer, name, value in before:
            setattr(layer, name, value)


def keras_step(recipe: training.Recipe, model: keras.Model, x: np.ndarray, y: np.ndarray) -> Step:
    """Return a step of a model on a batch that is in memory."""
    recipe.compile(model, steps=100)
    pictures, labels = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    return lambda: model.train_on_batch(pictures, labels)


def _count(weights: list[keras.Variable]) -> int:
    return sum(int(np.prod(weight.shape)) for weight in weights)


def _multiply() -> Step:
    one, other = np.random.default_rng(0).random((2, SIDE, SIDE), "float32")
    return lambda: one @ other


def training_operations(model: keras.Model) -> int:
    """Count the floating-point operations of a step for a picture, in its products of matrices.

    A convolution or dense layer takes as many for its output as for the gradient of its kernel,
    where that is trained, and as many again for the gradient of its input, where anything before
    it is trained.
    """
    total, trained_before = 0, False
    for layer in with_weights(model):
        if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
            places = int(np.prod(layer.output.shape[1:-1]))
            forward = 2 * int(np.prod(layer.kernel.shape)) * places
            total += forward * (1 + layer.trainable + trained_before)
        trained_before |= layer.trainable
    return total


def with_weights(model: keras.Model) -> list[keras.Layer]:
    """Return the layers of a model, and of the models in it, that have weights of their own."""
    found = []
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            found += with_weights(layer)
        elif layer.weights and not isinstance(layer, keras.layers.Normalization):
            found.append(layer)
    return found
