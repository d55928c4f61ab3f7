"""The committed pictures of the slides are what their code draws."""

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

from slides import drawing, figures, recording

import numpy as np
import pytest
from PIL import Image

PICTURE = re.compile(r"base64,([^\"]+)")
HASH = re.compile(r"\b(?:[a-z]|image)[0-9a-f]{10}\b")  # a name that depends on the content
PLACE = re.compile(r"\b(?:d|x|y|points|transform|width|height|viewBox)=\"([^\"]*)\"")
NUMBER = re.compile(r"-?\d+(\.\d+)?(e-\d+)?")


def parts(path: Path) -> tuple[str, np.ndarray, list[np.ndarray]]:
    """Take an SVG file apart: its text, with letters and colours; its places; its pictures."""
    text = path.read_text(encoding="utf-8")
    pictures = [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(each))).convert("RGBA"), float)
        for each in PICTURE.findall(text)
    ]
    text = HASH.sub("", PICTURE.sub("", text))
    places = [float(n[0]) for place in PLACE.findall(text) for n in NUMBER.finditer(place)]
    return PLACE.sub(lambda place: NUMBER.sub("0", place[0]), text), np.array(places), pictures


def difference(first: Path, second: Path) -> str:
    """Say how two figures differ for somebody who looks at them, if they do."""
    (text, places, pictures), (text_2, places_2, pictures_2) = parts(first), parts(second)
    if text != text_2 or len(places) != len(places_2):
        return "other letters, colours or elements"
    if (moved := np.abs(places - places_2).max()) > 1:
        return f"something is {moved:.1f} points away from where it was"
    for number, (one, other) in enumerate(zip(pictures, pictures_2, strict=True)):
        if one.shape != other.shape or np.abs(one - other).mean() > 4:
            return f"picture {number} within is another one"
    return ""


KNOWN = json.loads(figures.HASHES.read_text("utf-8"))
CHANGED = [name for name in figures.FIGURES if KNOWN.get(name) != figures.sources(name)]


@pytest.mark.slow
@pytest.mark.parametrize("name", dict.fromkeys(["01_step", *CHANGED]))  # one in any case
def test_a_picture_is_what_its_code_draws(name, tmp_path):
    drawn = figures.draw(name, tmp_path)
    differs = difference(drawn, figures.FOLDER / f"{name}.svg")
    assert not differs, f"{differs}. Draw it again: python -m slides.figures {name}"


def test_there_is_no_other_picture():
    assert {path.stem for path in figures.FOLDER.glob("*.svg")} == set(figures.FIGURES)
    assert {path.stem for path in drawing.RECORDED.iterdir()} == set(recording.KEEP)


@pytest.mark.parametrize("name", recording.KEEP)
def test_what_is_recorded_is_what_the_chapter_trains(name):
    code = drawing.recorded(name)["code"]
    cure = f"python -m slides.recording {name}, and then python -m slides.figures"
    assert code == recording.fingerprint(name), f"The chapter has changed since: {cure}"


def test_another_picture_is_noticed(tmp_path):
    def changed(name: str, change: Callable[[str], str]) -> str:
        given = (figures.FOLDER / f"{name}.svg").read_text(encoding="utf-8")
        (tmp_path / f"{name}.svg").write_text(change(given), encoding="utf-8")
        assert change(given) != given
        return difference(tmp_path / f"{name}.svg", figures.FOLDER / f"{name}.svg")

    def swap(text: str) -> str:
        first, second, *_ = PICTURE.findall(text)
        return text.replace(first, second)

    assert "points away" in changed("02_curves", lambda text: text.replace("M 39.9", "M 49.9"))
    assert "other" in changed("02_curves", lambda text: text.replace("<path d", "<line d"))
    assert "other" in changed("02_curves", lambda text: text.replace("#0072b2", "#0072b3"))
    assert "other" in changed(
        "02_confusion", lambda text: text.replace("<!-- 98 -->", "<!-- 88 -->")
    )
    assert "another one" in changed("04_crops", swap)
    assert not changed("02_curves", lambda text: text.replace("39.904146", "39.904147"))
