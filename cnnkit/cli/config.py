"""``run.yml``: what it may hold, and how it is read and written."""

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from cnnkit import files
from cnnkit.data.store import CONTENTS

import yaml
from pydantic import AfterValidator, BaseModel, Field, ValidationError

HEADER = '# A run of cnnkit. Change what you like. Paths count from this file; null means "none".\n'
# As in training.recipes. Those below are a head's, but for its slow learning rate there, 5e-5.
NETWORK = {"optimizer": "sgd", "momentum": 0.9, "epochs": 25, "decay": 0.1, "decay_every": 7}
# What YAML makes of backslashes in double quotes, as in "D:\temp".
ESCAPES = "\0\a\b\t\n\v\f\r\x1b\x85\xa0\u2028\u2029"
FREE = ("output", "training.epochs", "evaluation.every", "evaluation.after")  # in a run's course


def _from_file(path: Path, info: Any) -> Path:
    if set(str(path)) & set(ESCAPES):
        raise ValueError("a Windows path stands in single quotes, or with / for \\")
    path = ((info.context or Path()) / path.expanduser()).resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _for_sgd(value: float | None, info: Any) -> float | None:
    if value is not None and info.data.get("optimizer", "sgd") != "sgd":
        raise ValueError("it is for the optimizer sgd; set it to null")
    return value


Location = Annotated[Path, Field(strict=False), AfterValidator(_from_file)]  # from the file on
Number = Annotated[float, Field(strict=False)]  # since YAML reads 1e-3 as text
Share = Annotated[Number, Field(ge=0, lt=1)]
Momentum = Annotated[Share | None, AfterValidator(_for_sgd)]
Count = Annotated[int, Field(ge=1, le=100_000)]


def _option(default: Any, meaning: str, **limits: Any) -> Any:
    return Field(default, description=meaning, validate_default=True, **limits)


class _Section(BaseModel, extra="forbid", strict=True, allow_inf_nan=False): ...


class _Data(_Section):
    folder: Location = _option(..., "Photos, one folder a class, or such folders in train/, val/.")
    validation_share: Share = _option(0.2, "Of each class, for choosing the best weights.", ge=0.01)
    test_share: Share = _option(0.2, "Of each class, kept for the report. 0 for none.")
    skip_unusable: bool = _option(True, "Leave out unusable photos. With false, they stop the run.")


class _Base(_Section):
    network: Literal["densenet", "vgg16"] = _option("densenet", "densenet or vgg16.")
    weights: Literal["imagenet", "drawn"] = _option(
        "imagenet", "imagenet (photos; 29 MB to download, 59 for vgg16) or drawn (for practice)."
    )
    image_size: int = _option(224, "Pixels a side, to which photos are resized.", ge=32, le=4096)
    head_from: Location | None = _option(None, "For mode network: a head's run, to begin with.")


class _Training(_Section):
    optimizer: Literal["adam", "sgd", "rmsprop"] = _option("adam", "adam, sgd or rmsprop.")
    learning_rate: Number = _option(1e-3, "Too large, and the loss jumps.", ge=1e-8, le=10)
    momentum: Momentum = _option(None, "Share of a step that the next one keeps, for sgd only.")
    batch_size: Count = _option(8, "Photos a step.")
    epochs: Count = _option(10, "How often each photo is seen.")
    decay: Number = _option(0.85, "Factor of the learning rate at each decay.", ge=1e-3, le=1)
    decay_every: Count | None = _option(3, "Epochs between decays. Null: none.")


class _Evaluation(_Section):
    every: Count | None = _option(100, "Steps between evaluations. Null: at an epoch's end only.")
    after: int = _option(3, "Epochs at the beginning that are evaluated at their end only.", ge=0)
    floor: Share = _option(0.0, "Weights below this accuracy are not kept as the best.")


class Run(_Section):
    """A run. Its output holds ``run.yml``, ``photos`` that had to be split, and ``training``."""

    mode: Literal["head", "network"] = _option(
        "head",
        "What to train: head (a new last layer; minutes) or network (all of it; hours; best after "
        "a head). Each has its own values for training, which `cnnkit init --mode` writes.",
    )
    output: Location = _option("run", "The folder for the run and its results.")
    seed: int = _option(0, "Decides everything random.", ge=0, le=2**32 - 1)
    data: _Data
    base: _Base = _Base()
    training: _Training = _Training()
    evaluation: _Evaluation = _Evaluation()

    @property
    def photos(self) -> Path:
        """The folder with ``train``, ``validation`` and perhaps ``test``."""
        split = self.output / "photos"
        return split if (split / CONTENTS).is_file() else self.data.folder  # if we made it


def read(path: Path) -> Run:
    """Read a file that describes a run; a ValueError names all mistakes in it."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; `cnnkit init` and `cnnkit train` write it.")
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
        return Run.model_validate(values, context=path.parent)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        hint = "\nA Windows path stands in single quotes, or with / for \\."
        raise ValueError(f"{path} is no YAML: {error}{hint * ('escape' in str(error))}") from None
    except ValidationError as error:
        problems = ""
        for e in error.errors():
            given = "" if isinstance(e["input"], dict) else f" (given: {e['input']})"
            problems += f"\n  {'.'.join(map(str, e['loc'])) or 'all'}: {e['msg']}{given}"
        raise ValueError(f"{path} has mistakes:{problems}") from None


def write(run: Run, path: Path) -> None:
    """Write a file that describes a run, with what each value means."""
    text = "\n".join([HEADER, *_lines(run, path.parent), ""])
    files.replace(path, lambda file: file.write(text.encode()))


def _lines(section: _Section, folder: Path, indent: str = "") -> Iterator[str]:
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        yield from (f"{indent}# {line}" for line in textwrap.wrap(field.description or "", 94))
        if isinstance(value, _Section):
            yield from (f"\n{name}:", *_lines(value, folder, "  "))
            continue
        if isinstance(value, Path):
            try:
                value = Path(os.path.relpath(value, folder.resolve())).as_posix()
            except ValueError:  # on another drive of Windows
                value = value.resolve().as_posix()
        yield indent + yaml.safe_dump({name: value}, allow_unicode=True, width=10**6).rstrip()


def differences(one: _Section, other: _Section, section: str = "") -> list[str]:
    """Say in what two descriptions differ that makes them other runs. More epochs do not."""
    found = []
    for (name, there), (_, here) in zip(one, other, strict=True):
        if isinstance(there, _Section):
            found += differences(there, here, f"{name}.")
        elif there != here and section + name not in FREE:
            found.append(f"{section}{name} is {there} there and {here} here")
    return found
