"""Small colour pictures of ten classes: CIFAR-10, and drawn animals in its form."""

import pickle
import shutil
import tarfile
from pathlib import Path

from cnnkit import checks
from cnnkit.data import drawings, store
from cnnkit.data.digits import Split

import numpy as np
from PIL import Image

SAMPLE = ("cat", "cow", "dog", "fox", "frog", "horse", "koala", "owl", "panda", "rabbit")
FULL = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_CLASSES: dict[str, tuple[str, ...]] = {"sample": SAMPLE, "full": FULL}
SIDE = 32
DRAWN = {"train": 500, "test": 100}  # of each species
CANVAS = 72  # pixels a side of a drawing, of which a square around the face is kept
WIDER = (1.0, 1.3)  # sides of the square against the longer one of the face

ARCHIVE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
MD5 = "c58f30108f718f92721af3b95e74349a"  # as the page of the data set has it
BATCHES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


def cifar10(scale: str) -> tuple[Split, Split]:
    """Load CIFAR-10, or drawn animals in the same form.

    Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` reads ``cifar-10-python.tar.gz`` in the data folder, and downloads it (163 MB)
        where it is missing. ``"sample"`` draws ten species, which takes seconds the first time.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: (n, 32, 32, 3), uint8; y: (n,), int64, the numbers of `CIFAR10_CLASSES`. n is 50,000 and
        10,000 at full scale, 5,000 and 1,000 in the sample, as many of each class.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    if scale == "full":
        return _read()
    folder = store.place(f"cifar10/sample-v{drawings.VERSION}")
    contents = f"ten species of 32×32 pixels, version {drawings.VERSION}"
    with np.load(store.build_once(folder, contents, _draw) / "pictures.npz") as arrays:
        train, test = ((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in DRAWN)
    return train, test


def _draw(folder: Path) -> None:
    """Draw the sample, and keep it as arrays in an order that mixes the classes."""
    drawn = drawings.write(folder / "drawn", SAMPLE, sum(DRAWN.values()), seed=0, size=CANVAS)
    random = np.random.default_rng(0)
    faces = drawings.boxes.read(drawn).items()
    pictures = np.stack([_face(drawn / name, box, random) for name, box in faces])
    pictures = pictures.reshape(len(SAMPLE), -1, SIDE, SIDE, 3)
    arrays = {}
    for part, x in zip(DRAWN, np.split(pictures, [DRAWN["train"]], axis=1), strict=True):
        order = random.permutation(len(SAMPLE) * DRAWN[part])
        arrays[f"x_{part}"] = x.reshape(-1, SIDE, SIDE, 3)[order]
        arrays[f"y_{part}"] = np.repeat(np.arange(len(SAMPLE)), DRAWN[part])[order]
    np.savez(folder / "pictures.npz", **arrays)  # type: ignore[arg-type]
    shutil.rmtree(drawn)


def _face(path: Path, box: list[int], random: np.random.Generator) -> np.ndarray:
    """Reduce a square around the face of a drawing, so that it fills most of the picture."""
    low, high = np.array(box[:2]), np.array(box[2:])
    side = min(CANVAS, max(high - low) * random.uniform(*WIDER))
    free = side - (high - low)
    corner = np.clip(low - random.random(2) * free, 0, CANVAS - side)
    with Image.open(path) as drawing:
        window = (*corner, *(corner + side))
        return np.asarray(drawing.resize((SIDE, SIDE), Image.Resampling.BOX, window))


def _read() -> tuple[Split, Split]:
    """Read CIFAR-10 for Python, whose files are pickles: any other could run a program."""
    hint = "(The host is slow: 40 minutes are usual. A copy from elsewhere will do.)"
    images, labels = [], []
    with tarfile.open(store.fetch(ARCHIVE, URL, MD5, hint)) as tar:
        for name in BATCHES:
            file = tar.extractfile(f"cifar-10-batches-py/{name}")
            contents = pickle.load(file, encoding="bytes")  # type: ignore[arg-type]
            images.append(contents[b"data"].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))
            labels.append(np.array(contents[b"labels"], "int64"))
    return (np.concatenate(images[:5]), np.concatenate(labels[:5])), (images[5], labels[5])
