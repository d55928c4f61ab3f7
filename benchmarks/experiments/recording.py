"""Running experiments seed by seed, and the files that keep what they gave."""

import time
from collections.abc import Container, Sequence
from pathlib import Path

from benchmarks import measuring
from benchmarks.experiments import EXPERIMENTS
from benchmarks.experiments.experiment import History
from cnnkit import files
from cnnkit.evaluation import recorded
from cnnkit.files import CHECKOUT

COLUMNS = ("experiment", "seed", "figure", "test_size", "data", "seconds", "versions", "machine")
REPORTED = range(5)  # the seeds of recorded rows, by which no set-up is chosen; others are trials
TRIALS = (CHECKOUT or Path()) / "runs/trials"  # which git ignores, and no page reads

Row = dict[str, str]


def rows(name: str, scale: str, seeds: Container[int] = REPORTED) -> list[Row]:
    """Look up the rows of some seeds of an experiment, so far as they are of its present data."""
    data = EXPERIMENTS[name].data[scale].name
    return [
        row
        for folder in (recorded.RESULTS, TRIALS)
        for row in recorded.read(folder / f"{scale}.csv")
        if row["experiment"] == name and row["data"] == data and int(row["seed"]) in seeds
    ]


def run(name: str, scale: str, seed: int) -> Row:
    """Run an experiment once, and write its row and its history."""
    experiment, start = EXPERIMENTS[name], time.perf_counter()
    outcome = experiment.run(scale, seed)
    row = {
        "experiment": name,
        "seed": str(seed),
        "figure": f"{outcome.figure:.4f}",
        "test_size": str(outcome.test_size),
        "data": experiment.data[scale].name,
        "seconds": f"{time.perf_counter() - start:.0f}",
        "versions": measuring.versions("keras", "tensorflow"),
        "machine": measuring.hardware(),
    }
    write(row, outcome.history, scale, recorded.RESULTS if seed in REPORTED else TRIALS)
    return row


def write(row: Row, history: History, scale: str, folder: Path) -> None:
    """Write a row and its history in the place of those of its seed, or of other data."""
    name, seed = row["experiment"], row["seed"]
    path, curves = folder / f"{scale}.csv", folder / "histories" / f"{name}-{scale}.csv"
    there = recorded.read(path)
    same = [other for other in there if other["experiment"] == name]
    kept = [other for other in same if other["seed"] != seed and other["data"] == row["data"]]
    seeds = {other["seed"] for other in kept}
    epochs = [epoch for epoch in recorded.read(curves) if epoch["seed"] in seeds]
    for number, values in enumerate(zip(*history.values(), strict=True), start=1):
        metrics = dict(zip(history, (f"{value:.5g}" for value in values), strict=True))
        epochs.append({"seed": seed, "epoch": str(number), **metrics})
    if epochs:
        columns = dict.fromkeys(column for epoch in epochs for column in epoch)
        _write(curves, [*columns], epochs)
    else:
        curves.unlink(missing_ok=True)
    others = [other for other in there if other["experiment"] != name]
    _write(path, COLUMNS, [*others, *kept, row])  # last, since it says that the seed is recorded


def _write(path: Path, columns: Sequence[str], rows: list[Row]) -> None:
    """Write rows of experiments in the order of the chapters, and those of each by seed."""
    order = {name: position for position, name in enumerate(EXPERIMENTS)}

    def place(row: Row) -> tuple[int, int]:
        return order.get(row.get("experiment", ""), len(order)), int(row["seed"])

    table = [[row.get(name, "") for name in columns] for row in sorted(rows, key=place)]
    files.write_table(path, [columns, *table])
