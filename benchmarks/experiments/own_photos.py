"""Chapter 8's experiments: DenseNet on a folder of photos, its head alone, then all of it."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.experiments.experiment import Outcome, accuracy
from cnnkit import data, models, training

import keras

SPECIES = ("cow", "horse", "koala", "owl")  # which no drawn weights have seen
PER_CLASS = 200
SHARES = {"sample": (0.2, 0.6), "full": (0.2, 0.2)}  # for validation, and for testing
SIZE = {"sample": 112, "full": 224}
WEIGHTS = {"sample": "drawn", "full": "imagenet"}
# The published 5e-5 is made for runs of many more steps, and moves next to nothing here. The drawn
# base gives a seventh of the channels, whose weights have further to go.
HEAD_RATE = {"sample": 5e-3, "full": 1e-3}
WHEN = (10, 3)  # the head is evaluated every 10 steps after 3 epochs
HEAD = training.recipes.HEAD_ONLY
NETWORK = dataclasses.replace(training.recipes.WHOLE_NETWORK, epochs=10)


def head(scale: str, seed: int) -> Outcome:
    """Chapter 8: a head on the pooled features of DenseNet."""
    return _run(scale, seed, whole=False)


def network(scale: str, seed: int) -> Outcome:
    """Chapter 8: the same classifier, and then all of its weights trained."""
    return _run(scale, seed, whole=True)


def _run(scale: str, seed: int, whole: bool) -> Outcome:
    with tempfile.TemporaryDirectory() as directory:
        passing = Path(directory)
        train, validation, test = _parts(scale, seed, passing)
        training.reproducible(seed)
        base = models.densenet_base(WEIGHTS[scale], (SIZE[scale], SIZE[scale], 3))
        untrained = models.classification_head(base, train.class_names)
        sets = [
            training.transfer.as_features(models.pooled(base), photos, passing / "features")
            for photos in (train, validation)
        ]
        recipe = dataclasses.replace(HEAD, learning_rate=HEAD_RATE[scale])

        def judge(model: keras.Model, folder: Path) -> dict[str, float]:
            return {"accuracy": accuracy(model, sets[1].features, validation.labels).figure}

        run = passing / "head"
        often = training.Evaluations(judge, run, *WHEN)
        trained = training.fit(untrained, recipe, sets[0], sets[1], run, often, verbose=0)
        classifier = models.with_head(base, keras.models.load_model(run / "best.keras"))
        if whole:
            training.transfer.unfreeze_top(base, len(base.layers))
            run = passing / "network"
            trained = training.fit(classifier, NETWORK, train, validation, run, verbose=0)
            classifier = keras.models.load_model(run / "best.keras")
        return accuracy(classifier, test, test.labels, history=trained.history)


def _parts(scale: str, seed: int, folder: Path) -> list[Any]:
    if scale == "sample":
        photos = data.drawings.write(folder / "photos", SPECIES, PER_CLASS, seed=8)
    else:
        photos = data.ants_and_bees()
    split = data.split_folder(photos, folder / "split", *SHARES[scale], seed=0, skip_unusable=True)
    side, batch_size = SIZE[scale], HEAD.batch_size or 8
    return [
        data.image_folder(split / part, (side, side), batch_size, part == "train", seed)
        for part in ("train", "validation", "test")
    ]
