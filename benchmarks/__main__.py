"""Command line: ``python -m benchmarks results NAME… --scale sample --seeds 5``."""

from enum import StrEnum
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True)


class Scale(StrEnum):
    """The course's two scales."""

    sample = "sample"
    full = "full"


@app.callback()
def main() -> None:
    """Measure what the course promises."""


@app.command()
def results(
    names: Annotated[list[str] | None, typer.Argument(help="Experiments; all if none.")] = None,
    scale: Annotated[Scale, typer.Option(help="Sample or published data.")] = Scale.sample,
    seeds: Annotated[int, typer.Option(min=2, help="Runs of each, seeds 0, 1, …")] = 5,
) -> None:
    """Run experiments once a seed, and record their test accuracies in benchmarks/results."""
    from benchmarks.experiments import EXPERIMENTS
    from benchmarks.results import run, write
    from cnnkit.evaluation import recorded, spread

    names = names or list(EXPERIMENTS)
    if unknown := set(names) - set(EXPERIMENTS):
        raise typer.BadParameter(f"no experiment {min(unknown)!r}; there are {list(EXPERIMENTS)}")
    for name in names:
        rows = []
        for row in run(EXPERIMENTS[name], scale, range(seeds)):
            rows.append(row)
            typer.echo(f"{name}, seed {row['seed']}: {row['figure']} in {row['seconds']} s")
        write(rows, recorded.RESULTS / f"{scale}.csv")
        published = "not published"
        if EXPERIMENTS[name].published is not None:
            published = (
                f"published: {EXPERIMENTS[name].published:.3f} in {EXPERIMENTS[name].source}"
            )
        typer.echo(f"{name}: {spread(name, scale)}; {published}")


@app.command()
def photos() -> None:
    """Measure what feeding photos from a folder costs in time and memory. Needs a few minutes."""
    from benchmarks.photos import report

    report()


@app.command()
def transfer() -> None:
    """Measure what it saves to run frozen layers once. Needs about a quarter of an hour."""
    from benchmarks.transfer import report

    report()


@app.command("ten_crop")
def ten_crop() -> None:
    """Measure ten-crop prediction against the source's way. Needs a few minutes."""
    from benchmarks.ten_crop import report

    report()


@app.command()
def shakenet() -> None:
    """Measure a step of ShakeNet against plain additions and PyTorch. Needs two minutes."""
    from benchmarks.shakenet import report

    report()


if __name__ == "__main__":
    app()
