"""What tests of photos share."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven cats and five dogs of different sizes."""
    for kind, count in (("cat", 7), ("dog", 5)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(count):
            path = tmp_path / "photos" / kind / f"{kind}.{number}.jpg"
            colours = np.random.default_rng((number, count)).integers(0, 256, (4, 4, 3), "uint8")
            picture = Image.fromarray(colours).resize((40 + number, 30), Image.Resampling.BICUBIC)
            picture.save(path, quality=95)
    return tmp_path / "photos"
