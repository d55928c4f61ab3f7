"""ShakeNet built from torch.nn after the author's description, to hold ours against."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import torch
from torch import Tensor, nn


class Mix(torch.autograd.Function):
    """Shake-shake as the author's code does it: other numbers for the way back."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        """Mix by α."""
        ctx.save_for_backward(beta)
        return alpha * first + (1 - alpha) * second

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Share the gradient out by β."""
        (beta,) = ctx.saved_tensors
        return beta * gradient, (1 - beta) * gradient, None, None


class Branch(nn.Module):
    """ReLU, convolution, batch normalisation, twice."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve twice."""
        x = self.bn1(self.conv1(torch.relu(x)))
        return self.bn2(self.conv2(torch.relu(x)))


class Skip(nn.Module):
    """Two paths of half the channels each, the second moved by a pixel."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after // 2, 1, bias=False)
        self.conv2 = nn.Conv2d(before, after // 2, 1, bias=False)
        self.pool = nn.AvgPool2d(1, stride)
        self.shift = nn.ZeroPad2d((1, -1, 1, -1))
        self.bn = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        """Join the paths."""
        x = torch.relu(x)
        paths = self.conv1(self.pool(x)), self.conv2(self.pool(self.shift(x)))
        return self.bn(torch.cat(paths, dim=1))


class Block(nn.Module):
    """Two branches and a skip."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.branch1, self.branch2 = (Branch(before, after, stride) for _ in range(2))
        self.skip = nn.Identity() if before == after else Skip(before, after, stride)

    def forward(self, x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
        """Mix the branches and add the skip."""
        return self.skip(x) + Mix.apply(self.branch1(x), self.branch2(x), alpha, beta)


class ShakeNet(nn.Module):
    """The network; `coefficients` gives α and β by the name of a block, or None to draw them."""

    def __init__(self, depth: int = 26, width: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)
        self.blocks = nn.ModuleDict()
        self.coefficients: dict[str, Any] | None = None
        before = 16
        for stage in (1, 2, 3):
            after = width * 2 ** (stage - 1)
            for block in range(1, (depth - 2) // 6 + 1):
                stride = 2 if stage > 1 and block == 1 else 1
                self.blocks[f"stage{stage}_block{block}"] = Block(before, after, stride)
                before = after
        self.predictions = nn.Linear(before, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits."""
        count, dtype = len(x), x.dtype
        x = self.bn1(self.conv1(x))
        for name, block in self.blocks.items():
            both: Iterable[Tensor]
            if not self.training:
                both = torch.full((2, 1), 0.5, dtype=dtype)
            elif self.coefficients is None:
                both = torch.rand(2, count, dtype=dtype)
            else:
                both = [torch.tensor(each, dtype=dtype) for each in self.coefficients[name]]
            x = block(x, *(each.reshape(-1, 1, 1, 1) for each in both))
        return self.predictions(torch.relu(x).mean(dim=(2, 3)))


def load(network: ShakeNet, model: keras.Model) -> None:
    """Give a network the weights of a Keras model."""
    for layer in model.layers:
        if not isinstance(layer, keras.layers.Normalization) and layer.get_weights():
            module, values = _module(network, layer.name), layer.get_weights()
            names = ["weight", "bias"]
            if isinstance(module, nn.BatchNorm2d):
                names += ["running_mean", "running_var"]
            else:
                values[0] = as_torch(values[0])
            for name, value in zip(names, values, strict=False):
                getattr(module, name).data = torch.tensor(value)


def gradients(network: ShakeNet) -> dict[str, np.ndarray]:
    """Return the gradient of each weight by the path that Keras gives it."""
    found = {}
    for name, parameter in network.named_parameters():
        if parameter.grad is None:
            continue
        owner, kind = name.removeprefix("blocks.").rsplit(".", 1)
        gradient, norm = parameter.grad.numpy(), "bn" in owner
        if kind == "weight":
            kind = "gamma" if norm else "kernel"
            gradient = gradient if norm else _as_keras(gradient)
        elif norm:
            kind = "beta"
        found[f"{owner.replace('.', '_')}/{kind}"] = gradient
    return found


def _module(network: ShakeNet, name: str) -> Any:
    if "_" not in name:
        return network.get_submodule(name)
    stage, block, *rest = name.split("_")
    return network.get_submodule(".".join((f"blocks.{stage}_{block}", *rest)))


def as_torch(weights: np.ndarray) -> np.ndarray:
    """Turn a kernel of Keras into one of PyTorch; other weights stay."""
    return weights.transpose({1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[weights.ndim])


def _as_keras(kernel: np.ndarray) -> np.ndarray:
    return kernel.T if kernel.ndim == 2 else kernel.transpose(2, 3, 1, 0)
