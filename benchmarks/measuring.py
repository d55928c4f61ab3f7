"""What the benchmarks share: taking turns, tables, ratios with what they promise, the machine."""

import contextlib
import dataclasses
import importlib
import importlib.metadata
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

# Of 255. TensorFlow decodes JPEG faster and rougher: so far may the means of photos differ, and
# those of their parts or channels.
PHOTO_MEANS, PART_MEANS = 1.0, 2.0
PACKAGES = "keras", "tensorflow", "torch", "jax"

Step = Callable[[], Any]


@dataclasses.dataclass(frozen=True)
class Ratio:
    """Two figures of one run, divided, and within which bound the course promises it to stay."""

    of: str
    value: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it keeps its promise, if there is one."""
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    def __str__(self) -> str:
        bounds = {"at least": self.at_least, "at most": self.at_most}
        promised = "".join(
            f", promised {name} {bound:g}: {'holds' if self.holds else 'DOES NOT HOLD'}"
            for name, bound in bounds.items()
            if bound is not None
        )
        return f"{self.of}: {self.value:.2f}{promised}"


@dataclasses.dataclass(frozen=True)
class Measured:
    """What a benchmark found.

    Parameters
    ----------
    title : str
        What was measured, on what, and how often.
    columns : tuple of str
    rows : sequence of tuple of str
    ratios : list of Ratio
        The first one sums the table up.
    remarks : list of str
        What a reader has to know, and why ours is slower where it is.
    """

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    ratios: list[Ratio]
    remarks: list[str] = dataclasses.field(default_factory=list)

    def page(self) -> str:
        """Return it as Markdown, with columns that line up in a terminal as well."""
        first, *others = self.ratios
        figures = range(1, len(self.columns))
        parts = [self.title, table(self.columns, self.rows, figures), f"Ratio: {first}"]
        parts += [f"Also {ratio}" for ratio in others]
        return "\n\n".join([*parts, *self.remarks, f"Machine: {machine()}"])


def run(name: str) -> Measured:
    """Run a benchmark, a module of this package."""
    return importlib.import_module(f"benchmarks.{name}").measure()


def table(
    columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: Collection[int] = ()
) -> str:
    """Return a table in Markdown that lines up in a terminal too; some columns end at the right."""
    lines = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = [
        "-" * (width - 1) + ":" if n in right else "-" * width for n, width in enumerate(widths)
    ]
    texts = [
        [
            text.rjust(width) if n in right else text.ljust(width)
            for n, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in (texts[0], rule, *texts[1:]))


def in_turns(steps: Mapping[str, Step], seconds: float, least: int = 5) -> dict[str, float]:
    """Time steps one after the other, again and again, and return the median second of each.

    So a machine that is slow for a while is slow for all of them. The first two turns build and
    warm up what has to be; of the others there are as many as the seconds allow, up to 50.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    turns = -2
    while turns < least or (turns < 50 and sum(map(sum, times.values())) < seconds):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if turns >= 0:
                times[name].append(time.perf_counter() - start)
        turns += 1
    return {name: statistics.median(found) for name, found in times.items()}


def agree(what: str, ours: Any, theirs: Any, within: Any = 1e-4) -> None:
    """Raise RuntimeError where the two sides come to different results."""
    if np.ndim(theirs) and np.shape(ours) != np.shape(theirs):
        raise RuntimeError(f"The {what} have shapes {np.shape(ours)} and {np.shape(theirs)}.")
    differences = np.abs(np.asarray(ours) - np.asarray(theirs))
    if not np.all(differences <= within):  # nor NaN
        raise RuntimeError(f"The {what} of the two sides differ by {np.max(differences)}.")


def output_of(command: Sequence[str]) -> str:
    """Run a command and return what it prints, or raise RuntimeError with what it says."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def expect_linux() -> None:
    """Raise RuntimeError where memory and cores cannot be looked at as Linux lets one."""
    if platform.system() != "Linux":
        raise RuntimeError(f"This benchmark needs Linux; this is {platform.system()}.")


def machine() -> str:
    """Describe this machine, its software, and the day, in a line."""
    return f"{hardware()}; {versions(*PACKAGES)}; {time.strftime('%Y-%m-%d')}"


def hardware() -> str:
    """Describe this machine."""
    import psutil

    memory = psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {len(cores())} cores, {memory:.0f} GiB, {platform.system()}"


def versions(*packages: str) -> str:
    """Name the versions of Python and of those packages that are installed."""
    found = [f"python {platform.python_version()}"]
    for package in packages:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(found)


def cores() -> list[int]:
    """Return the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _processor() -> str:
    """Name the processor, with what tells apart those of one name (Linux)."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return platform.processor() or platform.machine()
    lines = (line.partition(":") for line in information.read_text().splitlines())
    found = {name.strip(): value.strip() for name, _, value in lines}
    if "model name" not in found:
        return platform.machine()
    name = f"{found['model name']} family {found.get('cpu family')} model {found.get('model')}"
    return f"{name} with{'' if 'avx512f' in found.get('flags', '').split() else 'out'} AVX-512"


def high_water_mark() -> int:
    """Return this process's peak memory in bytes (Linux).

    That of the standard library's `resource` begins with the memory of its parent.
    """
    status = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM"))
    return 1024 * int(peak)
