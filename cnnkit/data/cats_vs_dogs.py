"""Cats and dogs: Kaggle's photos, the same from Microsoft, or drawings with the same names."""

import errno
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
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
MICROSOFT_URL = (
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/"
    + MICROSOFT
)

# Of each kind: all photos, and where train, validation and test of the split "small" end.
ALL = {"sample": 1_000, "full": 12_500}
SMALL = {"sample": (200, 300, 600), "full": (1_000, 1_500, 2_500)}


def cats_vs_dogs(
    scale: str, split: str = "small", seed: int = 0, source: str | None = None
) -> Path:
    """Prepare the cats and dogs: a folder for each part, and in it one for each kind.

    The first call copies the photos out of an archive, or draws them. Later ones are instant.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` takes the photos from ``dogs-vs-cats.zip`` (Kaggle, 812 MB) or
        ``kagglecatsanddogs_5340.zip`` (Microsoft, 787 MB) in the data folder. ``"sample"`` draws
        600 of each kind, 1,000 for the split ``"half"``, with a ``boxes.csv`` in each part, as
        `drawings.write` has it.
    split : {"small", "half"}
        ``"small"``: 1,000 of each kind for training, 500 for validation and 1,000 for testing,
        by their numbers, as Chollet has them; in the sample 200, 100 and 300. ``"half"``: half
        of all photos for training, of which a fifth for validation, and half for testing, drawn
        by `seed`, as in the source of the AlexNet chapter.
    seed : int
        From 0; for the split ``"half"``.
    source : {"kaggle", "microsoft"}, optional
        The archive to use at full scale, which is downloaded where it is missing. Without it,
        the one that is there, else Kaggle's.

    Returns
    -------
    Path
        A folder with ``train/``, ``validation/`` and ``test/``, in each ``cat/`` and ``dog/``.

    Raises
    ------
    FileNotFoundError
        The archive is missing and cannot be downloaded. The message says how to get it.
    ValueError
        An argument out of range, or an archive that is damaged or something else.

    Warns
    -----
    UserWarning
        Some files of the archive are no photos, and were left out (the next number takes the
        place of each); or it holds fewer photos than the split ``"half"`` takes.

    References
    ----------
    J. Elson, J. Douceur, J. Howell and J. Saul, "Asirra: A CAPTCHA that Exploits
    Interest-Aligned Manual Image Categorization", CCS 2007.
    F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021, section 8.2.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    checks.one_of("split", split, ("small", "half"))
    checks.one_of("source", source, ("kaggle", "microsoft", None))
    checks.whole_number("seed", seed, least=0)
    count = SMALL[scale][-1] if split == "small" else ALL[scale]
    name = f"{scale}-{split}" + (f"-seed{seed}" if split == "half" else "")
    name += f"-v{drawings.VERSION}" if scale == "sample" else ""

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as directory:
            everything = Path(directory) / "all"
            if scale == "sample":
                drawings.write(everything, KINDS, count, seed=0)
                there = {kind: list(range(count)) for kind in KINDS}
            else:
                there = _unpack(_archive(source), everything, count, may_shrink=split == "half")
            for part, numbers in _deal(there, None if split == "half" else SMALL[scale], seed):
                for kind in KINDS:
                    (folder / part / kind).mkdir(parents=True)
                    for photo in (f"{kind}/{kind}.{number}.jpg" for number in numbers[kind]):
                        (everything / photo).rename(folder / part / photo)
                if scale == "sample":
                    boxes = drawings.boxes.read(everything).items()
                    kept = {photo: box for photo, box in boxes if (folder / part / photo).exists()}
                    drawings.boxes.write(folder / part, kept)

    return store.build_once(store.place(f"cats_vs_dogs/{name}"), f"cats and dogs {name}", make)


def _deal(
    there: dict[str, list[int]], ends: tuple[int, ...] | None, seed: int
) -> Iterator[tuple[str, dict[str, list[int]]]]:
    """Yield each part and its numbers of each kind: in order up to the ends, or drawn by halves."""
    if ends is None:
        random, count = np.random.default_rng(seed), min(map(len, there.values()))
        there = {kind: random.permutation(numbers).tolist() for kind, numbers in there.items()}
        validation, train = count // 2 // 5, count // 2
        slices = slice(validation, train), slice(validation), slice(train, count)
    else:
        slices = slice(ends[0]), slice(ends[0], ends[1]), slice(ends[1], ends[2])
    for part, chosen in zip(("train", "validation", "test"), slices, strict=True):
        yield part, {kind: numbers[chosen] for kind, numbers in there.items()}


def _archive(source: str | None) -> Path:
    if source is None and not store.place(f"{KAGGLE}.zip").is_file():
        source = "microsoft" if store.place(MICROSOFT).is_file() else None
    if source == "microsoft":
        return store.fetch(MICROSOFT, MICROSOFT_URL)
    hint = (
        "Without an account, the same photos come from Microsoft: "
        f'data.cats_vs_dogs("full", source="microsoft"), or {MICROSOFT_URL}.'
    )
    return store.from_kaggle(KAGGLE, hint)


def _unpack(archive: Path, folder: Path, count: int, may_shrink: bool) -> dict[str, list[int]]:
    """Copy so many photos of each kind out of an archive, and return their numbers."""
    there: dict[str, list[int]] = {}
    bad: list[Unusable] = []
    try:
        with _photos(archive, folder.parent) as photos:
            matches = filter(None, map(PHOTO.fullmatch, photos.namelist()))
            found = {(match[1].lower(), int(match[2])): match[0] for match in matches}
            for kind in KINDS:
                there[kind], unusable = _copy(photos, found, folder / kind, count)
                bad += unusable
        fewest = min(map(len, there.values()))
        if fewest < count and not (may_shrink and fewest):
            raise ValueError(f"it holds {fewest:,} photos of a kind; expected {count:,}")
    except Exception as error:  # a damaged archive raises nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a decoder
        raise ValueError(
            f"{archive} does not serve: {error}.\nIf it is another archive, or was cut short, "
            "delete it and call again to download it."
        ) from None
    if bad:
        reasons = "".join(f"\n  {path.name}: {reason}" for path, reason in bad)
        warnings.warn(f"{len(bad)} files of {archive} were left out:{reasons}", stacklevel=2)
    if fewest < count:
        few = f"{archive} holds {fewest:,} photos of a kind, not {count:,}"
        warnings.warn(f"{few}; the parts are smaller, in the same proportions.", stacklevel=2)
    return there


def _copy(
    photos: zipfile.ZipFile, found: dict[tuple[str, int], str], folder: Path, count: int
) -> tuple[list[int], list[Unusable]]:
    """Copy photos of a kind by number, until there are so many; return the numbers, and the bad."""
    kind, numbers, bad = folder.name, list[int](), list[Unusable]()
    waiting = iter(sorted(number for name, number in found if name == kind))
    checked = "PetImages" in next(iter(found.values()), "")  # some of its files are no photos
    folder.mkdir(parents=True)
    while chosen := list(islice(waiting, count - len(numbers))):
        paths = {folder / f"{kind}.{number}.jpg": number for number in chosen}
        for path, number in tqdm(paths.items(), "copying photos", delay=2, leave=False):
            with photos.open(found[kind, number]) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target)
        bad += decode_all(list(paths)) if checked else ()
        unusable = {path for path, _ in bad}
        numbers += [number for path, number in paths.items() if path not in unusable]
    return numbers, bad


@contextmanager
def _photos(archive: Path, folder: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip that holds the photos, which Kaggle packs into another."""
    with zipfile.ZipFile(archive) as outer:
        if "train.zip" not in outer.namelist():
            yield outer
            return
        with zipfile.ZipFile(outer.extract("train.zip", folder)) as inner:
            yield inner
