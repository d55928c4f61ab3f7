"""The command line: ``cnnkit``, for people who want no notebook. It only joins the parts."""

import dataclasses
import json
import os
import traceback
import warnings
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from cnnkit import data, training
from cnnkit.cli import config, datasets, reading, reports
from cnnkit.cli.runs import Run

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """Tells an error in one line, takes ``--debug`` anywhere, and says how a run goes on."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Bring ``--debug`` to where it belongs, before the command."""
        args = ["--debug"] * ("--debug" in args) + [each for each in args if each != "--debug"]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: _note(str(message))
            try:
                return super().invoke(ctx)
            except KeyboardInterrupt:
                goes_on = " The same command goes on where this one was."
                _say(f"\nInterrupted.{goes_on if ctx.invoked_subcommand == 'train' else ''}")
                raise typer.Exit(130) from None
            except BrokenPipeError:
                raise  # of `cnnkit … | head`
            except Exception as error:
                if type(error).__module__.startswith(("click", "typer")):
                    raise  # a wrong command line, or the end
                if ctx.params["debug"]:
                    traceback.print_exc()
                _say(f"Error: {_in_one_line(error)}")
                raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A folder that train has made.")]
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
    debug: Annotated[bool, typer.Option(help="Show where an error comes from.")] = False,
) -> None:
    """Classify your own photos.

    Exit codes: 0 all is well, 1 something is wrong (the last line says what), 2 the command line is
    wrong, 130 interrupted.
    """


@app.command("data")
def prepare(
    dataset: Annotated[datasets.Name, typer.Argument(help="A data set of the course.")],
    scale: Annotated[datasets.Scale, typer.Option(help="Small, or as published.")] = (
        datasets.Scale.sample
    ),
    split: Annotated[
        datasets.Split, typer.Option(help="Of cats_vs_dogs: half is for chapter 7.")
    ] = datasets.Split.small,
    folder: Annotated[
        Path | None, typer.Option(help="Where drawings go: photos, if not given.")
    ] = None,
) -> None:
    """Prepare a data set of the course, check it, and say what is there.

    Drawings are four classes of animals to practise on.
    """
    photos = datasets.prepare(dataset, scale, split, folder, typer.echo)
    if photos:
        check(photos)


@app.command()
def check(folder: Annotated[Path, typer.Argument(help="Photos, one folder a class.")]) -> None:
    """Count the photos of each class, and name every file that is not usable."""
    photos = problems = 0
    for part in data.find_parts(folder).values() or [folder]:
        found = data.check_folder(part)
        for name, count in found.classes.items():
            typer.echo(f"{part / name}: {count:,} photos")
        for path, reason in found.problems:
            typer.echo(f"{path}: {reason}")
        photos, problems = photos + sum(found.classes.values()), problems + len(found.problems)
    typer.echo(f"{photos:,} usable photos, {problems or 'no'} problem{'s' * (problems != 1)}")
    if problems:
        raise typer.Exit(1)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Photos, one folder a class.")],
    file: Annotated[Path, typer.Option(help="The file to write.")] = Path("run.yml"),
    mode: Annotated[Mode, typer.Option(help="Train a new last layer, or all.")] = Mode.head,
    weights: Annotated[
        Weights | None, typer.Option(help="What the base knows; imagenet, if not told.")
    ] = None,
    head_from: Annotated[
        Path | None,
        typer.Option(help="For network: a run of a head, to begin with, and to take the base of."),
    ] = None,
    output: Annotated[Path, typer.Option(help="The folder of the run.")] = Path("run"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a file that describes a run, with every value and what it means."""
    if file.exists() and not force:
        raise FileExistsError(f"{file} is there already; name another --file, or --force it.")
    base = {"weights": weights.value} if weights else {}
    if head_from is not None:
        of_head = dataclasses.asdict(Run.open(head_from, _say).config.base)
        if weights and weights != of_head["weights"]:
            raise ValueError(
                f"{head_from} has the weights {of_head['weights']}, and --weights says {weights}. "
                "A head fits the base it was trained on: leave --weights out."
            )
        base = of_head | {"head_from": config.relative(head_from, file.parent)}
    described = config.suggest(folder, file, mode.value, base, output)
    config.write(described, file)
    typer.echo(f"{file} describes the run. Read it, change it, and call: cnnkit train {file}")


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
        _say("Note: KERAS_DISTRIBUTION_JOB_ADDRESSES counts with --distribute only.")
    with training.distributed() if distribute else nullcontext(training.Processes()) as processes:
        say = _say if processes.first else _say_nothing
        run = Run(described.path(described.output), described, say, processes)
        run.train()
    if processes.first:
        _report(run, None)


@app.command()
def evaluate(
    run: RunFolder,
    folder: Annotated[Path | None, typer.Argument(help="Other photos to judge it on.")] = None,
) -> None:
    """Judge a run on the photos that were kept for it, or on a folder."""
    _report(Run.open(run, _say), folder)


@app.command()
def predict(
    run: RunFolder,
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE…", help="Photos.")],
    as_json: Annotated[bool, typer.Option("--json", help="For other programs.")] = False,
) -> None:
    """Say what photos show."""
    answers = list(reports.predict(Run.open(run, _say), images))
    good = [answer for answer in answers if "error" not in answer]
    width = max((len(answer["class"]) for answer in good), default=0)
    table = [f"{a['class']:{width}}  {a['probability']:6.1%}  {a['file']}" for a in good]
    for line in [json.dumps(answers, indent=2, ensure_ascii=False)] if as_json else table:
        typer.echo(line)
    for answer in answers:
        if "error" in answer:
            _say(f"Error: {answer['error']}")
    if len(good) < len(answers):
        raise typer.Exit(1)


@app.command()
def similar(
    run: RunFolder,
    image: Photo,
    count: Annotated[int, typer.Option(min=1, help="How many to find.")] = 5,
) -> None:
    """Find the training photos that are most like a photo."""
    found, picture = reports.similar(Run.open(run, _say), image, count)
    for path, distance in found:
        typer.echo(f"{distance:.3f}  {path}")
    typer.echo(f"They stand side by side in {picture}")


def _report(run: Run, folder: Path | None) -> None:
    report, photos, path = reports.judge(run, folder)
    typer.echo(f"{report}\n\non {photos}\nA heatmap and the mistakes are in {path}")


def _in_one_line(error: Exception) -> str:
    text = str(error)
    if isinstance(error, OSError) and error.strerror:  # without its number
        text = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    elif not isinstance(error, ValueError | OSError | FloatingPointError):
        text = f"{type(error).__name__}: {text}; --debug shows where"
    return " ".join(text.split())


def _note(text: str) -> None:
    if text.startswith("Glyph"):  # matplotlib says it letter by letter
        text = "no font here has some letters of your classes' names, which heatmaps show as boxes"
        warnings.filterwarnings("ignore", "Glyph")
    _say(f"Note: {text}")


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _say_nothing(text: str) -> None:
    pass
