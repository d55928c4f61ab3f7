"""Cats and dogs: Kaggle's photos, the same from Microsoft, or drawings with the same names."""

import errno
import itertools
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnnkit import checks
from cnnkit.data import drawings, store
from cnnkit.data.photos import Unusable, decode_all

import numpy as np
from tqdm import tqdm

KINDS = ("cat", "dog")
PHOTO = re.compile(r"(?:.*/)?(cat|dog)[./](\d+)\.jpg", re.IGNORECASE)  # Cat/0.jpg is cat.0.jpg
KAGGLE = "dogs-vs-cats"
MICROSOFT = "kagglecatsanddogs_5340.zip"
# Where this address is gone, search Microsoft's download center for "Kaggle Cats and Dogs Dataset",
# put the archive into the data folder under the name above, and write the new address here.
MICROSOFT_URL = "https://download.microsoft.com/download/3/E/1/"
MICROSOFT_URL += f"3E1C3F21-ECDB-4869-8368-6DEBA77B919F/{MICROSOFT}"

# Of each kind: all photos, and where train, validation and test of the split "small" end.
ALL = {"sample": 1_000, "full": 12_500}
SMALL = {"sample": (200, 300, 600), "full": (1_000, 1_500, 2_500)}


def cats_vs_dogs(
    scale: str, split: str = "small", seed: int = 0, source: str | None = None
) -> Path:
    """Prepare the cats and dogs: a folder for each part, and in it one for each kind.

    The first call copies the photos out of an archive, or draws them. Later ones are instant.
    Sources: J. Elson et al., "Asirra: A CAPTCHA that Exploits Interest-Aligned Manual Image
    Categorization", CCS 2007; F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021,
    section 8.2.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` takes the photos from ``dogs-vs-cats.zip`` (Kaggle, 812 MB) or
        ``kagglecatsanddogs_5340.zip`` (Microsoft, 787 MB) in the data folder. ``"sample"`` draws
        600 of each kind, 1,000 for the split ``"half"``, with `drawings`' ``boxes.csv``.
    split : {"small", "half"}
        ``"small"``: 1,000 of each kind for training, 500 for validation and 1,000 for testing, by
        their numbers, as in Chollet's book; in the sample 200, 100 and 300. ``"half"``: half of
        all photos for training, a fifth of these for validation, and half for testing.
    seed : int
        From 0; draws the split ``"half"``.
    source : {"kaggle", "microsoft"}, optional
        The archive to use at full scale, which is downloaded where it is missing. Without it,
        the one that is there, else Kaggle's.

    Returns
    -------
    Path
        A folder with ``train/``, ``validation/`` and ``test/``, in each ``cat/`` and ``dog/``. A
        warning names files of the archive that are no photos, in whose place comes the next
        number, and tells where there are fewer photos than the split ``"half"`` takes.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    checks.one_of("split", split, ("small", "half"))
    checks.one_of("source", source, ("kaggle", "microsoft", None))
    checks.whole_number("seed", seed, least=0)
    count = ALL[scale] if split == "half" else SMALL[scale][-1]
    name = f"{scale}-{split}" + (f"-seed{seed}" if split == "half" else "")
    name += f"-v{drawings.VERSION}" if scale == "sample" else ""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as directory:
            everything = Path(directory) / "all"
            if scale == "sample":
                drawings.write(everything, KINDS, count, seed=0)
            else:
                _unpack(_archive(source), everything, count, exactly=split == "small")
            for part, photos in _deal(everything, None if split == "half" else SMALL[scale], seed):
                for photo in photos:
                    (folder / part / photo).parent.mkdir(parents=True, exist_ok=True)
                    (everything / photo).rename(folder / part / photo)
                if scale == "sample":
                    boxes = drawings.boxes.read(everything)
                    drawings.boxes.write(folder / part, {photo: boxes[photo] for photo in photos})

    return store.build_once(store.place(f"cats_vs_dogs/{name}"), f"cats and dogs {name}", make)


def _deal(folder: Path, ends: tuple[int, ...] | None, seed: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each part and its photos: by their numbers up to the ends, or drawn by halves."""
    kinds = [
        sorted((folder / kind).iterdir(), key=lambda path: int(path.stem[4:])) for kind in KINDS
    ]
    slices = [slice(*pair) for pair in itertools.pairwise((0, *(ends or ())))]
    if ends is None:
        random, count = np.random.default_rng(seed), min(map(len, kinds))
        kinds = [[paths[n] for n in random.permutation(len(paths))] for paths in kinds]
        validation, train = count // 2 // 5, count // 2
        slices = [slice(validation, train), slice(validation), slice(train, count)]
    for part, chosen in zip(("train", "validation", "test"), slices, strict=True):
        yield part, [f"{p.parent.name}/{p.name}" for paths in kinds for p in paths[chosen]]


def _archive(source: str | None) -> Path:
    if source is None and not store.place(f"{KAGGLE}.zip").is_file():
        source = "microsoft" if store.place(MICROSOFT).is_file() else None
    if source == "microsoft":
        return store.fetch(MICROSOFT, MICROSOFT_URL)
    other = f'data.cats_vs_dogs("full", source="microsoft"), or {MICROSOFT_URL}'
    hint = f"Without an account, the same photos come from Microsoft: {other}."
    return store.from_kaggle(KAGGLE, hint)


def _unpack(archive: Path, folder: Path, count: int, exactly: bool) -> None:
    """Copy the first so many good photos of each kind out of an archive."""
    bad, there = list[Unusable](), dict.fromkeys(KINDS, 0)
    try:
        with _photos(archive, folder.parent) as photos:
            matches = filter(None, map(PHOTO.fullmatch, photos.namelist()))
            found = {(match[1].lower(), int(match[2])): match[0] for match in matches}
            checked = any("PetImages" in name for name in found.values())  # some are bad
            for kind in KINDS:
                (folder / kind).mkdir(parents=True)
                waiting = iter(sorted(key for key in found if key[0] == kind))
                while chosen := list(itertools.islice(waiting, count - there[kind])):
                    paths = {folder / kind / f"{kind}.{key[1]}.jpg": found[key] for key in chosen}
                    for path, name in tqdm(paths.items(), "copying photos", delay=2, leave=False):
                        with photos.open(name) as source, path.open("wb") as target:
                            shutil.copyfileobj(source, target)
                    unusable = decode_all(list(paths)) if checked else []
                    for path, _ in unusable:
                        path.unlink()
                    there[kind] += len(paths) - len(unusable)
                    bad += unusable
        few = f"it holds {min(there.values()):,} photos of a kind; expected {count:,}"
        if min(there.values()) < (count if exactly else 1):
            raise ValueError(few)
    except Exception as error:  # a damaged archive raises nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a decoder
        cure = "If it is another archive, or was cut short, delete it and call again."
        raise ValueError(f"{archive} does not serve: {error}.\n{cure}") from None
    if bad:
        reasons = "".join(f"\n  {path.name}: {reason}" for path, reason in bad)
        warnings.warn(f"{len(bad)} files of {archive} were left out:{reasons}", stacklevel=2)
    if min(there.values()) < count:
        warnings.warn(f"{archive} serves, but {few}. The parts are smaller.", stacklevel=2)


@contextmanager
def _photos(archive: Path, folder: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip that holds the photos, which Kaggle packs into another."""
    with zipfile.ZipFile(archive) as outer:
        if "train.zip" not in outer.namelist():
            yield outer
            return
        with zipfile.ZipFile(outer.extract("train.zip", folder)) as inner:
            yield inner
