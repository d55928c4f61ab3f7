"""Several processes that train one model together, by Keras's distribution API on JAX."""

import atexit
import os
import re
import signal
import socket
import sys
import threading
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
LOST = re.compile(  # in the errors of JAX, which have no class of their own
    r"Gloo [\w -]+ failed|Connection closed by peer|coordination service|UNAVAILABLE"
    r"|DEADLINE_EXCEEDED"
)


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
        Variables that contradict one another, another backend, or a process that has computed or
        joined others before.
    OSError
        Something else listens on the port of the first process.
    ConnectionError
        The first process cannot be reached for five minutes, or another process has ended. Start
        all of them again: `training.fit` goes on after the last whole epoch. (Where a machine or
        a cable is lost, it may take a minute and a half until the others notice; and where JAX
        ends a process before Python can, the same message is written, and the exit code is 1.)
    """
    found = _from_environment()
    if found is None:
        on_jax = keras.backend.backend() == "jax"
        devices = keras.distribution.list_devices() if on_jax else ()
        with during(Processes(devices=devices)) as processes:
            yield processes
        return
    index, count, host, port = found
    if index == 0:
        _check_port(host, port)
        print(f"Waiting at {host}:{port} for the {count} processes", file=sys.stderr, flush=True)
    else:
        _wait_for(host, port)
    lost = (
        f"Another of the {count} processes has ended, never came, or cannot be reached any more, "
        f"so that process {index} stops. Look at what the others said last, and start all of them "
        "again: the run goes on after its last whole epoch."
    )
    code = [1]
    atexit.register(_end_at_once, code)  # for JAX would wait for the others until they give up
    try:
        _join(lost)
        with during(Processes(index, count, keras.distribution.list_devices())) as processes:
            yield processes
        backend.leave_processes()
    except SystemExit as end:
        code[0] = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    except KeyboardInterrupt:
        code[0] = 130
        raise
    except Exception as error:
        if not isinstance(error, OSError) and LOST.search(str(error)):
            raise ConnectionError(lost) from error
        raise
    atexit.unregister(_end_at_once)


def _join(lost: str) -> None:
    main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.SIG_DFL) if main else None  # for Ctrl-C in C++
    try:
        backend.join_processes(lost)
    except RuntimeError as error:
        if "before any JAX" not in str(error) and "only be called once" not in str(error):
            raise
        if "before any JAX" in str(error):
            atexit.unregister(_end_at_once)  # nothing was joined
        raise ValueError(
            "This process has computed before it joined the others, or has joined them before. "
            "Begin a new one with training.distributed(), before training.reproducible and the "
            "model."
        ) from error
    finally:
        if main:
            signal.signal(signal.SIGINT, before)


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
    if int(given[INDEX]) >= int(given[COUNT]):
        raise ValueError(
            f"{INDEX} is {given[INDEX]} of {given[COUNT]} processes; expected a smaller number, "
            "from 0."
        )
    if keras.backend.backend() != "jax":
        raise ValueError(
            f"The Keras backend is {keras.backend.backend()}, and several processes train on JAX. "
            "Set the environment variable KERAS_BACKEND=jax in all of them."
        )
    return int(given[INDEX]), int(given[COUNT]), host, int(port)


def _check_port(host: str, port: int) -> None:
    """Raise OSError where something else listens on this port already."""
    if _refusal(host, port) is None:
        raise OSError(f"Something listens on {host}:{port} already; name another port.")


def _wait_for(host: str, port: int) -> None:
    """Wait until the first process listens; JAX would abort where it does not come."""
    until = time.monotonic() + PATIENCE
    while error := _refusal(host, port):
        if time.monotonic() > until:
            raise ConnectionError(
                f"The first process cannot be reached at {host}:{port} ({error}). Start it, with "
                f"{INDEX}=0, and look at {ADDRESSES}."
            )
        time.sleep(0.2)


def _refusal(host: str, port: int) -> OSError | None:
    """Return why nobody can be reached there; None where somebody listens."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except socket.gaierror as error:
        message = f"There is no host {host!r} ({error}); look at {ADDRESSES}."
        raise ConnectionError(message) from None
    except OSError as error:
        return error
    return None


def _end_at_once(code: list[int]) -> None:
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code[0])
