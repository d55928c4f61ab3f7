"""Small colour pictures of ten classes: CIFAR-10, drawn animals in its form, and CIFAR-100."""

import pickle
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from cnnkit import checks
from cnnkit.data import drawings, store
from cnnkit.data.prepared import prepare

import keras
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

# Its folder, its files for training and for testing, and the key of the labels in them.
LAYOUTS = {
    10: (
        "cifar-10-batches-py",
        [f"data_batch_{n}" for n in range(1, 6)],
        ["test_batch"],
        b"labels",
    ),
    100: ("cifar-100-python", ["train"], ["test"], b"fine_labels"),
}
KERAS = {10: keras.datasets.cifar10, 100: keras.datasets.cifar100}
URL = "https://www.cs.toronto.edu/~kriz/cifar-{}-python.tar.gz"
TRAINING, TEST = 50_000, 10_000
# What a file of CIFAR may make when it is read: arrays, and nothing that runs a program.
HARMLESS = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}


def cifar10(scale: str, classes: int = 10) -> tuple[Split, Split]:
    """Load CIFAR-10, or drawn animals in the same form.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` is CIFAR-10, from the folder ``cifar-10-batches-py`` in the data folder; where it
        is missing, through Keras, which downloads it (163 MB) into its own folder. ``"sample"``
        draws ten species, which takes seconds the first time.
    classes : {10, 100}
        100 for CIFAR-100, at full scale: the folder ``cifar-100-python``, and its fine labels.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: (n, 32, 32, 3), uint8; y: (n,), int64, the numbers of `CIFAR10_CLASSES`. n is 50,000 and
        10,000 at full scale, 5,000 and 1,000 in the sample, as many of each class.

    Raises
    ------
    ValueError
        An unknown scale or number of classes, or files that are damaged or something else.
    FileNotFoundError
        Full scale without the files and without a way to get them. The message says how.

    References
    ----------
    A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    if classes not in LAYOUTS:
        raise ValueError(f"classes is {classes}; expected 10 or 100.")
    if scale == "full":
        folder = store.home() / LAYOUTS[classes][0]
        return _read(folder, classes) if folder.is_dir() else _download(folder, classes)
    if classes != 10:
        raise ValueError('The sample has 10 classes; 100 are there at the scale "full".')
    folder = store.place(f"cifar10/sample-v{drawings.VERSION}")
    prepare(folder, f"ten species of 32×32 pixels, version {drawings.VERSION}", _draw)
    with np.load(folder / "pictures.npz") as arrays:
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


def _download(folder: Path, classes: int) -> tuple[Split, Split]:
    """Load CIFAR through Keras, which keeps it in a folder of its own."""
    url = URL.format(classes)
    archive = folder.parent / Path(url).name
    if archive.is_file():
        raise FileNotFoundError(
            f"{archive} is not unpacked yet:\n  tar -xzf {archive} -C {archive.parent}"
        )
    try:
        parts = KERAS[classes].load_data()
    except Exception as error:  # what Keras raises when a download fails has no class of its own
        raise FileNotFoundError(
            f"{folder} is missing, and Keras could not download it ({error}).\n"
            "Get it where there is internet:\n"
            f"  curl -L -O {url} && tar -xzf {archive.name}\n"
            f"and put the folder {folder.name} into {folder.parent}, or into any folder that you "
            "name in the environment variable CNNKIT_DATA.\n"
            f"{store.OR_SAMPLE}"
        ) from None
    train, test = ((x, y.ravel().astype("int64")) for x, y in parts)
    return train, test


def _read(folder: Path, classes: int) -> tuple[Split, Split]:
    """Read the files of CIFAR, in the version for Python."""
    _, training, test, key = LAYOUTS[classes]
    read = partial(_read_file, key=key, classes=classes)
    several = [read(folder / name, count=TRAINING // len(training)) for name in training]
    x, y = (np.concatenate(arrays) for arrays in zip(*several, strict=True))
    return (x, y), read(folder / test[0], count=TEST)


def _read_file(path: Path, key: bytes, classes: int, count: int) -> Split:
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: its archive was not unpacked to the end. Delete the folder, and "
            f"unpack {URL.format(classes)} again."
        )
    try:
        with path.open("rb") as file:
            contents = _Arrays(file, encoding="bytes").load()
        pixels, labels = np.asarray(contents[b"data"]), np.asarray(contents[key], "int64")
    except (MemoryError, PermissionError):
        raise
    except Exception as error:  # a damaged file makes the unpickler raise nearly anything
        raise ValueError(_not_cifar(path, classes, f"it cannot be read ({error})")) from None
    if pixels.shape != (count, 3 * SIDE**2) or pixels.dtype != np.uint8:
        found = f"it holds {pixels.dtype} {pixels.shape}, not uint8 ({count}, {3 * SIDE**2})"
        raise ValueError(_not_cifar(path, classes, found))
    if labels.shape != (count,) or labels.min() < 0 or labels.max() >= classes:
        found = f"its labels are not {count} numbers from 0 to {classes - 1}"
        raise ValueError(_not_cifar(path, classes, found))
    return pixels.reshape(count, 3, SIDE, SIDE).transpose(0, 2, 3, 1), labels


class _Arrays(pickle.Unpickler):
    """Reads arrays, lists and text, and refuses to run anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which CIFAR does not")
        return super().find_class(module, name)


def _not_cifar(path: Path, classes: int, found: str) -> str:
    return (
        f"{path} is not of CIFAR-{classes}: {found}. Delete its folder and unpack "
        f"{URL.format(classes)} in its place. {store.OWN_FOLDER}"
    )
