"""What a recipe holds, and how it compiles a model."""

from dataclasses import dataclass
from typing import Any

from cnnkit.training.callbacks import ReduceOnPlateau

import keras


class _WeightDecay(keras.regularizers.L2):
    """That of a recipe, which another recipe replaces."""


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
    momentum : float, optional
        That of stochastic gradient descent.
    monitor, mode : str, {"min", "max"}
        The figure of the validation data by which models are compared, such as ``"accuracy"``, and
        whether less or more of it is better. Without validation data, it is the training figure.
    patience : int, optional
        For how many epochs it may fail to improve before the learning rate is divided by ten, as
        `ReduceOnPlateau` has it; None keeps the learning rate.
    decay, decay_every : float, int, optional
        After every so many epochs, the learning rate is multiplied by `decay`. The optimizer stays,
        and with it its moments. Without `decay_every`, the learning rate is kept.
    nesterov : bool
        Whether stochastic gradient descent looks ahead by its momentum.
    weight_decay : float
        The loss gets `weight_decay` times half the sum of the squares of all weights that are
        trained and have no penalty of their own, and so does that of validation. (Keras's
        optimizers have another one, which goes around the momentum.)
    cosine : bool
        Whether the learning rate falls to 0 by half a cosine wave, step by step over all epochs.
    restart_after, restart_factor : int, float, optional
        The first wave takes only so many epochs. Then the learning rate begins anew, and each wave
        is `restart_factor` times as long as the one before.

    Raises
    ------
    ValueError
        More than one way to change the learning rate, or waves of no length.
    """

    optimizer: str
    learning_rate: float
    loss: str
    batch_size: int | None
    epochs: int
    source: str
    reduction: str = "sum_over_batch_size"
    momentum: float | None = None
    monitor: str = "loss"
    mode: str = "min"
    patience: int | None = None
    decay: float = 1.0
    decay_every: int | None = None
    nesterov: bool = False
    weight_decay: float = 0.0
    cosine: bool = False
    restart_after: int | None = None
    restart_factor: float = 2.0

    def __post_init__(self) -> None:
        ways = {
            "patience": self.patience is not None,
            "decay_every": self.decay_every is not None,
            "cosine": self.cosine,
        }
        if sum(ways.values()) > 1:
            chosen = " and ".join(name for name, taken in ways.items() if taken)
            raise ValueError(f"The recipe has {chosen}; the learning rate follows one of them.")
        if self.restart_after is not None and not self.cosine:
            raise ValueError("The recipe has restart_after without cosine=True.")
        if self.restart_after is not None and self.restart_after < 1:
            raise ValueError(f"restart_after is {self.restart_after}; expected at least 1 epoch.")

    def compile(self, model: keras.Model, steps: int | None = None) -> None:
        """Compile a model with this optimizer and loss, and accuracy as its metric.

        A saved model does not hold the weight decay: compile it again before you train it on.

        Parameters
        ----------
        model : keras.Model
        steps : int, optional
            Steps an epoch, ``len(train)``, which a cosine needs to know.

        Raises
        ------
        ValueError
            A cosine, and no steps.
        """
        config: dict[str, Any] = {"learning_rate": self.schedule(steps)}
        if self.momentum is not None:
            config |= {"momentum": self.momentum, "nesterov": self.nesterov}
        optimizer = keras.optimizers.get({"class_name": self.optimizer, "config": config})
        loss = getattr(keras.losses, self.loss)(reduction=self.reduction)
        for weight in model.trainable_variables:
            if weight.regularizer is None or isinstance(weight.regularizer, _WeightDecay):
                decay = _WeightDecay(self.weight_decay / 2) if self.weight_decay else None
                weight.regularizer = decay
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])

    def schedule(
        self, steps: int | None
    ) -> float | keras.optimizers.schedules.LearningRateSchedule:
        """Return the learning rate, or how it follows from the step.

        Parameters
        ----------
        steps : int or None
            Steps an epoch, which a cosine needs to know.

        Raises
        ------
        ValueError
            A cosine, and no steps.
        """
        if not self.cosine:
            return self.learning_rate
        if steps is None:
            raise ValueError(
                "The learning rate falls step by step: compile(model, steps=…) asks for the steps "
                "of an epoch, the pictures divided by the batch size, rounded up."
            )
        if self.restart_after is None:
            return keras.optimizers.schedules.CosineDecay(self.learning_rate, self.epochs * steps)
        return keras.optimizers.schedules.CosineDecayRestarts(
            self.learning_rate, self.restart_after * steps, t_mul=self.restart_factor
        )

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """Return what changes the learning rate on the way, new for each run."""
        callbacks: list[keras.callbacks.Callback] = []
        if self.patience is not None:
            callbacks.append(ReduceOnPlateau(self.monitor, self.mode, self.patience))
        if self.decay_every is not None:
            callbacks.append(keras.callbacks.LearningRateScheduler(self._decayed))
        return callbacks

    def _decayed(self, epoch: int, learning_rate: float) -> float:
        return self.learning_rate * self.decay ** (epoch // (self.decay_every or 1))
