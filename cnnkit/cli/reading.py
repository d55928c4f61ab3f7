"""Reading the file that describes a run: every mistake is named, with its line."""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnkit.cli.config import Config

import yaml

KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a word",
    types.NoneType: "null",
}


def read(path: Path) -> Config:
    """Read a run's description.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        Something in it is unknown, of the wrong kind, or impossible. The message names the first
        such thing with its line, and the nearest right name.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is missing"
        raise FileNotFoundError(f"{path} {what}; `cnnkit init` writes such a file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        values = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no text in UTF-8; save it as such.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ValueError(f"{path}, line {line}: this is no YAML: {error.problem}.") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}.") from None
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{path} holds no settings; expected lines such as `mode: head`.")
    reader = _Reader(path)
    config = reader.section(Config, node, values, "")
    reader.check(config, node)
    return dataclasses.replace(config, home=path.parent)


class _Reader:
    """Turns a YAML mapping into a section, and finds what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def section(self, kind: type, node: yaml.MappingNode, values: Any, prefix: str) -> Any:
        known = {each.name: each for each in dataclasses.fields(kind) if each.name != "home"}
        hints, found, seen = typing.get_type_hints(kind), {}, set[str]()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise self._error(key, f"{prefix}{name} is given twice; keep one")
            if name not in known:
                raise self._error(key, f"{prefix}{name} is unknown; {_nearest(name, known)}")
            seen.add(name)
            if dataclasses.is_dataclass(hints[name]):
                if not isinstance(value, yaml.MappingNode):
                    inner = ", ".join(each.name for each in dataclasses.fields(hints[name]))
                    raise self._error(value, f"{name} is a section; expected {inner} below it")
                found[name] = self.section(hints[name], value, values[name], f"{name}.")
            else:
                given, limits = values[name], known[name].metadata
                found[name] = self._value(value, f"{prefix}{name}", given, hints[name], limits)
        return kind(**found)

    def check(self, config: Config, node: yaml.MappingNode) -> None:
        """Refuse values that are impossible together."""
        photos, sgd = config.data, config.training.optimizer == "sgd"
        parts = photos.train_folder, photos.validation_folder
        if photos.folder is None and None in parts:
            raise self._error(node, "data names no photos; set data.folder, or both "
                              "data.train_folder and data.validation_folder")  # fmt: skip
        if photos.folder is not None and {*parts, photos.test_folder} != {None}:
            raise self._error(node, "data.folder and folders of its parts are both given; keep one")
        if photos.validation_share + photos.test_share >= 1:
            raise self._error(node, "data.validation_share and data.test_share leave nothing to "
                              "train on; together, they have to be below 1")  # fmt: skip
        if config.training.momentum is not None and not sgd:
            raise self._error(node, f"training.momentum is {config.training.momentum}, and "
                              f"{config.training.optimizer} has none; set it to null")  # fmt: skip

    def _value(
        self, node: yaml.Node, name: str, given: Any, hint: Any, limits: Mapping[str, Any]
    ) -> Any:
        kinds = typing.get_args(hint) or (hint,)
        if float in kinds and isinstance(given, str):  # YAML takes 1e-3 for text
            given = _number(given)
        if float in kinds and type(given) is int:
            given = float(given)
        if type(given) not in kinds:
            expected = limits.get("choices") or [KINDS[kind] for kind in kinds]
            raise self._error(node, f"{name} is {given!r}; expected {' or '.join(expected)}")
        if choices := limits.get("choices"):
            if given not in choices:
                close = _nearest(given, choices)
                raise self._error(node, f"{name} is {given!r}; {close}")
        elif isinstance(given, float | int) and not isinstance(given, bool):
            if problem := _outside(given, **{k: v for k, v in limits.items() if k != "about"}):
                raise self._error(node, f"{name} is {given}; expected {problem}")
        elif given == "":
            raise self._error(node, f"{name} is empty; expected a path")
        return given

    def _error(self, node: yaml.Node, problem: str) -> ValueError:
        return ValueError(f"{self._path}, line {node.start_mark.line + 1}: {problem}.")


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _outside(
    value: float, least: float = 0, most: float = math.inf, below: float = math.inf
) -> str | None:
    """Say in which range a number should be, if it is outside."""
    if math.isfinite(value) and least <= value <= most and value < below:
        return None
    ends = f"{most:g}" if most < math.inf else f"below {below:g}" if below < math.inf else ""
    return f"{least:g} to {ends}" if ends else f"{least:g} or more"


def _nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the name that was meant, here or in a section, or list those that there are."""
    everywhere = {inner: f"{outer}.{inner}" for outer, inner in _all_names()}
    if close := difflib.get_close_matches(name, list(known), 1):
        return f"did you mean {close[0]}?"
    if close := difflib.get_close_matches(name, everywhere, 1):
        return f"did you mean {everywhere[close[0]]}?"
    return f"expected {' or '.join(known)}"


def _all_names() -> Iterator[tuple[str, str]]:
    for section, kind in typing.get_type_hints(Config).items():
        if dataclasses.is_dataclass(kind):
            for each in dataclasses.fields(kind):
                yield section, each.name
