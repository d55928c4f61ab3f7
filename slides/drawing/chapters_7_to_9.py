"""Figures of the decks on AlexNet, own photos and ShakeNet."""

import functools
from pathlib import Path

from cnnkit import data, evaluation, models, plots
from cnnkit.data import augment
from slides.drawing import (
    bars,
    figure,
    lettered,
    passing,
    photos_of,
    projected,
    recorded,
    results,
    wide,
)
from slides.drawing.chapters_1_to_3 import SOBEL

import keras
import numpy as np
from matplotlib.figure import Figure
from scipy.signal import correlate2d


@figure
def ch07_windows() -> Figure:
    test = data.image_folder(data.cats_vs_dogs("sample", "half") / "test", (130, 130), 16)
    photo = np.round(255 * photos_of([test.file_paths[3]], 130)[0])
    crop = augment.crop_and_flip(115, seed=5)
    windows = np.asarray(crop(np.repeat(photo[np.newaxis], 5, axis=0), training=True))
    titles = ["photo", *["window"] * 5]
    return plots.image_grid([photo / 255, *(windows / 255)], titles, columns=6, size=1.2)


@figure
def ch07_shares() -> Figure:
    layers = [layer for layer in models.alexnet().layers if layer.weights]
    counts = {"parameters": [layer.count_params() for layer in layers], "multiplications": []}
    for layer in layers:
        *places, outputs = layer.output.shape[1:]
        work = np.prod(places, dtype=float) * outputs * np.prod(layer.kernel.shape[:-1])
        counts["multiplications"].append(work)
    shares = {name: np.array(count) / np.sum(count) for name, count in counts.items()}
    names = [layer.name for layer in layers]
    return bars(shares, names, "share")


@figure
def ch07_spreads() -> Figure:
    kept = recorded("07_alexnet", "spread/")
    look = {"ylabel": "standard deviation", "yscale": "log"}
    names = recorded("07_alexnet")["layers"]
    return wide(plots.curves(kept, names, xlabel="layer", **look), 2.8)


@figure
def ch07_results() -> Figure:
    experiments = {
        "ten crops": "alexnet",
        "the middle": "alexnet_center",
        "without dropout": "alexnet_without_dropout",
    }
    return results(experiments)


SPECIES = ["cow", "horse", "koala", "owl"]


@functools.cache
def animals() -> Path:
    return data.drawings.write(Path(passing().name) / "photos", SPECIES, per_class=40, seed=8)


@figure
def ch08_photos() -> Figure:
    return lettered(
        plots.picture_rows(
            {
                name: list(photos_of([animals() / name / f"{name}.{n}.jpg" for n in range(8)], 112))
                for name in SPECIES
            }
        ),
        1.4,
    )


@figure
def ch08_shortcuts() -> Figure:
    drawn = plots.shortcuts(layers=4)
    for ax, title in zip(drawn.axes, ("ResNet: added", "DenseNet: joined"), strict=True):
        ax.set_title(title)
    return wide(drawn, 2, 7.2)


@figure
def ch08_growth() -> Figure:
    blocks, channels = {}, 64
    for number, layers in enumerate(models.densenet.PUBLISHED[121], start=1):
        blocks[f"block {number}"] = [channels + 32 * layer for layer in range(layers + 1)]
        channels = blocks[f"block {number}"][-1] // 2
    return wide(plots.curves(blocks, xlabel="layer of the block", ylabel="channels"), 3.2)


@figure
def ch08_results() -> Figure:
    experiments = {
        "head alone": "own_photos_head",
        "whole network": "own_photos_network",
    }
    return results(experiments)


@figure
def ch08_confusion() -> Figure:
    return lettered(
        plots.confusion(recorded("08_own_photos")["confusion"], SPECIES, percent=True), 1.5
    )


@figure
def ch08_similar() -> Figure:
    base = models.pooled(models.densenet_base("drawn", (112, 112, 3)))
    photos = data.image_folder(animals(), (112, 112))
    features = base.predict(np.concatenate([images for images, _ in photos]), verbose=0)
    query, others = 2 * 40 + 5, np.delete(np.arange(len(features)), 2 * 40 + 5)
    collection = evaluation.SimilarImages(features[others], [photos.file_paths[n] for n in others])
    found = collection.nearest(features[query], k=5)
    titles = [f"{Path(path).parent.name}\n{distance:.3f}" for path, distance in found]
    pictures = photos_of([photos.file_paths[query], *(path for path, _ in found)], 112)
    return plots.image_grid(list(pictures), ["searched by\n", *titles], size=1.2)


@figure
def ch09_mixtures() -> Figure:
    (x, y), _ = data.cifar10("sample")
    picture = x[np.flatnonzero(y[:300] == 0)[0]]
    move = augment.flip_pad_and_crop(seed=5)
    moved = np.asarray(move(np.repeat(picture[np.newaxis], 9, axis=0), training=True))
    grey = picture.mean(axis=2)
    edges = np.abs(correlate2d(grey, SOBEL, "same"))
    blurred = correlate2d(grey, np.full((5, 5), 1 / 25), "same")
    mixed = [
        a * edges / edges.max() + (1 - a) * blurred / blurred.max() for a in np.linspace(0, 1, 9)
    ]
    return lettered(
        plots.picture_rows({"the picture": list(projected(moved)), "two features": mixed}), 1.4
    )


@figure
def ch09_block() -> Figure:
    return wide(plots.shake_block(), 2.4, 6)


@figure
def ch09_coefficients() -> Figure:
    layers = {
        "even-even": models.ShakeShake("even", "even"),
        "shake-keep-image": models.ShakeShake("shake", "keep", seed=5),
        "shake-shake-image": models.ShakeShake("shake", "shake", seed=5),
        "shake-shake-batch": models.ShakeShake("shake", "shake", "batch", seed=5),
    }
    pairs = {}
    for name, layer in layers.items():
        alpha, beta = layer.coefficients(8)
        pairs[name] = np.resize(np.asarray(alpha), 8), np.resize(np.asarray(beta), 8)
    return wide(plots.coefficients(pairs), 2.5)


@figure
def ch09_histograms() -> Figure:
    random = np.random.default_rng(5)
    first, second = random.random((2, 20_000))
    draws = {"drawn from [0, 1]": random.random(20_000), "u₁ / (u₁ + u₂)": first / (first + second)}
    lines = {title: np.histogram(x, 25, (0, 1), density=True)[0] for title, x in draws.items()}
    look = {"xlabel": "α", "ylabel": "density", "ylim": (0, 2.2)}
    return wide(plots.curves(lines, np.linspace(0.02, 0.98, 25), **look))


@figure
def ch09_skip() -> Figure:
    numbered = np.arange(1, 37).reshape(6, 6)
    moved = np.zeros_like(numbered)
    moved[1:, 1:] = numbered[:-1, :-1]
    grids = [numbered, numbered[::2, ::2], moved, moved[::2, ::2]]
    return lettered(plots.number_grids(grids, ["feature map", "path 1", "moved", "path 2"]), 1.6)


@figure
def ch09_rates() -> Figure:
    schedules = keras.optimizers.schedules
    cosine, restarts = schedules.CosineDecay(0.1, 720), schedules.CosineDecayRestarts(0.1, 103)
    steps = range(0, 720, 2)
    rates = {
        "one wave": [float(cosine(step)) for step in steps],
        "with restarts": [float(restarts(step)) for step in steps],
        "a straight line": list(np.linspace(0.1, 0, len(steps))),
    }
    return wide(plots.curves(rates, np.linspace(0, 40, len(steps)), ylabel="learning rate"), 2.4)


@figure
def ch09_gap() -> Figure:
    experiments = {
        "even-even, training": "shakenet_even_even_batch_on_training",
        "even-even, test": "shakenet_even_even_batch",
        "shake-shake, training": "shakenet_shake_shake_image_on_training",
        "shake-shake, test": "shakenet_shake_shake_image",
    }
    drawn = results(experiments)
    drawn.axes[0].set_xlabel("accuracy")
    return drawn


@figure
def ch09_modes() -> Figure:
    experiments = {
        "even-even": "shakenet_even_even_batch",
        "shake-even-image": "shakenet_shake_even_image",
        "shake-keep-image": "shakenet_shake_keep_image",
        "shake-shake-image": "shakenet_shake_shake_image",
        "… without skip": "shakenet_without_skip",
        "… without BN": "shakenet_without_batch_norm",
    }
    return results(experiments)


@figure
def ch09_correlations() -> Figure:
    kept = recorded("09_shakenet", "correlation/")
    return lettered(plots.correlations(kept, ["1.1", "2.1", "3.1"]), 1.1)
