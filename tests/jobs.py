"""Several processes of one job, on this machine."""

import os
import socket
import subprocess
from collections.abc import Sequence

NAMES = (  # of the variables, as Keras reads them
    "KERAS_DISTRIBUTION_JOB_ADDRESSES",
    "KERAS_DISTRIBUTION_NUM_PROCESSES",
    "KERAS_DISTRIBUTION_PROCESS_ID",
)
SOON = "--xla_backend_optimization_level=0"  # JAX compiles sooner if it optimises nothing


def start_processes(
    count: int, command: Sequence[str], **environment: str
) -> list[subprocess.Popen]:  # fmt: skip
    """Start a command in as many processes, which train together on JAX."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    jobs = []
    for index in range(count):
        values = dict(zip(NAMES, (address, str(count), str(index)), strict=True))
        jobs.append(
            subprocess.Popen(
                command,
                env=os.environ | {"KERAS_BACKEND": "jax"} | values | environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return jobs
