"""What recorded runs of an experiment gave, to compare one live run with them."""

import csv
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit import checks
from cnnkit.files import CHECKOUT

# A wheel carries the checkout's results in this folder.
RESULTS = CHECKOUT / "benchmarks/results" if CHECKOUT else Path(__file__).parent / "results"


@dataclass(frozen=True)
class Spread:
    """Figures of one experiment, one a seed; nearly always test accuracies, in [0, 1].

    `test_size` is the number of test images. Printing it gives the summary.
    """

    figures: tuple[float, ...]
    test_size: int

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.mean(self.figures)

    @property
    def deviation(self) -> float:
        """Standard deviation over the seeds (n − 1)."""
        return statistics.stdev(self.figures)

    @property
    def bounds(self) -> tuple[float, float]:
        """Between these the accuracy of another seed lies with a probability of 99 %.

        Student's prediction interval. A few seeds may agree by luck, so the deviation is at least
        the binomial one of so many test images, and the margin at least one image.
        """
        from scipy import stats  # here, since it takes a second

        n, binomial = len(self.figures), (self.mean * (1 - self.mean) / self.test_size) ** 0.5
        margin = stats.t.ppf(0.995, n - 1) * max(self.deviation, binomial) * (1 + 1 / n) ** 0.5
        margin = max(float(margin), 1 / self.test_size)
        return max(0.0, self.mean - margin), min(1.0, self.mean + margin)

    def __contains__(self, figure: float) -> bool:
        return self.bounds[0] <= figure <= self.bounds[1]

    def __str__(self) -> str:
        size = f"{len(self.figures)} seeds, {self.test_size:,} test pictures"
        return f"{self.mean:.3f} ± {self.deviation:.3f} ({size})"


def spread(experiment: str, scale: str) -> Spread:
    """Look up what ``python -m benchmarks results`` recorded for an experiment.

    Parameters
    ----------
    experiment : str
        Its name, such as ``"digits"``.
    scale : {"sample", "full"}
    """
    checks.one_of("scale", scale, ("sample", "full"))
    rows = [row for row in read(RESULTS / f"{scale}.csv") if row["experiment"] == experiment]
    if len(rows) < 2:
        raise ValueError(
            f"No spread is recorded for the experiment {experiment!r} at {scale} scale. Record "
            f"it in a checkout: python -m benchmarks results {experiment} --scale {scale}"
        )
    return summarize(rows)


def history(experiment: str, scale: str, seed: int = 0) -> dict[str, list[float]]:
    """Look up the metrics of each epoch that were recorded for one seed, as ``fit`` returns them.

    `experiment` and `scale` are as in `spread`.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    epochs = read(RESULTS / "histories" / f"{experiment}-{scale}.csv")
    found = [epoch for epoch in epochs if epoch["seed"] == str(seed)]
    if not found:
        raise ValueError(
            f"No history is recorded for seed {seed} of {experiment!r} at {scale} scale. Record "
            f"it in a checkout: python -m benchmarks results {experiment} --scale {scale}"
        )
    metrics = [name for name in found[0] if name not in ("seed", "epoch")]
    return {name: [float(epoch[name]) for epoch in found] for name in metrics}


def summarize(rows: Sequence[Mapping[str, str]]) -> Spread:
    """Return the spread of recorded rows of one experiment."""
    return Spread(tuple(float(row["figure"]) for row in rows), int(rows[0]["test_size"]))


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a results file by column, none if there is no such file."""
    text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    return list(csv.DictReader(text.splitlines()))
