"""Two processes that train together on JAX, each on a core of its own, against one (Linux).

Both sides train the same network on the same batches by `training.fit`, and come to the same loss.
"""

import dataclasses
import functools
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measured, Ratio, agree, cores, expect_linux
from cnnkit import data, models, training

import keras
import numpy as np

BATCH, EPOCHS, REPEATS = 128, 6, 3
ADDRESSES, COUNT, INDEX = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
PATIENCE = 600  # seconds for a run
NETWORKS = {  # each with the pictures of an epoch
    "mnist_cnn": (models.mnist_cnn, 2048),
    "mnist_cnn(max_pooling=False)": (lambda: models.mnist_cnn(max_pooling=False), 512),
}
COLUMNS = "network", "parameters", "one process", "two processes", "efficiency"
REMARKS = [
    "Pictures a second, by the median of the later epochs; efficiency: the speed of two processes, "
    "divided by twice that of one. What is missing to 1: the way of the gradients between the "
    "processes after each step, and the memory and the clock that the cores share. Above 1 it may "
    "come where half a batch fits better into a core's cache.",
    "On one machine, a single process that may use both cores is the other way to two cores; "
    "several processes are for several machines.",
]


def measure() -> Measured:
    """Time one and two processes in turns."""
    expect_linux()
    if len(cores()) < 2:
        raise RuntimeError("This benchmark needs two cores.")
    first, second, *_ = cores()
    rows, efficiencies = [], []
    for name, (build, pictures) in NETWORKS.items():
        runs = [(_run(name, [first]), _run(name, [first, second])) for _ in range(REPEATS)]
        for (_, alone), (_, together) in runs:
            agree("losses", alone, together, within=1e-5)
        one, two = (pictures / statistics.median(turn[side][0] for turn in runs) for side in (0, 1))
        efficiencies.append(two / (2 * one))
        parameters = f"{build().count_params():,}"
        rows.append((name, parameters, f"{one:,.0f}", f"{two:,.0f}", f"{efficiencies[-1]:.2f}"))
    title = f"Training by one and by two processes, batches of {BATCH}, medians of {REPEATS} turns"
    ratio = Ratio("efficiency of two processes, the first network", efficiencies[0])
    return Measured(title, COLUMNS, rows, [ratio], REMARKS)


def _run(name: str, pinned: list[int]) -> tuple[float, float]:
    """Train in a process on each of the cores; return an epoch's seconds and the last loss."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        jobs = []
        for index, core in enumerate(pinned):
            values = address, str(len(pinned)), str(index)
            environment = dict(zip((ADDRESSES, COUNT, INDEX), values, strict=True))
            run = str(Path(directory) / "run")
            job = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.distributed", name, run],
                env=os.environ | environment | {"KERAS_BACKEND": "jax"},
                preexec_fn=functools.partial(os.sched_setaffinity, 0, {core}),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            jobs.append(stack.enter_context(job))
            stack.callback(job.kill)  # before it is waited for
        outputs = [job.communicate(timeout=PATIENCE) for job in jobs]
    for job, (_, said) in zip(jobs, outputs, strict=True):
        if job.returncode:
            raise RuntimeError(f"A process of the benchmark failed:\n{said}")
    seconds, loss = json.loads(outputs[0][0].splitlines()[-1])
    return seconds, loss


class _Clock(keras.callbacks.Callback):
    """Times the steps of each epoch, without the saving of the run that follows."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Start the watch."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stop it."""
        self.times.append(time.perf_counter() - self._start)


def main(name: str, directory: str) -> None:
    """Train in this process, and print the time of an epoch and the last loss."""
    random = np.random.default_rng(0)
    build, pictures = NETWORKS[name]
    images = random.random((pictures, 28, 28, 1), "float32")
    labels = random.integers(0, 10, pictures)
    recipe = dataclasses.replace(  # by plain gradient descent, which lets no rounding grow
        training.recipes.MNIST, optimizer="sgd", learning_rate=0.01, epochs=EPOCHS
    )
    with training.distributed():
        keras.utils.set_random_seed(0)
        model, clock = build(), _Clock()
        batches = data.batches(images, labels, BATCH, shuffle=True, seed=0)
        history = training.fit(model, recipe, batches, None, directory, callbacks=clock, verbose=0)
        print(json.dumps((float(np.median(clock.times[1:])), history.history["loss"][-1])))


if __name__ == "__main__":
    main(*sys.argv[1:])
