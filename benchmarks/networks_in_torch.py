"""The course's networks as a reader of PyTorch's tutorials would write them, channels last."""

from typing import Any

from benchmarks import shakenet_in_torch
from benchmarks.training_step import with_weights
from cnnkit.models.shakenet import DEVIATION, MEAN

import keras
import torch
from torch import Tensor, nn

IMAGENET = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # mean and deviation of a colour
IMAGENET_BGR = (103.939, 116.779, 123.68)  # as VGG16 has it


class Standardize(nn.Module):
    """Takes the mean colour off, divides by the deviation, and may turn the colours around."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, mean: Any = 0.0, deviation: Any = 1.0, reverse: bool = False) -> None:
        super().__init__()
        self.reverse = reverse
        for name, values in (("mean", mean), ("deviation", deviation)):
            self.register_buffer(name, torch.tensor(values).reshape(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Take pictures (n, 3, height, width)."""
        x = x.flip(1) if self.reverse else x
        return (x - self.mean) / self.deviation


class Flatten(nn.Module):
    """Flattens in the order of Keras; channels last, it copies nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """Take feature maps (n, channels, height, width)."""
        return x.permute(0, 2, 3, 1).flatten(1)


def conv(before: int, after: int, size: int = 3, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Return a convolution and a ReLU."""
    return nn.Conv2d(before, after, size, **options), nn.ReLU(inplace=True)


def digits_cnn() -> nn.Sequential:
    """Chapter 1."""
    head = nn.Linear(512, 300), nn.ReLU(), nn.Linear(300, 10)
    return nn.Sequential(*conv(1, 32, padding=1), nn.MaxPool2d(2), Flatten(), *head)


def mnist_cnn() -> nn.Sequential:
    """Chapter 2."""
    first, second = (*conv(1, 32), nn.MaxPool2d(2)), (*conv(32, 64), nn.MaxPool2d(2))
    return nn.Sequential(*first, *second, *conv(64, 128), Flatten(), nn.Linear(1152, 10))


def cats_vs_dogs_cnn() -> nn.Sequential:
    """Chapter 3."""
    layers: list[nn.Module] = [Standardize(deviation=255.0), *conv(3, 32)]
    for before, after in ((32, 64), (64, 128), (128, 256), (256, 256)):
        layers += [nn.MaxPool2d(2), *conv(before, after)]
    return nn.Sequential(*layers, Flatten(), nn.Linear(7 * 7 * 256, 1))


def fine_tuning() -> nn.Sequential:
    """Chapter 6: VGG16 with its last block free, and a head."""
    layers: list[nn.Module] = [Standardize(IMAGENET_BGR, reverse=True)]
    before = 3
    for after, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            layers += conv(before, after, padding=1)
            before = after
        layers.append(nn.MaxPool2d(2))
    for frozen in layers[:-7]:
        frozen.requires_grad_(False)
    head = nn.Linear(5 * 5 * 512, 256), nn.Dropout(0.5), nn.Linear(256, 1)
    return nn.Sequential(*layers, Flatten(), *head)


def alexnet() -> nn.Sequential:
    """Chapter 7."""
    layers = [Standardize(124.0), *conv(3, 96, 11, stride=4), nn.MaxPool2d(3, 2)]
    layers += [*conv(96, 256, 5, padding=2), nn.MaxPool2d(3, 2)]
    layers += [*conv(256, 384, padding=1), *conv(384, 384, padding=1)]
    layers += [*conv(384, 256, padding=1), nn.MaxPool2d(3, 2), Flatten()]
    for before in (6 * 6 * 256, 4096):
        layers += [nn.Linear(before, 4096), nn.ReLU(inplace=True), nn.Dropout(0.5)]
    return nn.Sequential(*layers, nn.Linear(4096, 2))


class DenseLayer(nn.Sequential):
    """Adds feature maps, made from all there are."""

    def __init__(self, before: int, growth_rate: int) -> None:
        super().__init__(
            *norm_relu(before),
            nn.Conv2d(before, 4 * growth_rate, 1, bias=False),
            *norm_relu(4 * growth_rate),
            nn.Conv2d(4 * growth_rate, growth_rate, 3, padding=1, bias=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Concatenate old and new."""
        return torch.cat((x, super().forward(x)), dim=1)


def norm_relu(channels: int) -> tuple[nn.Module, nn.Module]:
    """Return batch normalisation and a ReLU."""
    return nn.BatchNorm2d(channels, eps=1.001e-5, momentum=0.01), nn.ReLU(inplace=True)


def densenet() -> nn.Sequential:
    """Chapter 8: DenseNet-121 with a head of two classes."""
    layers: list[nn.Module] = [Standardize(*IMAGENET)]
    layers += [nn.Conv2d(3, 64, 7, 2, padding=3, bias=False), *norm_relu(64)]
    layers.append(nn.MaxPool2d(3, 2, padding=1))
    channels = 64
    for block, depth in enumerate((6, 12, 24, 16)):
        if block:
            layers += [*norm_relu(channels), nn.Conv2d(channels, channels // 2, 1, bias=False)]
            layers.append(nn.AvgPool2d(2))
            channels //= 2
        for _ in range(depth):
            layers.append(DenseLayer(channels, 32))
            channels += 32
    layers += [*norm_relu(channels), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, 2))


def shakenet() -> nn.Sequential:
    """Chapter 9: ShakeNet-26 2×32d."""
    mean, deviation = ([255 * value for value in values] for values in (MEAN, DEVIATION))
    return nn.Sequential(Standardize(mean, deviation), shakenet_in_torch.ShakeNet())


def load(network: nn.Sequential, model: keras.Model) -> None:
    """Give a network the weights of a Keras model; both have their layers in the same order."""
    if isinstance(network[-1], shakenet_in_torch.ShakeNet):  # but its branches have not
        return shakenet_in_torch.load(network[-1], model)
    kinds = nn.Conv2d, nn.Linear, nn.BatchNorm2d
    modules = [module for module in network.modules() if isinstance(module, kinds)]
    for module, layer in zip(modules, with_weights(model), strict=True):
        names = ["weight"] if getattr(module, "bias", None) is None else ["weight", "bias"]
        if isinstance(module, nn.BatchNorm2d):
            names += ["running_mean", "running_var"]
        for name, values in zip(names, layer.get_weights(), strict=True):
            values = torch.tensor(shakenet_in_torch.as_torch(values))
            if getattr(module, name).shape != values.shape:
                raise ValueError(f"{layer.name} is of another network: {tuple(values.shape)}.")
            getattr(module, name).data = values
