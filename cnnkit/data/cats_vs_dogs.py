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
    count = ALL[scale] if split == "half" else sum(SMALL[scale].values())
    name = f"{scale}-{split}" + (f"-seed{seed}" if split == "half" else "")
    name += f"-v{drawings.VERSION}" if scale == "sample" else ""

    def make(folder: Path) -> None:
        everything = folder / "all"
        if scale == "sample":
            drawings.write(everything, KINDS, count, seed=0)
        else:
            _unpack(_archive(source), everything, count, exactly=split == "small")
        paths = [sorted((everything / kind).iterdir(), key=_number) for kind in KINDS]
        parts = SMALL[scale]
        if split == "half":
            random, few = np.random.default_rng(seed), min(map(len, paths))
            paths = [[each[n] for n in random.permutation(len(each))] for each in paths]
            parts = {"validation": few // 2 // 5, "test": few - few // 2}
            parts = {"validation": few // 2 // 5, "train": few // 2 - few // 2 // 5, "test": few - few // 2}
        waiting = [iter(each) for each in paths]
        for part, size in parts.items():
            photos = [f"{path.parent.name}/{path.name}" for each in waiting for path in islice(each, size)]
            for photo in photos:
                (folder / part / photo).parent.mkdir(parents=True, exist_ok=True)
                (everything / photo).rename(folder / part / photo)
            if scale == "sample":
                boxes = drawings.boxes.read(everything)
                drawings.boxes.write(folder / part, {photo: boxes[photo] for photo in photos})
        shutil.rmtree(everything)

    return store.build_once(store.place(f"cats_vs_dogs/{name}"), f"cats and dogs {name}", make)


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
    bad = list[Unusable]()
    try:
        with ExitStack() as stack:
            photos = stack.enter_context(zipfile.ZipFile(archive))
            if "train.zip" in photos.namelist():  # as Kaggle packs them
                photos = stack.enter_context(zipfile.ZipFile(photos.extract("train.zip", folder)))
            matches = filter(None, map(PHOTO.fullmatch, photos.namelist()))
            found = {(match[1].lower(), int(match[2])): match[0] for match in matches}
            checked = any("PetImages" in name for name in found.values())  # some are bad
            for kind in KINDS:
                (folder / kind).mkdir(parents=True)
                waiting = iter(sorted(key for key in found if key[0] == kind))
                while chosen := list(islice(waiting, count - len(os.listdir(folder / kind)))):
                    paths = [folder / kind / f"{kind}.{number}.jpg" for _, number in chosen]
                    copies = zip(paths, chosen, strict=True)
                    for path, key in tqdm(copies, "copying photos", count, delay=2, leave=False):
                        path.write_bytes(photos.read(found[key]))
                    unusable = decode_all(paths) if checked else []
                    for path, _ in unusable:
                        path.unlink()
                    bad += unusable
        least = min(len(os.listdir(folder / kind)) for kind in KINDS)
        gave = f"gave {least:,} of {count:,} photos of a kind"
        if least < (count if exactly else 1):
            raise ValueError(f"it {gave}")
    except Exception as error:  # a damaged archive raises nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a decoder
        cure = "If it is another archive, or was cut short, delete it and call again."
        raise ValueError(f"{archive} does not serve: {error}.\n{cure}") from None
    if bad or least < count:
        reasons = "".join(f"\n  {path.name}: {reason}" for path, reason in bad)
        warnings.warn(f"{archive} {gave}; {len(bad)} files were left out:{reasons}", stacklevel=2)
