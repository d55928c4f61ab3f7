"""Running experiments over seeds, and the file that keeps what they gave."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks import measuring
from benchmarks.experiments import EXPERIMENTS
from cnnkit import files
from cnnkit.evaluation.recorded import read

COLUMNS = ("experiment", "seed", "figure", "test_size", "seconds", "versions", "machine")

Row = dict[str, str]


def run(name: str, scale: str, seeds: Iterable[int]) -> Iterator[Row]:
    """Run an experiment once a seed, and yield a row of the results file for each."""
    for seed in seeds:
        start = time.perf_counter()
        figure, test_size = EXPERIMENTS[name].run(scale, seed)
        seconds = time.perf_counter() - start
        yield {
            "experiment": name,
            "seed": str(seed),
            "figure": f"{figure:.4f}",
            "test_size": str(test_size),
            "seconds": f"{seconds:.0f}",
            "versions": measuring.versions("keras", "tensorflow"),
            "machine": measuring.hardware(),
        }


def write(rows: list[Row], path: Path) -> None:
    """Write rows to a results file, in place of those of the same experiments."""
    renewed = {row["experiment"] for row in rows}
    rows = rows + [row for row in read(path) if row["experiment"] not in renewed]
    order = {name: position for position, name in enumerate(EXPERIMENTS)}
    rows.sort(key=lambda row: order.get(row["experiment"], len(order)))
    table = [[row.get(name, "") for name in COLUMNS] for row in rows]
    files.write_table(path, [COLUMNS, *table])
