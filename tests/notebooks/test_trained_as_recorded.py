"""The chapters, the recipes and the recorded runs train alike."""

from dataclasses import replace

from benchmarks.experiments import alexnet, on_vgg16, own_photos, scratch, shakenet
from cnnkit.training import recipes
from tools import notebooks

import keras
import pytest

CHAPTERS = sorted(notebooks.SCRIPTS.glob("*.py"))


def rate(value: float) -> str:
    return f"{value:.0e}".replace("e-0", "e-")


ON_VGG16 = {"SIZE": on_vgg16.SIZE, "WEIGHTS": on_vgg16.WEIGHTS}
BY_SCALE = {  # what a chapter's first cells choose by the scale
    1: {"EPOCHS": scratch.DIGITS_EPOCHS},
    2: {"EPOCHS": scratch.MNIST_EPOCHS},
    3: {"SIZE": scratch.PHOTO_SIZE},
    4: {
        "SIZE": scratch.PHOTO_SIZE,
        "EPOCHS": scratch.AUGMENTED_EPOCHS | {"sample": 2},  # the curves are recorded ones
    },
    5: ON_VGG16,
    6: ON_VGG16,
    7: {
        "BATCH_SIZE": {scale: recipe.batch_size for scale, recipe in alexnet.RECIPE.items()},
        "LEARNING_RATE": {scale: recipe.learning_rate for scale, recipe in alexnet.RECIPE.items()},
        "EPOCHS": {scale: recipe.epochs for scale, recipe in alexnet.RECIPE.items()},
        "CROPS_EACH_EPOCH": alexnet.CROPS_EACH_EPOCH,
        "SIDE": {scale: sizes[0] for scale, sizes in alexnet.SIZES.items()},
        "WINDOW": {scale: sizes[1] for scale, sizes in alexnet.SIZES.items()},
    },
    8: {name: getattr(own_photos, name) for name in ("SIZE", "WEIGHTS", "SHARES")},
    9: {
        "PICTURES": shakenet.PICTURES,
        "VALIDATION": shakenet.VALIDATION,
        "DEPTH": shakenet.DEPTH,
        "WIDTH": shakenet.WIDTH,
        "AUGMENT": shakenet.AUGMENT,
        "BATCH_SIZE": {scale: recipe.batch_size for scale, recipe in shakenet.RECIPE.items()},
        "EPOCHS": {scale: recipe.epochs for scale, recipe in shakenet.RECIPE.items()},
    },
}
ON_PHOTOS = [
    f'optimizer="{recipes.CATS_VS_DOGS.optimizer}", loss="binary_crossentropy"',
    f"batch_size={recipes.CATS_VS_DOGS.batch_size}, shuffle=True",
    'monitor="val_loss", save_best_only=True',
]
ON_FEATURES = [
    '{"sample": 2e-4, "full": 1e-3}[SCALE]',
    f"batch_size={recipes.FEATURES.batch_size}, shuffle=True",
    f"VIEWS = {on_vgg16.VIEWS}\n",
]
LINES = {  # what else a chapter has of its recipe and of the recorded runs
    1: [
        f"SGD(learning_rate={rate(recipes.DIGITS.learning_rate)})",
        f'{recipes.DIGITS.loss}(reduction="{recipes.DIGITS.reduction}")',
        "batch_size=len(x_train), epochs=EPOCHS",
    ],
    2: [
        f'optimizer="{recipes.MNIST.optimizer}", loss="sparse_categorical_crossentropy"',
        f'"batch_size": {recipes.MNIST.batch_size}, "epochs": EPOCHS, "validation_split": HELD',
        'HELD_BACK = {"sample": 1 / 10, "full": 1 / 60}[SCALE]',
        'keras.layers.Dense(512, activation="relu"),',
    ],
    3: [*ON_PHOTOS, f"EPOCHS = {recipes.CATS_VS_DOGS.epochs}\n"],
    4: [
        *ON_PHOTOS[:2],
        'monitor="val_accuracy", save_best_only=True',
        f'"batch_size": {recipes.MNIST.batch_size}, "epochs": {scratch.MNIST_EPOCHS["sample"]}',
        f'"validation_split": {scratch.MNIST_HELD_BACK["sample"]}',
        f"write {scratch.AUGMENTED_EPOCHS['sample']} for 2",
    ],
    5: [
        *ON_FEATURES,
        f"EPOCHS = {recipes.FEATURES.epochs}\n"
        f"AUGMENTED_EPOCHS = {recipes.FEATURES_AUGMENTED.epochs}\n",
        f'optimizer="{recipes.FEATURES.optimizer}", loss="binary_crossentropy"',
    ],
    6: [
        *ON_FEATURES,
        f"HEAD_EPOCHS = {recipes.FEATURES_AUGMENTED.epochs}\n"
        f"EPOCHS = {recipes.FINE_TUNING.epochs}\n",
        f"keras.optimizers.RMSprop(learning_rate={rate(recipes.FINE_TUNING.learning_rate)})",
    ],
    7: ['WIDTH = {"sample": 1 / 4, "full": 1.0}[SCALE]', 'data.cats_vs_dogs(SCALE, "half")'],
    8: [
        'HEAD_RATE = {"sample": 5e-3, "full": 1e-3}[SCALE]',
        "every={}, after={}, floor".format(*own_photos.WHEN),
        f"HEAD_EPOCHS = {recipes.HEAD_ONLY.epochs}\n",
        f"EPOCHS = {own_photos.NETWORK.epochs}\n",
        f"SPECIES = {list(own_photos.SPECIES)}",
        f"per_class={own_photos.PER_CLASS}, seed=8",
        f"batch_size={recipes.HEAD_ONLY.batch_size}, shuffle=part",
    ],
    9: [
        "recipe = training.recipes.SHAKENET_SINGLE_GPU\n",
        "replace(recipe, batch_size=BATCH_SIZE, epochs=EPOCHS)",
        "batches(*validation, batch_size=100",
        *(
            f'train_shakenet("{title}", {", ".join(f"{key}={mode[key]!r}" for key in mode)})'
            for title, mode in (("even", shakenet.EVEN), ("shake", shakenet.SHAKE))
        ),
    ],
}


@pytest.mark.parametrize("number", LINES)
def test_a_chapter_trains_as_the_recipe_and_the_recorded_runs_do(number):
    chapter = CHAPTERS[number - 1].read_text(encoding="utf-8")
    chosen = [f"{name} = {each}[SCALE]" for name, each in BY_SCALE.get(number, {}).items()]
    for line in [*chosen, *LINES[number]]:
        assert line.replace("'", '"') in chapter


def test_the_recorded_runs_train_as_the_recipes_do():
    for recipe in (recipes.CATS_VS_DOGS, recipes.FEATURES):  # as Keras has it by default
        assert keras.optimizers.get(recipe.optimizer).learning_rate == recipe.learning_rate
    assert scratch.MNIST_HELD_BACK == {"sample": 1 / 10, "full": 1 / 60}
    assert scratch.DIGITS_EPOCHS["full"] == recipes.DIGITS.epochs
    assert on_vgg16.AUGMENTED_HEAD_RATE == {"sample": 2e-4, "full": 1e-3}
    assert recipes.FEATURES_AUGMENTED.learning_rate == 1e-3
    assert alexnet.RECIPE["full"] == recipes.ALEXNET
    assert alexnet.WIDTH == {"sample": 1 / 4, "full": 1.0}
    assert own_photos.HEAD_RATE == {"sample": 5e-3, "full": 1e-3}
    sample, full = shakenet.RECIPE["sample"], shakenet.RECIPE["full"]
    assert full == recipes.SHAKENET_SINGLE_GPU
    assert sample == replace(full, batch_size=sample.batch_size, epochs=sample.epochs)
