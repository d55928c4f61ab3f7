"""Layers that change photos at random in training, and leave them as they are in inference."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Range = tuple[float, float]


class Augmentation(keras.Layer):
    """Base of the layers that change photos in training.

    Shape and dtype of the photos stay what they are, and so does their range, unless a subclass
    says otherwise. It says in `change` what happens to them.

    Parameters
    ----------
    value_range : (low, high) or None
        Range of the pixels, to which the result is clipped; None where a change makes no new
        values.
    seed : int, optional
        Of the layer's random numbers; without it, Keras's global seed decides.
    """

    def __init__(
        self, value_range: Range | None = (0, 255), seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(autocast=False, **options)
        self.value_range = value_range and (value_range[0], value_range[1])
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed)

    def change(self, images: Any) -> Any:
        """Return changed photos; `images` is a float32 tensor (n, height, width, channels)."""
        raise NotImplementedError

    def call(self, images: Any, training: bool = False) -> Any:
        """Change photos in training, and return them as they are otherwise."""
        if len(images.shape) != 4:
            raise ValueError(
                f"The photos have shape {tuple(images.shape)}; expected (n, height, width, "
                "channels). For a single one use photo[np.newaxis]."
            )
        if not training:
            return images
        dtype = keras.backend.standardize_dtype(images.dtype)
        changed = self.change(ops.cast(images, "float32"))
        if self.value_range is not None:
            changed = ops.clip(changed, *self.value_range)
        return ops.cast(changed if "float" in dtype else ops.round(changed), dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return the shape of the photos, which stays."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        return super().get_config() | {"value_range": self.value_range, "seed": self.seed}


@keras.saving.register_keras_serializable("cnnkit")
class Chain(Augmentation):
    """Several changes, one after the other.

    Parameters
    ----------
    layers : sequence of keras.Layer
        Keras's own augmentation layers, or those of this module.
    """

    def __init__(self, layers: Sequence[keras.Layer], **options: Any) -> None:
        super().__init__(**options)
        self.layers = list(layers)

    def build(self, input_shape: tuple) -> None:
        """Build each layer."""
        for layer in self.layers:
            layer.build(input_shape)

    def change(self, images: Any) -> Any:
        """Apply each layer to what the one before it returns."""
        for layer in self.layers:
            images = layer(images, training=True)
        return images

    def get_config(self) -> dict[str, Any]:
        """Return the layer's arguments."""
        layers = [keras.saving.serialize_keras_object(layer) for layer in self.layers]
        return super().get_config() | {"layers": layers}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Chain":
        """Build the layer again."""
        layers = [keras.saving.deserialize_keras_object(layer) for layer in config["layers"]]
        return cls(**config | {"layers": layers})


def next_seed(seed: int | None, number: int) -> int | None:
    """Give each layer of a chain random numbers of its own."""
    return None if seed is None else seed + number
