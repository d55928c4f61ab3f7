"""Training the part of a model that is not frozen, on what the frozen part computed once."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnnkit import backend, checks
from cnnkit.training.checkpoint import Checkpoint, locked, random_states
from cnnkit.training.identity import network_key
from cnnkit.training.transfer.features import Frozen
from cnnkit.training.transfer.freezing import cut

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
        Compiled, with its layers in a row: augmentation, base, head. The frozen ones that come
        first may end within the base, such as VGG16.
    train, validation : tf.data.Dataset or other iterable of known length
        Batches (images, labels), as for `extract_features`.
    epochs : int
        Passes over the training set.
    directory : str or Path, optional
        For the cache of what the frozen layers compute, `views` times 4 bytes a number, and the
        state after each epoch, from which the same call resumes after an interruption. A run that
        has ended leaves no state. Without a directory, an interrupted run begins anew, and the
        cache is the user's.
    views : int, optional
        How many times to augment each training photo, for a model that begins with augmentation.
    callbacks, verbose
        As for ``fit``. What Keras's own callbacks count is restored.

    Returns
    -------
    keras.callbacks.History
        With the epochs of an interrupted run.

    Raises
    ------
    ValueError
        The model does not begin with frozen layers, they are not in a row, or it is not compiled;
        augmentation without `views`, or the reverse; a directory with the interrupted run of
        another model or other data, or in which another process trains.
    """
    if not model.compiled:
        raise ValueError(f"The model {model.name!r} is not compiled. Call its compile first.")
    checks.whole_number("epochs", epochs, least=1)
    checks.whole_number("views", 1 if views is None else views, least=1)
    frozen, rest = cut(model)
    if bool(random_states(frozen)) != (views is not None):
        raise ValueError(
            f"views is {views}, and the model begins {'with' if views is None else 'without'} "
            "augmentation. Say in how many ways to augment each photo, such as views=8, if it does."
        )
    _compile(rest, model)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks)
    directory = None if directory is None else Path(directory)
    store = directory and directory / "features"
    photos = Frozen(frozen, train)
    variables = [*rest.weights, *random_states(model), *model.optimizer.variables]
    config = _config(model, network_key(frozen), photos)
    checkpoint = Checkpoint(directory, config, variables, callbacks)
    with locked(directory):
        checkpoint.begin()
        past = checkpoint.restore()  # before the views, which depend on random numbers
        if past and verbose != 0:
            print(f"Going on after epoch {past}, from {directory}")
        model.stop_training = False
        batches, checked = _labelled(photos.batches(store, views), model), None
        if validation is not None:
            checked = _labelled(Frozen(frozen, validation).batches(store), model)
        order = keras.callbacks.LambdaCallback(on_epoch_begin=lambda n, logs: batches.set_epoch(n))
        rest.fit(
            backend.fast(batches),
            validation_data=backend.fast(checked),
            epochs=epochs,
            initial_epoch=past,
            callbacks=[order, _OnModel(callbacks, model), checkpoint],
            shuffle=False,
            verbose=verbose,
        )
        if epochs >= past:  # with fewer, nothing was trained
            checkpoint.forget()
    return checkpoint.as_history(model)


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
        for callback in self.callbacks:  # with these very metrics, to which they may add
            callback.on_epoch_end(epoch, logs)
        trained.stop_training |= self._whole.stop_training


def _compile(rest: keras.Model, model: keras.Model) -> None:
    """Compile the rest as the whole model, with the same optimizer, whose moments stay."""
    if type(model).train_step is not keras.Model.train_step:
        raise ValueError(f"{type(model).__name__} has a train_step of its own; use its fit.")
    config = {key: value for key, value in model.get_compile_config().items() if key != "loss"}
    config = keras.saving.deserialize_keras_object(config)
    loss = model.loss
    if isinstance(loss, dict | list):
        (loss,) = loss.values() if isinstance(loss, dict) else loss
    rest.compile(**{**config, "optimizer": model.optimizer, "loss": loss})


def _labelled(batches: Any, model: keras.Model) -> Any:
    """Make sure that labels, where they are class numbers, are the model's."""
    labels = batches.labels
    if labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer):
        checks.labels(labels, max(2, model.output_shape[-1]), len(labels))
    return batches


def _config(model: keras.Model, frozen: str, photos: Frozen) -> dict[str, dict[str, Any]]:
    """Return what tells one run from another."""
    optimizer = model.optimizer.get_config()
    if int(keras.ops.convert_to_numpy(model.optimizer.iterations)):
        del optimizer["learning_rate"]  # which a schedule may have changed
    labels = hashlib.sha256(np.asarray(photos.labels).tobytes()).hexdigest()
    return {
        "model": {"frozen layers": frozen, "parameters": model.count_params()},
        "optimizer": {name: str(value) for name, value in optimizer.items() if name != "name"},
        "training": {"photos": photos.key, "labels": labels, "batch size": photos.sizes[0]},
    }
