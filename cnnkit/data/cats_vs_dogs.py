"""Cats and dogs: Kaggle's photos, the same from Microsoft, or drawings with the same names."""

import errno
import re
import shutil
import warnings
import zipfile
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from cnnkit import checks
from cnnkit.data import drawings, store
from cnnkit.data.photos import decode_all

import numpy as np
from tqdm import tqdm

KINDS = ("cat", "dog")
PHOTO = re.compile(r"(?:.*/)?(cat|dog)[./](\d+)\.jpg", re.IGNORECASE)  # Cat/0.jpg is cat.0.jpg
KAGGLE = "dogs-vs-cats"
MICROSOFT = "kagglecatsanddogs_5340.zip"
MICROSOFT_URL = "https://download.microsoft.com/download/3/E/1/"
MICROSOFT_URL += f"3E1C3F21-ECDB-4869-8368-6DEBA77B919F/{MICROSOFT}"
GONE = 'If it is gone, search Microsoft\'s download center for "Kaggle Cats and Dogs Dataset".'

# Photos of each kind: all, and those of each part in the split "small".
ALL = {"sample": 1_000, "full": 12_500}
PARTS = ("train", "validation", "test")
SMALL = {"sample": (200, 100, 300), "full": (1_000, 500, 1_000)}


def cats_vs_dogs(
    scale: str, split: str = "small", seed: int = 0, source: str | None = None
) -> Path:
    """Prepare the cats and dogs: a folder for each part, and in it one for each kind.

    The first call copies the photos out of an archive, or draws them; later ones are instant.
    Sources: J. Elson et al., "Asirra: A CAPTCHA that Exploits Interest-Aligned Manual Image
    Categorization", CCS 2007; F. Chollet, "Deep Learning with Python", 2nd edition, Manning, 2021,
    section 8.2.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` takes the photos from ``dogs-vs-cats.zip`` (Kaggle, 812 MB) or
        ``kagglecatsanddogs_5340.zip`` (Microsoft, 787 MB) in the data folder. ``"sample"`` draws
        600 of each kind, 1,000 for the split ``"half"``, with `drawings`' ``boxes.csv``.
    split, seed : {"small", "half"}, int
        ``"small"``: 1,000 of each kind for training, 500 for validation and 1,000 for testing, by
        their numbers, as in Chollet's book; in the sample 200, 100 and 300. ``"half"``: half of all
        for training, a fifth of these for validation, and half for testing, by a seed from 0.
    source : {"kaggle", "microsoft"}, optional
        The archive, which is downloaded where it is missing; else Kaggle's, or the one there is.

    It returns a folder with ``train/``, ``validation/`` and ``test/``, in each ``cat/`` and
    ``dog/``. A warning names files of the archive that are no photos, whose place the next number
    takes, and tells where there are fewer photos than the split ``"half"`` takes.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    checks.one_of("split", split, ("small", "half"))
    checks.one_of("source", source, ("kaggle", "microsoft", None))
    checks.whole_number("seed", seed, least=0)
    count = ALL[scale] if split == "half" else sum(SMALL[scale])
    name = f"{scale}-{split}" + (f"-seed{seed}" if split == "half" else "")
    name += f"-v{drawings.VERSION}" if scale == "sample" else ""

    def make(folder: Path) -> None:
        pool, parts = folder / "all", dict(zip(PARTS, SMALL[scale], strict=True))
        if scale == "sample":
            drawings.write(pool, KINDS, count, seed=0)
        else:
            _unpack(_archive(source), pool, count, exactly=split == "small")
        kinds = [sorted((pool / kind).iterdir(), key=lambda p: int(p.stem[4:])) for kind in KINDS]
        if split == "half":
            random, few = np.random.default_rng(seed), min(map(len, kinds))
            kinds = [[paths[n] for n in random.permutation(len(paths))] for paths in kinds]
            parts = {"validation": few // 2 // 5, "train": few // 2 - few // 2 // 5}
            parts["test"] = few - few // 2
        waiting = list(map(iter, kinds))
        boxes = drawings.boxes.read(pool) if scale == "sample" else {}
        for part, size in parts.items():
            paths = [path for each in waiting for path in islice(each, size)]
            photos = [f"{path.parent.name}/{path.name}" for path in paths]
            for photo in photos:
                (folder / part / photo).parent.mkdir(parents=True, exist_ok=True)
                (pool / photo).rename(folder / part / photo)
            if boxes:
                drawings.boxes.write(folder / part, {photo: boxes[photo] for photo in photos})
        shutil.rmtree(pool)

    return store.build_once(store.place(f"cats_vs_dogs/{name}"), f"cats and dogs {name}", make)


def _archive(source: str | None) -> Path:
    other = store.place(MICROSOFT).is_file() and not store.place(f"{KAGGLE}.zip").is_file()
    if source == "microsoft" or (other and source is None):
        return store.fetch(MICROSOFT, MICROSOFT_URL, hint=GONE)
    hint = f'data.cats_vs_dogs("full", source="microsoft"), or {MICROSOFT_URL}'
    return store.from_kaggle(KAGGLE, f"Without an account, these photos are Microsoft's: {hint}.")


def _unpack(archive: Path, folder: Path, count: int, exactly: bool) -> None:
    """Copy the first so many good photos of each kind out of an archive."""
    bad = dict[Path, str]()
    try:
        with ExitStack() as stack:
            photos = stack.enter_context(zipfile.ZipFile(archive))
            if "train.zip" in photos.namelist():  # as Kaggle packs them
                photos = stack.enter_context(zipfile.ZipFile(photos.extract("train.zip", folder)))
            matches = filter(None, map(PHOTO.fullmatch, photos.namelist()))
            found = {(match[1].lower(), int(match[2])): match[0] for match in matches}
            for kind in KINDS:
                (folder / kind).mkdir(parents=True)
                waiting = iter(sorted(key for key in found if key[0] == kind))
                while chosen := list(islice(waiting, count - len([*(folder / kind).iterdir()]))):
                    paths = {folder / kind / f"{kind}.{key[1]}.jpg": found[key] for key in chosen}
                    for path, name in tqdm(paths.items(), "copying photos", delay=2, leave=False):
                        path.write_bytes(photos.read(name))
                    unusable = decode_all([*paths]) if archive.name == MICROSOFT else {}
                    for path in unusable:
                        path.unlink()
                    bad |= unusable
        least = min(len([*(folder / kind).iterdir()]) for kind in KINDS)
        gave = f"gave {least:,} of {count:,} photos of a kind"
        if least < (count if exactly else 1):
            raise ValueError(f"it {gave}")
    except Exception as error:  # a damaged archive raises nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a decoder
        cure = "If it is another archive, or was cut short, delete it and call again."
        raise ValueError(f"{archive} does not serve: {error}.\n{cure}") from None
    if bad or least < count:
        reasons = "".join(f"\n  {path.name}: {reason}" for path, reason in bad.items())
        warnings.warn(f"{archive} {gave}; {len(bad)} files were left out.{reasons}", stacklevel=2)
