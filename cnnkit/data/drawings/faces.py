"""The face of an animal, as coloured polygons from back to front."""

from cnnkit.data.drawings.species import Species

import numpy as np
from numpy.typing import ArrayLike

Colour = tuple[int, int, int]
Shape = tuple[np.ndarray, Colour]

FURS = ((96, 64, 40), (150, 106, 66), (206, 164, 112), (198, 110, 48), (232, 222, 204),
        (120, 120, 124), (176, 176, 178), (62, 58, 58))  # fmt: skip
IRISES = ((198, 170, 60), (110, 150, 70), (120, 80, 40), (90, 140, 180))
BLACK, WHITE, PINK, HORN = (26, 22, 22), (248, 248, 244), (214, 140, 136), (206, 190, 150)
OTHER_EARS = 0.05  # of the animals whose species has such breeds
CIRCLE = np.linspace(0, 2 * np.pi, 32, endpoint=False)


def draw_face(species: Species, random: np.random.Generator) -> list[Shape]:
    """Draw an individual of a species, with its own fur, proportions and pose.

    It returns polygons from back to front, as (points, colour). The points, (n, 2), are x to the
    right and y downwards from the head's middle, in units of its half height.
    """
    return _Face(species, random).shapes


class _Face:
    def __init__(self, species: Species, random: np.random.Generator) -> None:
        self.species = species
        other = random.random() < OTHER_EARS
        ears = species.other_ears if other and species.other_ears else species.ears
        self.ears, ear_size, self.spread = ears
        self.shapes: list[Shape] = []
        self.fur = FURS[random.integers(len(FURS))]
        self.light = _mix(self.fur, WHITE, 0.55)
        self.dark = _mix(self.fur, BLACK, 0.55)
        self.outer = (self.fur, self.dark, self.light)[random.integers(3)]
        self.inner = (PINK, self.dark, self.light)[random.integers(3)]
        self.nose = (PINK, BLACK, self.dark)[random.integers(3)]
        self.iris = IRISES[random.integers(len(IRISES))]
        self.yaw, self.pitch = random.uniform(-0.30, 0.30), random.uniform(-0.15, 0.15)
        self.width = species.head * random.uniform(0.92, 1.08)
        self.ear = ear_size * random.uniform(0.85, 1.15)
        self.ear_tilt = random.uniform(-8, 8)
        self.muzzle = np.array(species.muzzle) * random.uniform(0.88, 1.12)
        self.eye = species.eye_size * random.uniform(0.9, 1.1)
        self.gap = species.eye_gap * random.uniform(0.92, 1.08)
        self._behind()
        self._ears(in_front=False)
        self._head()
        self._marks()
        self._muzzle()
        self._eyes()
        self._nose()
        self._ears(in_front=True)

    # Where things are: features nearer to the viewer move further as the head turns.

    def add(self, points: ArrayLike, colour: Colour, depth: float = 0.0) -> None:
        moved = np.asarray(points, float) + depth * np.array([self.yaw, self.pitch])
        self.shapes.append((moved, colour))

    def oval(self, x: float, y: float, width: float, height: float, colour: Colour,
             depth: float = 0.0, angle: float = 0.0) -> None:  # fmt: skip
        points = np.stack([width * np.cos(CIRCLE), height * np.sin(CIRCLE)], axis=1)
        self.add(_turn(points, angle) + np.array([x, y]), colour, depth)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float,
             colour: Colour, depth: float = 0.0) -> None:  # fmt: skip
        along = np.subtract(end, start)
        across = np.array([-along[1], along[0]]) * width / 2 / np.hypot(*along)
        self.add([start + across, start - across, end - across, end + across], colour, depth)

    # The parts of the face.

    def _behind(self) -> None:
        if self.species.marks == "mane":
            for angle in range(0, 360, 24):
                x, y = _turn(np.array([[0.0, -1.02]]), angle)[0]
                self.oval(x, y + 0.05, 0.24, 0.48, self.dark, angle=angle)
        if self.species.marks == "wool":
            for angle in range(0, 360, 30):
                x, y = _turn(np.array([[0.0, -0.85]]), angle)[0]
                self.oval(x, y - 0.1, 0.36, 0.36, self.light)

    def _ears(self, in_front: bool) -> None:
        kind, spread = self.ears, self.spread
        if in_front != (kind in ("flap", "fold")) or kind == "none":
            return
        for side in (-1, 1):
            angle = side * (spread + self.ear_tilt)
            root = _turn(np.array([[0.0, -0.92]]), side * spread)[0] * (self.width, 1)
            outer, inner = _EARS[kind]
            if in_front:  # they hang
                angle = side * (8 + self.ear_tilt)
            for points, colour in ((outer, self.outer), (inner, self.inner)):
                if points is not None:
                    self.add(_turn(points * (side, 1) * self.ear, angle) + root, colour, -0.3)

    def _head(self) -> None:
        y = np.sin(CIRCLE)
        narrowing = 1 - (1 - self.species.jaw) * np.clip(y, 0, 1)
        self.add(np.stack([self.width * np.cos(CIRCLE) * narrowing, y], axis=1), self.fur)

    def _marks(self) -> None:
        marks = self.species.marks
        spots = {  # y, width, height, colour, depth, angle
            "mask": (-0.12, 0.36, 0.24, BLACK, 0.3, 20),
            "patches": (-0.10, 0.24, 0.33, BLACK, 0.3, 32),
            "heart": (-0.20, 0.36, 0.40, self.light, 0.3, 0),
            "discs": (-0.15, 0.45, 0.48, self.light, 0.3, 0),
            "bulges": (-0.80, 0.38, 0.38, self.fur, 0, 0),
        }
        for side in (-1, 1):
            if marks == "horns":
                self.add(np.array([(0.25, -0.85), (0.55, -0.75), (0.75, -1.35)]) * (side, 1), HORN)
            if marks in spots:
                y, width, height, colour, depth, angle = spots[marks]
                self.oval(side * self.gap, y, width, height, colour, depth, side * angle)
            if marks == "stripes":
                for y, length in ((-0.2, 0.30), (0.1, 0.34), (0.4, 0.30)):
                    edge = (side * 0.9 * self.width * np.sqrt(1 - y**2), y - 0.04)
                    tip = (side * (0.92 * self.width - length), y + 0.05)
                    self.line(edge, tip, 0.10, BLACK)
        if marks == "stripes":
            for x in (-0.2, 0.0, 0.2):
                self.line((x * 1.3, -0.92), (x, -0.55), 0.09, BLACK, 0.2)

    def _muzzle(self) -> None:
        width, height = self.muzzle
        mouth = 0.72 if width else 0.62
        if width:
            self.oval(0, 0.48, width, height, self.light, 0.5)
        if self.species.nose in ("triangle", "oval", "none"):
            reach = {"none": 0.55}.get(self.species.nose, 0.20)
            for side in (-1, 1):
                self.line((0, mouth + 0.05), (side * reach, mouth - 0.05), 0.05, BLACK, 0.55)
        if self.species.whiskers:
            for side in (-1, 1):
                for rise in (-0.14, 0.02, 0.18):
                    start = (side * 0.22, 0.50 + rise / 3)
                    end = (side * (0.25 + 0.75 * self.width), 0.48 + rise)
                    self.line(start, end, 0.035, WHITE, 0.5)

    def _eyes(self) -> None:
        height = -0.80 if self.species.marks == "bulges" else -0.15
        pupil = {"slit": (0.3, 0.9), "round": (0.62, 0.62), "bar": (0.85, 0.4)}[self.species.pupil]
        for side in (-1, 1):
            x = side * self.gap
            self.oval(x, height, self.eye, self.eye, self.iris, 0.35)
            self.oval(x, height, self.eye * pupil[0], self.eye * pupil[1], BLACK, 0.35)
            glint = 0.22 * self.eye
            self.oval(x - 0.3 * self.eye, height - 0.35 * self.eye, glint, glint, WHITE, 0.35)

    def _nose(self) -> None:
        nose = self.species.nose
        if nose == "triangle":
            self.add([(-0.15, 0.30), (0.15, 0.30), (0, 0.50)], self.nose, 0.6)
        if nose == "oval":
            self.oval(0, 0.32, 0.20, 0.14, self.nose, 0.6)
        if nose == "long":
            self.oval(0, 0.22, 0.22, 0.40, BLACK, 0.6)
        if nose == "beak":
            self.add([(-0.16, 0.12), (0.16, 0.12), (0, 0.58)], HORN, 0.6)
        if nose == "snout":
            self.oval(0, 0.38, 0.42, 0.30, PINK, 0.5)
        if nose in ("snout", "disc"):
            for side in (-1, 1):
                self.oval(side * 0.17, 0.40, 0.08, 0.12, BLACK, 0.55)


# Ears, the outer and the inner part: the root at (0, 0), the tip at (0, -1), the cheek at the left.
_LEAF = np.stack([np.sin(CIRCLE), np.cos(CIRCLE)], axis=1)
_EARS = {
    "pointed": (
        np.array([(-0.42, 0.15), (0.0, -1.0), (0.45, 0.25)]),
        np.array([(-0.22, 0.05), (0.0, -0.70), (0.25, 0.10)]),
    ),
    "tuft": (
        np.array([(-0.5, 0.4), (0.1, -1.0), (0.4, 0.4)]),
        np.array([(-0.1, 0.1), (0.08, -0.6), (0.2, 0.1)]),
    ),
    "round": (_LEAF * 0.62 + (0, -0.30), _LEAF * 0.36 + (0, -0.30)),
    "long": (_LEAF * (0.24, 0.62) + (0, -0.50), _LEAF * (0.12, 0.46) + (0, -0.50)),
    "side": (_LEAF * (0.30, 0.58) + (0, -0.45), _LEAF * (0.16, 0.40) + (0, -0.45)),
    "flap": (_LEAF * (0.34, 0.62) + (0.10, 0.45), None),
    "fold": (
        np.array([(-0.5, -0.2), (0.55, -0.35), (0.25, 0.75)]),
        np.array([(-0.2, -0.05), (0.3, -0.15), (0.18, 0.4)]),
    ),
}


def _turn(points: np.ndarray, degrees: float) -> np.ndarray:
    """Turn points around (0, 0), clockwise as one sees them."""
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]])


def _mix(a: Colour, b: Colour, share: float) -> Colour:
    """Mix two colours, with this share of the second."""
    red, green, blue = (round(x + share * (y - x)) for x, y in zip(a, b, strict=True))
    return red, green, blue
