"""Ten-crop prediction against the way of the source: time and peak memory (Linux).

The source cuts all ten windows out of a batch, then predicts the batch ten times, once for each
window. `evaluation.predict` sends all windows of a few photos through the model together. Both get
the same photos from the same folder, and their probabilities have to agree.
"""

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import (
    Measured,
    Ratio,
    agree,
    expect_linux,
    high_water_mark,
    in_turns,
    output_of,
)
from cnnkit import data, evaluation, models, training

import keras
import numpy as np

SIDE, WINDOW, WIDTH = 256, 227, 1 / 4
PHOTOS, SECONDS = 256, 60
COLUMNS = "", "the source's way", "ours", "ratio"
REMARKS = [
    "Peak memory is what a process takes above reading the photos. Ours sends so many windows "
    "through the network at a time as fit a budget, whatever the size of a batch.",
]
TIMED, BATCHES = (32, 256), (32, 256, 1024)  # photos in a batch, for time and for memory

Way = Callable[[keras.Model, Any], np.ndarray]


def ours(model: keras.Model, dataset: Any) -> np.ndarray:
    """Predict with `evaluation.predict`."""
    views = partial(data.augment.ten_crop, size=WINDOW)
    return evaluation.predict(model, dataset, views=views)


def source(model: keras.Model, dataset: Any) -> np.ndarray:
    """Predict each window of a batch by itself."""
    predicted = []
    for images, _ in dataset:
        windows = _windows(np.asarray(images))
        each = [model.predict_on_batch(windows[:, view]) for view in range(10)]
        predicted.append(np.mean(each, axis=0))
    return np.concatenate(predicted)


WAYS: dict[str, Way] = {"source": source, "ours": ours}


def measure() -> Measured:
    """Predict both ways in turns, and then each in a process of its own for its memory."""
    expect_linux()
    rows, ratios = [], []
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(Path(directory) / "few", ["cat", "dog"], PHOTOS // 2, 0)
        for batch in TIMED:
            model, photos = _model(), _photos(folder, batch)
            steps = {name: partial(way, model, photos) for name, way in WAYS.items()}
            agree("probabilities", steps["ours"](), steps["source"](), within=1e-5)
            times = in_turns(steps, SECONDS)
            ratio = times["source"] / times["ours"]
            what = f"time, batches of {batch}"
            ratios.append(Ratio(f"{what}, the source's by ours", ratio, at_least=1))
            rows.append((what, *(f"{times[name]:.1f} s" for name in WAYS), f"{ratio:.2f}"))
        many = data.drawings.write(Path(directory) / "many", ["cat", "dog"], BATCHES[-1] // 2, 0)
        peaks = {batch: [_peak(name, many, batch) for name in WAYS] for batch in BATCHES}
    for batch, peak in peaks.items():
        texts = (f"{mebibytes:,.0f} MiB" for mebibytes in peak)
        rows.append((f"peak memory, batches of {batch:,}", *texts, f"{peak[0] / peak[1]:.1f}"))
    largest = max(own for _, own in peaks.values())
    ratios.append(
        Ratio("peak memory of ours in GiB, whatever the batch", largest / 1024, None, 0.5)
    )
    title = (
        f"Ten windows of {WINDOW}×{WINDOW} from photos of {SIDE}×{SIDE}, AlexNet of width "
        f"{WIDTH:g}: time for {PHOTOS} photos, medians of turns; peak memory for "
        f"{BATCHES[-1]:,}, once"
    )
    return Measured(title, COLUMNS, rows, ratios, REMARKS)


def _windows(images: np.ndarray) -> np.ndarray:
    """Cut the windows as the source does: all of a batch, (n, 10, WINDOW, WINDOW, 3)."""
    free, middle = SIDE - WINDOW, (SIDE - WINDOW) // 2
    windows = np.empty((len(images), 10, WINDOW, WINDOW, 3), "float32")
    corners = (0, 0), (0, free), (free, 0), (free, free), (middle, middle)
    for number, (top, left) in enumerate(corners):
        windows[:, number] = images[:, top : top + WINDOW, left : left + WINDOW]
        windows[:, number + 5] = windows[:, number, :, ::-1]
    return windows


def _model() -> keras.Model:
    training.reproducible(0)
    return models.alexnet((WINDOW, WINDOW, 3), width=WIDTH)


def _photos(folder: Path, batch_size: int) -> Any:
    return data.image_folder(folder, (SIDE, SIDE), batch_size)


def _peak(way: str, folder: Path, batch_size: int) -> float:
    """Return by how many MiB the peak memory of a process of its own grows in predicting."""
    command = [sys.executable, "-m", "benchmarks.ten_crop", way, str(folder), str(batch_size)]
    return float(output_of(command))


def main(way: str, folder: str, batch_size: str) -> None:
    """Predict in this process, and print by how much its peak memory grew."""
    model, dataset = _model(), _photos(Path(folder), int(batch_size))
    model.predict_on_batch(np.zeros((1, WINDOW, WINDOW, 3), "float32"))
    for batch in dataset:
        del batch  # else it would stay in memory
    before = high_water_mark()
    WAYS[way](model, dataset)
    print((high_water_mark() - before) / 2**20)


if __name__ == "__main__":
    main(*sys.argv[1:])
