"""Training the part of a model that is not frozen, on what the frozen part computed once."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from cnnkit import backend, checks
from cnnkit.training import locking
from cnnkit.training.directory import told
from cnnkit.training.state import Figures, curves, random_states
from cnnkit.training.transfer.batches import FeatureBatches
from cnnkit.training.transfer.features import Frozen, run
from cnnkit.training.transfer.freezing import cut
from cnnkit.training.transfer.resuming import Resume

import keras
import numpy as np


def fit_from_frozen(
    model: keras.Model,
    train: Any,
    validation: Any = None,
    epochs: int = 1,
    directory: str | Path | None = None,
    views: int | None = None,
    callbacks: Iterable[keras.callbacks.Callback] | keras.callbacks.Callback = (),
    verbose: str | int = "auto",
) -> keras.callbacks.History:
    """Train a model that begins with frozen layers, running these once and not in each epoch.

    The weights end up in `model`, and are those that ``model.fit`` would have found on a new data
    set, which begins with epoch 0, up to rounding. With `views`, epoch k uses view k modulo
    `views`: so far as there are views, they are the ones that ``fit`` would have seen.

    Parameters
    ----------
    model : keras.Model
        Compiled, with one input and one output. Its frozen layers have to come first: the whole
        base, or the base up to one layer.
    train, validation : tf.data.Dataset or other iterable of known length
        Batches (images, labels), as for `extract_features`.
    epochs : int
        Passes over the training set.
    directory : str or Path, optional
        Where to keep what the frozen layers computed, `views` times 4 bytes a number, and the
        state after each epoch, from which the same call goes on after an interruption; the
        weights that EarlyStopping keeps are not in it. Where writing takes more than a fiftieth of
        the time, epochs are left out, which a run that is killed trains again. A run that ended
        leaves no state. Where the directory is not given, an interrupted run begins anew, and the
        features are in the user's cache directory.
    views : int, optional
        How many times to augment each training photo, for a model that begins with augmentation.
    callbacks : iterable of keras.callbacks.Callback
        As for ``fit``; their ``model`` is `model`.
    verbose : "auto", 0, 1 or 2
        As for ``fit``.

    Returns
    -------
    keras.callbacks.History
        With the epochs of an interrupted run.

    Raises
    ------
    ValueError
        The frozen layers are none, all, or others than the first; the model is not compiled;
        augmentation without `views`, or the reverse; or a directory with the interrupted run of
        another model, recipe or data, or in which another process trains.
    OSError
        The directory cannot be written, or has no room.
    """
    _check(model, epochs, views)
    frozen, rest = cut(model)
    _check_views(frozen, views)
    _compile(rest, model)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)

    folder = None if directory is None else Path(directory)
    features = folder and folder / "features"
    callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks)
    with ExitStack() as stack:
        resume = None
        if folder:
            with told(folder):
                stack.callback(locking.lock(folder).release)
            resume = Resume(folder / "state.npz", model, frozen, callbacks)
            stack.callback(resume.close)
        computed = run(frozen, train, features, views)
        classes = max(2, model.output_shape[-1])
        batches, checked = _batches(train, computed, classes), None
        if validation is not None:
            computed_too = run(frozen, validation, features)
            checked = backend.fast_batches(_batches(validation, computed_too, classes))

        inner: list[keras.callbacks.Callback] = [
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: batches.set_epoch(epoch)
            ),
            _OnModel(callbacks, model),
        ]
        past: list[Figures] = []
        if resume:
            past = resume.restore(rest, computed.key)
            if past and verbose != 0:
                print(f"Going on after epoch {len(past)}, from {folder}")
            inner.append(resume)
        model.stop_training = False
        history = rest.fit(
            backend.fast_batches(batches),
            validation_data=checked,
            epochs=epochs,
            initial_epoch=len(past),
            callbacks=inner,
            shuffle=False,
            verbose=verbose,
        )
        if resume and past:
            history.history = curves(resume.history)
            history.epoch = list(range(len(resume.history)))
        if resume and epochs >= len(past):  # with fewer epochs than are done, nothing was trained
            resume.forget()
        model.history = history
        return history


def _batches(dataset: Any, frozen: Frozen, classes: int) -> FeatureBatches:
    batches = FeatureBatches(dataset, frozen)
    if batches.labels.ndim == 1 and np.issubdtype(batches.labels.dtype, np.integer):
        checks.labels(batches.labels, classes, len(batches.labels))
    return batches


class _OnModel(keras.callbacks.CallbackList):
    """Lets callbacks see the whole model, while the rest of it is trained."""

    def __init__(self, callbacks: Iterable[keras.callbacks.Callback], model: keras.Model) -> None:
        super().__init__(list(callbacks))
        self._whole = model
        for callback in self.callbacks:
            callback.set_model(model)

    def set_model(self, model: keras.Model) -> None:
        """Take note of the model that is trained; the callbacks keep theirs."""
        self._model = model

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Pass it on, and stop where a callback asks for it."""
        if self.callbacks:
            trained = self.model  # on JAX, this brings the variables up to date
            super().on_train_batch_end(batch, logs)
            trained.stop_training |= self._whole.stop_training

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Pass it on, and stop where a callback asks for it."""
        trained = self.model
        for callback in self.callbacks:  # with these very figures, to which they may add
            callback.on_epoch_end(epoch, logs)
        trained.stop_training |= self._whole.stop_training


def _compile(rest: keras.Model, model: keras.Model) -> None:
    """Compile the rest as the whole model, with the same optimizer, whose moments stay."""
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(f"{type(model).__name__} has a train_step of its own; use its fit.")
    config = {key: value for key, value in model.get_compile_config().items() if key != "loss"}
    try:
        config = keras.saving.deserialize_keras_object(config)
    except TypeError as error:
        raise ValueError(
            "A metric of the model cannot be copied. Decorate it with "
            "@keras.saving.register_keras_serializable() before you compile."
        ) from error
    loss = model.loss
    if isinstance(loss, dict | list):
        (loss,) = loss.values() if isinstance(loss, dict) else loss
    rest.compile(**{**config, "optimizer": model.optimizer, "loss": loss})


def _check(model: keras.Model, epochs: int, views: int | None) -> None:
    if not model.compiled:
        raise ValueError(f"The model {model.name!r} is not compiled. Call its compile first.")
    # Keras has no public way to ask; without this attribute, it complains itself.
    known = getattr(model.optimizer, "_trainable_variables", model.trainable_variables)
    free = {id(variable) for variable in model.trainable_variables}
    if model.optimizer.built and not free <= {id(variable) for variable in known}:
        raise ValueError(
            f"Layers of {model.name!r} were freed after it was compiled. Compile it again, which "
            "makes a new optimizer for them."
        )
    for name, value in (("epochs", epochs), ("views", 1 if views is None else views)):
        checks.whole_number(name, value, least=1)


def _check_views(frozen: keras.Model, views: int | None) -> None:
    if random_states(frozen) and views is None:
        raise ValueError(
            "The model augments its photos. Say in how many ways each should be computed, such "
            "as views=8, or build the model without augmentation."
        )
    if views is not None and not random_states(frozen):
        raise ValueError(
            f"views is {views}, but nothing random comes before the model's frozen layers, so "
            "that all views would be equal. Leave views out, or build the model with augmentation."
        )
