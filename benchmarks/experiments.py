"""The experiments of the chapters, one function each, as the chapters run them.

An experiment takes a scale and a seed, trains once, and returns the test accuracy and the number
of test pictures.
"""

import dataclasses
from collections.abc import Callable

from cnnkit import data, evaluation, models, training

import keras
import numpy as np

Run = Callable[[str, int], tuple[float, int]]


@dataclasses.dataclass(frozen=True)
class Experiment:
    """An experiment of the course beside the figure that was published for it."""

    name: str
    published: float
    source: str
    run: Run


MNIST_EPOCHS = {"sample": 20, "full": training.recipes.MNIST.epochs}

EXPERIMENTS: dict[str, Experiment] = {}


def experiment(name: str, published: float, source: str) -> Callable[[Run], Run]:
    """Register the decorated function as an experiment."""

    def register(run: Run) -> Run:
        EXPERIMENTS[name] = Experiment(name, published, source, run)
        return run

    return register


@experiment("digits", published=0.983, source=training.recipes.DIGITS.source)
def digits(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 1: one convolution on scikit-learn's digits; the seed also splits them."""
    train, test = data.digits(seed)
    training.reproducible(seed)
    model = models.digits_cnn()
    training.recipes.DIGITS.compile(model)
    for _ in range(training.recipes.DIGITS.epochs):
        model.train_on_batch(*train)
    return _accuracy(model, *test)


@experiment("mnist", published=0.991, source=training.recipes.MNIST.source)
def mnist(scale: str, seed: int) -> tuple[float, int]:
    """Chapter 2: three convolutions on MNIST."""
    recipe = training.recipes.MNIST
    train, test = data.mnist(scale)
    training.reproducible(seed)
    model = models.mnist_cnn()
    recipe.compile(model)
    model.fit(*train, batch_size=recipe.batch_size, epochs=MNIST_EPOCHS[scale], verbose=0)
    return _accuracy(model, *test)


def _accuracy(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> tuple[float, int]:
    report = evaluation.report(labels, evaluation.predict(model, images))
    return report.accuracy, report.count
