"""A description that suits a folder of photos, for a first run or for one that goes on from it."""

import dataclasses
from pathlib import Path
from typing import Any

from cnnkit import data as photos
from cnnkit.cli.config import Config, complete, relative
from cnnkit.cli.runs import Run
from cnnkit.data.checking import check_classes, list_photos

SHARED = ("validation_share", "test_share", "skip_unusable")  # by runs on the same photos


def suggest(folder: Path, file: Path, output: Path, given: dict[str, Any]) -> Config:
    """Return a description that suits a folder of photos, split already or not.

    Parameters
    ----------
    folder : Path
        With a folder for each class, or with ``train`` and ``validation``, and perhaps ``test``.
    file : Path
        Where the description will be.
    output : Path
        Where the run will be.
    given : dict
        What is known of it, by name; of a section, a dict.

    Raises
    ------
    FileNotFoundError
        There is no such folder.
    ValueError
        A class has no photo, or there are too few of them.
    """
    parts = photos.find_parts(folder)
    for part in parts.values() or [folder]:
        for path, reason in check_classes(part, list_photos(part)[0]):
            raise ValueError(f"{path}: {reason}")
    folders = {f"{part}_folder": found for part, found in parts.items()} or {"folder": folder}
    paths = {name: relative(found, file.parent) for name, found in folders.items()}
    known = {"data": given.get("data", {}) | paths, "output": relative(output, file.parent)}
    return complete(given | known, file.parent)


def after(head: Run, file: Path, output: Path, weights: str | None) -> dict[str, Any]:
    """Return what a run of the whole network takes over from the run of its head.

    Parameters
    ----------
    head : Run
    file, output : Path
        As in `suggest`.
    weights : str, optional
        What the user says that the base knows.

    Raises
    ------
    ValueError
        It is no run of a head, or is where the new run would be, or has other weights.
    """
    base = head.config.base
    if head.config.mode != "head":
        raise ValueError(f"{head.folder} is no run of a head; name another --head-from.")
    if head.folder.resolve() == output.resolve():
        raise ValueError(f"{output} is the run of the head; name another --output for this one.")
    if weights not in (None, base.weights):
        raise ValueError(
            f"{head.folder} has the weights {base.weights}, and --weights says {weights}. A head "
            "fits the base it was trained on: leave --weights out."
        )
    return {
        "mode": "network",
        "seed": head.config.seed,
        "base": dataclasses.asdict(base) | {"head_from": relative(head.folder, file.parent)},
        "data": {name: getattr(head.config.data, name) for name in SHARED},
    }
