"""Published hyperparameters, as data: one recipe for each experiment of the course."""

from dataclasses import replace

from cnnkit.training.recipe import Recipe

DIGITS = Recipe(
    optimizer="sgd",
    learning_rate=1e-4,
    loss="SparseCategoricalCrossentropy",
    reduction="sum",
    batch_size=None,
    epochs=2000,
    source="Machine learning as told by a hacker, part 4 (in Korean)",
)

MNIST = Recipe(
    optimizer="rmsprop",
    learning_rate=1e-3,
    loss="SparseCategoricalCrossentropy",
    batch_size=64,
    epochs=5,
    source="F. Chollet, Deep Learning with Python, 2nd edition, section 8.1",
)

CATS_VS_DOGS = Recipe(
    optimizer="rmsprop",
    learning_rate=1e-3,
    loss="BinaryCrossentropy",
    batch_size=32,
    epochs=30,
    source="F. Chollet, Deep Learning with Python, 2nd edition, section 8.2",
)

CATS_VS_DOGS_AUGMENTED = replace(CATS_VS_DOGS, epochs=100)

FEATURES = Recipe(
    optimizer="rmsprop",
    learning_rate=1e-3,
    loss="BinaryCrossentropy",
    batch_size=32,
    epochs=20,
    source="F. Chollet, Deep Learning with Python, 2nd edition, section 8.3",
)

FEATURES_AUGMENTED = replace(FEATURES, epochs=50)

FINE_TUNING = replace(FEATURES, learning_rate=1e-5, epochs=30)

ALEXNET = Recipe(
    optimizer="sgd",
    learning_rate=0.01,
    momentum=0.9,
    loss="SparseCategoricalCrossentropy",
    batch_size=256,
    epochs=300,
    monitor="accuracy",
    mode="max",
    patience=30,
    source="Sualab research blog, on telling dogs from cats with AlexNet (in Korean)",
)

HEAD_ONLY = Recipe(
    optimizer="adam",
    learning_rate=5e-5,
    loss="SparseCategoricalCrossentropy",
    batch_size=8,
    epochs=10,
    monitor="accuracy",
    mode="max",
    decay=0.85,
    decay_every=3,
    source="Transfer learning for image classification with custom data (in Korean)",
)

WHOLE_NETWORK = replace(
    HEAD_ONLY,
    optimizer="sgd",
    learning_rate=1e-3,
    momentum=0.9,
    epochs=25,
    decay=0.1,
    decay_every=7,
    source=f"{HEAD_ONLY.source}; its values are those of the PyTorch tutorial that it follows",
)

SHAKENET = Recipe(
    optimizer="sgd",
    learning_rate=0.2,
    momentum=0.9,
    nesterov=True,
    weight_decay=1e-4,
    loss="SparseCategoricalCrossentropy",
    batch_size=128,
    epochs=1800,
    monitor="accuracy",
    mode="max",
    cosine=True,
    source="X. Gastaldi, Shake-Shake regularization, arXiv:1705.07485, and the author's code",
)

SHAKENET_SINGLE_GPU = replace(SHAKENET, batch_size=64, learning_rate=0.1)


def __getattr__(name: str) -> Recipe:
    """Find a recipe by its name in small letters as well: ``recipes.alexnet`` is `ALEXNET`."""
    recipe = globals().get(name.upper()) if name.islower() else None
    if not isinstance(recipe, Recipe):
        known = ", ".join(key for key, value in globals().items() if isinstance(value, Recipe))
        raise AttributeError(f"There is no recipe {name!r}; there are {known}.")
    return recipe
