"""Which files of a folder of photos are usable, and why the others are not."""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from cnnkit.data.photos import EXTENSIONS, Unusable, decode_all

import numpy as np

SYSTEM_FILES = ("thumbs.db", "desktop.ini")  # and all that begin with a dot
HIDDEN = "a hidden or system file; delete it"
SHOWN = 20  # problems in a message


class FolderCheck(NamedTuple):
    """How many usable photos each class of a folder has, and what is wrong with the rest."""

    classes: dict[str, int]
    problems: list[Unusable]


def check_images(path: str | Path) -> list[Unusable]:
    """Find what is wrong in a folder of photos, with one folder a class.

    Every photo is decoded to its last pixel. What passes can be trained with. Files beside the
    class folders are ignored, unless they are photos or system files.

    Returns
    -------
    list of (path, reason)
        Files that cannot be read or are no plain photos, system files, and folders that are no
        class: nested, hidden, empty, or too few of them.
    """
    return check_folder(path).problems


def check_folder(path: str | Path) -> FolderCheck:
    """Count the usable photos of each class, and find what is wrong, as `check_images` does."""
    photos, problems = list_photos(folder := Path(path))
    problems += decode_all(photos)
    usable = set(photos) - {problem.path for problem in problems}
    counts = Counter(photo.parent.name for photo in usable)
    classes = {entry.name: counts[entry.name] for entry in class_folders(folder)}
    return FolderCheck(classes, sorted(problems + _check_classes(folder, usable)))


def class_folders(folder: Path) -> list[Path]:
    """List the folders that are classes, in the order of their names."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder.absolute()} is no folder; expected one that holds a folder for each class."
        )
    return [entry for entry in _by_name(folder) if entry.is_dir() and not _hidden(entry)]


def list_photos(folder: Path) -> tuple[list[Path], list[Unusable]]:
    """List the files of each class that may be photos, and what is wrong without opening them."""
    classes = class_folders(folder)
    if _wrong_level(folder, classes):  # which `_check_classes` tells
        return [], []
    problems = []
    for entry in (entry for entry in _by_name(folder) if entry not in classes):
        if _hidden(entry):
            problems.append(Unusable(entry, HIDDEN))
        elif entry.suffix.lower() in EXTENSIONS:
            problems.append(Unusable(entry, "it lies outside of the class folders; move it"))
    found = {entry: _no_photo(entry) for kind in classes for entry in _by_name(kind)}
    problems += [Unusable(entry, reason) for entry, reason in found.items() if reason]
    return [entry for entry, reason in found.items() if not reason], problems


def usable_photos(
    folder: Path,
    photos: list[Path],
    problems: list[Unusable],
    skip_unusable: bool,
    names: Sequence[str] | None = None,
) -> np.ndarray:
    """Return the numbers of the usable photos, or raise ValueError with all that is wrong.

    Where `names` says which classes there are, the folder may lack some of them.
    """
    bad = {problem.path for problem in problems}
    usable = [number for number, photo in enumerate(photos) if photo not in bad]
    wrong = _check_classes(folder, {photos[number] for number in usable}, names)
    advice = "These classes cannot be used:"
    if problems and not skip_unusable:
        way_out = "" if wrong else ", or leave the files out with skip_unusable=True"
        wrong, advice = sorted(problems + wrong), f"Mend or delete them{way_out}:"
    if wrong:
        count = "1 problem" if len(wrong) == 1 else f"{len(wrong)} problems"
        named = ((path.relative_to(folder.parent), reason) for path, reason in wrong[:SHOWN])
        lines = "".join(f"\n  {path}: {reason}" for path, reason in named)
        more = f"\n  … and {len(wrong) - SHOWN} more, which data.check_images lists"
        raise ValueError(f"{folder} has {count}. {advice}{lines}{more * (len(wrong) > SHOWN)}")
    return np.array(usable)


def _check_classes(
    folder: Path, usable: Collection[Path], names: Sequence[str] | None = None
) -> list[Unusable]:
    classes, filled = class_folders(folder), {photo.parent for photo in usable}
    if reason := _wrong_level(folder, classes):
        return [Unusable(folder, reason)]
    if names is not None:
        reason = f"it is none of the classes {', '.join(names)}; rename or remove it"
        problems = [Unusable(entry, reason) for entry in classes if entry.name not in names]
        nothing = [Unusable(folder, "it holds no usable photo of a known class")]
        return problems or ([] if usable else nothing)
    empty = "a class without a usable photo; fill or delete it"
    problems = [Unusable(entry, empty) for entry in classes if entry not in filled]
    if len(classes) < 2:
        held = f"only the class folder {classes[0].name!r}" if classes else "no class folder"
        problems.append(Unusable(folder, f"it holds {held}; expected two or more"))
    return problems


def _wrong_level(folder: Path, classes: list[Path]) -> str | None:
    """Say which folder is meant, where the one above or below the right one was given."""

    def holds_photos(place: Path) -> bool:
        return any(_no_photo(entry) is None for entry in place.iterdir())

    if not classes and holds_photos(folder):
        return "it holds photos and no folder for each class; give the folder above it"
    deeper = all(any(map(holds_photos, class_folders(entry))) for entry in classes)
    if classes and deeper and not any(map(holds_photos, classes)):
        part = next((entry for entry in classes if entry.name == "train"), classes[0])
        return f"the classes lie one folder deeper; give one such as {folder.name}/{part.name}"
    return None


def _by_name(folder: Path) -> list[Path]:
    """List a folder in the same order on every system: capitals first, as sorted strings."""
    return sorted(folder.iterdir(), key=lambda entry: entry.name)


def _no_photo(entry: Path) -> str | None:
    if _hidden(entry):
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


def _hidden(path: Path) -> bool:
    return path.name.startswith((".", "__")) or path.name.lower() in SYSTEM_FILES
