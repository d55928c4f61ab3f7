"""The base of all augmentation layers, and several of them one after the other."""

import inspect
from collections.abc import Sequence
from typing import Any

from cnnkit.networks import channels_last

import keras
from keras import ops

Range = tuple[float, float]


class Augmentation(keras.Layer):
    """Base of the layers that change images in training; a subclass writes `change`.

    Shape, dtype and range of the images, (n, height, width, channels), stay. A subclass keeps the
    arguments of its constructor under their names, so that they are saved with it. Results are
    clipped to `value_range`, (low, high), if any. `seed` is that of the generator `random`.
    """

    def __init__(
        self, value_range: Range | None = (0, 255), seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(autocast=False, **options)
        self.value_range = value_range and (value_range[0], value_range[1])
        self.seed = seed
        self.random = keras.random.SeedGenerator(seed)

    def change(self, images: Any) -> Any:
        """Return changed images; `images` is a float32 tensor (n, height, width, channels)."""
        raise NotImplementedError

    def call(self, images: Any, training: bool = False) -> Any:
        if len(images.shape) != 4:
            expected = "(n, height, width, channels). For a single one use photo[np.newaxis]"
            raise ValueError(f"The photos have shape {tuple(images.shape)}; expected {expected}.")
        if not training:
            return images
        dtype = keras.backend.standardize_dtype(images.dtype)
        changed = self.change(ops.cast(images, "float32"))
        if self.value_range is not None:
            changed = ops.clip(changed, *self.value_range)
        return ops.cast(changed if "float" in dtype else ops.round(changed), dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        names = ("value_range", "seed", *inspect.signature(type(self)).parameters)
        return super().get_config() | {n: getattr(self, n) for n in names if n != "options"}


@keras.saving.register_keras_serializable("cnnkit")
class Chain(Augmentation):
    """Several augmentation layers, Keras's own or those of this module, one after the other."""

    def __init__(self, layers: Sequence[keras.Layer], **options: Any) -> None:
        super().__init__(**options)
        self.layers = list(layers)

    def build(self, input_shape: tuple) -> None:
        for layer in self.layers:
            layer.build(input_shape)

    def change(self, images: Any) -> Any:
        for layer in self.layers:
            images = layer(images, training=True)
        return images

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"layers": keras.saving.serialize_keras_object(self.layers)}

    @classmethod
    @channels_last()
    def from_config(cls, config: dict[str, Any]) -> "Chain":
        layers = keras.saving.deserialize_keras_object(config["layers"])
        return cls(**config | {"layers": layers})
