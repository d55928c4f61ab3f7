"""Pictures as networks and readers see them."""

from contextlib import suppress

import numpy as np
from PIL import Image
from PIL.Image import Transpose

# What turns the orientations of EXIF upright, from 2 on.
NAMES = "FLIP_LEFT_RIGHT ROTATE_180 FLIP_TOP_BOTTOM TRANSPOSE ROTATE_270 TRANSVERSE ROTATE_90"
TURNS = {number: Transpose[name] for number, name in enumerate(NAMES.split(), start=2)}


def upright(image: Image.Image) -> Image.Image:
    """Bring a picture into RGB: upright, 16 bits scaled to 8, on white where it is transparent."""
    image.load()  # which turns a TIFF, and says so in its EXIF
    turn = None
    with suppress(Exception):  # an odd entry beside the orientation spoils no pixel
        turn = TURNS.get(image.getexif().get(0x0112, 1))
    image = image if turn is None else image.transpose(turn)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) // 257).astype("uint8"))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return image.convert("RGB")
