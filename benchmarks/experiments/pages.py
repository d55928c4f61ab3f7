"""`RESULTS.md`, and the README's short form of it, written from what is recorded."""

from pathlib import Path

from benchmarks.experiments import EXPERIMENTS
from benchmarks.experiments.recording import Row, rows
from benchmarks.measuring import table
from cnnkit.evaluation import recorded
from cnnkit.files import CHECKOUT

import numpy as np

ROOT = CHECKOUT or Path()
COLUMNS = "experiment", "published", "ours", "test set", "data", "time a seed", "command"
SHORT = "chapter", "experiment", "published", "ours, sample scale", "ours, full scale"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->"
INTRODUCTION = """\
# Results

Every experiment of chapters 1 to 9: what its source reports, and what came out here. A figure is
the mean and the standard deviation, over as many seeds as it says, of the accuracy on test
pictures, or of what the row names. A command trains the seeds that have no row yet, so that it goes
on where it was interrupted; with `--again`, it trains all of them. After each seed it writes the
row and the metrics of each epoch into `benchmarks/results/`, and this page. Without a name it runs
all, `python -m benchmarks results --scale sample --again`, in a good hour on two cores. At the full
scale, chapters 7 and 9 keep their runs in `runs/` and go on with what is there; to train from the
beginning, delete it.

The sample scale takes drawn or small pictures, so that it takes minutes and no download. It shows
what a chapter teaches; only the full scale is the published experiment. Where a row judges the
networks of another row again, its time is that of the judging, or of both; and what chapters 5 and
6 compute of frozen layers stays in the user's cache, where a later row finds it."""
SCALES = {
    "sample": "## Sample scale",
    "full": "## Full scale\n\nWhat was not run here takes the data sets, and for most of it a GPU.",
}


def write(root: Path = ROOT) -> None:
    """Write the page, and the table in the README."""
    (root / "RESULTS.md").write_text(page(), encoding="utf-8")
    readme = root / "README.md"
    text = readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{readme} lacks {BEGIN.strip()} or {END}, between which the table goes.")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    readme.write_text(before + BEGIN + short_form() + END + after, encoding="utf-8")


def page() -> str:
    """Return the page on all experiments, at both scales."""
    sources = list(dict.fromkeys(experiment.source for experiment in EXPERIMENTS.values()))
    parts = [INTRODUCTION]
    for scale, heading in SCALES.items():
        machines = list(dict.fromkeys(map(_machine, recorded.read(_path(scale)))))
        lines = [_line(name, scale, sources, machines) for name in EXPERIMENTS]
        parts += [heading, table(COLUMNS, lines)]
        if machines:
            listed = (f"- ({number}) {machine}" for number, machine in enumerate(machines, 1))
            parts.append("Machines:\n\n" + "\n".join(listed))
    listed = (f"{number}. {source}" for number, source in enumerate(sources, start=1))
    return "\n\n".join([*parts, "## Sources", "\n".join(listed)]) + "\n"


def short_form() -> str:
    """Return a table of the experiments that have something published to be held against."""
    lines = [
        (
            str(experiment.chapter),
            experiment.title,
            published(name),
            *(_ours(name, scale, with_size=True) for scale in SCALES),
        )
        for name, experiment in EXPERIMENTS.items()
        if experiment.has_source_result
    ]
    return table(SHORT, lines) + "\n"


def _line(name: str, scale: str, sources: list[str], machines: list[str]) -> tuple[str, ...]:
    """Return the line of an experiment; sources and machines are told by their numbers."""
    experiment, found = EXPERIMENTS[name], rows(name, scale)
    source = f" [{sources.index(experiment.source) + 1}]" if experiment.has_source_result else ""
    size, seconds = "", ""
    if found:
        size = f"{int(found[0]['test_size']):,}"
        mean = np.mean([int(row["seconds"]) for row in found])
        seconds = f"{mean:.0f} s ({machines.index(_machine(found[0])) + 1})"
    title = f"{experiment.chapter}. {experiment.title}"
    command = f"`python -m benchmarks results {name} --scale {scale}`"
    data = experiment.data[scale].about
    return title, published(name) + source, _ours(name, scale), size, data, seconds, command


def published(name: str) -> str:
    """Return what was published for an experiment."""
    experiment = EXPERIMENTS[name]
    if experiment.published is None:
        return experiment.said or "–"
    figure = f"{experiment.published:.4f}"
    return f"{figure.removesuffix('0')} on {experiment.on}"


def _ours(name: str, scale: str, with_size: bool = False) -> str:
    found = rows(name, scale)
    if len(found) < 3:  # which is no spread yet
        return f"seeds so far: {len(found)}" if found else "not run"
    ours = recorded.summarize(found)
    more = f"on {ours.test_size:,}" if with_size else f"({len(found)} seeds)"
    return f"{ours.mean:.3f} ± {ours.deviation:.3f} {more}"


def _machine(row: Row) -> str:
    return f"{row.get('machine') or 'not recorded'}; {row['versions']}"


def _path(scale: str) -> Path:
    return recorded.RESULTS / f"{scale}.csv"
