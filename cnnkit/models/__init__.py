"""The learning model: functional-API builders and the layers they need."""

from cnnkit.models.convnets import cats_vs_dogs_cnn, digits_cnn, mnist_cnn

__all__ = ["cats_vs_dogs_cnn", "digits_cnn", "mnist_cnn"]
