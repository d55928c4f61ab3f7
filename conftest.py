"""The tests' workers share the cores, and the notebooks that they run show no progress bars.

All threads on every core would be a sixth slower. A bar comes where a machine is slow, so that it
would differ from what is stored.
"""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Hide progress bars, and give each worker of pytest-xdist its part of the cores."""
    os.environ["TQDM_DISABLE"] = "1"
    worker = getattr(config, "workerinput", None)
    if worker is None or not hasattr(os, "sched_setaffinity"):
        return
    workers, cores = worker["workercount"], sorted(os.sched_getaffinity(0))
    if workers <= len(cores):  # one that replaces a crashed one has a higher number
        number = int(worker["workerid"].removeprefix("gw")) % workers
        os.sched_setaffinity(0, cores[number::workers])
