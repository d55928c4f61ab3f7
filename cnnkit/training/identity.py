"""What tells one network from another, whatever its layers are called."""

import hashlib
import json
from typing import Any

import keras
import numpy as np

REFERENCES = ("name", "inbound_nodes", "input_layers", "output_layers")  # in a model's config


def network_key(network: keras.Model, weights: bool = True) -> str:
    """Return a key of what a network computes: its layers, and their weights if they count."""
    sha = hashlib.sha256(json.dumps(_nameless(network.get_config(), {}), default=str).encode())
    for weight in network.get_weights() if weights else ():
        sha.update(np.ascontiguousarray(weight).data)
    return sha.hexdigest()


def _nameless(config: Any, places: dict[str, int], refers: bool = False) -> Any:
    """Put numbers for the names of layers, which Keras numbers through, and leave out seeds."""
    if isinstance(config, dict):
        parts = [(key, value) for key, value in config.items() if key != "seed"]
        return {key: _nameless(v, places, refers or key in REFERENCES) for key, v in parts}
    if isinstance(config, list | tuple):
        return [_nameless(value, places, refers) for value in config]
    is_name = refers and isinstance(config, str)
    return places.setdefault(config, len(places)) if is_name else config
