"""The data set: where data lives, loading, preparing, checking, augmenting."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cnnkit.data import drawings
from cnnkit.data.cats_vs_dogs import cats_vs_dogs
from cnnkit.data.checking import check_folder, check_images, find_copies
from cnnkit.data.cifar10 import CIFAR10_CLASSES, cifar10
from cnnkit.data.digits import digits, mnist
from cnnkit.data.photos import load_images
from cnnkit.data.split import find_parts, split_folder
from cnnkit.data.store import ants_and_bees

if TYPE_CHECKING:
    from cnnkit.data import augment
    from cnnkit.data.folder import batches, image_folder

__all__ = ["CIFAR10_CLASSES", "ants_and_bees", "augment", "batches", "cats_vs_dogs", "check_folder"]
__all__ += ["check_images", "cifar10", "digits", "drawings", "find_copies", "find_parts"]
__all__ += ["image_folder", "load_images", "mnist", "split_folder"]


def __getattr__(name: str) -> Any:
    """Import what needs Keras when it is used first, since that takes seconds."""
    if name not in ("augment", "batches", "image_folder"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{'augment' if name == 'augment' else 'folder'}")
    return module if name == "augment" else getattr(module, name)
