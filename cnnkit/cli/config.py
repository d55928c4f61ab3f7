"""What describes a run, section by section, and the file that says it with every value."""

import dataclasses
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnkit import files
from cnnkit.training import recipes

import yaml

RECIPES = {"head": recipes.HEAD_ONLY, "network": recipes.WHOLE_NETWORK}
# The published 5e-5 belongs to a long run; it moves next to nothing in ten short epochs.
RATES = {("head", "imagenet"): 1e-3, ("head", "drawn"): 5e-3}
SIZES = {"imagenet": 224, "drawn": 112}  # of the photos that the weights were trained on

HEADER = """\
# A run of cnnkit: which photos to learn from, what to train and how, and where the result goes.
# Change what you like. Paths count from the folder that this file is in; null means "none".
"""


def option(default: Any, about: str, **limits: Any) -> Any:
    """Make a field of a section: its default, what it means, and what it may be.

    Limits are ``choices``, ``least``, ``most`` and ``below``.
    """
    return field(default=default, metadata={"about": about, **limits})


@dataclass(frozen=True)
class Data:
    """Where the photos are."""

    folder: str | None = option(
        None, "Your photos, with a folder for each class. They are split into three parts."
    )
    validation_share: float = option(
        0.2, "Share of each class that decides which weights are the best.", least=0.01, below=1
    )
    test_share: float = option(
        0.2, "Share of each class that is kept for the report. 0 for none.", least=0, below=1
    )
    train_folder: str | None = option(
        None, "Instead of `folder`: the parts, where your photos are split already."
    )
    validation_folder: str | None = option(None, "")
    test_folder: str | None = option(None, "")
    skip_unusable: bool = option(
        True, "Leave files out that are no usable photos. With false, they stop the run."
    )


@dataclass(frozen=True)
class Base:
    """The network that was trained before."""

    network: str = option(
        "densenet",
        "The trained network to build on: densenet or vgg16.",
        choices=("densenet", "vgg16"),
    )
    weights: str = option(
        "imagenet",
        "What it was trained on: imagenet (photos; 29 MB to download, 59 for vgg16), or drawn\n"
        "(drawings; comes with cnnkit, for practice).",
        choices=("imagenet", "drawn"),
    )
    image_size: int = option(224, "Pixels a side, to which each photo is resized.", least=32)
    head_from: str | None = option(
        None, "For mode network: the output of a head's run on the same photos, to begin with."
    )


@dataclass(frozen=True)
class Training:
    """How the weights are found."""

    optimizer: str = option(
        "adam",
        "How steps follow from gradients: adam, sgd or rmsprop.",
        choices=("adam", "sgd", "rmsprop"),
    )
    learning_rate: float = option(
        0.001, "How large the steps are. Too large, and the loss jumps.", least=1e-8, most=10
    )
    momentum: float | None = option(
        None, "Share of each step that the next one keeps, for sgd alone.", least=0, below=1
    )
    batch_size: int = option(8, "Photos a step.", least=1)
    epochs: int = option(10, "How often each photo is seen.", least=1)
    decay: float = option(
        0.85, "The learning rate is multiplied by this after every `decay_every` epochs.", most=1,
        least=0.001,
    )  # fmt: skip
    decay_every: int | None = option(3, "Null keeps the learning rate.", least=1)


@dataclass(frozen=True)
class Evaluation:
    """When the network is judged on the validation photos."""

    every: int | None = option(
        100, "Steps between two evaluations within an epoch. Null: at its end only.", least=1
    )
    after: int = option(3, "Epochs at the beginning that are judged at their end only.", least=0)
    floor: float = option(
        0.0, "Weights below this accuracy are not kept as the best.", least=0, most=1
    )


@dataclass(frozen=True)
class Config:
    """A whole run. `home` is the folder that its paths count from."""

    data: Data = field(default_factory=Data)
    base: Base = field(default_factory=Base)
    mode: str = option(
        "head",
        "What is trained: head (a new last layer; minutes, for few photos) or network (all of it;\n"
        "hours, for many; best after a run of a head). Each has its own values under training:\n"
        "`cnnkit init --mode network` writes those of the latter.",
        choices=("head", "network"),
    )
    training: Training = field(default_factory=Training)
    evaluation: Evaluation = field(default_factory=Evaluation)
    output: str = option("run", "The folder that the run and its results are kept in.")
    seed: int = option(
        0, "Decides everything random. Another one gives another run.", least=0, most=2**32 - 1
    )
    home: Path = Path()

    def path(self, name: str) -> Path:
        """Return a path of the file as one from here."""
        return Path(os.path.normpath(self.home / Path(name).expanduser()))


def complete(given: dict[str, Any], home: Path) -> Config:
    """Return a description; where a value is missing, with one that suits the mode and weights."""
    mode = given.get("mode", Config.mode)
    base, how = given.get("base", {}), given.get("training", {})
    weights = base.get("weights", Base.weights)
    recipe = RECIPES[mode]
    values = {each.name: getattr(recipe, each.name) for each in dataclasses.fields(Training)}
    values["learning_rate"] = RATES.get((mode, weights), recipe.learning_rate)
    if how.get("optimizer", recipe.optimizer) != recipe.optimizer:
        values["momentum"] = None
    sections = {
        "data": Data(**given.get("data", {})),
        "base": Base(**{"image_size": SIZES[weights], **base}),
        "training": Training(**{**values, **how}),
        "evaluation": Evaluation(**given.get("evaluation", {})),
    }
    return Config(**{**given, **sections}, home=home)


def relative(path: Path, folder: Path) -> str:
    """Return a path as it is seen from a folder; an absolute one stays absolute."""
    return Path(path if path.is_absolute() else os.path.relpath(path, folder)).as_posix()


def write(config: Config, path: Path) -> None:
    """Write a run's description to a file, with what each value means."""
    lines = [HEADER.rstrip()]
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if dataclasses.is_dataclass(value):
            lines += ["", f"{each.name}:"]
            for inner in dataclasses.fields(value):
                lines += _lines(inner, getattr(value, inner.name), "  ")
        elif each.name != "home":
            lines += ["", *_lines(each, value, "")]
    files.replace(path, lambda file: file.write(("\n".join(lines) + "\n").encode()))


def _lines(each: dataclasses.Field, value: Any, indent: str) -> list[str]:
    about = [f"# {line}" for line in each.metadata["about"].splitlines()]
    text = yaml.safe_dump(value, allow_unicode=True, width=math.inf).removesuffix("...\n")
    return [indent + line for line in (*about, f"{each.name}: {text.strip()}")]


def differences(one: Config, other: Config) -> list[str]:
    """Say in what two runs differ that makes them different runs. More epochs do not."""
    theirs = _values(other)
    return [
        f"{name} is {value} there and {theirs[name]} here"
        for name, value in _values(one).items()
        if value != theirs[name]
    ]


def _values(config: Config) -> dict[str, Any]:
    values: dict[str, Any] = {"mode": config.mode, "seed": config.seed}
    values["evaluation.floor"] = config.evaluation.floor
    for section in ("data", "base", "training"):
        for name, value in dataclasses.asdict(getattr(config, section)).items():
            if is_path(name) and value is not None:
                value = str(config.path(value).resolve())
            values[f"{section}.{name}"] = value
    del values["training.epochs"]
    return values


def is_path(name: str) -> bool:
    """Whether a value of this name is a path."""
    return name.endswith(("folder", "_from"))
