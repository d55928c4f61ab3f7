"""Small colour pictures of ten classes: CIFAR-10, and drawn animals in its form."""

import hashlib
import pickle
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from cnnkit import checks
from cnnkit.data import drawings, store

import numpy as np
from PIL import Image

Split = tuple[np.ndarray, np.ndarray]

CIFAR10_CLASSES: dict[str, tuple[str, ...]] = {
    "sample": (
        *("cat", "cow", "dog", "fox", "frog"),
        *("horse", "koala", "owl", "panda", "rabbit"),
    ),
    "full": (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    ),
}
SIDE = 32
DRAWN = {"train": 500, "test": 100}  # of each species
CANVAS = 72  # pixels a side of a drawing, of which a square around the face is kept
WIDER = (1.0, 1.3)  # sides of the square against the longer one of the face

FOLDER, ARCHIVE = "cifar-10-batches-py", "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c58f30108f718f92721af3b95e74349a"  # as the page of the data set has it
FILES = {"train": [f"data_batch_{n}" for n in range(1, 6)], "test": ["test_batch"]}
# What a file of CIFAR may make when it is read: arrays, and nothing that runs a program.
HARMLESS = ("_reconstruct", "ndarray", "dtype", "encode")


def cifar10(scale: str) -> tuple[Split, Split]:
    """Load CIFAR-10, or drawn animals in the same form.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` reads the folder ``cifar-10-batches-py`` in the data folder. Where it is missing,
        it is unpacked from ``cifar-10-python.tar.gz``, which is downloaded (163 MB) where it is
        missing. ``"sample"`` draws ten species, which takes seconds the first time.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: (n, 32, 32, 3), uint8; y: (n,), int64, the numbers of `CIFAR10_CLASSES`. n is 50,000 and
        10,000 at full scale, 5,000 and 1,000 in the sample, as many of each class.

    Raises
    ------
    FileNotFoundError
        Full scale without the files, and without a network to get them.
    ValueError
        An unknown scale, or files that are damaged or something else.

    References
    ----------
    A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    if scale == "full":
        folder = store.home() / FOLDER
        return _read(folder if folder.is_dir() else _unpacked())
    folder = store.place(f"cifar10/sample-v{drawings.VERSION}")
    contents = f"ten species of 32×32 pixels, version {drawings.VERSION}"
    with np.load(store.build_once(folder, contents, _draw) / "pictures.npz") as arrays:
        train, test = ((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in DRAWN)
    return train, test


def _draw(folder: Path) -> None:
    """Draw the sample, and keep it as arrays in an order that mixes the classes."""
    species, count = CIFAR10_CLASSES["sample"], sum(DRAWN.values())
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        drawn = drawings.write(Path(directory) / "drawn", species, count, seed=0, size=CANVAS)
        random = np.random.default_rng(0)
        faces = drawings.boxes.read(drawn).items()
        pictures = np.stack([_face(drawn / name, box, random) for name, box in faces])
    pictures = pictures.reshape(len(species), count, SIDE, SIDE, 3)
    arrays, start = {}, 0
    for part, of_each in DRAWN.items():
        order = random.permutation(len(species) * of_each)
        chosen = pictures[:, start : start + of_each].reshape(-1, SIDE, SIDE, 3)
        arrays[f"x_{part}"] = chosen[order]
        arrays[f"y_{part}"] = np.repeat(np.arange(len(species)), of_each)[order]
        start += of_each
    np.savez(folder / "pictures.npz", **arrays)  # type: ignore[arg-type]


def _face(path: Path, box: list[int], random: np.random.Generator) -> np.ndarray:
    """Reduce a square around the face of a drawing, so that it fills most of the picture."""
    low, high = np.array(box[:2]), np.array(box[2:])
    side = min(CANVAS, max(high - low) * random.uniform(*WIDER))
    free = side - (high - low)
    corner = np.clip(low - random.random(2) * free, 0, CANVAS - side)
    with Image.open(path) as drawing:
        window = (*corner, *(corner + side))
        return np.asarray(drawing.resize((SIDE, SIDE), Image.Resampling.BOX, window))


def _unpacked() -> Path:
    """Unpack the archive beside itself, and download it before where it is missing."""
    hint = "(The host is slow: 40 minutes are usual. A copy from elsewhere will do.)"
    archive = store.fetch(ARCHIVE, URL, MD5, hint)
    with archive.open("rb") as file:
        if hashlib.file_digest(file, "md5").hexdigest() != MD5:
            raise ValueError(
                f"{archive} is not CIFAR-10 for Python: its MD5 hash is not {MD5}. "
                "Delete it and call again to download it."
            )

    def unpack(folder: Path) -> None:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")

    return store.build_once(store.place("cifar10/full"), f"{ARCHIVE}, unpacked", unpack) / FOLDER


def _read(folder: Path) -> tuple[Split, Split]:
    """Read the files of CIFAR-10 in the version for Python: five for training, one for testing."""
    train, test = ([_read_file(folder / name) for name in names] for names in FILES.values())
    x, y = (np.concatenate(arrays) for arrays in zip(*train, strict=True))
    return (x, y), test[0]


def _read_file(path: Path) -> Split:
    try:
        with path.open("rb") as file:
            contents = _Arrays(file, encoding="bytes").load()
        pixels = np.reshape(contents[b"data"], (10_000, 3, SIDE, SIDE)).transpose(0, 2, 3, 1)
        labels = np.asarray(contents[b"labels"], "int64")
        if pixels.dtype != np.uint8 or labels.shape != (10_000,) or set(labels) != {*range(10)}:
            raise ValueError("it does not hold 10,000 pictures of 10 classes")
    except Exception as error:  # a damaged file makes the unpickler raise nearly anything
        raise ValueError(
            f"{path} is not of CIFAR-10: {error}. Delete its folder, and call again."
        ) from None
    return pixels, labels


class _Arrays(pickle.Unpickler):
    """Reads arrays, lists and text, and refuses to run anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] not in ("numpy", "_codecs") or name not in HARMLESS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which CIFAR-10 does not")
        return super().find_class(module, name)
