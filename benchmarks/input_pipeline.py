"""Epochs of photos from a folder: ours, Keras's loader as its tutorial has it, and one array.

Each side trains a very small network with `fit`, in a process of its own, so that it has a peak
memory of its own (Linux). The processes take turns, an epoch each. The photos and labels that they
see have to be the same.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.measuring import (
    PART_MEANS,
    PHOTO_MEANS,
    Measured,
    Ratio,
    agree,
    expect_linux,
    high_water_mark,
    in_turns,
)
from cnnkit import data, models, training

import keras
import numpy as np
import psutil

NUMBERS, DRAWN = (1_000, 5_000, 25_000), 1_000  # photos; those beyond are the same ones again
SIDE, BATCH, LATER = 180, 32, 3  # pixels, photos a step, epochs after the first
FEW, SECONDS = 320, 60  # photos with which chapter 3's network is trained, and for how long
COLUMNS = "side", "photos", "first epoch", "later epoch", "peak memory"
OURS, TUTORIAL, ARRAY = "ours", "Keras's tutorial", "float32 array"
REMARKS = [
    "The first epoch has the loading in it. Ours decodes each photo whole and checks it, so that a "
    "damaged one is named before the training and does not stop it; that takes longer than the "
    "tutorial's first epoch. The later ones, which only copy bytes, make up for it after some "
    "epochs.",
    "Peak memory is that of the whole process. Ours keeps decoded photos as bytes, in memory up to "
    "256 MiB and beyond in a file, which the system may hold in memory that is free. Where the "
    "array needs more than there is, by its peak with fewer photos, it was not run.",
]


def measure() -> Measured:
    """Measure each number of photos, and then the promises that were made for chapter 3."""
    expect_linux()
    rows: list[tuple[str, ...]] = []
    later: list[float] = []
    peaks: dict[str, dict[int, float]] = {OURS: {}, TUTORIAL: {}, ARRAY: {}}
    memory = 0.8 * psutil.virtual_memory().available / 2**20
    with tempfile.TemporaryDirectory() as directory:
        drawn = data.drawings.write(Path(directory) / "drawn", ["cat", "dog"], DRAWN // 2, 0)
        for number in NUMBERS:
            folder = _repeat(drawn, Path(directory) / str(len(rows)), number)
            needed = _extrapolated(peaks[ARRAY], number)
            sides = [OURS, TUTORIAL] + [ARRAY] * (needed < memory)
            found = _turns(folder, sides)
            for side, (first, after, peak) in found.items():
                texts = f"{first:.1f} s", f"{after:.2f} s", f"{peak:,.0f} MiB"
                rows.append((side, f"{number:,}", *texts))
                peaks[side][number] = peak
            if ARRAY not in found:
                missing = "not run", "not run", f"about {needed / 1024:.0f} GiB"
                rows.append((ARRAY, f"{number:,}", *missing))
            later.append(found[TUTORIAL][1] / found[OURS][1])
        from_file = _from_file_against_memory(Path(directory) / "few")
    _, some, many = NUMBERS
    mean = statistics.geometric_mean(later)
    return Measured(
        f"Epochs of drawn photos at {SIDE}×{SIDE}, batches of {BATCH}, a network of two weights a "
        f"colour; first epochs and peak memory once, later epochs by medians of {LATER} turns",
        COLUMNS,
        rows,
        [
            Ratio("later epoch of Keras's tutorial by ours, geometric mean", mean),
            Ratio(
                f"peak memory of ours, {many:,} photos by {some:,}",
                peaks[OURS][many] / peaks[OURS][some],
                at_most=1.1,
            ),
            Ratio(
                "chapter 3's network, epoch from a file by one from an array",
                from_file,
                at_most=1.1,
            ),
        ],
        REMARKS,
    )


def _extrapolated(peaks: dict[int, float], number: int) -> float:
    """Return the peak memory for so many photos, on the line through two that were measured.

    By one that was measured, in proportion.
    """
    if not peaks:
        return 0.0
    (few, low), (more, high) = [(0, 0.0), *peaks.items()][-2:]
    return high + (number - more) * (high - low) / (more - few)


def ours(folder: Path) -> tuple[Any, ...]:
    """Load a folder with `image_folder`."""
    return (data.image_folder(folder, (SIDE, SIDE), BATCH, shuffle=True, seed=0),)


def keras_tutorial(folder: Path) -> tuple[Any, ...]:
    """Load it as Keras's tutorial "Image classification from scratch" does."""
    import tensorflow as tf

    photos = keras.utils.image_dataset_from_directory(
        folder, image_size=(SIDE, SIDE), batch_size=BATCH, seed=0, verbose=False
    )
    return (photos.prefetch(tf.data.AUTOTUNE),)


def float_array(folder: Path) -> tuple[Any, ...]:
    """Load all of it into one array of float32."""
    paths = sorted(folder.glob("*/*.jpg"))
    images = np.empty((len(paths), SIDE, SIDE, 3), "float32")
    for image, path in zip(images, paths, strict=True):
        loaded = keras.utils.load_img(path, target_size=(SIDE, SIDE), interpolation="bilinear")
        image[...] = keras.utils.img_to_array(loaded)
    return images, np.array([path.parent.name == "dog" for path in paths], "int64")


SIDES = {OURS: ours, TUTORIAL: keras_tutorial, ARRAY: float_array}


def _turns(folder: Path, sides: list[str]) -> dict[str, tuple[float, float, float]]:
    """Return seconds of the first epoch, of a later one, and MiB of peak memory, of each side."""
    with ExitStack() as stack:
        workers = {side: stack.enter_context(_Worker(side, folder)) for side in sides}
        first = {side: worker.ask("epoch") for side, worker in workers.items()}
        turns = [
            {side: worker.ask("epoch") for side, worker in workers.items()} for _ in range(LATER)
        ]
        peaks = {side: worker.ask("peak") for side, worker in workers.items()}
        seen = {side: worker.ask("look") for side, worker in workers.items()}
    for side in sides:
        agree("brightness of the photos", seen[OURS], seen[side], [PHOTO_MEANS, *4 * [PART_MEANS]])
    later = {side: statistics.median(turn[side] for turn in turns) for side in sides}
    return {side: (first[side], later[side], peaks[side]) for side in sides}


class _Worker:
    """A process that trains on photos when it is told to."""

    def __init__(self, side: str, folder: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.input_pipeline", side, str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "_Worker":
        try:
            self.ask("start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def ask(self, what: str) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"A process of the benchmark ended with {self._process.wait()}.")
        return json.loads(answer)


def main(side: str, folder: str) -> None:
    """Do in this process what comes by the standard input, and print what was found."""
    inputs = keras.Input((SIDE, SIDE, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, "softmax")(pooled))
    model.compile("sgd", "sparse_categorical_crossentropy")
    photos: tuple[Any, ...] = ()
    for line in sys.stdin:
        answer: Any = None
        if line == "epoch\n":
            start = time.perf_counter()
            photos = photos or SIDES[side](Path(folder))
            model.fit(*photos, batch_size=BATCH if side == ARRAY else None, verbose=0)
            answer = time.perf_counter() - start
        elif line == "peak\n":
            answer = high_water_mark() / 2**20
        elif line == "look\n":
            answer = _look(*photos)
        print(json.dumps(answer), flush=True)


def _look(photos: Any, labels: np.ndarray | None = None) -> list[list[float]]:
    """Return the mean brightness of each photo, and of its quarters.

    Each of the five is sorted within a class, so that the order of the photos does not matter.
    """
    batches = photos if labels is None else [(photos, labels)]
    means = [(_brightness(np.asarray(x)), np.asarray(y)) for x, y in batches]
    brightness, classes = (np.concatenate(arrays) for arrays in zip(*means, strict=True))
    sorted_ones = [np.sort(brightness[classes == k], axis=0) for k in (0, 1)]
    return np.concatenate(sorted_ones).tolist()


def _brightness(images: np.ndarray) -> np.ndarray:
    number, height, width, colours = images.shape
    quarters = images.reshape(number, 2, height // 2, 2, width // 2, colours)
    means = quarters.mean((2, 4, 5)).reshape(number, 4)
    return np.column_stack([images.mean((1, 2, 3)), means])


def _repeat(drawn: Path, folder: Path, number: int) -> Path:
    """Fill a folder with so many photos, by further names of the drawn ones."""
    for path in sorted(drawn.glob("*/*.jpg")):
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        for copy in range(number // DRAWN):
            (folder / path.parent.name / f"{copy}-{path.name}").hardlink_to(path)
    return folder


def _from_file_against_memory(folder: Path) -> float:
    """Train chapter 3's network at full size, and divide the time of an epoch by another."""
    data.drawings.write(folder, ["cat", "dog"], FEW // 2, 0)
    photos = data.image_folder(folder, (SIDE, SIDE), shuffle=True, seed=0, memory_budget=0)
    batches = [(np.asarray(images), np.asarray(labels)) for images, labels in photos]
    images, labels = (np.concatenate(arrays) for arrays in zip(*batches, strict=True))
    model = models.cats_vs_dogs_cnn((SIDE, SIDE, 3))
    training.recipes.CATS_VS_DOGS.compile(model)
    steps = {
        "file": lambda: model.fit(photos, verbose=0),
        "array": lambda: model.fit(images, labels, batch_size=32, verbose=0),
    }
    medians = in_turns(steps, SECONDS)
    return medians["file"] / medians["array"]


if __name__ == "__main__":
    main(*sys.argv[1:])
