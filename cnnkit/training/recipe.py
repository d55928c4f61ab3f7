"""What a recipe holds, and how it compiles a model."""

from dataclasses import dataclass
from typing import Any

from cnnkit.training.callbacks import ReduceOnPlateau

import keras


class _WeightDecay(keras.regularizers.L2):
    """That of a recipe; compiling by another recipe replaces it."""


@dataclass(frozen=True)
class Recipe:
    """How a published experiment trains its network.

    Parameters
    ----------
    optimizer, loss, reduction : str
        As Keras names them. By `reduction`, the loss of a batch is the mean or the ``"sum"``.
    learning_rate : float
    batch_size : int or None
        Pictures a step; None for the whole training set, so that an epoch is one step.
    epochs : int
    source : str
        Where it was published.
    momentum, nesterov : float, bool
        Those of stochastic gradient descent.
    weight_decay : float
        The loss gets half of it times the sum of squares of all trained weights without a
        regularizer. (Keras's optimizers have another one, which goes around the momentum.)
    monitor, mode : str, {"min", "max"}
        The validation metric by which models are compared, such as ``"accuracy"``, and whether
        less or more of it is better. Without validation data, it is the training metric.
    patience : int, optional
        That of `ReduceOnPlateau`, which divides the learning rate by ten.
    decay, decay_every : float, int, optional
        By which the learning rate is multiplied after every so many epochs.
    cosine : bool
        Whether the learning rate falls to 0 by half a cosine wave, step by step over all epochs.
    restart_after : int, optional
        Epochs of the first wave; then it begins anew, and each wave is twice as long as the last.
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

    def __post_init__(self) -> None:
        ways = ("patience", "decay_every", "cosine")
        chosen = [way for way in ways if getattr(self, way) not in (None, False)]
        if len(chosen) > 1:
            names = " and ".join(chosen)
            raise ValueError(f"The recipe has {names}; the learning rate follows one of them.")
        if self.restart_after is not None and not (self.cosine and self.restart_after > 0):
            raise ValueError("restart_after is a number of epochs from 1, with cosine=True.")

    def compile(self, model: keras.Model, steps: int | None = None) -> None:
        """Compile a model with this optimizer and loss, and accuracy as its metric.

        `steps` are those of an epoch, ``len(train)``; a cosine needs them. A saved model does not
        hold the weight decay: compile it again before you train it on.
        """
        config: dict[str, Any] = {"learning_rate": self.schedule(steps)}
        if self.momentum:
            config |= {"momentum": self.momentum, "nesterov": self.nesterov}
        optimizer = keras.optimizers.get({"class_name": self.optimizer, "config": config})
        loss = getattr(keras.losses, self.loss)(reduction=self.reduction)
        for weight in model.trainable_variables:
            if weight.regularizer is None or isinstance(weight.regularizer, _WeightDecay):
                decay = _WeightDecay(self.weight_decay / 2) if self.weight_decay else None
                weight.regularizer = decay
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

    def schedule(self, steps: int | None) -> Any:
        """Return the learning rate, or Keras's schedule for epochs of so many steps."""
        schedules = keras.optimizers.schedules
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
        if self.decay_every is not None:
            every, scheduler = self.decay_every, keras.callbacks.LearningRateScheduler
            return [scheduler(lambda n, _: self.learning_rate * self.decay ** (n // every))]
        return []
