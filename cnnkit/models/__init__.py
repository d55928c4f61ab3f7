"""The learning model: functional-API builders and the layers they need."""

from cnnkit.models.convnets import digits_cnn, mnist_cnn

__all__ = ["digits_cnn", "mnist_cnn"]
