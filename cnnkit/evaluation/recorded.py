"""What repeated runs of an experiment gave, to hold one live run against."""

import csv
import statistics
from dataclasses import dataclass
from pathlib import Path

from cnnkit import checks
from cnnkit.files import CHECKOUT

from scipy.stats import t as student_t

# A wheel carries the checkout's results in this folder.
RESULTS = CHECKOUT / "benchmarks/results" if CHECKOUT else Path(__file__).parent / "results"


@dataclass(frozen=True)
class Spread:
    """Figures of one experiment over several seeds. Printing it gives the summary.

    Parameters
    ----------
    figures : tuple of float
        That of each seed: nearly always a test accuracy, in [0, 1].
    test_size : int
        Number of test pictures.
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

        Student's prediction interval, which allows for the few seeds that the spread is known
        from. A few seeds may agree by luck, so the deviation counts as no smaller than the
        binomial one of a figure from so many test pictures; at least one picture to each side.
        """
        n = len(self.figures)
        binomial = (self.mean * (1 - self.mean) / self.test_size) ** 0.5
        margin = student_t.ppf(0.995, n - 1) * max(self.deviation, binomial) * (1 + 1 / n) ** 0.5
        margin = max(float(margin), 1 / self.test_size)
        return max(0.0, self.mean - margin), min(1.0, self.mean + margin)

    def __contains__(self, figure: float) -> bool:
        low, high = self.bounds
        return low <= figure <= high

    def __str__(self) -> str:
        return (
            f"{self.mean:.3f} ± {self.deviation:.3f} "
            f"({len(self.figures)} seeds, {self.test_size:,} test pictures)"
        )


def spread(experiment: str, scale: str) -> Spread:
    """Look up what ``python -m benchmarks results`` recorded for an experiment.

    Parameters
    ----------
    experiment : str
        Its name, such as ``"digits"``.
    scale : {"sample", "full"}

    Returns
    -------
    Spread

    Raises
    ------
    ValueError
        An unknown scale, or an experiment with fewer than two recorded seeds at this scale.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    rows = [row for row in read(RESULTS / f"{scale}.csv") if row["experiment"] == experiment]
    if len(rows) < 2:
        raise ValueError(
            f"No spread is recorded for the experiment {experiment!r} at {scale} scale. Record "
            f"it in a checkout: python -m benchmarks results {experiment} --scale {scale}"
        )
    return Spread(tuple(float(row["figure"]) for row in rows), int(rows[0]["test_size"]))


def read(path: Path) -> list[dict[str, str]]:
    """Read a results file; one that does not exist holds no rows."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
