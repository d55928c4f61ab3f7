"""What a network is: a key of what it computes, and its random numbers."""

import hashlib
import json
from typing import Any

import keras
import numpy as np

NAMES = ("name", "inbound_nodes", "input_layers", "output_layers")  # in a model's config


def network_key(network: keras.Model, weights: bool = True) -> str:
    """Return a key of what a network computes: its layers, and their weights if they count.

    The names of layers, which Keras numbers through, do not count, nor do seeds.
    """
    places: dict[str, int] = {}

    def plain(config: Any, refers: bool = False) -> Any:
        if isinstance(config, dict) and config.get("class_name") != "DTypePolicy":
            parts = [(key, value) for key, value in config.items() if key != "seed"]
            return {key: plain(value, refers or key in NAMES) for key, value in parts}
        if isinstance(config, list | tuple):
            return [plain(value, refers) for value in config]
        is_name = refers and isinstance(config, str)
        return places.setdefault(config, len(places)) if is_name else config

    sha = hashlib.sha256(json.dumps(plain(network.get_config()), default=str).encode())
    for weight in network.get_weights() if weights else ():
        sha.update(np.ascontiguousarray(weight).data)
    return sha.hexdigest()


def random_states(model: keras.Layer) -> list[keras.Variable]:
    """Return the states of the random number generators in a model."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    return list({id(state): state for state in states}.values())
