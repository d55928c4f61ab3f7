"""The command line: ``cnnkit``, for people who want no notebook. It only joins the parts."""

import json
import sys
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from cnnkit import data
from cnnkit.cli import config
from cnnkit.data.checking import class_name

import typer
from typer import Argument, Option
from typer.core import TyperGroup

PER_CLASS = 100  # drawings of each species
DataSet = StrEnum("DataSet", "digits mnist cifar10 cats_vs_dogs ants_and_bees drawings")
Photos = Annotated[Path, Argument(exists=True, file_okay=False, help="Photos, one folder a class.")]
RunFolder = Annotated[Path, Argument(metavar="RUN", help="A folder that train has made.")]


class _Commands(TyperGroup):
    """The commands. What a user can mend ends in a message and exit code 1, not in a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (ValueError, OSError, ImportError, FloatingPointError) as error:
            if ctx.params["debug"] or isinstance(error, BrokenPipeError):  # as of `cnnkit … | head`
                raise
            typer.echo(f"Error: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(cls=_Commands, add_completion=False, no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def main(debug: Annotated[bool, Option("--debug", help="Show tracebacks.")] = False) -> None:
    """Classify your own photos. Exit code 1: something is wrong; 2: the command line is."""
    # A terminal's encoding may lack a letter.
    getattr(sys.stdout, "reconfigure", lambda **_: None)(errors="replace")


@app.command("data")
def prepare(
    dataset: Annotated[DataSet, Argument(help="A data set of the course.")],
    scale: Annotated[str, Option(help="sample, or full: as published.")] = "sample",
    split: Annotated[str, Option(help="Of cats_vs_dogs: small, or half: chapter 7.")] = "small",
    source: Annotated[str | None, Option(help="Of cats_vs_dogs: microsoft, no account.")] = None,
    folder: Annotated[Path, Option(help="Where drawings go.")] = Path("photos"),
) -> None:
    """Prepare a data set of the course, or draw animals to practise on; say what is there."""
    if dataset == "drawings":  # of species that no drawn weights have seen
        check(data.drawings.write(folder, ("cow", "horse", "koala", "owl"), PER_CLASS, seed=0))
    elif dataset == "ants_and_bees":
        check(data.ants_and_bees())
    elif dataset == "cats_vs_dogs":
        check(data.cats_vs_dogs(scale, split, source=source))
    else:
        parts = data.digits() if dataset == "digits" else getattr(data, dataset)(scale)
        for part, (x, _) in zip(("training", "test"), parts, strict=True):
            typer.echo(f"{part}: {len(x):,} images of {x.shape[1]}×{x.shape[2]} pixels")


@app.command()
def check(folder: Photos) -> None:
    """Count the photos of each class, and name what is not usable."""
    photos, problems, parts = 0, 0, data.find_parts(folder).values() or [folder]
    for part in parts:
        found = data.check_folder(part)
        for name, count in found.classes.items():
            typer.echo(f"{part / name}: {count:,} photos")
        for path, reason in found.problems:
            typer.echo(f"{path}: {reason}")
        photos, problems = photos + sum(found.classes.values()), problems + len(found.problems)
    if copies := [(a, b) for a, *others in data.find_copies(*parts) for b in others]:
        mixed = sum(class_name(a.parent.name) != class_name(b.parent.name) for a, b in copies)
        apart = f"in another part: {sum(a.parts[:-2] != b.parts[:-2] for a, b in copies):,}"
        typer.echo(f"copies, byte for byte: {len(copies):,}; in another class: {mixed:,}, {apart}")
    typer.echo(f"usable photos: {photos:,}, problems: {problems:,}")
    raise typer.Exit(min(problems, 1))


@app.command()
def init(
    folder: Photos,
    file: Annotated[Path, Option(help="The file to write.")] = Path("run.yml"),
    mode: Annotated[str, Option(help="What to train: head (default) or network.")] = "",
    weights: Annotated[str, Option(help="Weights of the base: imagenet or drawn.")] = "imagenet",
    head_from: Annotated[Path | None, Option(help="A head's run to begin with.")] = None,
    output: Annotated[Path, Option(help="The folder of the run.")] = Path("run"),
    force: Annotated[bool, Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write a file that describes a run, and explains every value."""
    mode = mode or ("network" if head_from else "head")
    if file.exists() and not force:
        raise FileExistsError(f"{file} is there already; name another --file, or --force it.")
    drawn, network = weights == "drawn", mode == "network"
    suited = config.NETWORK if network else {"learning_rate": 5e-3 if drawn else 1e-3}
    base: Any = {"weights": weights, "image_size": 112 if drawn else 224}
    given: dict[str, Any] = {"mode": mode, "output": output, "data": {"folder": folder}}
    if head_from is not None:
        head = config.read(head_from / "run.yml")
        base = {**dict(head.base), "head_from": head_from}
        given |= {"seed": head.seed, "data": {**dict(head.data), "folder": folder}}
    config.write(config.Run.model_validate(given | {"base": base, "training": suited}), file)
    typer.echo(f'{file} describes the run. Read it, change it, and call: cnnkit train "{file}"')


@app.command()
def train(
    file: Annotated[Path, Argument(metavar="CONFIG", help="From init.")],
    distribute: Annotated[bool, Option("--distribute", help="Share it with processes.")] = False,
) -> None:
    """Train a classifier, or resume an interrupted training.

    With --distribute, processes on KERAS_BACKEND=jax share it; in each one's environment stand
    KERAS_DISTRIBUTION_JOB_ADDRESSES (host:port of the first), …_NUM_PROCESSES and …_PROCESS_ID.
    """
    run = config.read(file)
    from cnnkit.cli import runs

    with runs.training.distributed() if distribute else nullcontext():
        runs.train(run)
        first = runs.training.distribution.current().first
    if first:
        typer.echo(runs.report(run))


@app.command()
def evaluate(
    run: RunFolder,
    folder: Annotated[Path | None, Argument(help="Other photos to evaluate it on.")] = None,
) -> None:
    """Evaluate a run on the photos that were kept for it, or on a folder."""
    from cnnkit.cli import runs

    typer.echo(runs.report(config.read(run / "run.yml"), folder))


@app.command()
def predict(
    run: RunFolder,
    images: Annotated[list[Path], Argument(metavar="IMAGE", help="Photos.")],
    as_json: Annotated[bool, Option("--json", help="For other programs.")] = False,
) -> None:
    """Say what photos show."""
    from cnnkit.cli import runs

    answers = runs.predict(config.read(run / "run.yml"), images)
    width = max(len(answer["class"]) for answer in answers)
    table = [f"{a['class']:{width}}  {a['probability']:6.1%}  {a['file']}" for a in answers]
    typer.echo(json.dumps(answers, indent=2) if as_json else "\n".join(table))


@app.command()
def similar(
    run: RunFolder,
    image: Annotated[Path, Argument(help="A photo.")],
    count: Annotated[int, Option(min=1, max=20, help="How many to find.")] = 5,
) -> None:
    """Find the training photos that are most like a photo."""
    from cnnkit.cli import runs

    found, picture = runs.similar(config.read(run / "run.yml"), image, count)
    typer.echo("\n".join(f"{distance:.3f}  {path}" for path, distance in found))
    typer.echo(f"They stand side by side in {picture}")
