"""Which layers are frozen, and cutting a model behind them."""

import itertools
import json
import re
from collections.abc import Iterator

from cnnkit.training.checkpoint import random_states

import keras
import numpy as np


def unfreeze_top(base: keras.Model, count: int) -> None:
    """Free the last layers of a base and freeze all others. Compile the model afterwards.

    BatchNormalization stays frozen everywhere, so that it keeps the statistics that it was trained
    with: `training=False` in the call does not see to it, since `fit` overrides it.

    Parameters
    ----------
    base : keras.Model
        With its layers in a row, such as `models.vgg16_base`; not the whole model.
    count : int
        How many of its layers, from 0; pooling layers count. For VGG16, 4 frees its last block.
    """
    inside = [layer for layer in base.layers if isinstance(layer, keras.Model) and layer.weights]
    if inside:
        raise ValueError(
            f"{base.name!r} holds the model {inside[0].name!r}; expected a base with its layers in "
            f"a row. Give it model.get_layer({inside[0].name!r})."
        )
    if not isinstance(count, int | np.integer) or not 0 <= count <= len(base.layers):
        raise ValueError(
            f"count is {count!r}; expected 0 to {len(base.layers)}, the number of layers of the "
            f"base {base.name!r}."
        )
    base.trainable = True
    for number, layer in enumerate(base.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= len(base.layers) - count and not normalises


def cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a model of layers in a row behind its first, frozen ones, also where these end in a base.

    Random layers are in the first part if they come before all weights, as augmentation does.
    """
    front, rest, learned = list[keras.Layer](), _in_a_row(model), False
    while rest:
        leaves = list(_leaves(rest[0]))
        weights = any(leaf.weights for leaf in leaves)
        if _is_frozen(rest[0]) and not (random_states(rest[0]) and (learned or weights)):
            front.append(rest.pop(0))
            learned |= weights
        elif isinstance(rest[0], keras.Model) and any(
            leaf.weights and _is_frozen(leaf) for leaf in leaves
        ):
            rest[:1] = _in_a_row(rest[0])
        else:
            break
    if not learned or not rest:
        raise ValueError(
            f"Of {model.name!r}, the first layers have to be frozen, and others free. Set "
            "base.trainable, or call unfreeze_top(base, count), and compile the model."
        )
    frozen = _chain(model.inputs[0], front, model.name)
    return frozen, _chain(frozen.outputs[0], rest, f"{model.name}_rest")


def _chain(like: keras.KerasTensor, row: list[keras.Layer], name: str) -> keras.Model:
    """Build a model of layers one after the other, whose input is like this one."""
    x = inputs = keras.Input(batch_shape=like.shape, dtype=like.dtype)
    for layer in row:
        x = layer(x)
    return keras.Model(inputs, x, name=name)


def _in_a_row(model: keras.Model) -> list[keras.Layer]:
    """Return the layers of a model, each of which takes what the one before gives."""
    row = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
    if isinstance(model, keras.Sequential) and model.built:
        return row
    entries = model.get_config()["layers"] if getattr(model, "inputs", None) else []
    for last, entry in itertools.pairwise(entries):
        sources = re.findall(r'"keras_history": \["([^"]*)"', json.dumps(entry["inbound_nodes"]))
        if sources != [last["name"]]:
            entries = []
    if len(entries) != len(row) + 1:
        raise ValueError(
            f"{model.name!r} has no graph with one input, whose layers are in a row, so that it "
            "cannot be cut behind its frozen ones. Freeze its base as a whole, or use fit."
        )
    return row


def _leaves(layer: keras.Layer) -> Iterator[keras.Layer]:
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _leaves(inner)
    else:
        yield layer


def _is_frozen(layer: keras.Layer) -> bool:
    """Whether training leaves a layer as it is; batch normalisation without weights may change."""
    norm = keras.layers.BatchNormalization
    return not layer.trainable_weights and not any(
        leaf.trainable and isinstance(leaf, norm) for leaf in _leaves(layer)
    )
