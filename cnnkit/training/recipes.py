"""Published hyperparameters, as data: one recipe for each experiment of the course."""

from dataclasses import dataclass, replace
from typing import Any

from cnnkit.training.callbacks import ReduceOnPlateau

import keras
from keras.callbacks import LearningRateScheduler
from keras.optimizers import schedules


class _WeightDecay(keras.regularizers.L2):
    """That of a recipe; compiling by another recipe replaces it."""


@dataclass(frozen=True)
class Recipe:
    """How a published experiment trains its network.

    Parameters
    ----------
    optimizer, loss, reduction : str
        As Keras names them; by `reduction`, the loss of a batch is the mean or the ``"sum"``.
    batch_size : int or None
        Pictures a step; None for the whole training set, so that an epoch is one step.
    weight_decay : float
        The loss gets half of it times the sum of squares of all trained weights without a
        regularizer. (Keras's optimizers have another one, which goes around the momentum.)
    monitor, mode : str, {"min", "max"}
        The validation metric (training metric, where there is none) by which models are compared.
    patience, decay, decay_every : int, optional, float, int, optional
        That of `ReduceOnPlateau`, which divides the learning rate by ten; or by which the learning
        rate is multiplied after every so many epochs.
    cosine, restart_after : bool, int, optional
        Whether the learning rate falls to 0 by half a cosine wave, step by step over all epochs;
        and the epochs of a first wave, after which it begins anew, for twice as long each time.
    """

    optimizer: str
    learning_rate: float
    batch_size: int | None
    epochs: int
    source: str
    loss: str = "SparseCategoricalCrossentropy"
    reduction: str = "sum_over_batch_size"
    momentum: float | None = None
    nesterov: bool = False
    weight_decay: float = 0.0
    monitor: str = "loss"
    mode: str = "min"
    patience: int | None = None
    decay: float = 1.0
    decay_every: int | None = None
    cosine: bool = False
    restart_after: int | None = None

    def compile(self, model: keras.Model, steps: int | None = None) -> None:
        """Compile a model, with accuracy as its metric; a cosine needs the steps of an epoch.

        A saved model does not hold the weight decay: compile it again before you train it on.
        """
        config: dict[str, Any] = {"learning_rate": self.schedule(steps)}
        if self.momentum:
            config |= {"momentum": self.momentum, "nesterov": self.nesterov}
        optimizer = keras.optimizers.get({"class_name": self.optimizer, "config": config})
        loss = getattr(keras.losses, self.loss)(reduction=self.reduction)
        decay = _WeightDecay(self.weight_decay / 2) if self.weight_decay else None
        for weight in model.trainable_variables:
            if weight.regularizer is None or isinstance(weight.regularizer, _WeightDecay):
                weight.regularizer = decay
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

    def schedule(self, steps: int | None) -> Any:
        """Return the learning rate, or Keras's schedule for epochs of so many steps."""
        if not self.cosine:
            return self.learning_rate
        if steps is None:
            raise ValueError("A cosine falls step by step: call compile(model, steps=len(train)).")
        if self.restart_after is None:
            return schedules.CosineDecay(self.learning_rate, self.epochs * steps)
        return schedules.CosineDecayRestarts(self.learning_rate, self.restart_after * steps)

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Return the callbacks that change the learning rate, new for each run."""
        if self.patience is not None:
            return [ReduceOnPlateau(self.monitor, self.mode, self.patience)]
        if every := self.decay_every:
            rate, decay = self.learning_rate, self.decay
            return [LearningRateScheduler(lambda n, _: rate * decay ** (n // every))]
        return []


BOOK = "F. Chollet, Deep Learning with Python, 2nd edition, section"
CUSTOM_DATA = "Transfer learning for image classification with custom data (in Korean)"
HACKER = "Machine learning as told by a hacker, part 4 (in Korean)"
SHAKE = "X. Gastaldi, Shake-Shake regularization, arXiv:1705.07485, and the author's code"
SUALAB = "Sualab research blog, on telling dogs from cats with AlexNet (in Korean)"
TUTORIAL = f"{CUSTOM_DATA}; its values are those of the PyTorch tutorial that it follows"
BY_ACCURACY: dict[str, Any] = {"monitor": "accuracy", "mode": "max"}
MOMENTUM: dict[str, Any] = {"momentum": 0.9, **BY_ACCURACY}

# Optimizer, learning rate, batch size, epochs, source; and what only some have.
DIGITS = Recipe("sgd", 1e-4, None, 2000, HACKER, reduction="sum")
MNIST = Recipe("rmsprop", 1e-3, 64, 5, f"{BOOK} 8.1")
CATS_VS_DOGS = Recipe("rmsprop", 1e-3, 32, 30, f"{BOOK} 8.2", loss="BinaryCrossentropy")
CATS_VS_DOGS_AUGMENTED = replace(CATS_VS_DOGS, epochs=100)
FEATURES = replace(CATS_VS_DOGS, epochs=20, source=f"{BOOK} 8.3")
FEATURES_AUGMENTED = replace(FEATURES, epochs=50)
FINE_TUNING = replace(FEATURES, learning_rate=1e-5, epochs=30)
ALEXNET = Recipe("sgd", 0.01, 256, 300, SUALAB, patience=30, **MOMENTUM)
HEAD_ONLY = Recipe("adam", 5e-5, 8, 10, CUSTOM_DATA, decay=0.85, decay_every=3, **BY_ACCURACY)
WHOLE_NETWORK = Recipe("sgd", 1e-3, 8, 25, TUTORIAL, decay=0.1, decay_every=7, **MOMENTUM)
SHAKENET = Recipe(
    "sgd", 0.2, 128, 1800, SHAKE, nesterov=True, weight_decay=1e-4, cosine=True, **MOMENTUM
)
SHAKENET_SINGLE_GPU = replace(SHAKENET, batch_size=64, learning_rate=0.1)
