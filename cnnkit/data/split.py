"""Splitting a folder of photos into training, validation and test set."""

import shutil
import warnings
import zlib
from itertools import islice
from pathlib import Path

from cnnkit import checks
from cnnkit.data.checking import class_folders, class_name, list_photos, usable_photos
from cnnkit.data.photos import content, decode_all
from cnnkit.data.store import build_once

import numpy as np
from tqdm import tqdm

PARTS = {"train": ["train"], "validation": ["valid", "val", "validation"], "test": ["test"]}


def split_folder(
    source: str | Path,
    destination: str | Path,
    validation: float = 0.2,
    test: float = 0.2,
    seed: int = 0,
    skip_unusable: bool = False,
) -> Path:
    """Copy a folder of photos into ``train/``, ``validation/`` and ``test/``, class by class.

    Parameters
    ----------
    source, destination : str or Path
        A folder with a folder for each class, which stays as it is, and where to make the three
        folders, which is returned. It must hold nothing else. A second call is instant.
    validation, test, seed : float, float, int
        Shares of each class, in [0, 1), together below 1, and at least one photo; a part whose
        share is 0 is not made. The seed, from 0, decides which photos go where.
    skip_unusable : bool
        Leave out the files that `check_images` finds. Else a ValueError lists them.
    """
    checks.whole_number("seed", seed, least=0)
    shares = f"validation {validation}, test {test}"
    if not (0 <= validation < 1 and 0 <= test < 1 and validation + test < 1):
        raise ValueError(f"{shares}; expected shares, together below 1.")
    source, destination = (Path(path).expanduser() for path in (source, destination))
    if destination.resolve().is_relative_to(source.resolve()):
        raise ValueError(f"{destination} lies inside of {source}; choose a place outside.")
    photos, problems = list_photos(source)

    def make(folder: Path) -> None:
        usable = usable_photos(source, photos, problems | decode_all(photos), skip_unusable)
        random = np.random.default_rng(seed)
        copies: dict[Path, Path] = {}  # where to, where from
        sides: dict[bytes, str] = {}  # in which part the copies of a photo are kept together
        for kind in class_folders(source):
            inside = [photos[number] for number in usable if photos[number].parent == kind]
            known = {photo: content(photo) for photo in inside}
            free = list(dict.fromkeys(known[p] for p in inside if known[p] not in sides))
            drawn = iter([free[number] for number in random.permutation(len(free))])
            for part, count in _counts(kind, len(free), validation, test).items():
                sides |= dict.fromkeys(islice(drawn, count), part)
            for photo in inside:
                copies[folder / sides[known[photo]] / class_name(kind.name) / photo.name] = photo
        if more := len(copies) - len(sides):
            what = f"{more} photos are copies of others, byte for byte; they stay on one side"
            warnings.warn(f"{source}: {what}.", stacklevel=2)
        for target, photo in tqdm(copies.items(), "copying", delay=2, leave=False):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(photo, target)

    listed = "".join(f"{photo.relative_to(source)} {photo.stat().st_size} " for photo in photos)
    origin = f"{len(photos)} photos split from {source.name} ({zlib.crc32(listed.encode()):08x})"
    return build_once(destination, f"{origin}, {shares}, seed {seed}", make)


def find_parts(path: str | Path) -> dict[str, Path]:
    """Find ``train/``, ``validation/`` (``val/``, ``valid/``) and perhaps ``test/`` in a folder.

    The keys are ``"train"``, ``"validation"``, ``"test"``; without the first two, there are none.
    """
    there = {entry.name.lower(): entry for entry in class_folders(Path(path).expanduser())}
    parts = {
        part: there[name]
        for part, names in PARTS.items()
        for name in names
        if name in there and class_folders(there[name])
    }
    return parts if {"train", "validation"} <= parts.keys() else {}


def _counts(folder: Path, count: int, validation: float, test: float) -> dict[str, int]:
    """How many photos of a class go into each part; the test set is drawn first."""
    shares = {"test": test, "validation": validation}
    counts = {part: max(1, round(share * count)) for part, share in shares.items() if share}
    if sum(counts.values()) >= count:
        few = f"{folder} has too few different photos for {len(counts) + 1} such parts: {count}"
        raise ValueError(f"{few}. Add photos, or set a share to 0.")
    return counts | {"train": count - sum(counts.values())}
