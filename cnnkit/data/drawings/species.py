"""What tells the species apart: the shapes of their faces, as a table.

Lengths are in units of the head's half height. Colour is missing on purpose: each picture draws
its own from one palette that all species share.
"""

from dataclasses import dataclass

# Shape (pointed, flap, fold, round, long, side, tuft or none), length, degrees from straight up.
Ears = tuple[str, float, float]


@dataclass(frozen=True)
class Species:
    """The face of one species."""

    head: float  # half width
    jaw: float  # width of the chin against that of the brow; 1 for an oval
    ears: Ears
    muzzle: tuple[float, float]  # half width and half height of its lighter part; 0 for none
    nose: str  # triangle, oval, disc, long, snout, beak or none
    eye_gap: float = 0.38  # of an eye from the middle
    eye_size: float = 0.16  # its radius
    pupil: str = "round"  # slit, round or bar
    whiskers: bool = False
    other_ears: Ears | None = None  # as some breeds have them
    marks: str = "none"  # mask, patches, stripes, mane, wool, horns, bulges, heart or discs


POINTED, FLAP = ("pointed", 0.75, 34), ("flap", 1.05, 52)

# fmt: off
SPECIES: dict[str, Species] = {
    "cat": Species(1.02, 0.85, POINTED, (0.36, 0.24), "triangle", 0.42, 0.20, "slit",
                   whiskers=True, other_ears=FLAP),
    "dog": Species(0.92, 0.80, FLAP, (0.46, 0.42), "oval", 0.36, 0.15, other_ears=POINTED),
    "bear": Species(1.05, 1.00, ("round", 0.42, 42), (0.40, 0.34), "oval", 0.36, 0.11),
    "cow": Species(0.80, 0.90, ("side", 0.62, 70), (0.62, 0.36), "disc", 0.46, 0.15, "bar",
                   marks="horns"),
    "fox": Species(1.00, 0.35, ("pointed", 0.85, 30), (0.26, 0.36), "triangle", 0.38, 0.14, "slit"),
    "frog": Species(1.20, 0.95, ("none", 0, 0), (0, 0), "none", 0.62, 0.26, "bar",
                    marks="bulges"),
    "horse": Species(0.62, 0.75, ("pointed", 0.50, 20), (0.46, 0.34), "disc", 0.42, 0.13, "bar"),
    "koala": Species(1.05, 0.90, ("round", 0.70, 66), (0, 0), "long", 0.42, 0.12),
    "lion": Species(0.90, 0.85, ("round", 0.34, 40), (0.42, 0.30), "triangle", 0.36, 0.13,
                    whiskers=True, marks="mane"),
    "monkey": Species(0.90, 0.80, ("round", 0.48, 86), (0.52, 0.40), "none", 0.26, 0.14,
                      marks="heart"),
    "mouse": Species(0.85, 0.45, ("round", 0.80, 44), (0.22, 0.20), "triangle", 0.34, 0.13,
                     whiskers=True),
    "owl": Species(1.00, 0.95, ("tuft", 0.45, 36), (0, 0), "beak", 0.42, 0.30, marks="discs"),
    "panda": Species(1.08, 0.95, ("round", 0.42, 44), (0.36, 0.28), "oval", 0.40, 0.12,
                     marks="patches"),
    "pig": Species(1.00, 0.95, ("fold", 0.55, 40), (0, 0), "snout", 0.46, 0.11),
    "rabbit": Species(0.82, 0.90, ("long", 1.35, 16), (0.30, 0.24), "triangle", 0.42, 0.15,
                      whiskers=True),
    "raccoon": Species(1.08, 0.50, ("pointed", 0.45, 42), (0.30, 0.30), "oval", 0.40, 0.14,
                       marks="mask"),
    "sheep": Species(0.75, 0.75, ("side", 0.55, 78), (0.32, 0.22), "triangle", 0.40, 0.13, "bar",
                     marks="wool"),
    "tiger": Species(1.05, 0.90, ("round", 0.36, 40), (0.44, 0.30), "triangle", 0.40, 0.14,
                     whiskers=True, marks="stripes"),
}
