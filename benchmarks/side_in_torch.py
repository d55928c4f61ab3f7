"""The other side of a measurement: a network in PyTorch, as its guides advise for a CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import shakenet_in_torch
from benchmarks.measuring import cores
from cnnkit import training

import numpy as np
import torch
from torch import nn


class Side:
    """A network with the weights of a Keras model, one batch, and a step that trains on it."""

    def __init__(
        self, network: nn.Module, recipe: training.Recipe, x: np.ndarray, y: np.ndarray
    ) -> None:
        torch.set_num_threads(len(cores()))
        torch.manual_seed(0)
        convert: Any = network.to  # whose types know no memory format alone
        self.network = convert(memory_format=torch.channels_last)
        pictures = torch.tensor(x).permute(0, 3, 1, 2)
        self.pictures = pictures.contiguous(memory_format=torch.channels_last)
        self.binary = recipe.loss == "BinaryCrossentropy"
        self.labels = torch.tensor(y).float()[:, None] if self.binary else torch.tensor(y)
        loss = nn.BCEWithLogitsLoss if self.binary else nn.CrossEntropyLoss
        self.loss = loss(reduction="sum" if recipe.reduction == "sum" else "mean")
        trained = [weight for weight in network.parameters() if weight.requires_grad]
        self.trained = sum(weight.numel() for weight in trained)
        if recipe.optimizer == "rmsprop":
            self.optimizer: Any = torch.optim.RMSprop(trained, recipe.learning_rate, alpha=0.9)
        else:
            self.optimizer = torch.optim.SGD(
                trained,
                recipe.learning_rate,
                momentum=recipe.momentum or 0,
                nesterov=recipe.nesterov,
                weight_decay=recipe.weight_decay,
            )

    def predict(self) -> np.ndarray:
        """Return the probabilities of the batch."""
        self.network.eval()
        with torch.no_grad():
            logits = self.network(self.pictures)
        self.network.train()
        return (logits.sigmoid() if self.binary else logits.softmax(1)).numpy()

    @contextmanager
    def without_chance(self) -> Iterator[None]:
        """Let the network drop and shake nothing."""
        modules = list(self.network.modules())
        dropout = [(each, each.p) for each in modules if isinstance(each, nn.Dropout)]
        shaken = [each for each in modules if isinstance(each, shakenet_in_torch.ShakeNet)]
        for layer, _ in dropout:
            layer.p = 0.0
        for network in shaken:
            network.coefficients = dict.fromkeys(map(str, network.blocks), (0.5, 0.5))
        try:
            yield
        finally:
            for layer, share in dropout:
                layer.p = share
            for network in shaken:
                network.coefficients = None

    def step(self) -> float:
        """Train on the batch, and return what its loss was."""
        self.optimizer.zero_grad()
        loss = self.loss(self.network(self.pictures), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()
