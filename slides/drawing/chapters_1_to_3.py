"""Figures of the decks on convolution, MNIST, and cats and dogs."""

from cnnkit import data, evaluation, models, plots
from cnnkit.plots.style import GREY, SIGNED, panels, styled
from slides.drawing import (
    bars,
    cat,
    cats_and_dogs,
    figure,
    lettered,
    photos_of,
    projected,
    recorded,
    results,
    spreads,
    wide,
)

import keras
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from scipy.signal import correlate2d

SOBEL = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
PICTURE = np.array([[0, 0, 75, 80, 80], *[[0, 75, 80, 80, 80]] * 3, [0] * 5])

SMALL = np.array([[1, 3, 2, 0], [5, 2, 1, 1], [0, 0, 4, 2], [8, 0, 2, 4]])


@figure
def ch01_chelsea() -> Figure:
    return plots.image_grid([cat(300)], size=3)


@figure
def ch01_step() -> Figure:
    response = correlate2d(PICTURE, SOBEL, "valid").astype(float)
    drawn = plots.convolution_step(PICTURE, SOBEL, response, row=0, column=0)
    response.flat[1:] = np.nan  # which the other steps give
    drawn.axes[2].images[0].set_data(response)
    for text in drawn.axes[2].texts[1:-1]:
        text.set_text("")
    return lettered(drawn, 1.4)


@figure
def ch01_response() -> Figure:
    return lettered(
        plots.number_grids([correlate2d(PICTURE, SOBEL, "valid")], ["response map"]), 1.5
    )


@figure
def ch01_maps() -> Figure:
    diagonal = np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]])
    spot = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])
    kernels, grey = [SOBEL, SOBEL.T, diagonal, spot], cat(300).mean(axis=-1) / 255
    maps = [correlate2d(grey, kernel, "valid") for kernel in kernels]

    def coloured(values: np.ndarray) -> np.ndarray:
        return plt.get_cmap(SIGNED)(0.5 + values / np.abs(values).max() / 2)[..., :3]

    pictures = [cat(300) / 255, *map(coloured, maps), np.ones((3, 3, 3)), *map(coloured, kernels)]
    names = ["photo", "horizontal edges", "vertical edges", "diagonals", "spots"]
    return plots.image_grid(pictures, [*names, "", *["its kernel"] * 4], columns=5, size=1.2)


@figure
def ch01_channels() -> Figure:
    channels = [cat(300), *np.moveaxis(cat(300), -1, 0)]
    return plots.image_grid(channels, ["colour", "red", "green", "blue"], size=1.7)


@figure
def ch01_sizes() -> Figure:
    cases = [(5, 3, 0, 1), (5, 3, 0, 2), (5, 3, 1, 1), (5, 3, 1, 2)]
    drawn = plots.sliding_windows(cases)
    for ax, (*_, padding, stride) in zip(drawn.axes, cases, strict=True):
        size = ax.get_title().partition("\n→ ")[2]
        ax.set_title(f"p = {padding}, s = {stride}\n→ {size}")
    drawn.supxlabel("")
    return wide(drawn, 2.2)


@figure
def ch01_matrix() -> Figure:
    """Draw a dense layer's weights for a row of seven pixels, and those of a kernel of three."""
    dense = np.random.default_rng(0).integers(-9, 10, (5, 7))
    band = np.eye(5, 7) - np.eye(5, 7, 2)
    titles = ["dense layer: 35 weights", "convolution: 3 weights, repeated"]
    return lettered(plots.number_grids([dense, band], titles), 1.6)


@figure
def ch01_relu() -> Figure:
    response = correlate2d(PICTURE, SOBEL, "valid")
    both = np.stack([response, np.maximum(response, 0)], axis=-1)
    return plots.feature_maps(both, ["before", "after ReLU"], size=2)


@figure
def ch01_map() -> Figure:
    return lettered(plots.number_grids([SMALL], ["map"]), 1.3)


@figure
def ch01_pooling() -> Figure:
    windows = SMALL.reshape(2, 2, 2, 2)
    grids = [SMALL, windows.max(axis=(1, 3)), windows.mean(axis=(1, 3))]
    return lettered(plots.number_grids(grids, ["map", "max pooling", "average pooling"]), 1.2)


@figure
@styled
def ch01_descent() -> Figure:
    figure, (ax,) = panels(7, 2.3, xlabel="weight w", ylabel="loss")
    grid, path = np.linspace(-0.5, 6.5, 100), 3 - 3 * 0.4 ** np.arange(6)
    ax.plot(grid, (grid - 3) ** 2, marker="")
    ax.plot(path, (path - 3) ** 2, "o", ms=9)
    return figure


@figure
def ch01_learned() -> Figure:
    kept = np.round(recorded("01_convolution")["learned"], 1)
    titles = ["at first", "3 steps", "10 steps", "Sobel"]
    return lettered(plots.number_grids([*kept[[0, 3, 10]], SOBEL], titles), 1.7)


@figure
def ch01_digits() -> Figure:
    (x, y), _ = data.digits(seed=5)
    return plots.image_grid(x[:12], list(y[:12]), columns=4, size=0.6)


@figure
def ch01_results() -> Figure:
    return results({"digits": "digits"}, {"digits": 0.983})


@figure
def ch02_digits() -> Figure:
    (x, y), _ = data.mnist("sample")
    return plots.image_grid(x[:20], list(y[:20]), size=0.7)


@figure
def ch02_parameters() -> Figure:
    networks = {"with max pooling": models.mnist_cnn(), "without": models.mnist_cnn(False)}
    layers = [layer.name for layer in models.mnist_cnn().layers if layer.weights]
    counts = {
        title: [network.get_layer(name).count_params() / 1000 for name in layers]
        for title, network in networks.items()
    }
    return bars(counts, layers, "parameters / 1000")


@figure
def ch02_curves() -> Figure:
    return wide(plots.learning_curves(recorded("02_mnist", "dense_history/")))


@figure
def ch02_moved() -> Figure:
    _, (x, _) = data.mnist("sample")
    move = keras.layers.RandomTranslation(
        3 / 28, 3 / 28, fill_mode="constant", interpolation="nearest", seed=0
    )
    moved = np.asarray(move(x, training=True))
    return lettered(plots.picture_rows({"in place": x[:8], "moved": moved[:8]}), 1.2)


@figure
def ch02_results() -> Figure:
    names = {
        "dense": "mnist_dense",
        "convolutional": "mnist",
        "dense, moved": "mnist_dense_moved",
        "convolutional, moved": "mnist_moved",
    }
    return results(names)


@figure
def ch02_scales() -> Figure:
    found = {scale: evaluation.spread("mnist", scale) for scale in ("sample", "full")}
    return spreads(found, {"full": 0.991})


@figure
def ch02_confusion() -> Figure:
    return lettered(plots.confusion(recorded("02_mnist")["confusion"]), 1.3)


@figure
def ch02_mistakes() -> Figure:
    kept, (_, (x, y)) = recorded("02_mnist"), data.mnist("sample")
    worst = kept["worst"][:5]
    return plots.mistakes(x[worst], y[worst], kept["worst_probabilities"][:5])


@figure
def ch03_photos() -> Figure:
    path = cats_and_dogs() / "train"
    train = data.image_folder(path, (80, 80), batch_size=16, shuffle=True, seed=5)
    pictures = [cat(300) / 255, *projected(next(iter(train))[0][:8])]
    return plots.image_grid(pictures, columns=3, size=1.1)


@figure
def ch03_curves() -> Figure:
    curves = recorded("03_cats_vs_dogs", "history/")
    drawn = wide(plots.learning_curves(curves))
    drawn.axes[0].axhline(np.log(2), color=GREY, ls="--", marker="")
    drawn.axes[0].axvline(int(np.argmin(curves["val_loss"])) + 1, color=GREY, ls=":", marker="")
    return drawn


@figure
def ch03_results() -> Figure:
    names = {
        "lowest validation loss": "cats_vs_dogs",
        "highest validation accuracy": "cats_vs_dogs_by_accuracy",
        "last epoch": "cats_vs_dogs_last",
    }
    return results(names)


@figure
def ch03_mistakes() -> Figure:
    kept = recorded("03_cats_vs_dogs")
    test, worst = data.image_folder(cats_and_dogs() / "test", (80, 80)), kept["worst"][:5]
    pictures = photos_of([test.file_paths[number] for number in worst], 80)
    rows = kept["worst_probabilities"][:5]
    return plots.mistakes(pictures, test.labels[worst], rows, test.class_names)
