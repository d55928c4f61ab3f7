"""What tells one network from another, whatever its layers are called."""

import hashlib
import json
from typing import Any

import keras
import numpy as np

REFERENCES = ("name", "inbound_nodes", "input_layers", "output_layers")  # in a model's config


def network_key(network: keras.Model) -> str:
    """Return a key of what a network computes: its layers and weights."""
    sha = hashlib.sha256(form(network).encode())
    for weight in network.get_weights():
        sha.update(np.ascontiguousarray(weight).data)
    return sha.hexdigest()


def form(network: keras.Model) -> str:
    """Return a network's layers as JSON, without names, which Keras numbers through, and seeds."""
    return json.dumps(_nameless(network.get_config(), {}), default=str)


def _nameless(config: Any, names: dict[str, str], refers: bool = False) -> Any:
    """Replace the names of layers, where they stand for layers, by their places."""
    if isinstance(config, dict):
        layers = config.get("layers")
        if isinstance(layers, list) and all(isinstance(layer, dict) for layer in layers):
            places = {layer["config"]["name"]: f"#{n}" for n, layer in enumerate(layers)}
            names = {**names, **places, config.get("name", ""): "#"}
        return {
            key: _nameless(value, names, refers or key in REFERENCES)
            for key, value in config.items()
            if key != "seed"
        }
    if isinstance(config, list | tuple):
        return [_nameless(value, names, refers) for value in config]
    return names.get(config, config) if refers and isinstance(config, str) else config
