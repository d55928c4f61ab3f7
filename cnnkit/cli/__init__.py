"""The command line: ``cnnkit``, for people who want no notebook. It only joins the parts."""

import json
import os
import shlex
import subprocess
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from cnnkit import data, training
from cnnkit.cli import config, datasets, reading, reports, suggesting
from cnnkit.cli.runs import Run
from cnnkit.cli.telling import Commands, say, say_nothing, tell_version

import typer

app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train has made.")]
PhotoFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="Photos, one folder a class.")]
Photo = Annotated[Path, typer.Argument(metavar="IMAGE", help="A photo.")]


class Mode(StrEnum):
    """What is trained."""

    head = "head"
    network = "network"


class Weights(StrEnum):
    """What the base was trained on."""

    imagenet = "imagenet"
    drawn = "drawn"


@app.callback()
def main(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=tell_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    """Classify your own photos.

    Exit codes: 0 all is well, 1 something is wrong (the last line says what), 2 the command line is
    wrong, 130 interrupted.
    """


@app.command("data")
def prepare(
    dataset: Annotated[
        datasets.Name, typer.Argument(metavar="DATASET", help="A data set of the course.")
    ],
    scale: Annotated[datasets.Scale, typer.Option(help="Small, or as published.")] = (
        datasets.Scale.sample
    ),
    split: Annotated[
        datasets.Split | None, typer.Option(help="Of cats_vs_dogs: half is for chapter 7.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where drawings go: photos, if not given.")
    ] = None,
) -> None:
    """Prepare a data set of the course.

    It is checked, and what is there is told. Drawings are four classes of animals to practise on.
    """
    photos = datasets.prepare(dataset, scale, split, folder, typer.echo)
    if photos:
        check(photos)


@app.command()
def check(folder: PhotoFolder) -> None:
    """Count the photos of each class, and name what is not usable."""
    photos = problems = 0
    for part in data.find_parts(folder).values() or [folder]:
        found = data.check_folder(part)
        for name, count in found.classes.items():
            typer.echo(f"{part / name}: {_counted(count, 'photo')}")
        for path, reason in found.problems:
            typer.echo(f"{path}: {reason}")
        photos, problems = photos + sum(found.classes.values()), problems + len(found.problems)
    typer.echo(f"{_counted(photos, 'usable photo')}, {_counted(problems, 'problem')}")
    if problems:
        raise typer.Exit(1)


@app.command()
def init(
    folder: PhotoFolder,
    file: Annotated[Path, typer.Option(help="The file to write.")] = Path("run.yml"),
    mode: Annotated[
        Mode | None, typer.Option(help="Train a new last layer, if not told, or all.")
    ] = None,
    weights: Annotated[
        Weights | None, typer.Option(help="What the base knows; imagenet, if not told.")
    ] = None,
    head_from: Annotated[
        Path | None,
        typer.Option(help="A run of a head, to begin with; its base is taken, and all trained."),
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder of the run.")] = Path("run"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a file that describes a run, and explains every value."""
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder; name a --file in it.")
    if file.exists() and not force:
        raise FileExistsError(f"{file} is there already; name another --file, or --force it.")
    base = {"weights": weights.value} if weights else {}
    given = {"mode": (mode or Mode.head).value, "base": base}
    if head_from is not None:
        if mode == Mode.head:
            raise ValueError("--head-from is for --mode network; leave one of them out.")
        given = suggesting.after(Run.open(head_from, say), file, output, weights)
    config.write(suggesting.suggest(folder, file, output, given), file)
    quote = subprocess.list2cmdline if os.name == "nt" else shlex.join
    command = quote(["cnnkit", "train", str(file)])
    typer.echo(f"{file} describes the run. Read it, change it, and call: {command}")


@app.command()
def train(
    file: Annotated[Path, typer.Argument(metavar="CONFIG", help="From init.")],
    distribute: Annotated[
        bool, typer.Option("--distribute", help="With other processes that call the same.")
    ] = False,
) -> None:
    """Train a classifier, or go on with an interrupted run.

    With --distribute, several processes or machines train one classifier, on KERAS_BACKEND=jax.
    Each calls the same command, with KERAS_DISTRIBUTION_JOB_ADDRESSES (host:port of the first),
    KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID (from 0) in its environment.
    """
    described = reading.read(file)
    if not distribute and os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES"):
        say("Note: KERAS_DISTRIBUTION_JOB_ADDRESSES counts with --distribute only.")
    if distribute and not os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES"):
        say("Note: KERAS_DISTRIBUTION_JOB_ADDRESSES is not set, so no other process takes part.")
    alone = nullcontext(training.distribution.current())
    with training.distributed() if distribute else alone as processes:
        tell = say if processes.first else say_nothing
        run = Run(described.path(described.output), described, tell, processes)
        run.train()
    if processes.first:
        _report(run, None)


@app.command()
def evaluate(
    run: RunFolder,
    folder: Annotated[Path | None, typer.Argument(help="Other photos to judge it on.")] = None,
) -> None:
    """Judge a run on the photos that were kept for it, or on a folder."""
    _report(Run.open(run, say), folder)


@app.command()
def predict(
    run: RunFolder,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Photos.")],
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """Say what photos show."""
    answers = list(reports.predict(Run.open(run, say), images))
    good = [answer for answer in answers if "error" not in answer]
    width = max((len(answer["class"]) for answer in good), default=0)
    table = [f"{a['class']:{width}}  {a['probability']:6.1%}  {a['file']}" for a in good]
    for line in [json.dumps(answers, indent=2, ensure_ascii=False)] if as_json else table:
        typer.echo(line)
    for answer in answers:
        if "error" in answer:
            say(f"Error: {answer['error']}")
    if len(good) < len(answers):
        raise typer.Exit(1)


@app.command()
def similar(
    run: RunFolder,
    image: Photo,
    count: Annotated[int, typer.Option(min=1, max=20, help="How many to find.")] = 5,
) -> None:
    """Find the training photos that are most like a photo."""
    found, picture = reports.similar(Run.open(run, say), image, count)
    for path, distance in found:
        typer.echo(f"{distance:.3f}  {path}")
    typer.echo(f"They stand side by side in {picture}")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}" if number else f"no {noun}s"


def _report(run: Run, folder: Path | None) -> None:
    report, photos, path = reports.judge(run, folder)
    typer.echo(f"{report}\n\non {photos}\nA heatmap and the mistakes are in {path}")
