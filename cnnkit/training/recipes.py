"""Published hyperparameters, as data: one recipe for each experiment of the course."""

from dataclasses import replace

from cnnkit.training.recipe import Recipe

BOOK = "F. Chollet, Deep Learning with Python, 2nd edition, section"
FACTS = "Transfer learning for image classification with custom data (in Korean)"
SUALAB = "Sualab research blog, on telling dogs from cats with AlexNet (in Korean)"
SHAKE = "X. Gastaldi, Shake-Shake regularization, arXiv:1705.07485, and the author's code"
HACKER = "Machine learning as told by a hacker, part 4 (in Korean)"

DIGITS = Recipe("sgd", 1e-4, batch_size=None, epochs=2000, reduction="sum", source=HACKER)

MNIST = Recipe("rmsprop", 1e-3, batch_size=64, epochs=5, source=f"{BOOK} 8.1")

CATS_VS_DOGS = Recipe(
    "rmsprop", 1e-3, batch_size=32, epochs=30, loss="BinaryCrossentropy", source=f"{BOOK} 8.2"
)
CATS_VS_DOGS_AUGMENTED = replace(CATS_VS_DOGS, epochs=100)

FEATURES = replace(CATS_VS_DOGS, epochs=20, source=f"{BOOK} 8.3")
FEATURES_AUGMENTED = replace(FEATURES, epochs=50)
FINE_TUNING = replace(FEATURES, learning_rate=1e-5, epochs=30)

BY_ACCURACY = {"monitor": "accuracy", "mode": "max"}

ALEXNET = Recipe(
    "sgd", 0.01, momentum=0.9, batch_size=256, epochs=300, patience=30, source=SUALAB, **BY_ACCURACY
)

HEAD_ONLY = Recipe(
    "adam", 5e-5, batch_size=8, epochs=10, decay=0.85, decay_every=3, source=FACTS, **BY_ACCURACY
)
WHOLE_NETWORK = replace(
    HEAD_ONLY,
    optimizer="sgd",
    learning_rate=1e-3,
    momentum=0.9,
    epochs=25,
    decay=0.1,
    decay_every=7,
    source=f"{FACTS}; its values are those of the PyTorch tutorial that it follows",
)

SHAKENET = Recipe(
    "sgd",
    0.2,
    momentum=0.9,
    nesterov=True,
    weight_decay=1e-4,
    batch_size=128,
    epochs=1800,
    cosine=True,
    source=SHAKE,
    **BY_ACCURACY,
)
SHAKENET_SINGLE_GPU = replace(SHAKENET, batch_size=64, learning_rate=0.1)
