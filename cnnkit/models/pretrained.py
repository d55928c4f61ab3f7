"""What networks with trained weights share: preprocessing, and where the weights come from."""

import os
from collections.abc import Callable
from pathlib import Path

from cnnkit import checks

import keras

DRAWN = Path(__file__).parent / "drawn"
ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications"
SMALLEST = 32  # pixels a side, which five halvings need
OR_DRAWN = 'Or take weights="drawn", which need no download.'


@keras.saving.register_keras_serializable("cnnkit")
class Preprocessing(keras.Layer):
    """Brings photos into the form that a network of keras.applications was trained on.

    Parameters
    ----------
    network : str
        A module of keras.applications, such as ``"vgg16"``, whose ``preprocess_input`` is applied.
    """

    takes_bytes = True  # for the checks of photos

    def __init__(self, network: str, **options: object) -> None:
        super().__init__(**options)
        self.network = network

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        """Take RGB in [0, 255]."""
        return getattr(keras.applications, self.network).preprocess_input(images)

    def get_config(self) -> dict:
        """Return the layer's arguments."""
        return {**super().get_config(), "network": self.network}


def check_arguments(weights: str | None, input_shape: tuple[int, int, int]) -> None:
    """Raise ValueError for weights that do not exist, or photos that are too small."""
    checks.one_of("weights", weights, ("imagenet", "drawn", None))
    why = "since the network halves the photo five times. Load the photos larger"
    checks.photo_shape(input_shape, SMALLEST, why, colour=True)


def load(base: keras.Model, weights: str | None, network: Callable, file: str) -> None:
    """Load the weights that were asked for, if any, into a base.

    Parameters
    ----------
    base : keras.Model
        Its name is that of its file among the drawn weights, and of its folder at ADDRESS.
    weights : {"imagenet", "drawn"}, optional
        None leaves the base as it is.
    network : callable
        Builds the network of keras.applications that ImageNet's weights belong to.
    file : str
        What Keras calls their file.

    Raises
    ------
    FileNotFoundError
        ImageNet's weights are not on this machine, and cannot be downloaded.
    """
    if weights == "drawn":
        base.load_weights(DRAWN / f"{base.name}.weights.h5")
    elif weights == "imagenet":
        _load_imagenet(base, network, file)


def _load_imagenet(base: keras.Model, network: Callable, file: str) -> None:
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
    try:
        original = network(include_top=False, weights="imagenet", input_shape=base.input_shape[1:])
    except Exception as error:  # what Keras raises when a download fails has no class of its own
        if (home / file).is_file():
            raise ValueError(
                f"{home / file} cannot be used. Delete it, and get it again."
            ) from error
        raise FileNotFoundError(
            f"{home / file} is missing, and Keras could not download it ({error}).\n"
            "Get the file where there is internet:  "
            f"`curl -L -o {file} {ADDRESS}/{base.name}/{file}`\n"
            f"Put it into {home}, or into the folder models of the one that you name in the "
            "environment variable KERAS_HOME.\n"
            f"{OR_DRAWN}"
        ) from None
    base.set_weights(original.get_weights())
