"""Ten-crop prediction against the way of the source: time and peak memory (Linux).

The source cuts all ten windows out of a batch, then predicts the batch ten times, once for each
window. `evaluation.predict` sends all windows of a few photos through the model together. Both get
the same photos from the same folder, and their probabilities have to agree.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.photos import high_water_mark
from cnnkit import data, evaluation, models, training

import keras
import numpy as np

SIDE, WINDOW, WIDTH = 256, 227, 1 / 4
PHOTOS, REPEATS = 256, 5
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


def report() -> None:
    """Print times and peak memory of both ways, and their ratios."""
    print(f"AlexNet of width {WIDTH:g}, photos of {SIDE}×{SIDE}, windows of {WINDOW}×{WINDOW}")
    with tempfile.TemporaryDirectory() as directory:
        folder = data.drawings.write(Path(directory) / "few", ["cat", "dog"], PHOTOS // 2, 0)
        print(f"medians of {REPEATS}, in turns, for {PHOTOS} photos:")
        for batch in TIMED:
            times, difference = _times(_model(), _photos(folder, batch))
            print(
                f"  batches of {batch:4}: source {times['source']:5.1f} s, ours "
                f"{times['ours']:5.1f} s, ratio {times['source'] / times['ours']:.2f}, "
                f"probabilities differ by {difference:.0e} at the most"
            )
        many = data.drawings.write(Path(directory) / "many", ["cat", "dog"], BATCHES[-1] // 2, 0)
        print(f"peak memory for {BATCHES[-1]:,} photos, above what it takes to read the batches:")
        for batch in BATCHES:
            peaks = {name: _peak(name, many, batch) for name in WAYS}
            print(
                f"  batches of {batch:4}: source {peaks['source']:5.0f} MiB, "
                f"ours {peaks['ours']:4.0f} MiB"
            )


def _times(model: keras.Model, dataset: Any) -> tuple[dict[str, float], float]:
    """Return the median time of each way, and by how much their probabilities differ."""
    first = {name: way(model, dataset) for name, way in WAYS.items()}
    difference = float(np.abs(first["ours"] - first["source"]).max())
    if not difference < 1e-5:
        raise RuntimeError(f"The probabilities differ by {difference}.")
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(REPEATS):
        for name, way in WAYS.items():
            start = time.perf_counter()
            way(model, dataset)
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}, difference


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
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


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
