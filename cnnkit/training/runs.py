"""Long runs: trained by a recipe, kept in a directory, and resumed where they stopped."""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnnkit import backend, checks, files, plots
from cnnkit.batches import behind, first, read
from cnnkit.networks import input_of, output
from cnnkit.training import distribution
from cnnkit.training.callbacks import (
    BetweenBatches,
    Evaluations,
    monitored_metric,
    validation_metrics,
)
from cnnkit.training.checkpoint import Checkpoint, Config, network_key, random_states
from cnnkit.training.recipes import Recipe

import keras
import numpy as np
from keras.callbacks import ModelCheckpoint


def reproducible(seed: int) -> None:
    """Make all that follows repeat bit for bit on the same machine. Call it before the model.

    It seeds Python, NumPy and Keras (0 to 2³² − 1), and asks for deterministic operations.
    """
    keras.utils.set_random_seed(seed)
    backend.enable_determinism()


def check_data(model: keras.Model, x: np.ndarray, y: np.ndarray) -> None:
    """Raise ValueError unless images (n, height, width, channels), labels (n,) fit a classifier.

    Pixels go from 0 to 255 for a model that rescales them itself, else from 0 to 1.
    """
    checks.images(model, x)
    low, high, most = np.min(x), np.max(x), input_of(model)[1]
    if np.isfinite(most) and (low < 0 or high > most):
        cure = "Take images / 255." if low >= 0 and high <= 255 else "Rescale them."
        what = f"The pixels lie between {low:g} and {high:g}; expected 0 to {most:g}"
        raise ValueError(f"{what}. {cure}")
    checks.labels(y, output(model)[0], len(x))


def fit(
    model: keras.Model,
    recipe: Recipe,
    train: Any,
    validation: Any,
    directory: str | Path,
    evaluate: Callable[[keras.Model, Any], Mapping[str, float]] | Evaluations | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback = (),
    verbose: str | int = "auto",
) -> keras.callbacks.History:
    """Train a model by a recipe. An interrupted run resumes when it is called again.

    It resumes after the last whole epoch; after `reproducible`, and on the same machine, it ends
    bit for bit as one that was never interrupted. More epochs prolong a run. The directory holds

    - ``run.json``: the recipe, and what is known of model, data and software;
    - ``history.csv`` and, at the end, ``curves.png``: the metrics of each epoch;
    - ``best.keras``, by the recipe's metric, and ``last.keras``: load them after ``import cnnkit``;
    - ``state.npz``, from which the run resumes. Without it, the run begins anew.

    Parameters
    ----------
    model, recipe : keras.Model, Recipe
        The model is compiled here, and ends with the last weights. The batch size is `train`'s.
    train, validation : tf.data.Dataset, or None for `validation`
        Batches (images, labels) that are the same in each epoch, or those of `data.image_folder`.
    directory : str or Path
        Of this run alone, and of one process at a time.
    evaluate : callable, optional
        ``evaluate(model, validation)`` returns metrics by name, such as ``{"accuracy": 0.93}``,
        after each epoch, in place of Keras's evaluation; or `Evaluations`, which keep the best.
    callbacks, verbose
        As for Keras's ``fit``. What they count is restored, not the weights EarlyStopping keeps.
    """
    directory, team = Path(directory).expanduser(), distribution.current()
    callbacks, verbose = keras.tree.flatten(callbacks), verbose if team.first else 0
    config = _config(model, recipe, train, validation, evaluate)
    for part in ("training", "validation") if verbose else ():
        if config[part]["data"]:
            print(f"{part + ':':11} {config[part]['data']}")
    recipe.compile(model, steps=len(train))
    model.optimizer.build(model.trainable_variables)
    often = isinstance(evaluate, Evaluations)
    counting = [*([evaluate] if often else []), *recipe.callbacks(), *callbacks]
    if team.first:
        counting.append(ModelCheckpoint(directory / "last.keras"))
    if team.first and not often:
        metric = f"{'' if validation is None else 'val_'}{recipe.monitor.removeprefix('val_')}"
        worst = math.inf if recipe.mode == "min" else -math.inf  # which is better than NaN
        best = {"save_best_only": True, "initial_value_threshold": worst, "mode": recipe.mode}
        counting.append(ModelCheckpoint(directory / "best.keras", metric, **best))
    variables = [*model.weights, *random_states(model), *model.optimizer.variables]
    checkpoint = Checkpoint(directory, config, variables, counting)
    judged = None if evaluate else validation  # by Keras
    epoch = _Epoch(recipe.monitor, train, validation, None if often else evaluate)
    past = checkpoint.restore()
    stopped = any(getattr(callback, "stopped_epoch", 0) for callback in callbacks)
    ended = past >= recipe.epochs or stopped
    if past and verbose:
        done = f"The run ended with epoch {past}. For another, name another directory"
        print(done if ended else f"Going on after epoch {past}")
    between = BetweenBatches()
    options = {"callbacks": [team, epoch, *counting, between, checkpoint], "verbose": verbose}
    options |= {"initial_epoch": past, "epochs": recipe.epochs, "shuffle": False}
    try:
        if not ended:
            with between, team.together(model, train, judged):
                model.fit(backend.fast(train), validation_data=backend.fast(judged), **options)
    finally:
        history = checkpoint.as_history(model)
        if team.first and history.epoch:
            figure = plots.learning_curves(history.history)
            files.replace(directory / "curves.png", lambda file: figure.savefig(file, dpi=150))
    return history


class _Epoch(keras.callbacks.Callback):
    """Begins an epoch with its order of the images, and ends it with metrics that are numbers."""

    def __init__(self, monitor: str, train: Any, validation: Any, evaluate: Any) -> None:
        super().__init__()
        self._monitor, self._datasets, self._evaluate = monitor, (train, validation), evaluate

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        for dataset in filter(behind, self._datasets):
            dataset.set_epoch(epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if not math.isfinite(logs["loss"]):
            where = f"is {logs['loss']} in epoch {epoch + 1}"
            raise FloatingPointError(f"The loss {where}. Take a smaller learning rate.")
        if self._evaluate is not None:
            logs.update(validation_metrics(self._evaluate(self.model, self._datasets[1])))
            monitored_metric(self._monitor, logs)  # or an error that names it
        logs["learning_rate"] = float(self.model.optimizer.learning_rate)


def _config(
    model: keras.Model, recipe: Recipe, train: Any, validation: Any, evaluate: Any
) -> Config:
    """Check what a run is given, and return what tells it from others."""
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe is {recipe!r}; expected one of training.recipes.")
    if validation is train:
        raise ValueError("Training and validation data are the same; expected other photos.")
    ends, asked = output(model)[1], "sigmoid" if recipe.loss == "BinaryCrossentropy" else "softmax"
    if ends != asked:
        what = f"The model {model.name!r} ends in a {ends}, and the recipe's loss, {recipe.loss}"
        raise ValueError(f"{what}, asks for a {asked}. Take another recipe, or another last layer.")
    found: Config = {"training": _describe(model, train), "recipe": asdict(recipe)}
    found["model"] = {"parameters": model.count_params(), "layers": network_key(model, False)[:16]}
    found["validation"] = {"data": None} if validation is None else _describe(model, validation)
    found["validation"]["evaluate"] = getattr(evaluate, "__qualname__", type(evaluate).__name__)
    found["may change"] = {"keras": keras.__version__, "backend": keras.backend.backend()}
    if not recipe.cosine or recipe.restart_after is not None:  # else the wave depends on them
        found["may change"]["epochs"] = found["recipe"].pop("epochs")
    return found


def _describe(model: keras.Model, dataset: Any) -> dict[str, Any]:
    """Check that a data set fits the model, and describe it."""
    images, labels = first(dataset)
    checks.images(model, images)
    if isinstance(dataset, list):
        raise ValueError("fit takes no list; call data.batches(images, labels, batch_size).")
    if labels is None:
        raise ValueError("The data set holds no labels; expected batches (images, labels).")
    known = behind(dataset)
    labels = np.concatenate([y for _, y in read(dataset)]) if known is None else known.labels
    checks.labels(labels, output(model)[0], len(labels))
    names = [] if known is None else known.class_names
    counts = enumerate(np.bincount(labels, minlength=len(names)))
    classes = [f"{count:,} {names[n] if names else f'of class {n}'}" for n, count in counts]
    what = f"{'pixels' if images.ndim == 4 else 'features'} {images.min():g} to {images.max():g}"
    size = " × ".join(map(str, (len(labels), *images.shape[1:])))
    return {
        "data": ", ".join([size, what, *classes]),
        "labels": hashlib.sha256(np.asarray(labels, "<i8").tobytes()).hexdigest()[:16],
        "batch size": len(images),
        "order": known and known.seed,
        "features": known and known.key,
    }
