"""The data sets of the course, prepared and described for the command line."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from cnnkit import data

# The drawings to practise on: species that no drawn weights have seen.
SPECIES, PER_CLASS, SEED = ("cow", "horse", "koala", "owl"), 100, 0


class Name(StrEnum):
    """The data sets."""

    digits = "digits"
    mnist = "mnist"
    cats_vs_dogs = "cats_vs_dogs"
    drawings = "drawings"


class Scale(StrEnum):
    """The course's two scales."""

    sample = "sample"
    full = "full"


def prepare(name: Name, scale: Scale, folder: Path) -> Iterator[str]:
    """Prepare a data set, and yield lines that say what is there.

    Parameters
    ----------
    name : Name
    scale : Scale
        Digits and drawings have one alone.
    folder : Path
        Where drawings go.
    """
    if name in (Name.digits, Name.mnist):
        parts = data.digits() if name == Name.digits else data.mnist(scale)
        for part, (images, labels) in zip(("training", "test"), parts, strict=True):
            form = "×".join(map(str, images.shape[1:3]))
            classes = len(set(labels.tolist()))
            yield f"{part}: {len(images):,} pictures of {form} pixels, {classes} classes"
        return
    if name == Name.drawings:
        folder = data.drawings.write(folder, SPECIES, PER_CLASS, SEED)
    else:
        folder = data.cats_vs_dogs(scale)
    for inner in data.find_parts(folder).values() or [folder]:
        found = data.check_folder(inner)
        counts = ", ".join(f"{count:,} {kind}" for kind, count in found.classes.items())
        yield f"{inner}: {counts}; {len(found.problems) or 'no'} unusable files"
