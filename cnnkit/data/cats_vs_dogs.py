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
        A folder with ``train/``, ``validation/`` and ``test/``, in each ``cat/`` and ``dog/``.

    Warns
    -----
    UserWarning
        Files of the archive are no photos and were left out, and the next number took the place of
        each; or the archive holds fewer photos than the split ``"half"`` takes.

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
                names = {kind: [f"{kind}/{kind}.{n}.jpg" for n in range(count)] for kind in KINDS}
            else:
                names = _unpack(_archive(source), everything, count, may_shrink=split == "half")
            for part, photos in _deal(names, None if split == "half" else SMALL[scale], seed):
                for photo in photos:
                    (folder / part / photo).parent.mkdir(parents=True, exist_ok=True)
                    (everything / photo).rename(folder / part / photo)
                if scale == "sample":
                    boxes = drawings.boxes.read(everything)
                    drawings.boxes.write(folder / part, {photo: boxes[photo] for photo in photos})

    return store.build_once(store.place(f"cats_vs_dogs/{name}"), f"cats and dogs {name}", make)


def _deal(
    names: dict[str, list[str]], ends: tuple[int, ...] | None, seed: int
) -> Iterator[tuple[str, list[str]]]:
    """Yield each part and its photos: by their numbers up to the ends, or drawn by halves."""
    slices = [slice(*pair) for pair in itertools.pairwise((0, *(ends or ())))]
    if ends is None:
        random, count = np.random.default_rng(seed), min(map(len, names.values()))
        names = {
            kind: [all_[n] for n in random.permutation(len(all_))] for kind, all_ in names.items()
        }
        validation, train = count // 2 // 5, count // 2
        slices = [slice(validation, train), slice(validation), slice(train, count)]
    for part, chosen in zip(("train", "validation", "test"), slices, strict=True):
        yield part, [photo for kind in KINDS for photo in names[kind][chosen]]


def _archive(source: str | None) -> Path:
    if source is None and not store.place(f"{KAGGLE}.zip").is_file():
        source = "microsoft" if store.place(MICROSOFT).is_file() else None
    if source == "microsoft":
        return store.fetch(MICROSOFT, MICROSOFT_URL)
    other = f'data.cats_vs_dogs("full", source="microsoft"), or {MICROSOFT_URL}'
    hint = f"Without an account, the same photos come from Microsoft: {other}."
    return store.from_kaggle(KAGGLE, hint)


def _unpack(archive: Path, folder: Path, count: int, may_shrink: bool) -> dict[str, list[str]]:
    """Copy the first so many good photos of each kind out of an archive, and name them."""
    names: dict[str, list[str]] = {kind: [] for kind in KINDS}
    bad: list[Unusable] = []
    try:
        with _photos(archive, folder.parent) as photos:
            matches = filter(None, map(PHOTO.fullmatch, photos.namelist()))
            found = {(match[1].lower(), int(match[2])): match[0] for match in matches}
            for kind in KINDS:
                (folder / kind).mkdir(parents=True)
                waiting = iter(sorted(key for key in found if key[0] == kind))
                while chosen := list(itertools.islice(waiting, count - len(names[kind]))):
                    names[kind] += _copy(photos, {key: found[key] for key in chosen}, folder, bad)
        fewest = min(map(len, names.values()))
        if fewest < count and not (may_shrink and fewest):
            raise ValueError(f"it holds {fewest:,} photos of a kind; expected {count:,}")
    except Exception as error:  # a damaged archive raises nearly anything
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # of the disk, not of a decoder
        cure = "If it is another archive, or was cut short, delete it and call again."
        raise ValueError(f"{archive} does not serve: {error}.\n{cure}") from None
    if bad:
        reasons = "".join(f"\n  {path.name}: {reason}" for path, reason in bad)
        warnings.warn(f"{len(bad)} files of {archive} were left out:{reasons}", stacklevel=2)
    if fewest < count:
        few = f"{archive} holds {fewest:,} photos of a kind, not {count:,}"
        warnings.warn(f"{few}; the parts are smaller, in the same proportions.", stacklevel=2)
    return names


def _copy(
    photos: zipfile.ZipFile, found: dict[tuple[str, int], str], folder: Path, bad: list[Unusable]
) -> list[str]:
    """Copy photos, and name them but for the bad ones, of which Microsoft's archive has some."""
    names = {f"{kind}/{kind}.{number}.jpg": name for (kind, number), name in found.items()}
    for target, name in tqdm(names.items(), "copying photos", delay=2, leave=False):
        with photos.open(name) as source, (folder / target).open("wb") as file:
            shutil.copyfileobj(source, file)
    if any("PetImages" in name for name in names.values()):
        bad += decode_all([folder / target for target in names])
    unusable = {path for path, _ in bad}
    return [target for target in names if folder / target not in unusable]


@contextmanager
def _photos(archive: Path, folder: Path) -> Iterator[zipfile.ZipFile]:
    """Open the zip that holds the photos, which Kaggle packs into another."""
    with zipfile.ZipFile(archive) as outer:
        if "train.zip" not in outer.namelist():
            yield outer
            return
        with zipfile.ZipFile(outer.extract("train.zip", folder)) as inner:
            yield inner
