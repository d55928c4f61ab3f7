"""Long runs: trained by a recipe, kept in a directory, and resumed where they stopped."""

import hashlib
import math
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cnnkit import backend, checks, files, plots
from cnnkit.batches import behind, read
from cnnkit.training import distribution
from cnnkit.training.callbacks import Evaluations, monitored_metric, validation_metrics
from cnnkit.training.checkpoint import Checkpoint, curves, locked, random_states
from cnnkit.training.identity import network_key
from cnnkit.training.recipe import Recipe

import keras
import numpy as np
from keras.callbacks import EarlyStopping, ModelCheckpoint

Evaluate = Callable[[keras.Model, Any], Mapping[str, float]]


def fit(
    model: keras.Model,
    recipe: Recipe,
    train: Any,
    validation: Any,
    directory: str | Path,
    evaluate: Evaluate | Evaluations | None = None,
    callbacks: Iterable[keras.callbacks.Callback] | keras.callbacks.Callback = (),
    verbose: str | int = "auto",
) -> keras.callbacks.History:
    """Train a model by a recipe. An interrupted run resumes when it is called again.

    It resumes after the last whole epoch, and ends with the weights, metrics and learning rates of
    a run that was never interrupted; bit for bit after `reproducible`, on the same machine.
    More epochs prolong a run; with no more than are done, it is just restored. Within
    `distributed`, several processes train the model together. The directory holds

    - ``run.json``: the recipe, and what is known of model, data and software;
    - ``history.csv`` and, at the end, ``curves.png``: the metrics of each epoch;
    - ``best.keras`` and ``last.keras``: the models after the epoch with the best metric, which the
      recipe names, and after the last; load them after ``import cnnkit``;
    - ``state.npz``, from which the run resumes. Without it, the run begins anew.

    Parameters
    ----------
    model : keras.Model
        It is compiled here, and holds the last weights at the end.
    recipe : Recipe
        Its batch size is what you give to `data.image_folder`; that of `train` counts.
    train, validation : tf.data.Dataset, or None for `validation`
        As `data.image_folder` returns them, or other batches (images, labels) of known length that
        are the same in each epoch. Without `validation`, the recipe monitors the training metric.
    directory : str or Path
        Of this run alone.
    evaluate : callable, optional
        ``evaluate(model, validation)``, called after each epoch in place of Keras's evaluation,
        returns metrics by name, such as ``{"accuracy": 0.93}``. Or `Evaluations`, which evaluates
        more often, and keeps the best model in its own directory.
    callbacks, verbose
        As for Keras's ``fit``. What Keras's own callbacks count is restored.

    Returns
    -------
    keras.callbacks.History
        With all epochs of the run, and the ``learning_rate`` of each.

    Raises
    ------
    ValueError
        Data that do not fit the model, or whose order is not known; an evaluation without the
        metric that the recipe monitors; the directory of another run, or of one that another
        process is training.
    FloatingPointError
        The loss of an epoch is NaN or infinite. The directory keeps the epochs before.

    Warns
    -----
    UserWarning
        A run that has ended began with other weights than those of `model`; the batch size of
        `train` is not that of the recipe.
    """
    directory, team = Path(directory), distribution.current()
    callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks)
    config = _config(model, recipe, train, validation, evaluate)
    others = files.visible(directory)
    if others and "run.json" not in others:
        raise ValueError(f"{directory} holds no run, but {others[0]}; name another directory.")
    verbose = verbose if team.first else 0
    for part in ("training", "validation"):
        if verbose != 0 and config[part]["data"]:
            print(f"{part + ':':11} {config[part]['data']}")
    recipe.compile(model, steps=len(train))
    model.optimizer.build(model.trainable_variables)
    counting, judge = [*recipe.callbacks(), *callbacks], evaluate
    if isinstance(evaluate, Evaluations):
        counting, judge = [evaluate, *counting], None
    elif team.first:
        metric = recipe.monitor.removeprefix("val_")
        metric = metric if validation is None else f"val_{metric}"
        worst = math.inf if recipe.mode == "min" else -math.inf  # is better than NaN
        keep_best = {"save_best_only": True, "initial_value_threshold": worst}
        path = directory / "best.keras"
        counting.append(ModelCheckpoint(path, metric, mode=recipe.mode, **keep_best))
    saving = [ModelCheckpoint(directory / "last.keras")] if team.first else []
    variables = [*model.weights, *random_states(model), *model.optimizer.variables]
    checkpoint = Checkpoint(directory, config, variables, counting, writes=team.first)
    given = checkpoint.began_with = network_key(model)
    with locked(directory if team.first else None):
        team.in_turn(checkpoint.begin)
        past = checkpoint.restore()
        ended = past >= recipe.epochs or (
            any(isinstance(callback, EarlyStopping) for callback in callbacks)
            and any(
                each.get("stopped_epoch") for each in checkpoint.counters.get("EarlyStopping", ())
            )
        )
        if past and verbose != 0:
            print(f"{'The run ended with' if ended else 'Going on after'} epoch {past}")
        if ended and given not in (checkpoint.began_with, network_key(model)):
            warnings.warn(
                f"The run in {directory} has ended, and its weights are restored. The model that "
                "was given began with others: for another seed, name another directory.",
                stacklevel=2,
            )
        watched = None if evaluate else validation
        try:
            if not ended:
                with team.together(model, train, watched):
                    model.fit(
                        backend.fast(train),
                        validation_data=backend.fast(watched),
                        epochs=recipe.epochs,
                        initial_epoch=past,
                        callbacks=[
                            team,
                            _Epoch(recipe, train, validation, judge),
                            *counting,
                            *saving,
                            checkpoint,
                        ],
                        shuffle=False,
                        verbose=verbose,
                    )
        finally:
            if team.first and checkpoint.history:
                figure = plots.learning_curves(curves(checkpoint.history))
                picture = directory / "curves.png"
                files.replace(picture, lambda f: figure.savefig(f, format="png", dpi=150))
    return checkpoint.as_history(model)


class _Epoch(keras.callbacks.Callback):
    """Begins an epoch with its order of the images, and ends it with metrics that are numbers."""

    def __init__(self, recipe: Recipe, train: Any, validation: Any, evaluate: Any) -> None:
        super().__init__()
        self._recipe, self._datasets, self._evaluate = recipe, (train, validation), evaluate

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Set the order."""
        for dataset in self._datasets:
            if hasattr(dataset, "set_epoch"):
                dataset.set_epoch(epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Look at the loss, and add the evaluation and the learning rate to the metrics."""
        if not math.isfinite(logs["loss"]):
            raise FloatingPointError(
                f"The loss is {logs['loss']} in epoch {epoch + 1}. Take a smaller learning rate, "
                "and look for such values among the pixels and labels."
            )
        if self._evaluate is not None:
            logs.update(validation_metrics(self._evaluate(self.model, self._datasets[1])))
            monitored_metric(self._recipe.monitor, logs)  # or an error that names it
        rate = self.model.optimizer.learning_rate
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))


def _config(
    model: keras.Model, recipe: Recipe, train: Any, validation: Any, evaluate: Any
) -> dict[str, dict[str, Any]]:
    """Check what a run is given, and return what tells it from others."""
    if not isinstance(recipe, Recipe):
        raise ValueError(f"recipe is {recipe!r}; expected one of training.recipes.")
    if validation is train:
        raise ValueError("Training and validation data are the same; expected other photos.")
    units, binary = model.output_shape[-1], recipe.loss == "BinaryCrossentropy"
    if (units == 1) != binary:
        raise ValueError(
            f"The model {model.name!r} ends in {units} units, and the recipe's loss is "
            f"{recipe.loss}, which asks for {'one sigmoid' if binary else 'one a class'}. Take "
            "another recipe, or another last layer."
        )
    published, known = asdict(recipe), _describe(model, train)
    free = {name: sys.modules[name].__version__ for name in ("cnnkit", "keras", "numpy")}
    if not recipe.cosine or recipe.restart_after is not None:  # else the wave depends on them
        free["epochs"] = published.pop("epochs")
    if recipe.batch_size not in (None, known["batch size"]) and len(train) > 1:
        warnings.warn(
            f"The training set has batches of {known['batch size']}, which count; the recipe says "
            f"{recipe.batch_size}.",
            stacklevel=3,
        )
    judge = getattr(evaluate, "__qualname__", type(evaluate).__name__) if evaluate else "Keras"
    judged = {"data": None} if validation is None else _describe(model, validation)
    return {
        "model": {"parameters": model.count_params(), "layers": network_key(model, False)[:16]},
        "recipe": published,
        "training": known,
        "validation": {**judged, "evaluated by": judge},
        "may change": free,
    }


def _describe(model: keras.Model, dataset: Any) -> dict[str, Any]:
    """Check that a data set fits the model, and describe it."""
    checks.repeatable(dataset)
    images, labels = next(read(dataset), (None, None))
    if images is None or labels is None:
        what = "There are no photos in the data set" if images is None else "There are no labels"
        raise ValueError(f"{what}; expected batches (images, labels).")
    checks.batched(model, images.shape)
    checks.images(model, images)
    size, known, classes = len(images), behind(dataset), max(2, model.output_shape[-1])
    every = None if known is None else known.labels
    labels = np.concatenate([y for _, y in read(dataset)]) if every is None else every
    checks.labels(labels, classes, len(labels))
    names = (known is not None and known.class_names) or [f"of class {n}" for n in range(classes)]
    counts = zip(np.bincount(labels, minlength=len(names)), names, strict=True)
    shape, what = (len(labels), *images.shape[1:]), "pixels" if images.ndim == 4 else "features"
    return {
        "data": f"{' × '.join(map(str, shape))}, {what} {images.min():g} to {images.max():g}, "
        + ", ".join(f"{count:,} {name}" for count, name in counts),
        "labels": hashlib.sha256(np.asarray(labels, "<i8").tobytes()).hexdigest()[:16],
        "batch size": size,
        "order": known and known.seed,
        "features": known and known.key,
    }
