"""Reading the file that describes a run: every mistake is named, with its line."""

import dataclasses
import difflib
import json
import math
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cnnkit.cli.config import Config, complete

import yaml

KINDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    types.NoneType: "null",
}

LARGE = 2**63  # out of any range


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
        raise ValueError(
            f"{path}, line {line}: not valid YAML: {error.problem}. Look at the spaces in front "
            "and the colons, here and in the line above."
        ) from None
    except (yaml.YAMLError, ValueError) as error:  # a date that there is not is the latter
        raise ValueError(f"{path}, not valid YAML: {error}.") from None
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{path} holds no settings; expected lines such as `mode: head`.")
    reader = _Reader(path)
    config = complete(reader.section(Config, node, values, ""), path.parent)
    reader.check(config, node)
    return config


class _Reader:
    """Reads the values of a section, and finds what is wrong with them."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def section(
        self, kind: type, node: yaml.MappingNode, values: Any, prefix: str
    ) -> dict[str, Any]:
        """Return the values that are given, by name."""
        known = {each.name: each for each in dataclasses.fields(kind) if each.name != "home"}
        hints, found = typing.get_type_hints(kind), dict[str, Any]()
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                raise self._error(key, f"{prefix}{name} is given twice; keep one.")
            if name not in known:
                raise self._error(key, f"{prefix}{name} is unknown; {_nearest(name, known)}")
            if dataclasses.is_dataclass(hints[name]):
                if not isinstance(value, yaml.MappingNode):
                    inner = ", ".join(each.name for each in dataclasses.fields(hints[name]))
                    raise self._error(value, f"{name} is a section; expected {inner} below it.")
                found[name] = self.section(hints[name], value, values[name], f"{name}.")
            else:
                given, limits = values[name], known[name].metadata
                found[name] = self._value(value, f"{prefix}{name}", given, hints[name], limits)
        return found

    def check(self, config: Config, node: yaml.MappingNode) -> None:
        """Refuse values that are impossible together."""
        lines = {key.value: key for key, _ in node.value}
        photos, algorithm = config.data, config.training
        parts = photos.train_folder, photos.validation_folder
        given = [part for part in (*parts, photos.test_folder) if part is not None]
        problem, section = "", "data"
        if photos.folder is None and None in parts:
            problem = (
                "data names no photos; set folder, or both train_folder and validation_folder."
            )
        elif photos.folder is not None and given:
            problem = "data.folder and folders of its parts are both given; set one to null."
        elif len({Path(part) for part in given}) < len(given):
            problem = "two parts of data are the same folder; expected different photos in each."
        elif photos.validation_share + photos.test_share >= 1:
            problem = "data.validation_share and data.test_share leave nothing to train on."
        elif config.base.head_from is not None and config.mode == "head":
            section = "base"
            problem = "base.head_from is for mode network; set it to null, or change the mode."
        elif algorithm.momentum is not None and algorithm.optimizer != "sgd":
            section = "training"
            problem = (
                f"training.momentum is {algorithm.momentum}, but {algorithm.optimizer} has none; "
                "set it to null, or take sgd."
            )
        if problem:
            raise self._error(lines.get(section, node), problem)

    def _value(
        self, node: yaml.Node, name: str, given: Any, hint: Any, limits: Mapping[str, Any]
    ) -> Any:
        kinds = typing.get_args(hint) or (hint,)
        if float in kinds and isinstance(given, str):  # YAML takes 1e-3 for text
            given = _number(given)
        if type(given) is int:
            given = max(-LARGE, min(given, LARGE))
        if float in kinds and type(given) is int:
            given = float(given)
        if choices := limits.get("choices"):
            expected = "" if given in choices else " or ".join(choices)
        elif type(given) not in kinds:
            expected = " or ".join(KINDS[kind] for kind in kinds)
        elif type(given) in (int, float):
            expected = _range(given, **{k: v for k, v in limits.items() if k != "about"})
        else:
            expected = "a path" if given == "" else ""
        if expected:
            text = json.dumps(given, ensure_ascii=False, default=str)
            raise self._error(node, f"{name} is {text}; expected {expected}.")
        return given

    def _error(self, node: yaml.Node, problem: str) -> ValueError:
        return ValueError(f"{self._path}, line {node.start_mark.line + 1}: {problem}")


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _range(value: float, least: float, most: float = math.inf, below: float = math.inf) -> str:
    """Say in which range a number should be; nothing where it is."""
    if math.isfinite(value) and least <= value <= most and value < below:
        return ""
    if most < math.inf:
        return f"{least:.12g} to {most:.12g}"
    return f"{least:g} or more" + (f", and below {below:g}" if below < math.inf else "")


def _nearest(name: str, known: Iterable[str]) -> str:
    """Suggest the name that was meant, here or in a section, or list those that there are."""
    everywhere = {inner: f"{outer}.{inner}" for outer, inner in _all_names()}
    if close := difflib.get_close_matches(name, list(known), 1):
        return f"did you mean {close[0]}?"
    if close := difflib.get_close_matches(name, everywhere, 1):
        return f"did you mean {everywhere[close[0]]}?"
    return f"expected {', '.join(known)}."


def _all_names() -> Iterator[tuple[str, str]]:
    for section, kind in typing.get_type_hints(Config).items():
        if dataclasses.is_dataclass(kind):
            for each in dataclasses.fields(kind):
                yield section, each.name
