"""The data sets of the course, prepared for the command line."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from cnnkit import data

# The drawings to practise on: species that no drawn weights have seen.
SPECIES, PER_CLASS, SEED = ("cow", "horse", "koala", "owl"), 100, 0


class Name(StrEnum):
    """The data sets."""

    digits = "digits"
    mnist = "mnist"
    cifar10 = "cifar10"
    cats_vs_dogs = "cats_vs_dogs"
    ants_and_bees = "ants_and_bees"
    drawings = "drawings"


class Scale(StrEnum):
    """The course's two scales."""

    sample = "sample"
    full = "full"


class Split(StrEnum):
    """The two ways in which the course takes cats and dogs."""

    small = "small"
    half = "half"


def prepare(
    name: Name,
    scale: Scale,
    split: Split | None,
    folder: Path | None,
    say: Callable[[str], object],
) -> Path | None:
    """Prepare a data set; describe pictures that are arrays, or return the folder of photos.

    Parameters
    ----------
    name : Name
    scale : Scale
        Of MNIST, CIFAR-10, and cats and dogs; the others have one alone.
    split : Split, optional
        Of cats and dogs: few photos, or for AlexNet half of them for training.
    folder : Path, optional
        Where drawings go; "photos" where it is not given.
    say : callable
        Takes a line that describes pictures.

    Raises
    ------
    ValueError
        A folder for another data set than the drawings, or a split for another than cats and
        dogs.
    """
    if split and name != Name.cats_vs_dogs:
        raise ValueError(f"--split is for cats_vs_dogs; leave it out for {name}.")
    if name == Name.drawings:
        return data.drawings.write(folder or Path("photos"), SPECIES, PER_CLASS, SEED)
    if folder is not None:
        raise ValueError(
            f"--folder is for drawings; {name} lies in the data folder, which the environment "
            "variable CNNKIT_DATA names."
        )
    if name == Name.ants_and_bees:
        return data.ants_and_bees()
    if name == Name.cats_vs_dogs:
        return data.cats_vs_dogs(scale, split or Split.small)
    arrays = {Name.mnist: data.mnist, Name.cifar10: data.cifar10}
    parts = data.digits() if name == Name.digits else arrays[name](scale)
    for part, (images, labels) in zip(("training", "test"), parts, strict=True):
        form = "×".join(map(str, images.shape[1:3]))
        classes = len(set(labels.tolist()))
        say(f"{part}: {len(images):,} pictures of {form} pixels, {classes} classes")
    return None
