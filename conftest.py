"""The tests' workers share the cores, which is a sixth faster than all threads on every core."""

import os


def pytest_configure() -> None:
    """Give each worker of pytest-xdist, and what it starts, its part of the cores."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker is None or not hasattr(os, "sched_setaffinity"):
        return
    workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    cores = sorted(os.sched_getaffinity(0))
    if workers <= len(cores):
        os.sched_setaffinity(0, cores[int(worker.removeprefix("gw")) :: workers])
