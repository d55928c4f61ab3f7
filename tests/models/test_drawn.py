"""The weights that come with the package."""

import ast
import json
import re
from pathlib import Path

from cnnkit import data, models
from cnnkit.models.pretrained import DRAWN

import keras
import pytest
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

CHAPTERS = Path(__file__).resolve().parents[2] / "notebooks" / "scripts"
BASES = {"vgg16": models.vgg16_base, "densenet": models.densenet_base}


def record(name: str) -> dict:
    return json.loads((DRAWN / f"{name}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", BASES)
def test_they_are_small_and_say_how_they_were_made(name):
    assert (DRAWN / f"{name}.weights.h5").stat().st_size <= 1_500_000
    about = record(name)
    assert about["parameters"] == BASES[name]("drawn", (64, 64, 3)).count_params()
    assert about["test accuracy"] > 0.8 and about["test pictures"] >= 600
    assert {"python", "keras", "tensorflow", "numpy", "pillow"} <= set(about["versions"])
    assert about["training"]["minutes on one core"] <= 15
    assert about["training"]["seed"] == about["pictures"]["seed"] == 1


@pytest.mark.parametrize("name", BASES)
def test_no_chapter_that_loads_them_shows_their_species(name):
    """Chapters 5, 6, 8 and 10: cats and dogs, and what their code names."""
    shown = {"cat", "dog"}
    for number in ("05", "06", "08", "10"):
        for script in CHAPTERS.glob(f"{number}_*.py"):
            words = [
                node.value
                for node in ast.walk(ast.parse(script.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            shown |= set(re.findall(r"\w+", " ".join(words))) & set(data.drawings.SPECIES)
    trained_on = set(record(name)["species"])
    assert trained_on <= set(data.drawings.SPECIES) and len(trained_on) >= 8
    assert not shown & trained_on
    assert len(set(data.drawings.SPECIES) - trained_on) >= 6


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:self.within_class_std_dev_")  # maps that are 0 everywhere
@pytest.mark.parametrize("name", BASES)
def test_they_tell_unseen_species_apart(name, tmp_path):
    """A nearest-mean classifier on their features, without any training."""
    folder = data.drawings.write(tmp_path / "photos", ["cat", "owl"], per_class=40, seed=5)
    photos = data.image_folder(folder, (80, 80))
    base = BASES[name]("drawn", (80, 80, 3))
    nearest = make_pipeline(StandardScaler(), NearestCentroid())

    def accuracy():
        features = base.predict(photos, verbose=0).mean(axis=(1, 2))
        nearest.fit(features[::2], photos.labels[::2])
        return nearest.score(features[1::2], photos.labels[1::2])

    assert accuracy() > 0.85
    keras.utils.set_random_seed(0)
    for weight in base.weights:
        if weight.name == "kernel":
            weight.assign(keras.initializers.GlorotUniform()(weight.shape))
    assert accuracy() < 0.85
