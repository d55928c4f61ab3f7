"""Decoding photos, and saying why one cannot be used."""

import hashlib
import os
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import repeat
from pathlib import Path

from cnnkit import checks, pictures

import numpy as np
from PIL import Image
from tqdm import tqdm

# The formats that Pillow and every browser read, by the extensions they go by.
FORMATS = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "MPO": (".jpg", ".jpeg", ".mpo"),  # several views in one file, as some phones take them
    "TIFF": (".tif", ".tiff"),
    **{name: (f".{name.lower()}",) for name in ("PNG", "BMP", "GIF", "WEBP")},
}
NO_PILLOW = "a HEIC or AVIF photo; convert it to JPEG"
EXTENSIONS = {extension for extensions in FORMATS.values() for extension in extensions}
# Pillow's modes whose colours need no guess, with I;16 for grey of 16 bits.
MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I;16B")


def decode(path: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Decode a photo to its last pixel, upright: uint8, (height, width, 3).

    A `size`, (height, width), resizes it bilinearly. A ValueError says why it is not usable.
    """
    try:
        with Image.open(path) as image:
            if not (reason := _odd(path, image)):
                if size:
                    image.draft("RGB", (2 * max(size), 2 * max(size)))  # a JPEG decodes smaller
                upright = pictures.upright(image)
                if size:
                    upright = upright.resize((size[1], size[0]), Image.Resampling.BILINEAR)
                return np.asarray(upright)
    except Image.UnidentifiedImageError:
        with path.open("rb") as file:
            head = file.read(12)
        reason = "it is no picture, or its beginning is damaged" if head else "it is empty"
        reason = NO_PILLOW if head[8:11] in (b"hei", b"hev", b"mif", b"msf", b"avi") else reason
    except Image.DecompressionBombError:
        reason = "it has too many pixels; make it smaller"
    except Exception as error:  # decoders fail in many ways on damaged files
        system = getattr(error, "strerror", None)
        what = "it cannot be read" if system else "it is damaged or cut short"
        reason = f"{what} ({system or error})"
    raise ValueError(reason)


def _odd(path: Path, image: Image.Image) -> str | None:
    """Say why a picture that can be read is no plain photo."""
    if image.format not in FORMATS:
        return f"its format is {image.format}; convert it to JPEG or PNG"
    if path.suffix.lower() not in FORMATS[image.format]:
        return f"it is a {image.format} file with the extension {path.suffix!r}; rename it"
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        return "it is animated, or has several pages; save one of its pictures"
    if image.mode not in MODES:
        return f"its colours, {image.mode}, are not known for sure; convert it to 8-bit RGB"
    return None


def content(path: str | Path) -> bytes:
    """Return what a photo is known by, whatever its name: a hash of its bytes, if there are any."""
    with suppress(OSError):
        return (found := Path(path).read_bytes()) and hashlib.sha256(found).digest()
    return b""


def load_images(paths: Sequence[str | Path], image_size: tuple[int, int]) -> np.ndarray:
    """Load photos as `image_folder` does: float32, (n, height, width, 3), in [0, 255].

    Each is resized to `image_size`, (height, width), bilinearly and whatever its aspect ratio.
    """
    checks.image_size(image_size)
    if isinstance(paths, str | Path):
        raise ValueError(f"paths is {str(paths)!r}; expected a list, such as [{str(paths)!r}].")
    photos = [Path(path).expanduser() for path in paths]
    images = np.empty((len(photos), *image_size, 3), "uint8")
    for path, reason in decode_all(photos, images).items():
        raise ValueError(f"{path} is not usable: {reason}.")
    return images.astype("float32")


def decode_all(photos: Sequence[Path], pixels: np.ndarray | None = None) -> dict[Path, str]:
    """Decode photos in several threads; return those that are not usable, and why.

    The others are resized into `pixels`, (n, height, width, 3), where that is given.
    """

    def work(photo: Path, place: np.ndarray | None) -> str | None:
        try:
            if place is None:
                decode(photo)
            else:
                place[:] = decode(photo, place.shape[:2])
        except ValueError as error:
            return str(error)
        return None

    # Pillow warns of what is found here anyway.
    with warnings.catch_warnings(action="ignore"), ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(work, photos, repeat(None) if pixels is None else pixels)
        shown = tqdm(found, "decoding", len(photos), unit="photo", delay=2, leave=False)
        return {photo: reason for photo, reason in zip(photos, shown, strict=True) if reason}
