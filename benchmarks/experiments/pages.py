"""`RESULTS.md`, and the README's short form of it, written from what is recorded."""

import textwrap
from pathlib import Path

from benchmarks.experiments import EXPERIMENTS
from benchmarks.experiments.recording import Row, rows
from benchmarks.measuring import table
from cnnkit.evaluation import recorded
from cnnkit.files import CHECKOUT

import numpy as np

ROOT = CHECKOUT or Path()
COLUMNS = "experiment", "published", "ours", "test set", "data", "time a seed", "command"
SHORT = "chapter", "network", "data", "published", "ours", "test pictures"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->"
INTRODUCTION = """\
# Results

Every experiment of chapters 1 to 9: the published result, and ours. Ours is the accuracy on test
pictures, or the quantity that the row names, as mean ± standard deviation over the number of seeds
in brackets.

The command of a row trains the seeds that are not recorded yet; `--again` trains them all. After
each seed, it writes the row and the metrics of each epoch into `benchmarks/results/`, and this
page. Without a name, it runs every experiment, in a good hour on two cores:
`python -m benchmarks results --scale sample --again`. At full scale, chapters 7 and 9 keep their
runs in `runs/` and resume from there; delete that folder to train from the beginning.

The sample scale uses drawn or small pictures, so that it takes minutes and no download. Its results
show the size of an effect; they do not reproduce published ones. Rows that evaluate the networks of
another row list the time of the evaluation, or of training and evaluation if the networks were
trained anew. Chapters 5 and 6 keep the features of frozen layers in the user's cache, so later rows
run faster."""
SCALES = {"sample": "## Sample scale", "full": "## Full scale"}
NOT_RUN = """\
These experiments were not run here at full scale, because they take the original data and, most of
them, a GPU ([time and memory](docs/full_scale.md)). To record one, run
`python -m benchmarks results NAME --scale full`:"""


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
        found = [name for name in EXPERIMENTS if rows(name, scale)]
        parts += [heading, table(COLUMNS, [_line(n, scale, sources, machines) for n in found])]
        if machines:
            listed = (f"- ({number}) {machine}" for number, machine in enumerate(machines, 1))
            parts.append("Machines:\n\n" + "\n".join(listed))
    missing = [
        textwrap.fill(
            f"- {each.title} (chapter {each.chapter}): `{name}`", 100, subsequent_indent="  "
        )
        for name, each in EXPERIMENTS.items()
        if not rows(name, "full")
    ]
    named = "\n".join(f"{number}. {source}" for number, source in enumerate(sources, start=1))
    return "\n\n".join([*parts, NOT_RUN, "\n".join(missing), "## Sources", named]) + "\n"


def short_form() -> str:
    """Return a table of the experiments that were run on the data of the published result."""
    lines = []
    for name, experiment in EXPERIMENTS.items():
        if experiment.has_source_result and rows(name, "full"):
            ours, size = _ours(name, "full"), f"{int(rows(name, 'full')[0]['test_size']):,}"
            figure = f"{experiment.published}"
            about = experiment.data["full"].about
            lines.append((f"{experiment.chapter}", experiment.title, about, figure, ours, size))
    return table(SHORT, lines) + "\n"


def _line(name: str, scale: str, sources: list[str], machines: list[str]) -> tuple[str, ...]:
    """Return the line of an experiment; sources and machines are given by number."""
    experiment, found = EXPERIMENTS[name], rows(name, scale)
    source = f" [{sources.index(experiment.source) + 1}]" if experiment.has_source_result else ""
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


def _ours(name: str, scale: str) -> str:
    found = rows(name, scale)
    if len(found) < 3:  # which is no spread yet
        return f"seeds so far: {len(found)}"
    ours = recorded.summarize(found)
    return f"{ours.mean:.3f} ± {ours.deviation:.3f} ({len(found)} seeds)"


def _machine(row: Row) -> str:
    return f"{row.get('machine') or 'not recorded'}; {row['versions']}"


def _path(scale: str) -> Path:
    return recorded.RESULTS / f"{scale}.csv"
