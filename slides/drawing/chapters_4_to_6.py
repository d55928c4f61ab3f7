"""Figures of the decks on augmentation and transfer learning."""

import functools

from cnnkit import data, models, plots, training
from cnnkit.data import augment
from cnnkit.plots.style import BLUE, VERMILION, panels, styled
from slides.drawing import cats_and_dogs, figure, lettered, photos_of, recorded, results, wide

import keras
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch


@functools.cache
def cat(size: int = 128) -> np.ndarray:
    """Return a photo whose face is near the middle, (size, size, 3) uint8."""
    photo = photos_of([cats_and_dogs() / "train" / "cat" / "cat.119.jpg"], size)[0]
    return np.round(255 * photo).astype("uint8")


def changed(layers: dict[str, keras.Layer], photo: np.ndarray, count: int = 7) -> Figure:
    same = np.repeat(photo[np.newaxis], count, axis=0)
    return lettered(
        plots.picture_rows(
            {name: list(np.asarray(layer(same, training=True))) for name, layer in layers.items()}
        ),
        1.3,
    )


@figure
def ch04_moved() -> Figure:
    layers = {
        "flip": augment.flip("horizontal"),
        "rotate": augment.rotate(45),
        "CropAndResize": augment.CropAndResize(smallest=0.6),
        "flip_rotate_zoom": augment.flip_rotate_zoom(),
    }
    return changed(layers, cat())


@figure
def ch04_recoloured() -> Figure:
    pca_color = augment.PCAColor(deviation=0.3)
    pca_color.adapt(data.image_folder(cats_and_dogs() / "train", (80, 80)))
    layers = {
        "color_jitter": augment.color_jitter(0.4),
        "PCAColor": pca_color,
        "SaltAndPepper": augment.SaltAndPepper(0.05),
        "blur": augment.blur(sigma=2.5),
    }
    return changed(layers, cat())


@figure
def ch04_digits() -> Figure:
    _, (x, y) = data.digits()
    an_8, a_6, a_9 = (x[y == digit][0] for digit in (8, 6, 9))
    return plots.image_grid(
        [an_8, an_8[:, ::-1], an_8[::-1], np.rot90(an_8), a_6, np.rot90(a_6, 2), a_9],
        ["an 8", "mirrored", "upside\ndown", "quarter\nturn", "a 6", "half\nturn", "a 9"],
        size=1.0,
    )


@figure
def ch04_curves() -> Figure:
    return wide(plots.learning_curves(recorded("04_augmentation", "history/")))


SCRATCH = {"from scratch": ("cats_vs_dogs", "sample")}
AUGMENTED = {"augmentation, dropout": ("cats_vs_dogs_augmented", "sample")}
FEATURES = {
    "features": ("features", "sample"),
    "features, augmentation": ("features_augmented", "sample"),
}
TUNED = {"fine-tuned": ("fine_tuning", "sample")}


@figure
def ch04_results() -> Figure:
    return results(SCRATCH | AUGMENTED)


@figure
def ch04_crops() -> Figure:
    small = np.repeat(cat(32)[np.newaxis], 10, axis=0)
    padded = augment.pad_and_crop(4)(small, training=True)
    crops = augment.ten_crop(cat()[np.newaxis], 100)[0]
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
