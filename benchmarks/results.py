"""Running experiments over seeds, and the file that keeps what they gave."""

import csv
import platform
import time
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks.experiments import EXPERIMENTS, Experiment

RESULTS = Path(__file__).parent / "results"
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


def write(rows: list[Row], scale: str, directory: Path = RESULTS) -> Path:
    """Write rows to the scale's file, in place of those of the same experiments."""
    path = directory / f"{scale}.csv"
    renewed = {row["experiment"] for row in rows}
    kept = [row for row in read(path) if row["experiment"] not in renewed]
    order = list(EXPERIMENTS)
    part = path.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(kept + rows, key=lambda row: order.index(row["experiment"])))
    part.replace(path)
    return path


def read(path: Path) -> list[Row]:
    """Read a results file; one that does not exist holds no rows."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
