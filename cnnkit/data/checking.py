"""Which files of a folder of photos are usable, and why the others are not."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from cnnkit.data.photos import EXTENSIONS, NO_PILLOW, content, decode_all

import numpy as np

# Names in lower case; so are all with a dot in front.
SYSTEM = ["thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "__pycache__"]
SYSTEM += ["@eadir", "$recycle.bin", "lost+found", "system volume information"]
HIDDEN, DEAD = "a hidden or system file; delete it", "no regular file"
RENAME = "its name is in another encoding; rename it"


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
    photos, problems = list_photos(folder := Path(path).expanduser())
    problems |= decode_all(photos)
    counts = Counter(photo.parent for photo in photos if photo not in problems)
    classes = {class_name(entry.name): counts[entry] for entry in class_folders(folder)}
    problems |= _check_classes(folder, counts)
    return FolderCheck(classes, [Unusable(*problem) for problem in sorted(problems.items())])


def find_copies(*folders: str | Path) -> list[list[Path]]:
    """List the photos that are byte for byte the same, within and across classes and folders."""
    found = defaultdict[bytes, list[Path]](list)
    for photo in chain(*(list_photos(Path(folder).expanduser())[0] for folder in folders)):
        found[content(photo)].append(photo)
    return [same for known, same in found.items() if known and len(same) > 1]


def class_folders(folder: Path) -> list[Path]:
    """List the folders that are classes, in the order of their names."""
    if not folder.is_dir():
        expected = "expected one that holds a folder for each class"
        raise FileNotFoundError(f"{folder.absolute()} is no folder; {expected}.")
    return [entry for entry in _by_name(folder) if entry.is_dir() and _no_photo(entry) != HIDDEN]


def class_name(name: str) -> str:
    """Return the name of a class in the form NFC, as a Mac may not have it on its disk."""
    return unicodedata.normalize("NFC", name)


def list_photos(folder: Path) -> tuple[list[Path], dict[Path, str]]:
    """List the files of each class that may be photos, and what is wrong without opening them."""
    if _wrong_level(folder):  # which `_check_classes` tells
        return [], {}
    kinds = [kind for kind in class_folders(folder) if _no_photo(kind) != RENAME]
    found = {entry: _no_photo(entry) for kind in kinds for entry in _by_name(kind)}
    photos = [entry for entry, reason in found.items() if not reason]
    for entry in _by_name(folder):
        if (reason := _no_photo(entry)) in (None, HIDDEN, DEAD):
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
        text = f"{folder} has {count}. Mend or delete them{way_out}:{''.join(lines)}"
        raise ValueError(text.encode(errors="replace").decode())
    return np.array(usable)


def _check_classes(
    folder: Path, filled: Collection[Path], names: Sequence[str] | None = None
) -> dict[Path, str]:
    if wrong_level := _wrong_level(folder):
        return {folder: wrong_level}
    classes = class_folders(folder)
    first = {class_name(entry.name).lower(): entry for entry in classes[::-1]}
    twins = [entry for entry in classes if first[class_name(entry.name).lower()] != entry]
    wrong = dict.fromkeys(twins, "it looks like another class's name; merge the two")
    wrong |= dict.fromkeys([entry for entry in classes if _no_photo(entry) == RENAME], RENAME)
    if names is None:
        bad = [entry for entry in classes if entry not in filled]
        reason = "a class without a usable photo; fill or delete it"
        held = f"only the class folder {classes[0].name!r}" if classes else "no class folder"
        few = f"{held}; expected two or more" if len(classes) < 2 else ""
    else:
        known = list(map(class_name, names))
        bad = [entry for entry in classes if class_name(entry.name) not in known]
        reason = f"it is none of the classes {', '.join(names)}; rename or remove it"
        few = "" if filled else "no usable photo of a known class"
    return dict.fromkeys(bad, reason) | wrong | ({folder: f"it holds {few}"} if few else {})


def _wrong_level(folder: Path) -> str | None:
    """Say which folder is meant, where the one above or below the right one was given."""

    def holds_photos(place: Path) -> bool:
        return any(_no_photo(entry) is None for entry in place.iterdir())

    classes = class_folders(folder)
    if _is_odd(str(folder.absolute())):
        return f"{RENAME}, or the one above it"
    if not classes and holds_photos(folder):
        return "it holds photos and no folder for each class; make these, or give the folder above"
    if not classes or any(map(holds_photos, classes)):  # most folders need no look below
        return None
    if all(any(map(holds_photos, class_folders(entry))) for entry in classes):
        part = next((e for e in classes if e.name.lower().startswith("train")), classes[0])
        place = f"{folder.absolute().name}/{part.name}"
        return f"the classes lie one folder deeper; give one such as {place}"
    return None


def _by_name(folder: Path) -> list[Path]:
    """List a folder in the same order on every system: capitals first, as sorted strings."""
    return sorted(folder.iterdir(), key=lambda entry: class_name(entry.name))


def _is_odd(name: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in name)  # bytes that are no UTF-8


def _no_photo(entry: Path) -> str | None:
    if entry.name.startswith(".") or entry.name.lower() in SYSTEM:
        return HIDDEN
    if _is_odd(entry.name):
        return RENAME
    if entry.is_dir():
        return "a folder inside of a class; move its photos up, or make it a class"
    if not entry.is_file():
        return DEAD
    if entry.suffix.lower() in (".heic", ".heif", ".avif"):
        return NO_PILLOW
    if entry.suffix.lower() not in EXTENSIONS:
        return f"no photo by its extension, {entry.suffix!r}; rename it, or remove it"
    return None
