"""Drawn animals: photos for those who have none.

Faces of eighteen species, drawn with Pillow from a seed. The shapes of ears, muzzle, eyes and
markings tell the species; fur, pose, background, light and size do not.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

from cnnkit import checks
from cnnkit.data.drawings import boxes
from cnnkit.data.drawings.boxes import face_boxes
from cnnkit.data.drawings.faces import draw_face
from cnnkit.data.drawings.scenes import Box, draw_scene
from cnnkit.data.drawings.species import SPECIES
from cnnkit.data.store import build_once

import numpy as np
from PIL import Image
from tqdm import tqdm

__all__ = ["SPECIES", "VERSION", "draw", "face_boxes", "write"]

VERSION = 2  # the drawings change with it
SIDES = (100, 160)  # pixels, where no size is given
SMALLEST = 16
GOLDEN = (5**0.5 - 1) / 2  # of the circle of hues, from one species to the next

Size = int | tuple[int, int] | None


def draw(
    species: str, random: np.random.Generator, size: Size = None, background: str = "neutral"
) -> tuple[Image.Image, Box]:
    """Draw one animal of `SPECIES`; the generator `random` decides everything else.

    Parameters
    ----------
    size : int or (height, width), optional
        In pixels, at least 16; without it, each side is drawn between 100 and 160.
    background : {"neutral", "species"}
        ``"species"`` gives each species a background of one hue, so that a network can cheat.

    Returns
    -------
    image, box : PIL.Image.Image, (left, top, right, bottom)
        RGB, and the face's bounding box in pixels; right and bottom lie just outside.
    """
    checks.one_of("species", species, SPECIES)
    checks.one_of("background", background, ("neutral", "species"))
    height, width = random.integers(SIDES[0], SIDES[1] + 1, size=2) if size is None else _pair(size)
    hue = GOLDEN * list(SPECIES).index(species) % 1 if background == "species" else None
    return draw_scene(draw_face(SPECIES[species], random), int(width), int(height), random, hue)


def write(
    directory: str | Path,
    species: Sequence[str],
    per_class: int,
    seed: int,
    size: Size = None,
    background: str = "neutral",
) -> Path:
    """Write a data set of drawn animals: JPEG files, one folder a species.

    The same arguments give the same bytes, on one version of Pillow; a second call with them
    returns at once. ``boxes.csv`` beside the class folders holds the bounding box of each face.

    Parameters
    ----------
    directory, species : str or Path, sequence of str
        Must not hold anything else; it is returned. Each of the species, from `SPECIES`, becomes a
        folder in it, with the files ``cat.0.jpg``, ``cat.1.jpg``, …
    per_class, seed : int
        Pictures of each species, of which the first are the same for any number; and from 0.
    size, background
        As in `draw`.
    """
    species = [species] if isinstance(species, str) else list(species)
    for name in species:
        checks.one_of("species", name, SPECIES)
    checks.one_of("background", background, ("neutral", "species"))
    if not species or len(set(species)) < len(species):
        raise ValueError(f"species is {species}; expected one or more names, each once.")
    checks.whole_number("per_class", per_class, least=1)
    checks.whole_number("seed", seed, least=0)
    size = None if size is None else _pair(size)
    contents = f"{per_class} drawings each of {' '.join(species)}, version {VERSION}, "
    contents += f"seed {seed}, size {size}, background {background}"

    def make(folder: Path) -> None:
        faces, drawn = [(kind, n) for kind in species for n in range(per_class)], {}
        for kind in species:
            (folder / kind).mkdir()
        for kind, n in tqdm(faces, desc="drawing", unit="picture", delay=2, leave=False):
            random = np.random.default_rng((seed, zlib.crc32(kind.encode()), n))
            image, drawn[f"{kind}/{kind}.{n}.jpg"] = draw(kind, random, size, background)
            image.save(folder / kind / f"{kind}.{n}.jpg", quality=int(random.integers(80, 96)))
        boxes.write(folder, drawn)

    return build_once(Path(directory).expanduser(), contents, make)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    height, width = (size, size) if isinstance(size, int | np.integer) else size
    if min(height, width) < SMALLEST:
        raise ValueError(f"size is {size}; expected at least {SMALLEST} pixels a side.")
    return int(height), int(width)
