"""Folders that come split, with the same file names in each: each keeps its own photos."""

from pathlib import Path

from cnnkit import data

import keras
import numpy as np
import pytest

from .conftest import describe


@pytest.mark.slow
def test_the_validation_photos_train_nothing(here, cnnkit):
    """Whatever they are, the head ends with the weights that the training photos give it."""
    heads = []
    for folder, seed in ((here / "one", 1), (here / "two", 2)):
        for part, drawn in (("train", 0), ("val", seed)):
            data.drawings.write(folder / part, ["cow", "horse"], 6, seed=drawn, size=40)
        result = cnnkit("train", describe(folder, f"run-{folder.name}", epochs=1))
        assert result.exit_code == 0, result.output
        assert "on 12 validation photos; they also chose the best weights" in result.stdout
        last = f"run-{folder.name}/training/last.keras"
        heads.append(keras.models.load_model(last).get_weights())
    for one, other in zip(*heads, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not Path("run-one/photos").exists()
