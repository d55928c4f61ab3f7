"""Running experiments over seeds, and the file that keeps what they gave."""

import platform
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.experiments import EXPERIMENTS, Experiment
from cnnkit import files
from cnnkit.evaluation.recorded import read

COLUMNS = ("experiment", "seed", "figure", "test_size", "seconds", "versions")

Row = dict[str, str]


def run(experiment: Experiment, scale: str, seeds: Iterable[int]) -> Iterator[Row]:
    """Run an experiment once a seed, and yield a row of the results file for each."""
    versions = ["python " + platform.python_version()]
    versions += [f"{package} {version(package)}" for package in ("keras", "tensorflow")]
    for seed in seeds:
        start = time.perf_counter()
        figure, test_size = experiment.run(scale, seed)
        seconds = time.perf_counter() - start
        yield {
            "experiment": experiment.name,
            "seed": str(seed),
            "figure": f"{figure:.4f}",
            "test_size": str(test_size),
            "seconds": f"{seconds:.0f}",
            "versions": ", ".join(versions),
        }


def write(rows: list[Row], path: Path) -> None:
    """Write rows to a results file, in place of those of the same experiments."""
    renewed = {row["experiment"] for row in rows}
    rows = rows + [row for row in read(path) if row["experiment"] not in renewed]
    order = {name: position for position, name in enumerate(EXPERIMENTS)}
    rows.sort(key=lambda row: order.get(row["experiment"], len(order)))
    table = [[row[name] for name in COLUMNS] for row in rows]
    files.write_table(path, [COLUMNS, *table])
