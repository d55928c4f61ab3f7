"""What a network is: a key of what it computes, and its random numbers."""

import hashlib
import json
import re

import keras
import numpy as np


def network_key(network: keras.Model, weights: bool = True) -> str:
    """Return a key of what a network computes: its layers, and their weights if they count.

    The numbers that Keras adds to names of layers, as in ``dense_3``, and seeds do not count.
    """
    config = json.dumps(network.get_config(), default=str)
    config = re.sub(r'(?<=\w)_\d+(?=")|"seed": \w+', "", config)
    sha = hashlib.sha256(config.encode())
    for weight in network.get_weights() if weights else ():
        sha.update(np.ascontiguousarray(weight).data)
    return sha.hexdigest()


def random_states(model: keras.Model) -> list[keras.Variable]:
    """Return the states of the random number generators in a model."""
    return [v for v in model.variables if v.name == "seed_generator_state"]
