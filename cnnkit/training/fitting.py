"""Long runs: by a recipe, in a directory, and on from where they stopped."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnnkit import backend
from cnnkit.training import processes, state, subject
from cnnkit.training.callbacks import StopAtNaN
from cnnkit.training.directory import RunDirectory
from cnnkit.training.evaluations import Evaluations
from cnnkit.training.identity import network_key
from cnnkit.training.recipe import Recipe
from cnnkit.training.record import Epoch, Evaluate, Record
from cnnkit.training.watched import WatchedDirectory

import keras
from keras.callbacks import EarlyStopping


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
    """Train a model by a recipe. An interrupted run goes on when it is called again.

    It goes on after the last whole epoch, and ends with the weights, figures and learning rates of
    a run that was never interrupted; bit for bit after `reproducible`, on the same machine.
    A call with more epochs prolongs the run; with no more than are done, it just restores the
    model. Within `distributed`, several processes train the model together.

    The directory holds

    - ``run.json``: the recipe, the versions, and what is known of model and data;
    - ``history.csv`` and ``curves.png``: the figures of each epoch, and the learning curves;
    - ``best.keras`` and ``last.keras``: the model after the best epoch and after the last, to be
      loaded with ``keras.models.load_model`` after ``import cnnkit``. The best has the best of
      the figures that the recipe monitors, on the validation data. Test data have no place here;
    - ``state.npz`` and ``state-before.npz``: what it takes to go on, after the last epoch and
      after the one before, in case the last is damaged. Delete them when the run has ended.

    Parameters
    ----------
    model : keras.Model
        It is compiled here, and holds the last weights at the end.
    recipe : Recipe
        Its batch size is what you give to `data.image_folder`; that of `train` counts.
    train : tf.data.Dataset
        As `data.image_folder` returns it, shuffled or not, or other batches (images, labels) of
        known length that are the same in each epoch.
    validation : tf.data.Dataset or None
        Likewise. Without it, the recipe monitors the training figure.
    directory : str or Path
        Of this run alone: two models and two states, each of two or three times the
        size of the weights.
    evaluate : callable, optional
        ``evaluate(model, validation)``, called after each epoch in place of Keras's evaluation. It
        returns figures by name, such as ``{"accuracy": 0.93}``. Or `Evaluations`, which evaluates
        more often, and then keeps the best model in its own directory.
    callbacks : iterable of keras.callbacks.Callback, optional
        As for Keras's ``fit``. What Keras's own count is restored, but not the weights that
        EarlyStopping keeps.
    verbose : "auto", 0, 1 or 2
        As for Keras's ``fit``; 0 leaves out the figures of the data as well.

    Returns
    -------
    keras.callbacks.History
        With all epochs of the run, and the ``learning_rate`` of each.

    Raises
    ------
    ValueError
        Data that do not fit the model, or whose order is not known; `evaluate` without validation
        data, or without the figure that the recipe monitors; a directory with the run of
        another model, recipe or data set, with a run that another process is training, or with
        nothing but damaged states; within `distributed`, batches that cannot be shared evenly.
    FloatingPointError
        The loss is NaN or infinite. The message says since which step; the directory keeps the
        epochs before.
    OSError
        The directory cannot be written, or has no room. Nothing of the run is lost.

    Warns
    -----
    UserWarning
        The last state is damaged, and the run goes on from the one before; the run was begun with
        other versions of the software; a run that has ended began with other weights than those of
        `model`; the batch size of `train` is not that of the recipe.
    """
    callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks)
    about = subject.describe(model, recipe, train, validation, evaluate)
    team = processes.current()
    verbose = verbose if team.first else 0
    if verbose != 0:
        print(subject.figures(about))

    def make_ready(model: keras.Model) -> None:
        recipe.compile(model, steps=len(train))
        model.optimizer.build(model.trainable_variables)

    make_ready(model)
    replica = team.replica(model, make_ready)
    kept = recipe.callbacks() + callbacks
    if isinstance(evaluate, Evaluations):
        kept, each_epoch = [evaluate, *kept], None
    else:
        each_epoch = evaluate
    kind = RunDirectory if team.first else WatchedDirectory
    with kind(Path(directory)) as run, team.together():
        record = Record(run, recipe, kept)

        def begin() -> None:
            run.claim(about)
            record.begin(model)

        team.in_turn(begin)
        team.agree(run.key, f"{run.path} is not the same in all processes; share one.")
        past = record.restore(replica)
        stopped = record.stopped and any(isinstance(each, EarlyStopping) for each in kept)
        done = stopped or past >= recipe.epochs
        if past and verbose != 0:
            print(f"{'The run ended with' if done else 'Going on after'} epoch {past}")
        if done and record.given not in (record.begun, network_key(model)):
            warnings.warn(
                f"The run in {run.path} has ended, and its weights are restored. The model that "
                "was given began with others: for another seed, name another directory.",
                stacklevel=2,
            )
        if not done:
            epoch = Epoch(train, validation, each_epoch)
            watched = None if evaluate else validation
            with team.sharing(about, training=train, validation=watched):
                replica.fit(
                    backend.fast_batches(train),
                    validation_data=backend.fast_batches(watched),
                    epochs=recipe.epochs,
                    initial_epoch=past,
                    callbacks=[epoch, StopAtNaN(), *kept, record],
                    shuffle=False,
                    verbose=verbose,
                )
    team.hand_back(replica, model)
    model.history = keras.callbacks.History()
    model.history.set_model(model)
    model.history.history = state.curves(record.history)
    model.history.epoch = list(range(len(record.history)))
    return model.history
