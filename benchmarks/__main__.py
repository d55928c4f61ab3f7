"""Command line: ``python -m benchmarks``, ``… NAME``, ``… results NAME… --scale sample``."""

import concurrent.futures
import multiprocessing
import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from benchmarks.measuring import Measured, run

import typer

BENCHMARKS = {  # and about how many minutes each takes on two cores
    "training_step": "A step of each network, against PyTorch and the matrix product. 6 minutes.",
    "input_pipeline": "Epochs of a folder of photos, against Keras's loader. 4 minutes.",
    "transfer": "What it saves to run frozen layers once. 18 minutes.",
    "ten_crop": "Ten-crop prediction, against the source's way. 6 minutes.",
    "shakenet": "A step of ShakeNet, against plain additions and PyTorch. 3 minutes.",
    "distributed": "Two processes that train together, against one. 6 minutes.",
    "startup": "From nothing to a batch and to a prediction. 5 minutes.",
}
PAGES = Path(__file__).parent / "measured"
Save = Annotated[bool, typer.Option(help="Write the tables into benchmarks/measured.")]

app = typer.Typer(add_completion=False)


class Scale(StrEnum):
    """The course's two scales."""

    sample = "sample"
    full = "full"


@app.callback(invoke_without_command=True)
def main(context: typer.Context, save: Save = False) -> None:
    """Measure what the course promises: all of it, or what is named."""
    if context.invoked_subcommand is None:
        _run(BENCHMARKS, save)
    elif save:
        raise typer.BadParameter("--save comes after the name of a benchmark.")


@app.command()
def results(
    names: Annotated[list[str] | None, typer.Argument(help="Experiments; all if none.")] = None,
    scale: Annotated[Scale, typer.Option(help="Sample or published data.")] = Scale.sample,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 0,
    seed: Annotated[list[int] | None, typer.Option(min=0, help="One seed; repeatable.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that are recorded.")] = False,
) -> None:
    """Run experiments once a seed, record what they give, and write RESULTS.md.

    Seeds 0 to 4 are recorded in benchmarks/results, each as soon as it ends.

    Other seeds are trials: they run each time, and go to runs/trials, which no spread reads.
    """
    from benchmarks.experiments import EXPERIMENTS, pages, recording
    from cnnkit.evaluation import recorded

    chosen = seed or range(first_seed, first_seed + seeds)
    names = names or list(EXPERIMENTS)
    if unknown := set(names) - set(EXPERIMENTS):
        raise typer.BadParameter(f"no experiment {min(unknown)!r}; there are {list(EXPERIMENTS)}")
    for name in names:
        for number in chosen:
            reported = number in recording.REPORTED
            if reported and not again and recording.rows(name, scale, [number]):
                typer.echo(f"{name}, seed {number}: is recorded; --again runs it anew")
                continue
            row = recording.run(name, scale, number)
            where = "" if reported else f", a trial in {recording.TRIALS}"
            typer.echo(f"{name}, seed {number}: {row['figure']} in {row['seconds']} s{where}")
            pages.write()
        rows = recording.rows(name, scale, chosen)
        found = recorded.summarize(rows) if len(rows) > 1 else rows[0]["figure"]
        typer.echo(f"{name}: {found}; published: {pages.published(name)}")


def _run(names: Iterable[str], save: bool) -> None:
    """Run benchmarks, print and perhaps save what they found, and end with what does not hold."""
    wrong = []
    for name in names:
        typer.echo(f"== {name}: {BENCHMARKS[name]}")
        try:
            measured = in_a_process_of_its_own(name)
        except Exception as error:  # which must not cost the others
            wrong.append(f"- {name} failed: {error}")
            typer.echo(f"\n{wrong[-1]}\n")
            continue
        page = measured.page()
        typer.echo(f"\n{page}\n")
        wrong += [f"- {name}, {ratio}" for ratio in measured.ratios if not ratio.holds]
        if save:
            PAGES.mkdir(exist_ok=True)
            text = f"# {name}\n\n`python -m benchmarks {name}`\n\n{page}\n"
            (PAGES / f"{name}.md").write_text(text, encoding="utf-8")
    typer.echo("\n".join(["What does not hold:", *wrong]) if wrong else "All promises hold.")
    if wrong:
        raise typer.Exit(1)


def in_a_process_of_its_own(name: str) -> Measured:
    """Run a benchmark on the processor, so that it finds nothing that another has left."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # both sides compute on the same machine
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawn) as executor:
        return executor.submit(run, name).result()


def _command(name: str) -> None:
    def command(save: Save = False) -> None:
        _run([name], save)

    app.command(name, help=BENCHMARKS[name])(command)


for _name in BENCHMARKS:
    _command(_name)

if __name__ == "__main__":
    app()
