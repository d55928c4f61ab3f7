"""Freezing layers, and training the others on what the frozen part computed once."""

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnkit import backend, checks
from cnnkit.training.callbacks import BetweenBatches
from cnnkit.training.checkpoint import Checkpoint, Config, network_key, random_states
from cnnkit.training.transfer.features import Frozen

import keras
import numpy as np
from keras.callbacks import LambdaCallback


def unfreeze_top(base: keras.Model, count: int) -> None:
    """Free the last `count` layers of a base and freeze all others. Compile the model afterwards.

    Pooling layers count: for VGG16, 4 frees its last block. BatchNormalization stays frozen, so
    that it keeps its statistics: `fit` overrides a `training=False` in the call.
    """
    nested = any(isinstance(layer, keras.Model) and layer.weights for layer in base.layers)
    if nested or count not in range(len(base.layers) + 1):
        what = f"count is {count!r}; expected 0 to {len(base.layers)}, the layers of {base.name!r}"
        inner = "; it holds a model: give that, such as model.get_layer('vgg16')" if nested else ""
        raise ValueError(f"{what}{inner}.")
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
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback = (),
    verbose: str | int = "auto",
) -> keras.callbacks.History:
    """Train a model that begins with frozen layers, running these once and not in each epoch.

    The weights of `model` become those that ``model.fit`` would have found from epoch 0 on, up to
    rounding. With `views`, epoch k uses view k modulo `views`: the first time, what ``fit`` sees.

    Parameters
    ----------
    model : keras.Model
        Compiled, its layers in a row: augmentation, base (its last layers may be free), head.
    train, validation : tf.data.Dataset or other iterable of known length
        Batches (images, labels), as for `extract_features`.
    directory : str or Path, optional
        For the cache, `views` times 4 bytes a number, and for the state until the run has ended,
        from which the same call resumes.
    views : int, optional
        How many times to augment each training photo, for a model that begins with augmentation.
    epochs, callbacks, verbose
        As for Keras's ``fit``; the epochs before an interruption count.
    """
    if not model.compiled:
        raise ValueError(f"The model {model.name!r} is not compiled. Call its compile first.")
    checks.whole_number("views", 1 if views is None else views, least=1)
    frozen, rest = _cut(model)
    if bool(random_states(frozen)) != (views is not None):
        begins = f"the model begins {'with' if views is None else 'without'} augmentation"
        cure = "Say in how many ways to augment, such as views=8, or leave it out"
        raise ValueError(f"views is {views}, and {begins}. {cure}.")
    config = keras.saving.deserialize_keras_object(model.get_compile_config() | {"loss": None})
    rest.compile(**config | {"optimizer": model.optimizer, "loss": model.loss})  # moments stay
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    callbacks, photos = keras.tree.flatten(callbacks), Frozen(frozen, train)
    store = directory and Path(directory) / "features"
    variables = [*rest.weights, *random_states(model), *model.optimizer.variables]
    checkpoint = Checkpoint(directory, _config(model, photos, views), variables, callbacks)
    past = checkpoint.restore()  # before the views, which depend on random numbers
    if past and verbose != 0:
        print(f"Going on after epoch {past}, from {directory}")
    features, judged = photos.batches(store, views), None
    if photos.labels.ndim == 1 and np.issubdtype(photos.labels.dtype, np.integer):  # or others
        checks.labels(photos.labels, model.output_shape[-1], len(photos.labels))
    if validation is not None:
        judged = Frozen(frozen, validation, photos.network_key).batches(store)
        judged.seed = None  # in the order of the files
    model.stop_training = False
    whole = LambdaCallback(on_train_begin=lambda _: [c.set_model(model) for c in callbacks])
    following = LambdaCallback(
        on_epoch_begin=lambda epoch, _: features.set_epoch(epoch),
        on_epoch_end=lambda *_: setattr(rest, "stop_training", model.stop_training),
    )
    between = BetweenBatches()
    options: dict[str, Any] = {"initial_epoch": past, "epochs": epochs, "shuffle": False}
    options["callbacks"] = [whole, *callbacks, following, between, checkpoint]
    options["verbose"] = verbose
    with between:
        rest.fit(backend.fast(features), validation_data=backend.fast(judged), **options)
    if epochs >= past:  # with fewer, nothing was trained
        checkpoint.forget()
    return checkpoint.as_history(model)


def _config(model: keras.Model, photos: Frozen, views: int | None) -> Config:
    """Return what tells one run from another."""
    optimizer = {name: str(v) for name, v in model.optimizer.get_config().items() if name != "name"}
    if int(model.optimizer.iterations):
        del optimizer["learning_rate"]  # which a schedule may have changed
    labels = hashlib.sha256(np.asarray(photos.labels).tobytes()).hexdigest()[:16]
    seen = {"photos": photos.key, "labels": labels, "batch size": photos.sizes[0], "views": views}
    seen["order"] = photos.known and photos.known.seed
    layers = {"frozen layers": photos.network_key, "layers": network_key(model, False)[:16]}
    return {"model": layers, "optimizer": optimizer, "training": seen}


def _cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a model of augmentation, base and head into its frozen part and the rest."""
    layers = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    nested = [layer for layer in layers if isinstance(layer, keras.Model) and layer.weights]
    base = nested[0] if nested else model
    place = layers.index(base) if nested else 0
    free = [bool(layer.trainable_weights) for layer in base.layers]
    count = [*free, True].index(True)  # layers of the base before the first that is free
    in_a_row = _in_a_row(model, 1) and (not any(free) or _in_a_row(base, count))
    some = any(layer.weights for layer in base.layers[:count]) and model.trainable_weights
    if not (nested and some and in_a_row) or any(la.trainable_weights for la in layers[:place]):
        raise ValueError(
            f"The model {model.name!r} cannot be cut behind its frozen layers: expected a base, "
            "whose first layers are frozen, between augmentation and a free head, all in a row. "
            "Call unfreeze_top(base, count) and compile the model; or use fit."
        )
    front = base if not any(free) else keras.Model(base.inputs[0], base.layers[count - 1].output)
    start = keras.Input(batch_shape=model.input_shape, dtype=model.inputs[0].dtype)
    before = keras.Sequential([start, *layers[:place], front])
    start = keras.Input(batch_shape=before.output_shape)
    return before, keras.Sequential([start, *base.layers[count:], *layers[place + 1 :]])


def _in_a_row(model: keras.Model, start: int) -> bool:
    """Whether each layer from this number on takes what the one before gives, and no other."""
    entries = model.get_config().get("layers", [])  # and operations, such as images / 255
    nodes = json.dumps([entry.get("inbound_nodes") for entry in entries[start:]])
    sources = re.findall(r'"keras_history": \["([^"]*)"', nodes)
    in_turn = sources == [entry["config"]["name"] for entry in entries[start - 1 : -1]]
    return isinstance(model, keras.Sequential) or (in_turn and len(entries) == len(model.layers))
