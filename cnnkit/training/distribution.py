"""Several processes that train one model together, by Keras's distribution API on JAX."""

import atexit
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cnnkit import backend
from cnnkit.training.processes import Processes, during

import keras

ADDRESSES, COUNT, INDEX = (
    f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID")
)
PATIENCE = 300  # seconds that a process waits for the first one
LOST = ("gloo", "peer", "coordination service", "distributed service", "deadline_exceeded")


@contextmanager
def distributed() -> Iterator[Processes]:
    """Let several processes train one model, each on its share of every batch.

    Every process runs the same program, and what it calls within this context does the same in
    all of them: `training.fit` averages the gradients over the processes after each step, so that
    their models stay the same, and only the first process writes the directory of the run, which
    all have to see. One process trains on all accelerators that it has.

    The processes find one another by the environment variables of Keras:
    ``KERAS_DISTRIBUTION_JOB_ADDRESSES``, the ``host:port`` of the first process,
    ``KERAS_DISTRIBUTION_NUM_PROCESSES``, and ``KERAS_DISTRIBUTION_PROCESS_ID``, from 0. It takes
    the JAX backend, ``KERAS_BACKEND=jax``. A process may do this once, and before it computes
    anything else. Whoever can reach the port can join, so use it in a network that you trust.

    Yields
    ------
    Processes
        Their number, and which one this is.

    Raises
    ------
    ValueError
        Variables that contradict one another, or another backend.
    ConnectionError
        The first process cannot be reached for five minutes, or another process has ended. Start
        all of them again: `training.fit` goes on after the last whole epoch.
    """
    found = _from_environment()
    if found is None:
        on_jax = keras.backend.backend() == "jax"
        devices = keras.distribution.list_devices() if on_jax else ()
        with during(Processes(devices=devices)) as processes:
            yield processes
        return
    index, count, host, port = found
    _check_port(host, port) if index == 0 else _wait_for(host, port)
    backend.join_processes()
    code = [1]
    atexit.register(_end_at_once, code)  # for JAX would wait for the others until they give up
    try:
        with during(Processes(index, count, keras.distribution.list_devices())) as processes:
            yield processes
        backend.leave_processes()
    except KeyboardInterrupt:
        code[0] = 130
        raise
    except Exception as error:
        if any(sign in str(error).lower() for sign in LOST):
            raise ConnectionError(
                f"Another of the {count} processes has ended or cannot be reached any more, so "
                f"that process {index} stops. Look at what the others said last, and start all of "
                "them again: the run goes on after its last whole epoch."
            ) from error
        raise
    atexit.unregister(_end_at_once)


def _from_environment() -> tuple[int, int, str, int] | None:
    """Return index and count of the processes, and host and port of the first; None for one."""
    given = {name: os.environ.get(name, "") for name in (ADDRESSES, COUNT, INDEX)}
    if not any(given.values()) or given[COUNT] == "1":
        return None
    host, _, port = given[ADDRESSES].split(",")[0].rpartition(":")
    numbers = port, given[COUNT], given[INDEX]
    if not host or not all(number.isdecimal() for number in numbers):
        told = ", ".join(f"{name}={value!r}" for name, value in given.items())
        raise ValueError(
            f"The environment has {told}; expected the host:port of the first process, the number "
            "of processes, and which one this is, from 0."
        )
    if not int(given[INDEX]) < int(given[COUNT]):
        raise ValueError(
            f"{INDEX} is {given[INDEX]} of {given[COUNT]} processes; expected 0 to "
            f"{int(given[COUNT]) - 1}."
        )
    if keras.backend.backend() != "jax":
        raise ValueError(
            f"The Keras backend is {keras.backend.backend()}, and several processes train on JAX. "
            "Set the environment variable KERAS_BACKEND=jax in all of them."
        )
    return int(given[INDEX]), int(given[COUNT]), host, int(port)


def _check_port(host: str, port: int) -> None:
    """Raise OSError where something else listens on this port already."""
    with socket.socket() as probe:
        if probe.connect_ex((host, port)) == 0:
            raise OSError(f"Something listens on {host}:{port} already; name another port.")


def _wait_for(host: str, port: int) -> None:
    """Wait until the first process listens; JAX would abort where it does not come."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                raise ConnectionError(
                    f"The first process cannot be reached at {host}:{port} ({error.strerror}). "
                    f"Start it, with {INDEX}=0, and look at {ADDRESSES}."
                ) from None
            time.sleep(0.2)


def _end_at_once(code: list[int]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code[0])
