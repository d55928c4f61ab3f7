"""The data set: where data lives, loading, preparing, checking, augmenting."""

from cnnkit.data import augment, drawings
from cnnkit.data.ants_and_bees import ants_and_bees
from cnnkit.data.arrays import batches
from cnnkit.data.cats_vs_dogs import cats_vs_dogs
from cnnkit.data.checking import check_folder, check_images
from cnnkit.data.cifar10 import CIFAR10_CLASSES, cifar10
from cnnkit.data.digits import digits, mnist
from cnnkit.data.folder import image_folder
from cnnkit.data.photos import load_images
from cnnkit.data.split import find_parts, split_folder

__all__ = [
    "CIFAR10_CLASSES",
    "ants_and_bees",
    "augment",
    "batches",
    "cats_vs_dogs",
    "check_folder",
    "check_images",
    "cifar10",
    "digits",
    "drawings",
    "find_parts",
    "image_folder",
    "load_images",
    "mnist",
    "split_folder",
]
