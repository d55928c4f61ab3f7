"""A training step of ShakeNet against plain additions, and against the same network in PyTorch.

All sides have the same weights, pictures, optimizer, weight decay and threads. Before any time is
taken, their probabilities have to agree.
"""

import importlib.util

from benchmarks.measuring import Measured, Ratio, Step, agree, cores, in_turns
from benchmarks.training_step import NO_TORCH, keras_step
from cnnkit import models, training

import keras
import numpy as np

BATCH, SECONDS = 128, 120
RECIPE = training.recipes.SHAKENET


def measure() -> Measured:
    """Time the three sides in turns."""
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (BATCH, 32, 32, 3)).astype("float32")
    y = random.integers(0, 10, BATCH)
    training.reproducible(0)
    ours = models.shakenet()
    plain = keras.models.clone_model(ours, clone_function=_plain)
    plain.set_weights(ours.get_weights())
    agree("probabilities", ours.predict(x, verbose=0), plain.predict(x, verbose=0))
    steps: dict[str, Step] = {}
    with_torch = importlib.util.find_spec("torch") is not None
    if with_torch:
        from benchmarks import networks_in_torch
        from benchmarks.side_in_torch import Side

        network = networks_in_torch.shakenet()
        networks_in_torch.load(network, ours)
        side = Side(network, RECIPE, x, y)
        agree("probabilities", ours.predict(x, verbose=0), side.predict())
        steps["PyTorch"] = side.step
    for name, model in (("plain additions", plain), ("shake-shake", ours)):
        steps[name] = keras_step(RECIPE, model, x, y)
    medians = in_turns(steps, SECONDS, least=20)
    times = {name: medians["shake-shake"] / seconds for name, seconds in medians.items()}
    rows = [
        (name, f"{seconds:.3f}", f"{BATCH / seconds:.0f}", f"{times[name]:.2f}")
        for name, seconds in medians.items()
    ]
    ratios = [
        Ratio("time of a step, against plain additions", times["plain additions"], at_most=1.1)
    ]
    if with_torch:
        ratios.append(Ratio("time of a step, against PyTorch", times["PyTorch"], at_most=1.3))
    return Measured(
        f"A training step of ShakeNet-26 2×32d, batches of {BATCH}, medians of at least 20 turns, "
        f"{len(cores())} threads",
        ("side", "seconds", "pictures a second", "time of ours against it"),
        rows,
        ratios,
        [] if with_torch else [NO_TORCH],
    )


def _plain(layer: keras.Layer) -> keras.Layer:
    """Copy a layer; in the place of a mixture, the branches are added and halved."""
    if isinstance(layer, models.ShakeShake):
        return keras.layers.Average(name=layer.name)
    return layer.__class__.from_config(layer.get_config())
