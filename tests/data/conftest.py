"""What tests of photos share."""

from pathlib import Path

from cnnkit.data import augment

import numpy as np
import pytest
from keras import ops
from PIL import Image

PHOTOS = np.random.default_rng(0).integers(0, 256, (12, 24, 24, 3)).astype("float32")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven cats and five dogs of different sizes."""
    for kind, count in (("cat", 7), ("dog", 5)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(count):
            path = tmp_path / "photos" / kind / f"{kind}.{number}.jpg"
            picture(40 + number, seed=(number, count)).save(path, quality=95)
    return tmp_path / "photos"


def picture(width: int = 40, height: int = 30, seed: int | tuple[int, int] = 0) -> Image.Image:
    """A smooth picture, so that JPEG keeps it."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), "uint8")
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def whole(path: Path) -> bytes:
    picture().save(path, "JPEG")
    return path.read_bytes()


def pca_color(**options: object) -> augment.PCAColor:
    layer = augment.PCAColor(**options)
    layer.adapt(PHOTOS)
    return layer


def change(layer: augment.Augmentation, images: np.ndarray) -> np.ndarray:
    return ops.convert_to_numpy(layer(images, training=True))
