"""What VGG16 and DenseNet share: how they begin, and where their weights come from."""

import os
from collections.abc import Callable
from pathlib import Path

from cnnkit import checks

import keras

DRAWN = Path(__file__).parent / "drawn"
ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications"


@keras.saving.register_keras_serializable("cnnkit")
class Preprocessing(keras.Layer):
    """Scales RGB in [0, 255] as a module of keras.applications, such as ``"vgg16"``, does."""

    takes_bytes = True  # for the checks of images

    def __init__(self, network: str, **options: object) -> None:
        super().__init__(**options)
        self.network = network

    def call(self, images: keras.KerasTensor) -> keras.KerasTensor:
        return getattr(keras.applications, self.network).preprocess_input(images, "channels_last")

    def get_config(self) -> dict:
        return {**super().get_config(), "network": self.network}


def begin(weights: str | None, input_shape: tuple, network: str) -> tuple:
    """Check the arguments of a base; return its input, and what `Preprocessing` makes of it."""
    checks.one_of("weights", weights, ("imagenet", "drawn", None))
    checks.image_size(input_shape, "input_shape", 3, 32)  # of which five halvings leave a pixel
    inputs = keras.Input(input_shape, name="photos")
    return inputs, Preprocessing(network, name="preprocessing")(inputs)


def load(base: keras.Model, weights: str | None, network: Callable) -> None:
    """Load a base's weights, if any: those in DRAWN, or ImageNet's of a keras.applications network.

    FileNotFoundError says how to get ImageNet's by hand if they cannot be downloaded.
    """
    if weights == "drawn":
        base.load_weights(DRAWN / f"{base.name}.weights.h5")
    if weights != "imagenet":
        return
    try:
        original = network(include_top=False, weights="imagenet", input_shape=base.input_shape[1:])
    except Exception as error:  # Keras raises no other class when a download fails
        if not str(error).startswith("URL fetch failure"):
            raise
        file = f"{network.__name__.lower()}_weights_tf_dim_ordering_tf_kernels_notop.h5"
        home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser() / "models"
        raise FileNotFoundError(
            f"{home / file} is missing, and Keras could not download it ({error}). Get it where "
            f"there is internet:  `curl -L -o {file} {ADDRESS}/{base.name}/{file}`\nPut it into "
            f'{home}, or into models in the folder of KERAS_HOME. Or take weights="drawn".'
        ) from None
    base.set_weights(original.get_weights())
