"""Which files of a folder of photos are usable, and why the others are not."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from cnnkit.data.photos import EXTENSIONS, decode_all

import numpy as np

SYSTEM_FILES = ("thumbs.db", "desktop.ini")  # and all that begin with a dot
HIDDEN = "a hidden or system file; delete it"


class Unusable(NamedTuple):
    """A file or folder that cannot be used, and why."""

    path: Path
    reason: str


class FolderCheck(NamedTuple):
    """How many usable photos each class of a folder has, and what is wrong with the rest."""

    classes: dict[str, int]
    problems: list[Unusable]


def check_images(path: str | Path) -> list[Unusable]:
    """Find what is wrong in a folder of photos, with one folder a class, by decoding all.

    It returns a list of (path, reason): files that cannot be read or are no plain photos, system
    files, and folders that are no class: nested, hidden, empty, or too few of them. Files beside
    the class folders are ignored, unless they are photos or system files.
    """
    return check_folder(path).problems


def check_folder(path: str | Path) -> FolderCheck:
    """Count the usable photos of each class, and find what is wrong, as `check_images` does."""
    photos, problems = list_photos(folder := Path(path))
    problems |= decode_all(photos)
    counts = Counter(photo.parent for photo in photos if photo not in problems)
    classes = {entry.name: counts[entry] for entry in class_folders(folder)}
    problems |= _check_classes(folder, counts)
    return FolderCheck(classes, [Unusable(*problem) for problem in sorted(problems.items())])


def class_folders(folder: Path) -> list[Path]:
    """List the folders that are classes, in the order of their names."""
    if not folder.is_dir():
        expected = "expected one that holds a folder for each class"
        raise FileNotFoundError(f"{folder.absolute()} is no folder; {expected}.")
    return [entry for entry in _by_name(folder) if entry.is_dir() and _no_photo(entry) != HIDDEN]


def list_photos(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """List the files of each class that may be photos, and what is wrong without opening them."""
    if _wrong_level(folder):  # which `_check_classes` tells
        return [], {}
    found = {entry: _no_photo(entry) for kind in class_folders(folder) for entry in _by_name(kind)}
    photos = [entry for entry, reason in found.items() if not reason]
    for entry in _by_name(folder):
        if (reason := _no_photo(entry)) in (None, HIDDEN):
            found[entry] = reason or "it lies outside of the class folders; move it"
    return photos, {entry: reason for entry, reason in found.items() if reason}


def usable_photos(
    folder: Path,
    photos: list[Path],
    problems: dict[Path, str],
    skip_unusable: bool,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the numbers of the usable photos, or raise ValueError with all that is wrong.

    Where `names` says which classes there are, the folder may lack some of them.
    """
    usable = [number for number, photo in enumerate(photos) if photo not in problems]
    wrong = _check_classes(folder, {photos[number].parent for number in usable}, names)
    way_out = "" if wrong else ", or leave the files out with skip_unusable=True"
    if told := sorted((wrong if skip_unusable else wrong | problems).items()):
        lines = [f"\n  {path.relative_to(folder.parent)}: {reason}" for path, reason in told]
        lines[20:] = ["\n  … and more: data.check_images lists all"] * (len(told) > 20)
        count = f"{len(told)} problem{'s' * (len(told) > 1)}"
        raise ValueError(f"{folder} has {count}. Mend or delete them{way_out}:{''.join(lines)}")
    return np.array(usable)


def _check_classes(
    folder: Path, filled: Collection[Path], names: Sequence[str] | None = None
) -> dict[Path, str]:
    if wrong_level := _wrong_level(folder):
        return {folder: wrong_level}
    classes = class_folders(folder)
    if names is None:
        bad = [entry for entry in classes if entry not in filled]
        reason = "a class without a usable photo; fill or delete it"
        held = f"only the class folder {classes[0].name!r}" if classes else "no class folder"
        few = f"{held}; expected two or more" if len(classes) < 2 else ""
    else:
        bad = [entry for entry in classes if entry.name not in names]
        reason = f"it is none of the classes {', '.join(names)}; rename or remove it"
        few = "" if filled else "no usable photo of a known class"
    return dict.fromkeys(bad, reason) | ({folder: f"it holds {few}"} if few else {})


def _wrong_level(folder: Path) -> str | None:
    """Say which folder is meant, where the one above or below the right one was given."""

    def holds_photos(place: Path) -> bool:
        return any(_no_photo(entry) is None for entry in place.iterdir())

    classes = class_folders(folder)
    if not classes and holds_photos(folder):
        return "it holds photos and no folder for each class; give the folder above it"
    if not classes or any(map(holds_photos, classes)):  # most folders need no look below
        return None
    if all(any(map(holds_photos, class_folders(entry))) for entry in classes):
        part = "train" if folder / "train" in classes else classes[0].name
        return f"the classes lie one folder deeper; give one such as {folder.name}/{part}"
    return None


def _by_name(folder: Path) -> list[Path]:
    """List a folder in the same order on every system: capitals first, as sorted strings."""
    return sorted(folder.iterdir(), key=lambda entry: entry.name)


def _no_photo(entry: Path) -> str | None:
    if entry.name.startswith((".", "__")) or entry.name.lower() in SYSTEM_FILES:
        return HIDDEN
    if entry.is_dir():
        return "a folder inside of a class; move its photos up, or make it a class"
    if not entry.is_file():
        return "no regular file"
    if entry.suffix.lower() in (".heic", ".heif"):
        return "a HEIC photo, which Pillow cannot read; convert it to JPEG"
    if entry.suffix.lower() not in EXTENSIONS:
        return f"no photo by its extension, {entry.suffix!r}; rename it, or remove it"
    return None
