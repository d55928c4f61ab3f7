"""Freezing layers, and training the others on what the frozen part computed once."""

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cnnkit import backend, checks
from cnnkit.networks import network_key, random_states
from cnnkit.training.checkpoint import Checkpoint, Config
from cnnkit.training.datasets import check_labels
from cnnkit.training.transfer.features import Frozen

import keras
import numpy as np


def unfreeze_top(base: keras.Model, count: int) -> None:
    """Free the last `count` layers of a base and freeze all others. Compile the model afterwards.

    Pooling layers count: for VGG16, 4 frees its last block. BatchNormalization stays frozen
    everywhere, so that it keeps the statistics that it was trained with: `training=False` in the
    call does not see to it, since `fit` overrides it.
    """
    nested = any(isinstance(layer, keras.Model) and layer.weights for layer in base.layers)
    whole = isinstance(count, int | np.integer)
    if nested or not whole or not 0 <= count <= len(base.layers):
        raise ValueError(
            f"count is {count!r}; expected 0 to {len(base.layers)}, the number of layers of "
            f"{base.name!r}, which {'holds a model: give it that one' if nested else 'is the base'}"
            ", such as model.get_layer('vgg16')."
        )
    base.trainable = True
    for number, layer in enumerate(base.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= len(base.layers) - count and not normalises


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
        Compiled, with its layers in a row: augmentation, base, head. The last layers of the base
        may be free.
    train, validation : tf.data.Dataset or other iterable of known length
        Batches (images, labels), as for `extract_features`.
    epochs : int
        In all, those before an interruption included.
    directory : str or Path, optional
        For the cache, `views` times 4 bytes a number, and the state after each epoch, from which
        the same call resumes after an interruption. A run that has ended leaves no state.
    views : int, optional
        How many times to augment each training photo, for a model that begins with augmentation.
    callbacks, verbose
        As for `training.fit`.

    Raises
    ------
    ValueError
        A model that is not so; augmentation without `views`, or the reverse; a directory with the
        interrupted run of another model or other data, or one in use.
    """
    if not model.compiled:
        raise ValueError(f"The model {model.name!r} is not compiled. Call its compile first.")
    checks.whole_number("views", 1 if views is None else views, least=1)
    frozen, rest = _cut(model)
    if bool(random_states(frozen)) != (views is not None):
        begins = f"the model begins {'with' if views is None else 'without'} augmentation"
        cure = "Say in how many ways to augment, such as views=8, or leave it out"
        raise ValueError(f"views is {views}, and {begins}. {cure}.")
    _compile(rest, model)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks)
    folder = None if directory is None else Path(directory)
    store, photos = folder and folder / "features", Frozen(frozen, train)
    variables = [*rest.weights, *random_states(model), *model.optimizer.variables]
    checkpoint = Checkpoint(folder, _config(model, photos, views), variables, callbacks)
    with checkpoint.opened() as past:  # before the views, which depend on random numbers
        if past and verbose != 0:
            print(f"Going on after epoch {past}, from {folder}")
        features, judged = photos.batches(store, views), None
        labels = features.labels  # a loss of one's own may take others than class numbers
        if labels.ndim == 1 and np.issubdtype(labels.dtype, np.integer):
            check_labels(model, labels, len(labels))
        if validation is not None:
            judged = Frozen(frozen, validation, photos.network_key).batches(store)
            judged.seed = None  # in the order of the files
        model.stop_training = False
        set_epoch = keras.callbacks.LambdaCallback(lambda epoch, logs: features.set_epoch(epoch))
        options: dict[str, Any] = {"callbacks": [set_epoch, _OnModel(callbacks, model), checkpoint]}
        options |= {"initial_epoch": past, "epochs": epochs, "shuffle": False, "verbose": verbose}
        rest.fit(backend.fast(features), validation_data=backend.fast(judged), **options)
        if epochs >= past:  # with fewer, nothing was trained
            checkpoint.forget()
    return checkpoint.as_history(model)


class _OnModel(keras.callbacks.CallbackList):
    """Lets callbacks see the whole model, while the rest of it is trained."""

    def __init__(self, callbacks: list[keras.callbacks.Callback], model: keras.Model) -> None:
        super().__init__(callbacks)
        self._whole = model
        for callback in callbacks:
            callback.set_model(model)

    def set_model(self, model: keras.Model) -> None:
        self._model = model  # the one that is trained; the callbacks keep theirs

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        trained = self.model  # on JAX, this brings the variables up to date
        for callback in self.callbacks:  # with these very metrics, to which they may add
            callback.on_epoch_end(epoch, logs)
        trained.stop_training |= self._whole.stop_training


def _compile(rest: keras.Model, model: keras.Model) -> None:
    """Compile the rest as the whole model, with the same optimizer, whose moments stay."""
    config = {key: value for key, value in model.get_compile_config().items() if key != "loss"}
    config = keras.saving.deserialize_keras_object(config)
    loss = model.loss
    if isinstance(loss, dict | list):
        (loss,) = loss.values() if isinstance(loss, dict) else loss
    rest.compile(**{**config, "optimizer": model.optimizer, "loss": loss})


def _config(model: keras.Model, photos: Frozen, views: Any) -> Config:
    """Return what tells one run from another."""
    optimizer = {name: str(v) for name, v in model.optimizer.get_config().items() if name != "name"}
    if int(keras.ops.convert_to_numpy(model.optimizer.iterations)):
        del optimizer["learning_rate"]  # which a schedule may have changed
    labels = hashlib.sha256(np.asarray(photos.labels).tobytes()).hexdigest()[:16]
    seen = {"photos": photos.key, "labels": labels, "batch size": photos.sizes[0], "views": views}
    return {
        "model": {"frozen layers": photos.network_key, "layers": network_key(model, False)[:16]},
        "optimizer": optimizer,
        "training": seen | {"order": photos.known and photos.known.seed},
    }


def _cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a model into its frozen part and the rest, which share its layers.

    The layers are in a row: augmentation, a base, a head. So are those of the base that are free.
    """
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    nested = [layer for layer in layers if isinstance(layer, keras.Model) and layer.weights]
    base = nested[0] if nested else model
    free = [n for n, layer in enumerate(base.layers) if not _is_frozen(layer)]
    first = free[0] if free else len(base.layers)
    if not any(layer.weights for layer in base.layers[:first]) or not model.trainable_weights:
        raise ValueError(
            f"Of {model.name!r}, the first layers of the base have to be frozen, and others free. "
            "Set base.trainable, or call unfreeze_top(base, count), and compile the model."
        )
    before = [] if base is model else layers[: layers.index(base)]
    in_a_row = _in_a_row(model, 1) and (not free or _in_a_row(base, first))
    if base is model or not in_a_row or not all(map(_is_frozen, before)):
        raise ValueError(
            f"The layers of {model.name!r} are not in a row, with a base among them, so that it "
            "cannot be cut behind its frozen ones. Freeze the base as a whole, or use fit."
        )
    front = keras.Model(base.inputs[0], base.layers[first - 1].output) if free else base
    frozen = _chain(model.inputs[0], [*before, front], model.name)
    after = [*base.layers[first:], *layers[len(before) + 1 :]]
    return frozen, _chain(frozen.outputs[0], after, "rest")


def _chain(like: keras.KerasTensor, layers: list[keras.Layer], name: str) -> keras.Model:
    x = inputs = keras.Input(batch_shape=like.shape, dtype=like.dtype)
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x, name=name)


def _is_frozen(layer: keras.Layer) -> bool:
    normalises = isinstance(layer, keras.layers.BatchNormalization)
    return not layer.trainable_weights and not (normalises and layer.trainable)


def _in_a_row(model: keras.Model, start: int) -> bool:
    """Whether each layer from this number on takes what the one before gives, and no other."""
    entries, pattern = model.get_config().get("layers", []), r'"keras_history": \["([^"]*)"'
    sources = [re.findall(pattern, json.dumps(entry.get("inbound_nodes"))) for entry in entries]
    names = [[entry["config"]["name"]] for entry in entries]
    only_layers = len(names) == len(model.layers)  # and no operations, such as images / 255
    in_turn = sources[start:] == names[start - 1 : -1]
    return isinstance(model, keras.Sequential) or (only_layers and in_turn)
