"""Chapter 9's experiments: ShakeNet in several modes, and without two of its parts."""

import dataclasses
import functools
from typing import Any

from benchmarks.experiments.experiment import (
    History,
    Outcome,
    Run,
    accuracy,
    run_directory,
)
from cnnkit import data, evaluation, models, training
from cnnkit.data import augment

import keras

DEPTH = {"sample": 8, "full": 26}
WIDTH = {"sample": 16, "full": 32}
PICTURES = {"sample": 300, "full": 45_000}  # for training
VALIDATION = {"sample": 500, "full": 5_000}
AUGMENT = {"sample": False, "full": True}
RECIPE = {
    "sample": dataclasses.replace(training.recipes.SHAKENET_SINGLE_GPU, batch_size=16, epochs=40),
    "full": training.recipes.SHAKENET_SINGLE_GPU,
}
# Without batch normalisation, the loss does not survive the published learning rate for long.
WITHOUT_NORM = {scale: recipe.learning_rate / 10 for scale, recipe in RECIPE.items()}

EVEN: dict[str, Any] = {"forward": "even", "backward": "even", "level": "batch"}
SHAKE: dict[str, Any] = {"forward": "shake", "backward": "shake", "level": "image"}


def on_test(**options: Any) -> Run:
    """Return an experiment: the test accuracy of ShakeNet with these options."""

    def run(scale: str, seed: int) -> Outcome:
        model, history = _train(scale, seed, **options)
        return accuracy(model, *parts(scale)[2], history=history)

    return run


def on_training(**options: Any) -> Run:
    """Return an experiment: the same networks, not trained again, on the training pictures."""

    def run(scale: str, seed: int) -> Outcome:
        return accuracy(_train(scale, seed, **options)[0], *parts(scale)[0])

    return run


def correlation(**options: Any) -> Run:
    """Return an experiment: the mean correlation of their branches, on the test pictures."""

    def run(scale: str, seed: int) -> Outcome:
        pictures, labels = parts(scale)[2]
        found = evaluation.branch_correlation(_train(scale, seed, **options)[0], pictures)
        return Outcome(float(found.blocks.mean()), len(labels), {})

    return run


def parts(scale: str) -> list[tuple[Any, Any]]:
    """Return pictures and labels for training, for validation, and for testing."""
    (x, y), test = data.cifar10(scale)
    end = PICTURES[scale]
    kept = slice(end, end + VALIDATION[scale])
    return [(x[:end], y[:end]), (x[kept], y[kept]), test]


@functools.cache
def _train(scale: str, seed: int, **options: Any) -> tuple[keras.Model, History]:
    """Train ShakeNet, and return its best state and its history."""
    recipe, (train, validation, _) = RECIPE[scale], parts(scale)
    if not options.get("batch_norm", True):
        recipe = dataclasses.replace(recipe, learning_rate=WITHOUT_NORM[scale])
    training.reproducible(seed)
    augmentation = augment.flip_pad_and_crop() if AUGMENT[scale] else None
    model = models.shakenet(DEPTH[scale], WIDTH[scale], augmentation=augmentation, **options)
    batch_size = recipe.batch_size or 32
    name = "-".join(f"{option}_{value}" for option, value in options.items())
    with run_directory(scale, f"shakenet-{name}-seed{seed}") as directory:
        trained = training.fit(
            model,
            recipe,
            data.batches(*train, batch_size, shuffle=True, seed=seed),
            data.batches(*validation, batch_size=100),
            directory,
            verbose=0,
        )
        best = keras.models.load_model(directory / "best.keras", compile=False)
    return best, trained.history
