"""A training step of ShakeNet against plain additions, and against the same network in PyTorch.

All sides have the same weights, pictures, optimizer and weight decay, and two threads. Before any
time is taken, their predictions have to agree.
"""

import importlib.util
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

from cnnkit import models, training

import keras
import numpy as np

BATCH, REPEATS, WARM = 128, 20, 2
THREADS = 2
RECIPE = training.recipes.SHAKENET

Step = Callable[[], Any]


def report() -> None:
    """Print the median time of a step of each, and the two ratios."""
    if hasattr(os, "sched_setaffinity"):  # TensorFlow makes as many threads as there are cores
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (BATCH, 32, 32, 3)).astype("float32")
    y = random.integers(0, 10, BATCH)
    training.reproducible(0)
    ours = models.shakenet()
    plain = keras.models.clone_model(ours, clone_function=_plain)
    plain.set_weights(ours.get_weights())
    print(
        f"ShakeNet-26 2×32d, batches of {BATCH}, {THREADS} threads, medians of {REPEATS}, in turns:"
    )
    _agree(ours.predict(x, verbose=0), plain.predict(x, verbose=0))
    steps: dict[str, Step] = {"shake-shake": _keras_step(ours, x, y)}
    steps["plain additions"] = _keras_step(plain, x, y)
    if importlib.util.find_spec("torch"):
        steps["PyTorch"] = _torch_step(ours, x, y)
    times: dict[str, list[float]] = {name: [] for name in steps}
    for repeat in range(-WARM, REPEATS):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if repeat >= 0:
                times[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        print(f"  {name:16} {median:.3f} s, {BATCH / median:.0f} pictures a second")
    for name, median in list(medians.items())[1:]:
        print(f"shake-shake against {name}: {medians['shake-shake'] / median:.3f}")
    if "PyTorch" not in medians:
        print("PyTorch is not installed; for the second ratio: pip install torch")


def _plain(layer: keras.Layer) -> keras.Layer:
    """Copy a layer; in the place of a mixture, the branches are added and halved."""
    if isinstance(layer, models.ShakeShake):
        return keras.layers.Average(name=layer.name)
    return layer.__class__.from_config(layer.get_config())


def _keras_step(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Step:
    RECIPE.compile(model, steps=391)
    return lambda: model.train_on_batch(x, y)


def _torch_step(model: keras.Model, x: np.ndarray, y: np.ndarray) -> Step:
    """Build the network as PyTorch's guides advise for a CPU, channels last."""
    from benchmarks.shakenet_in_torch import ShakeNet, load

    import torch

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    network: Any = ShakeNet()
    load(network, model)
    network = network.to(memory_format=torch.channels_last)
    standardize = keras.Model(model.input, model.get_layer("standardize").output)
    pictures = torch.tensor(standardize.predict(x, verbose=0)).permute(0, 3, 1, 2)
    pictures = pictures.contiguous(memory_format=torch.channels_last)
    labels = torch.tensor(y)
    network.eval()
    with torch.no_grad():
        _agree(model.predict(x, verbose=0), network(pictures).softmax(1).numpy())
    network.train()
    optimizer = torch.optim.SGD(
        network.parameters(),
        RECIPE.learning_rate,
        momentum=RECIPE.momentum or 0,
        nesterov=RECIPE.nesterov,
        weight_decay=RECIPE.weight_decay,
    )

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(pictures), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def _agree(ours: np.ndarray, theirs: np.ndarray) -> None:
    difference = float(np.abs(ours - theirs).max())
    if not difference < 1e-4:
        raise RuntimeError(f"The probabilities differ by {difference}.")
