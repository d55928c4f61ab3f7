"""Figures of the decks on augmentation and transfer learning."""

from cnnkit import data, evaluation, models, plots, training
from cnnkit.data import augment
from cnnkit.plots.style import BLUE, GREY, VERMILION, panels, styled
from slides.drawing import cat, figure, lettered, recorded, results, wide

import keras
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch


def changed(layer: keras.Layer, count: int = 5) -> list[np.ndarray]:
    """Return the cat, and what a layer makes of it."""
    training.reproducible(4)
    same = np.repeat(cat(150)[np.newaxis], count, axis=0)
    return [cat(150), *np.asarray(layer(same, training=True)).astype("uint8")]


def rows_of(layers: dict[str, keras.Layer]) -> Figure:
    rows = {name: changed(layer) for name, layer in layers.items()}
    return lettered(plots.picture_rows(rows), 1.2)


@figure
def ch04_chain() -> Figure:
    return plots.image_grid(changed(augment.flip_rotate_zoom()), columns=6, size=1.15)


@figure
def ch04_moved() -> Figure:
    layers = {
        "flip": keras.layers.RandomFlip("horizontal_and_vertical"),
        "rotation": keras.layers.RandomRotation(45 / 360, fill_mode="constant"),
        "crop, resize": augment.CropAndResize(smallest=0.6),
        "translation": keras.layers.RandomTranslation(0.2, 0.2, fill_mode="constant"),
    }
    return rows_of(layers)


@figure
def ch04_recoloured() -> Figure:
    pca_color = augment.PCAColor(deviation=0.3)
    pca_color.adapt(cat(150)[np.newaxis])
    layers = {
        "colour jitter": augment.color_jitter(0.4),
        "PCA colour": pca_color,
        "salt, pepper": augment.SaltAndPepper(0.05),
        "blur": keras.layers.RandomGaussianBlur(kernel_size=11, sigma=(1.0, 3.0)),
    }
    return rows_of(layers)


@figure
def ch04_digits() -> Figure:
    _, (x, y) = data.mnist("sample")
    an_8, a_2, a_6, a_9 = (x[y == digit][0] for digit in (8, 2, 6, 9))
    return plots.image_grid(
        [an_8, an_8[:, ::-1], a_2, a_2[:, ::-1], a_6, np.rot90(a_6, 2), a_9],
        ["an 8", "mirrored", "a 2", "mirrored", "a 6", "half turn", "a 9"],
        size=1.0,
    )


CLAIMS = {
    "none": "mnist_trained_none",
    "moved": "mnist_trained_moved",
    "mirrored": "mnist_trained_mirrored",
    "quarter turns": "mnist_trained_quarter_turns",
    "half turns": "mnist_trained_half_turns",
}


@figure
def ch04_claims() -> Figure:
    drawn = results({title: f"{name}_6_9" for title, name in CLAIMS.items()})
    drawn.axes[0].set_xlabel("recall of 6 and 9, upright")
    return drawn


@figure
def ch04_dropout() -> Figure:
    keras.utils.set_random_seed(3)
    numbers, drop = np.arange(1.0, 9.0).reshape(4, 2), keras.layers.Dropout(0.5)
    steps = [np.asarray(drop(numbers, training=True)) for _ in range(3)]
    titles = ["input", "step 1", "step 2", "step 3", "outside training"]
    return lettered(plots.number_grids([numbers, *steps, numbers], titles), 1.2)


@figure
def ch04_curves() -> Figure:
    drawn = wide(plots.learning_curves(evaluation.history("cats_vs_dogs_both", "sample")))
    before = evaluation.history("cats_vs_dogs_neither", "sample")
    for ax, name in zip(drawn.axes, ("loss", "accuracy"), strict=True):
        for key, dashes in ((name, "-"), (f"val_{name}", "--")):
            ax.plot(range(1, len(before[key]) + 1), before[key], dashes, color=GREY, marker="")
    return drawn


SCRATCH = {"from scratch": "cats_vs_dogs"}
AUGMENTED = {"augmentation, dropout": "cats_vs_dogs_augmented"}
FEATURES = {
    "features": "features",
    "features, augmentation": "features_augmented",
}
TUNED = {"fine-tuned": "fine_tuning"}


@figure
def ch04_results() -> Figure:
    names = {
        "neither": "cats_vs_dogs_neither",
        "dropout": "cats_vs_dogs_dropout",
        "augmentation": "cats_vs_dogs_augmentation",
        "both": "cats_vs_dogs_both",
    }
    return results(names)


@figure
def ch04_crops() -> Figure:
    small = np.repeat(cat(32)[np.newaxis], 10, axis=0)
    padded = augment.pad_and_crop(4)(small, training=True)
    crops = augment.ten_crop(cat(150)[np.newaxis], 116)[0]
    return lettered(
        plots.picture_rows(
            {"pad_and_crop": list(np.asarray(padded)), "ten_crop": list(np.asarray(crops))}
        ),
        1.5,
    )


@figure
def ch05_points() -> Figure:
    kept = recorded("05_feature_extraction", "map/")
    labels = recorded("05_feature_extraction")["labels"]
    return wide(plots.point_maps(kept, labels, ["cat", "dog"]), 2.5)


@figure
def ch05_curves() -> Figure:
    return wide(plots.learning_curves(recorded("05_feature_extraction", "history/")))


@figure
def ch05_results() -> Figure:
    return results(SCRATCH | AUGMENTED | FEATURES)


BLOCKS = [f"block {number}" for number in range(1, 6)]


@figure
def ch06_blocks() -> Figure:
    kept = recorded("06_fine_tuning", "block/")
    figure = plots.curves(kept, BLOCKS, xlabel="features after", ylabel="test accuracy")
    return wide(figure, 2.6)


@figure
@styled
def ch06_layers() -> Figure:
    base = models.vgg16_base()
    base.trainable = False
    model = models.transfer_classifier(base)
    rows = {"head only": plots.layer_states(model)}
    training.transfer.unfreeze_top(base, 4)
    rows["last four layers"] = plots.layer_states(model)
    training.transfer.unfreeze_top(base, len(base.layers))
    rows["everything"] = plots.layer_states(model)
    trained = {title: [each for *_, each in states] for title, states in rows.items()}
    counts = [sum(count for _, count, free in states if free) for states in rows.values()]
    names = [
        f"{title}\n{count / 1e6:.1f} million" for title, count in zip(rows, counts, strict=True)
    ]
    figure, (ax,) = panels(7.2, 3)
    ax.pcolormesh(list(trained.values()), cmap=ListedColormap([BLUE, VERMILION]), ec="white", lw=4)
    ax.set_yticks([0.5, 1.5, 2.5], names)
    ax.set_xticks([1, 3, 5.5, 8.5, 11.5, 14], [*BLOCKS, "head"])
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    marks = [Patch(color=BLUE, label="frozen"), Patch(color=VERMILION, label="trained")]
    figure.legend(handles=marks, loc="outside upper right", ncols=2)
    return figure


@figure
def ch06_curves() -> Figure:
    return wide(plots.learning_curves(recorded("06_fine_tuning", "history/")))


@figure
def ch06_spoiled() -> Figure:
    return wide(plots.curves(recorded("06_fine_tuning", "way/"), ylabel="accuracy"), 1.9)


@figure
def ch06_results() -> Figure:
    return results(SCRATCH | AUGMENTED | FEATURES | TUNED)
