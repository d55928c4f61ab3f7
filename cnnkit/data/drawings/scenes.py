"""A picture around a face: background, light, blur, noise, all blind to the species."""

import colorsys

from cnnkit.data.drawings.faces import Shape

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFilter

MARGIN = 0.10  # of the shorter side, which the face keeps free on every side
FACE = (0.28, 0.63)  # the longer side of its box against the shorter side of the picture
TILT = 90  # degrees to either side
NOISE = (2, 8)  # standard deviation of a pixel
OVERSAMPLING = 2  # drawn larger and reduced, for smooth edges

Box = tuple[int, int, int, int]


def draw_scene(
    shapes: list[Shape], width: int, height: int, random: Generator, hue: float | None = None
) -> tuple[Image.Image, Box]:
    """Set the polygons of `draw_face` into a scene; return an RGB picture and the face's box.

    The size and the box are in pixels; the background has a `hue` in [0, 1), or a random one.
    """
    image = _background(width, height, random, hue)
    points, box = _place(shapes, width, height, random)
    left, top, right, bottom = box
    area = (left - 2, top - 2, right + 2, bottom + 2)
    size = ((area[2] - area[0]) * OVERSAMPLING, (area[3] - area[1]) * OVERSAMPLING)
    layer = image.crop(area).resize(size, Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(layer)
    for corners, (_, colour) in zip(points, shapes, strict=True):
        flat = (corners - area[:2]) * OVERSAMPLING
        draw.polygon(flat.ravel().tolist(), fill=colour)
    _occlude(draw, size, random)
    image.paste(layer.reduce(OVERSAMPLING), area[:2])
    return _photograph(image, random), box


def _place(
    shapes: list[Shape], width: int, height: int, random: Generator
) -> tuple[list[np.ndarray], Box]:
    """Tilt, size and place a face, so that the size of its box tells no species."""
    angle = np.deg2rad(random.uniform(-TILT, TILT))
    cos, sin = np.cos(angle), np.sin(angle)
    points = [corners @ np.array([[cos, sin], [-sin, cos]]) for corners, _ in shapes]
    everything = np.concatenate(points)
    low, high = everything.min(axis=0), everything.max(axis=0)
    scale = random.uniform(*FACE) * min(width, height) / (high - low).max()
    margin = MARGIN * min(width, height)
    room = np.array([width, height]) - 2 * margin - scale * (high - low)
    corner = margin + random.random(2) * room
    left, top = np.floor(corner).astype(int)
    right, bottom = np.ceil(corner + scale * (high - low)).astype(int)
    moved = [(corners - low) * scale + corner for corners in points]
    return moved, (int(left), int(top), int(right), int(bottom))


def _background(width: int, height: int, random: Generator, hue: float | None) -> Image.Image:
    """Paint soft spots of several colours, which run into one another."""
    small = Image.new("RGB", (24, 24), _colour(random, hue))
    draw = ImageDraw.Draw(small)
    for _ in range(random.integers(4, 12)):
        x, y = random.uniform(-4, 28, size=2)
        a, b = random.uniform(2, 12, size=2)
        draw.ellipse((x - a, y - b, x + a, y + b), fill=_colour(random, hue))
    small = small.filter(ImageFilter.GaussianBlur(random.uniform(0.8, 2)))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def _colour(random: Generator, hue: float | None) -> tuple[int, int, int]:
    hue = random.random() if hue is None else (hue + random.uniform(-0.02, 0.02)) % 1
    saturation, value = random.uniform(0.1, 0.5), random.uniform(0.1, 0.45)
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _occlude(draw: ImageDraw.ImageDraw, size: tuple[int, int], random: Generator) -> None:
    """Put up to two blades of grass before the face."""
    for _ in range(random.integers(0, 3)):
        start, end = random.random((2, 2)) * size
        colour = _colour(random, None)
        draw.line((*start, *end), colour, round(random.uniform(0.02, 0.07) * size[0]))


def _photograph(image: Image.Image, random: Generator) -> Image.Image:
    """Light from one side, a camera out of focus, and noise."""
    image = image.filter(ImageFilter.GaussianBlur(random.uniform(0, 0.008) * min(image.size)))
    pixels = np.asarray(image, "float32")
    height, width = pixels.shape[:2]
    slope_x, slope_y = random.uniform(-0.25, 0.25, size=2)
    x = np.linspace(-slope_x, slope_x, width, dtype="float32")
    y = np.linspace(-slope_y, slope_y, height, dtype="float32")
    light = (random.uniform(0.75, 1.2) + y[:, np.newaxis] + x)[..., np.newaxis]
    noise = random.standard_normal(pixels.shape, dtype="float32") * random.uniform(*NOISE)
    return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype("uint8"))
