"""A training step of ShakeNet against plain additions, and against the same network in PyTorch.

All sides have the same weights, pictures, optimizer, weight decay and threads. Before any time is
taken, their probabilities have to agree.
"""

import importlib.util

from benchmarks.measuring import Measured, Ratio, Step, agree, cores, in_turns
from benchmarks.training_step import CASES, NO_TORCH, batch, in_torch, keras_step
from cnnkit import models, training

import keras

CASE, SECONDS = CASES["shakenet"], 120


def measure() -> Measured:
    """Time the three sides in turns."""
    training.reproducible(0)
    ours = CASE.build()
    x, y = batch(ours, CASE.batch)
    plain = keras.models.clone_model(ours, clone_function=_plain)
    plain.set_weights(ours.get_weights())
    agree("probabilities", ours.predict(x, verbose=0), plain.predict(x, verbose=0))
    steps: dict[str, Step] = {}
    with_torch = importlib.util.find_spec("torch") is not None
    if with_torch:
        steps["PyTorch"] = in_torch("shakenet", CASE, ours, x, y)
    for name, model in (("plain additions", plain), ("shake-shake", ours)):
        steps[name] = keras_step(CASE.recipe, model, x, y)
    medians = in_turns(steps, SECONDS, least=20)
    times = {name: medians["shake-shake"] / seconds for name, seconds in medians.items()}
    rows = [
        (name, f"{seconds:.3f}", f"{CASE.batch / seconds:.0f}", f"{times[name]:.2f}")
        for name, seconds in medians.items()
    ]
    ratios = [
        Ratio("time of a step, against plain additions", times["plain additions"], at_most=1.1)
    ]
    if with_torch:
        ratios.append(Ratio("time of a step, against PyTorch", times["PyTorch"], at_most=1.3))
    return Measured(
        f"A training step of ShakeNet-26 2×32d, batches of {CASE.batch}, medians of at least "
        f"20 turns, {len(cores())} threads",
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
