"""Published hyperparameters, as data: one recipe for each experiment of the course."""

from dataclasses import dataclass, replace

import keras


@dataclass(frozen=True)
class Recipe:
    """How a published experiment trains its network.

    Parameters
    ----------
    optimizer : str
        Name of a Keras optimizer.
    learning_rate : float
        Its learning rate.
    loss : str
        Class name of a Keras loss.
    reduction : str
        How the loss of a batch follows from that of its pictures: Keras's default, the mean,
        or their ``"sum"``.
    batch_size : int or None
        Pictures a step; None for the whole training set.
    epochs : int
        Passes over the training set. With `batch_size` None, an epoch is one step.
    source : str
        Where it was published.
    """

    optimizer: str
    learning_rate: float
    loss: str
    batch_size: int | None
    epochs: int
    source: str
    reduction: str = "sum_over_batch_size"

    def compile(self, model: keras.Model) -> None:
        """Compile a model with this optimizer and loss, and accuracy as its metric."""
        optimizer = keras.optimizers.get(self.optimizer)
        optimizer.learning_rate = self.learning_rate
        loss = getattr(keras.losses, self.loss)(reduction=self.reduction)
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])


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
