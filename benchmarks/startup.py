"""From nothing to the import, to a first batch, and to a first prediction, in fresh processes.

The other side is Keras alone: its import, its loader of folders, and a script that loads the same
classifier, saved as a file of plain Keras layers. The two sides take turns, and print the same.
"""

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measuring import (
    PART_MEANS,
    PHOTO_MEANS,
    Measured,
    Ratio,
    agree,
    in_turns,
    output_of,
)
from cnnkit import data, models
from cnnkit.cli import config, runs

import keras

SECONDS, LEAST = 60, 5  # for the turns of a row, and how many there are at least
SPECIES, PER_CLASS = ("cow", "owl"), 200
COLUMNS = "from a new process to", "ours", "Keras alone", "ratio"
# Within which the mean of a batch has to agree, those of each photo's channels, and the labels.
IN_A_BATCH = [PHOTO_MEANS, *32 * 4 * [PART_MEANS]]
OUR_BATCH = """
import sys; from cnnkit import data
images, labels = next(iter(data.image_folder(sys.argv[1], (180, 180))))
channels = images.numpy().mean((1, 2)).ravel().tolist()
print([float(images.numpy().mean()), *channels, *(1000 * labels.numpy()).tolist()])
"""
IN_A_BATCH = [
    PHOTO_MEANS,
    *32 * 4 * [PART_MEANS],
]  # means of all, of each channel of a photo; labels
THEIR_BATCH = """
import sys; import keras
photos = keras.utils.image_dataset_from_directory(
    sys.argv[1], image_size=(180, 180), shuffle=False, verbose=False
)
images, labels = next(iter(photos))
channels = images.numpy().mean((1, 2)).ravel().tolist()
print([float(images.numpy().mean()), *channels, *(1000 * labels.numpy()).tolist()])
"""
THEIR_PREDICTION = """
import sys; import keras; import numpy as np
model = keras.models.load_model(sys.argv[1])
photo = keras.utils.load_img(sys.argv[2], target_size=(112, 112), interpolation="bilinear")
print(model.predict(keras.utils.img_to_array(photo)[np.newaxis], verbose=0)[0].tolist())
"""
REMARKS = [
    "Most of each is the import of Keras and TensorFlow. Beyond that, ours imports scikit-learn, "
    "SciPy and matplotlib with its parts; for the first batch it checks and decodes all "
    f"{2 * PER_CLASS} photos, so that none fails later; and a prediction builds the base, loads "
    "its weights and the head, and checks the run's description and the photo."
]


def measure() -> Measured:
    """Time the three starts."""
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(Path(directory) / "photos", SPECIES, PER_CLASS, 0)
        photo, classifier = next(folder.glob("owl/*.jpg")), Path(directory) / "plain.keras"
        run = _train(folder, Path(directory))
        trained = runs.classifier(config.read(run / "run.yml"))
        _plain(trained).save(classifier)
        command = str(Path(sys.executable).with_name("cnnkit"))
        starts = {
            "the import": (_python("import cnnkit"), _python("import keras"), None),
            "a first batch": (_python(OUR_BATCH, folder), _python(THEIR_BATCH, folder), IN_A_BATCH),
            "a first prediction": (
                [command, "predict", str(run), str(photo), "--json"],
                _python(THEIR_PREDICTION, classifier, photo),
                1e-3,
            ),
        }
        rows, ratios = [], []
        for name, (ours, theirs, within) in starts.items():
            if within:
                agree(name, _answer(ours), _answer(theirs), within)
            sides = {"ours": _starting(ours), "theirs": _starting(theirs)}
            medians = in_turns(sides, SECONDS, LEAST)
            ratio = medians["ours"] / medians["theirs"]
            limit = 1.1 if name == "the import" else None
            ratios.append(Ratio(f"time to {name}, ours by Keras alone", ratio, at_most=limit))
            rows.append(
                (name, *(f"{seconds:.2f} s" for seconds in medians.values()), f"{ratio:.2f}")
            )
    title = f"A new process, medians of at least {LEAST} turns; drawn photos"
    return Measured(title, COLUMNS, rows, ratios, REMARKS)


def _python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def _starting(command: list[str]) -> Callable[[], Any]:
    return lambda: output_of(command)


def _answer(command: list[str]) -> Any:
    """Return what a command prints: numbers, or what ``cnnkit predict`` tells of one photo."""
    answer = json.loads(output_of(command))
    return list(answer[0]["probabilities"].values()) if isinstance(answer[0], dict) else answer


def _train(folder: Path, directory: Path) -> Path:
    """Train a head by the command line, as the README does."""
    command = Path(sys.executable).with_name("cnnkit")
    description, run = directory / "run.yml", directory / "run"
    options = "--file", description, "--weights", "drawn", "--output", run
    for arguments in (("init", folder, *options), ("train", description)):
        output_of([str(command), *map(str, arguments)])
    return run


def _plain(classifier: keras.Model) -> keras.Model:
    """Copy a classifier into layers that Keras loads by itself."""
    plain = keras.models.clone_model(classifier, clone_function=_plain_layer, recursive=True)
    plain.set_weights(classifier.get_weights())
    return plain


def _plain_layer(layer: keras.Layer) -> keras.Layer:
    if layer.name == "preprocessing":
        colours = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as DenseNet has it
        mean, deviation = ([255 * value for value in values] for values in colours)
        return keras.layers.Normalization(mean=mean, variance=[value**2 for value in deviation])
    if isinstance(layer, models.heads.Predictions):
        return keras.layers.Dense(layer.units, "softmax", name=layer.name)
    if isinstance(layer, keras.layers.BatchNormalization):
        return keras.layers.BatchNormalization.from_config(layer.get_config())
    return layer.__class__.from_config(layer.get_config())
