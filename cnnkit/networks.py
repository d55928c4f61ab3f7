"""What a network is: a key of what it computes, its random numbers, and where it can be cut."""

import hashlib
import json
import re
from typing import Any

import keras
import numpy as np

NAMES = ("name", "inbound_nodes", "input_layers", "output_layers")  # in a model's config


def network_key(network: keras.Model, weights: bool = True) -> str:
    """Return a key of what a network computes: its layers, and their weights if they count."""
    config = _without_names(network.get_config(), {})
    sha = hashlib.sha256(json.dumps(config, default=str).encode())
    for weight in network.get_weights() if weights else ():
        sha.update(np.ascontiguousarray(weight).data)
    return sha.hexdigest()


def _without_names(config: Any, places: dict[str, int], refers: bool = False) -> Any:
    """Put numbers for the names of layers, which Keras numbers through, and leave out seeds."""
    if isinstance(config, dict) and config.get("class_name") == "DTypePolicy":
        return config  # whose name says what it is
    if isinstance(config, dict):
        parts = [(key, value) for key, value in config.items() if key != "seed"]
        return {key: _without_names(v, places, refers or key in NAMES) for key, v in parts}
    if isinstance(config, list | tuple):
        return [_without_names(value, places, refers) for value in config]
    is_name = refers and isinstance(config, str)
    return places.setdefault(config, len(places)) if is_name else config


def random_states(model: keras.Layer) -> list[keras.Variable]:
    """Return the states of the random number generators in a model."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    return list({id(state): state for state in states}.values())


def cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
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
