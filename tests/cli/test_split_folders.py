"""Folders that come split, with the same file names in each: each keeps its own photos."""

from cnnkit import data

import keras
import numpy as np
import pytest

from .conftest import SMALL


@pytest.mark.slow
def test_the_validation_photos_train_nothing(here, cnnkit):
    """Whatever they are, the head ends with the weights that the training photos give it."""
    for part, seed in (("train", 0), ("val", 1), ("other", 2)):
        data.drawings.write(here / part, ["cow", "horse"], 6, seed=seed, size=40)
    heads = []
    for part in ("val", "other"):
        file = here / f"{part}.yml"
        folders = f"data:\n  train_folder: train\n  validation_folder: {part}\n"
        file.write_text(f"{folders}output: run-{part}\n{SMALL}  epochs: 3\n")
        assert cnnkit("train", file).exit_code == 0
        heads.append(keras.models.load_model(f"run-{part}/training/last.keras").get_weights())
    for one, other in zip(*heads, strict=True):
        np.testing.assert_array_equal(one, other)
