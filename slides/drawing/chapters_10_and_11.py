"""Figures of the decks on looking inside, and beyond one machine."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cnnkit import data, models, plots
from cnnkit.evaluation import explain
from slides.drawing import cats_and_dogs, figure, lettered, passing, photos_of, recorded, wide

import numpy as np
from matplotlib.figure import Figure

INSIDE = ["block1_conv2", "block3_conv3", "block5_conv3"]


@functools.cache
def test_photos() -> Any:
    return data.image_folder(cats_and_dogs() / "test", (112, 112))


@figure
def ch10_depth() -> Figure:
    names = [f"block{block}_conv2" for block in (1, 2, 3, 4)] + ["block5_conv3"]
    photo = photos_of([test_photos().file_paths[1]], 112)[0]
    base = models.vgg16_base("drawn", (112, 112, 3))
    maps = explain.feature_maps(base, 255 * photo, names)
    return lettered(plots.layer_by_layer(photo, list(maps.values()), names), 1.45)


@figure
def ch10_patterns() -> Figure:
    base = models.vgg16_base("drawn", (112, 112, 3))
    return plots.picture_rows(
        {name: list(explain.filter_patterns(base, name, 6, steps=25)) for name in INSIDE}, size=0.95
    )


def heated(name: str, title: Callable[[np.ndarray, int], str]) -> Figure:
    kept, test = recorded("10_looking_inside"), test_photos()
    numbers = kept[name]
    photos = photos_of([test.file_paths[number] for number in numbers], 112)
    titles = [
        title(row, test.labels[number])
        for row, number in zip(kept[f"{name}_answers"], numbers, strict=True)
    ]
    drawn = plots.heat_overlays(255 * photos, kept[f"{name}_heat"] / 255, titles)
    return lettered(drawn, 1.15)


@figure
def ch10_heat() -> Figure:
    return heated("right", lambda row, label: ["cat", "dog"][label])


@figure
def ch10_wrong() -> Figure:
    names = ["cat", "dog"]
    return heated(
        "wrong", lambda row, label: f"{names[row.argmax()]}? {row.max():.0%}\nis {names[label]}"
    )


@figure
def ch10_plane() -> Figure:
    kept = recorded("10_looking_inside", "plane/")
    labels = recorded("10_looking_inside")["labels"]
    return wide(plots.point_maps(kept, labels, ["cat", "dog"]), 2.7)


@functools.cache
def walls() -> dict[str, list[str]]:
    directory, paths = Path(passing().name), {}
    for name, background in (("flawed", "species"), ("repaired", "neutral")):
        data.drawings.write(
            directory / name, ["cat", "dog"], 50, seed=11, size=64, background=background
        )
        paths[name] = data.image_folder(directory / name, (64, 64)).file_paths
    return paths


@figure
def ch10_sets() -> Figure:
    rows = {f"{name} set": list(photos_of(paths[46:54], 64)) for name, paths in walls().items()}
    return lettered(plots.picture_rows(rows), 1.2)


@figure
def ch10_cheating() -> Figure:
    chosen, kept = (0, 1, -2), recorded("10_looking_inside", "cheating/")
    paths = {name: [each[number] for number in chosen] for name, each in walls().items()}
    photos = np.concatenate([255 * photos_of(each, 64) for each in paths.values()])
    heat = np.concatenate([kept[name][[0, 1, 4]] / 255 for name in paths])
    boxes = np.concatenate([data.drawings.face_boxes(each, (64, 64)) for each in paths.values()])
    titles = [f"{name} set" for name in paths for _ in chosen]
    return lettered(plots.heat_overlays(photos, heat, titles, boxes, columns=6), 1.1)


@figure
def ch11_parallel() -> Figure:
    return lettered(plots.data_parallel(), 1.28)


@figure
def ch11_scaling() -> Figure:
    parameters = {
        "DenseNet-121, no top": 6_953_856,
        "VGG16, no top": 14_714_688,
        "VGG16": 138_357_544,
    }
    links = {"10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9}
    workers, share, rate = [1, 2, 4, 8, 16, 32, 64], 32, 500

    def efficiency(count: int, n: int, bandwidth: float) -> float:
        exchange = 2 * (n - 1) / n * 4 * count / bandwidth
        return share / rate / (share / rate + exchange)

    cases = [
        ("DenseNet-121, no top", "100 Gbit/s"),
        ("DenseNet-121, no top", "10 Gbit/s"),
        ("VGG16", "100 Gbit/s"),
        ("VGG16, no top", "10 Gbit/s"),
        ("VGG16", "10 Gbit/s"),
    ]
    lines = {
        f"{name}, {link}": [efficiency(parameters[name], n, links[link]) for n in workers]
        for name, link in cases
    }
    look = {"xlabel": "workers", "ylabel": "efficiency", "ylim": (0, 1.05)}
    return wide(plots.curves(lines, [str(n) for n in workers], **look), 2.7)
