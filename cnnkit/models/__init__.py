"""The learning model: functional-API builders and the layers they need."""

from cnnkit.models.alexnet import alexnet
from cnnkit.models.convnets import cats_vs_dogs_cnn, digits_cnn, mnist_cnn
from cnnkit.models.densenet import densenet_base
from cnnkit.models.heads import (
    class_names,
    classification_head,
    pooled,
    transfer_classifier,
    with_head,
)
from cnnkit.models.shake import ShakeShake
from cnnkit.models.shakenet import shakenet
from cnnkit.models.vgg16 import vgg16_base

__all__ = ["ShakeShake", "alexnet", "cats_vs_dogs_cnn", "class_names", "classification_head"]
__all__ += ["densenet_base", "digits_cnn", "mnist_cnn", "pooled", "shakenet", "transfer_classifier"]
__all__ += ["vgg16_base", "with_head"]
