"""Where the faces in drawn pictures are."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cnnkit import files

import numpy as np
from PIL import Image

NAME = "boxes.csv"
COLUMNS = ("file", "left", "top", "right", "bottom")


def face_boxes(file_paths: Sequence[str | Path], image_size: tuple[int, int]) -> np.ndarray:
    """Return the bounding boxes of the faces in drawn pictures resized to (height, width).

    `file_paths` are as `data.image_folder` lists them, from folders with a ``boxes.csv``. The boxes
    are integers, (n, 4): left, top, right and bottom in pixels; the last two lie just outside.
    """
    paths = [Path(path) for path in file_paths]
    tables = {folder: read(folder) for folder in {path.parent.parent for path in paths}}
    found = []
    for path in paths:
        folder, name = path.parent.parent, f"{path.parent.name}/{path.name}"
        if name not in tables[folder]:
            cure = "Draw the pictures again, into a new folder"
            raise ValueError(f"{folder / NAME} does not list {name}. {cure}.")
        with Image.open(path) as image:
            scale = np.divide(image_size[::-1], image.size)
        left_top, right_bottom = np.reshape(tables[folder][name], (2, 2)) * scale
        found.append([*np.floor(left_top), *np.ceil(right_bottom)])
    return np.array(found, int).reshape(-1, 4)


def read(folder: Path) -> dict[str, list[int]]:
    """Read the boxes of a folder of drawings: left, top, right and bottom by the name of a file."""
    path = folder / NAME
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; only drawn pictures have such a table.")
    with path.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    return {name: [int(number) for number in box] for name, *box in rows}


def write(folder: Path, boxes: Mapping[str, Iterable[int]]) -> None:
    """Write the boxes of a folder of drawings."""
    files.write_table(folder / NAME, [COLUMNS, *((name, *box) for name, box in boxes.items())])
