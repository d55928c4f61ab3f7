"""Handwritten digits: scikit-learn's 8×8 pictures, and MNIST."""

import zipfile
from pathlib import Path

from cnnkit import checks
from cnnkit.data import store

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

Split = tuple[np.ndarray, np.ndarray]

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
MNIST_SHAPES = {
    "x_train": (60_000, 28, 28),
    "y_train": (60_000,),
    "x_test": (10_000, 28, 28),
    "y_test": (10_000,),
}


def digits(seed: int = 0) -> tuple[Split, Split]:
    """Load the 1,797 real handwritten digits that scikit-learn ships.

    Parameters
    ----------
    seed : int
        From 0; decides which 180 digits are for testing.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: (1617, 8, 8, 1) and (180, 8, 8, 1), float32 in [0, 1]; y: int64, 0 to 9.

    Raises
    ------
    ValueError
        A seed out of range.

    References
    ----------
    E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998.
    """
    checks.whole_number("seed", seed, least=0)
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=180, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def mnist(scale: str) -> tuple[Split, Split]:
    """Load MNIST, or a sample of real handwriting in the same form.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` is MNIST, from ``mnist.npz`` in the data folder, downloaded (11 MB)
        where it is missing. ``"sample"`` is `digits`, enlarged bilinearly, and needs no
        file.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: (n, 28, 28, 1), float32 in [0, 1]; y: int64, 0 to 9. n is 60,000 and 10,000 at
        full scale, 1,617 and 180 in the sample.

    Raises
    ------
    ValueError
        An unknown scale, or an ``mnist.npz`` that is damaged or something else.
    FileNotFoundError
        Full scale without the file and without a way to get it.

    References
    ----------
    Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST Database of Handwritten Digits", 1998.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    if scale == "sample":
        train, test = digits()
        return (_enlarge(train[0]), train[1]), (_enlarge(test[0]), test[1])
    arrays = _read_mnist(store.fetch("mnist.npz", MNIST_URL, MNIST_SHA256))
    train, test = (
        (
            (arrays[f"x_{part}"] / np.float32(255))[..., np.newaxis],
            arrays[f"y_{part}"].astype("int64"),
        )
        for part in ("train", "test")
    )
    return train, test


def _enlarge(x: np.ndarray) -> np.ndarray:
    """Enlarge pictures (n, h, w, 1) bilinearly to (n, 28, 28, 1)."""
    pictures = [
        Image.fromarray(picture).resize((28, 28), Image.Resampling.BILINEAR)
        for picture in x[..., 0]
    ]
    return np.stack([np.asarray(picture) for picture in pictures])[..., np.newaxis]


def _read_mnist(path: Path) -> dict[str, np.ndarray]:
    """Read the four arrays of mnist.npz and check that they are MNIST's."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: _read_array(archive, name) for name in MNIST_SHAPES}
    except (OSError, KeyError, *store.DAMAGED_ZIP) as error:
        raise ValueError(_not_mnist(path, f"it cannot be read ({error})")) from None
    for name, shape in MNIST_SHAPES.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.uint8:
            found = f"{name} is {arrays[name].dtype} {arrays[name].shape}, not uint8 {shape}"
            raise ValueError(_not_mnist(path, found))
    if max(arrays["y_train"].max(), arrays["y_test"].max()) > 9:
        raise ValueError(_not_mnist(path, "it has labels above 9"))
    return arrays


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _not_mnist(path: Path, found: str) -> str:
    return (
        f"{path} is not a sound MNIST file: {found}. Delete it and call again to download it, or "
        f"put the file from {MNIST_URL} in its place. {store.OWN_FOLDER}"
    )
