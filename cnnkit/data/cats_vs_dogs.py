"""Cats and dogs: Kaggle's photos, or drawn ones that travel the same way."""

import errno
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cnnkit import checks
from cnnkit.data import drawings, kaggle_archive, store
from cnnkit.data.prepared import prepare

import numpy as np
from tqdm import tqdm

COMPETITION = "dogs-vs-cats"
KINDS = ("cat", "dog")
PHOTO = re.compile(r"(?:.*/)?(cat|dog)\.(\d+)\.jpg")

# Of each kind: all photos, and where train, validation and test of the split "small" end.
ALL = {"sample": 1_000, "full": 12_500}
SMALL = {"sample": (200, 300, 600), "full": (1_000, 1_500, 2_500)}

Numbers = dict[str, list[int]]  # of the photos of each kind


def cats_vs_dogs(
    scale: str, split: str = "small", sample_size: int | None = None, seed: int = 0
) -> Path:
    """Prepare the cats and dogs: a folder for each part, and in it one for each kind.

    The first call copies the photos out of the archive. Later ones are instant, and complete what
    an interruption or a deletion left incomplete.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` takes the photos from ``dogs-vs-cats.zip`` in the data folder, downloaded
        from Kaggle (812 MB) where it is missing. ``"sample"`` draws 600 of each kind, 1,000 for
        the split ``"half"``, with a ``boxes.csv`` in each part, as `drawings.write` has it.
    split : {"small", "half"}
        ``"small"``: 1,000 of each kind for training, 500 for validation and 1,000 for testing,
        by their numbers, as Chollet has them; in the sample 200, 100 and 300. ``"half"``: half
        of all photos for training, of which a fifth for validation, and half for testing, drawn
        by `seed`, as in the source of the AlexNet chapter.
    sample_size : int, optional
        Use only so many photos, half of them cats, in the same proportions.
    seed : int
        For the split ``"half"``.

    Returns
    -------
    Path
        A folder with ``train/``, ``validation/`` and ``test/``, in each ``cat/`` and ``dog/``.

    Raises
    ------
    ValueError
        An unknown scale or split, a sample size out of range, an archive that is damaged or
        something else.
    FileNotFoundError
        Full scale without the archive and without a way to get it. The message says how.
    OSError
        The disk is full, or the folder cannot be written.

    References
    ----------
    J. Elson, J. Douceur, J. Howell and J. Saul, "Asirra: A CAPTCHA that Exploits
    Interest-Aligned Manual Image Categorization", CCS 2007.
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, section 8.2.
    """
    choice = _Choice(scale, split, sample_size, seed)
    make = partial(_take_photos if scale == "full" else _draw_photos, choice)
    return prepare(store.place(f"cats_vs_dogs/{choice.name}"), f"cats and dogs {choice.name}", make)


@dataclass(frozen=True)
class _Choice:
    """Which photos go into which part."""

    scale: str
    split: str
    sample_size: int | None
    seed: int

    def __post_init__(self) -> None:
        checks.one_of("scale", self.scale, ("sample", "full"))
        checks.one_of("split", self.split, ("small", "half"))
        most = 2 * self.of_each_kind
        size = most if self.sample_size is None else self.sample_size
        if not 20 <= size <= most or size % 2:
            raise ValueError(f"sample_size is {size}; expected an even number, 20 to {most:,}.")
        checks.whole_number("seed", self.seed, least=0)

    @property
    def of_each_kind(self) -> int:
        """Number of photos that the split takes at the most."""
        return SMALL[self.scale][-1] if self.split == "small" else ALL[self.scale]

    @property
    def name(self) -> str:
        """Name of the folder that holds them."""
        words = [self.scale, self.split]
        if self.sample_size is not None:
            words.append(str(self.sample_size))
        if self.split == "half":
            words.append(f"seed{self.seed}")
        if self.scale == "sample":
            words.append(f"v{drawings.VERSION}")
        return "-".join(words)

    def parts(self, there: Numbers) -> dict[str, Numbers]:
        """Choose from the photos that are there."""
        chosen = (self._small if self.split == "small" else self._half)(there)
        return dict(zip(("train", "validation", "test"), chosen, strict=True))

    def _small(self, there: Numbers) -> list[Numbers]:
        ends = np.array(SMALL[self.scale])
        starts = np.array((0, *ends[:-1]))
        share = 1 if self.sample_size is None else self.sample_size / (2 * ends[-1])
        counts = np.rint(share * (ends - starts)).astype(int)
        counts[-1] = round(share * ends[-1]) - counts[:-1].sum()
        return [
            {kind: list(range(start, start + count)) for kind in KINDS}
            for start, count in zip(starts.tolist(), counts.tolist(), strict=True)
        ]

    def _half(self, there: Numbers) -> list[Numbers]:
        count = self.of_each_kind if self.sample_size is None else self.sample_size // 2
        fewest = min(len(there[kind]) for kind in KINDS)
        if fewest < count:
            raise ValueError(
                f"it holds {fewest:,} photos of a kind, and the split asks for {count:,}. To use "
                f'those that are there: data.cats_vs_dogs("full", "half", sample_size={2 * fewest})'
            )
        random = np.random.default_rng(self.seed)
        train, validation = count // 2, count // 2 // 5
        shuffled = {kind: random.permutation(there[kind])[:count].tolist() for kind in KINDS}
        slices = slice(validation, train), slice(validation), slice(train, None)
        return [{kind: numbers[part] for kind, numbers in shuffled.items()} for part in slices]


def _take_photos(choice: _Choice, folder: Path) -> None:
    """Copy the chosen photos of Kaggle's archive."""
    archive = kaggle_archive.get(COMPETITION)
    try:
        _extract(archive, choice, folder)
    except (*store.DAMAGED_ZIP, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a decoder
        raise ValueError(
            f"{archive} does not serve: {error}.\nIf it is not Kaggle's archive, or was cut "
            "short, delete it and call again, or put the one from\n"
            f"{kaggle_archive.page(COMPETITION)} in its place. {store.OWN_FOLDER}"
        ) from None


def _draw_photos(choice: _Choice, folder: Path) -> None:
    """Draw an archive like Kaggle's, and copy the chosen photos from it."""
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        drawn = drawings.write(Path(directory) / "train", KINDS, choice.of_each_kind, seed=0)
        _extract(_pack(drawn), choice, folder)
        boxes = drawings.boxes.read(drawn)
    for part in folder.iterdir():
        there = {name: box for name, box in boxes.items() if (part / name).exists()}
        drawings.boxes.write(part, there)


def _pack(drawn: Path) -> Path:
    """Pack drawings the way Kaggle packs its photos: train/cat.0.jpg in train.zip in a zip."""
    photos, archive = drawn.with_name("train.zip"), drawn.with_name(f"{COMPETITION}.zip")
    with zipfile.ZipFile(photos, "w") as inner:
        for path in sorted(drawn.glob("*/*.jpg")):
            inner.write(path, f"train/{path.name}")
    with zipfile.ZipFile(archive, "w") as outer:
        outer.write(photos, photos.name)
    return archive


def _extract(archive: Path, choice: _Choice, folder: Path) -> None:
    """Copy the chosen photos of an archive into their folders."""
    with _photos(archive, folder) as photos:
        found = {
            (match[1], int(match[2])): name
            for name in photos.namelist()
            if (match := PHOTO.fullmatch(name))
        }
        there = {kind: sorted(n for k, n in found if k == kind) for kind in KINDS}
        targets = {
            (kind, number): folder / part / kind / f"{kind}.{number}.jpg"
            for part, numbers in choice.parts(there).items()
            for kind in KINDS
            for number in numbers[kind]
        }
        if missing := sorted(targets.keys() - found.keys()):
            first = "{}.{}.jpg".format(*missing[0])
            raise ValueError(f"{len(missing):,} of its photos are missing, the first is {first}")
        for path in {path.parent for path in targets.values()}:
            path.mkdir(parents=True)
        for key, path in tqdm(targets.items(), "copying photos", delay=2, leave=False):
            with photos.open(found[key]) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)


@contextmanager
def _photos(archive: Path, folder: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip that holds the photos, which Kaggle packs into another."""
    with zipfile.ZipFile(archive) as outer:
        _refuse_escapes(outer)
        if "train.zip" not in outer.namelist():
            yield outer
            return
        with tempfile.TemporaryFile(dir=folder) as file:
            with outer.open("train.zip") as packed:
                shutil.copyfileobj(packed, file)
            with zipfile.ZipFile(file) as inner:
                _refuse_escapes(inner)
                yield inner


def _refuse_escapes(archive: zipfile.ZipFile) -> None:
    for name in archive.namelist():
        if re.search(r"(^|[\\/])\.\.([\\/]|$)|^[\\/]|^[A-Za-z]:", name):
            raise ValueError(f"it names a file outside of its folder, {name!r}")
