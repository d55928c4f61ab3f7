"""Find layers at any depth of a model, and return what they make of an image."""

from collections.abc import Sequence
from typing import Any

from cnnkit import checks

import keras
import numpy as np


def feature_maps(
    model: keras.Model, image: np.ndarray, layers: str | keras.Layer | Sequence[str | keras.Layer]
) -> dict[str, np.ndarray]:
    """Return what layers make of an image: maps (h, w, channels), by name, in their order.

    Parameters
    ----------
    model : keras.Model
    image : ndarray, (height, width, channels)
        In the form the model takes.
    layers : str, keras.Layer, or several
        At any depth, by name, by path such as ``base/conv1``, or themselves.
    """
    images = as_batch(model, image)
    if len(images) > 1:
        raise ValueError(f"{len(images)} images were given; expected a single one: images[0].")
    wanted = [layers] if isinstance(layers, str | keras.Layer) else layers
    found = {getattr(each, "name", each): find_layer(model, each) for each in wanted}
    return {name: maps_of(model, layer, images)[0] for name, layer in found.items()}


def as_batch(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Return one image, or several, as a batch that fits the model."""
    images = np.asarray(image)
    images = images[np.newaxis] if images.ndim == len(model.input_shape) - 1 else images
    checks.images(model, images)
    return images


def layers_by_path(model: keras.Model) -> dict[str, keras.Layer]:
    """Return all layers in their order, those of models within the model as ``base/conv1``."""
    found: dict[str, keras.Layer] = {}
    for layer in model.layers:
        inner = layers_by_path(layer) if isinstance(layer, keras.Model) else {}
        found |= {f"{layer.name}/{path}": each for path, each in inner.items()}
        found[layer.name] = layer
    return found


def find_layer(model: keras.Model, wanted: str | keras.Layer) -> keras.Layer:
    """Return a layer by its name, by its path, or as it is; ValueError unless it is just one."""
    layers = layers_by_path(model)
    for path in (p for p, la in layers.items() if vars(la).get("data_format") == "channels_first"):
        what = f"The layer {path!r} of {model.name!r} is channels_first"
        raise ValueError(f"{what}; expected a model for images (n, height, width, channels).")
    found = [p for p, la in layers.items() if la is wanted or f"/{p}".endswith(f"/{wanted}")]
    paths = [str(wanted)] if wanted in layers else found
    if len({id(layers[path]) for path in paths}) != 1:
        what = f"{'several layers' if paths else 'no layer'} {getattr(wanted, 'name', wanted)!r}"
        choice = ", ".join(paths or list(layers)[-5:])
        raise ValueError(f"The model {model.name!r} has {what}; name one, such as {choice}.")
    return layers[paths[0]]


def is_spatial(layer: keras.Layer) -> bool:
    """Whether a layer returns feature maps (n, h, w, channels), of two pixels or more."""
    shape = getattr(getattr(layer, "output", None), "shape", ())
    computes = not isinstance(layer, keras.layers.InputLayer)
    return computes and len(shape) == 4 and tuple(shape[1:3]) != (1, 1)


def maps_of(model: keras.Model, layer: keras.Layer, images: np.ndarray) -> np.ndarray:
    """Return the feature maps of a layer in inference; ValueError if it has none."""
    _, outputs = run(model, images, layer)
    if len(outputs) != 1 or not is_spatial(layer):
        spatial = [path for path, each in layers_by_path(model).items() if is_spatial(each)]
        what = f"The layer {layer.name!r} has no feature maps, or runs more than once"
        raise ValueError(f"{what}. The last that have some: {', '.join(spatial[-5:])}.")
    maps = keras.ops.convert_to_numpy(outputs[0])
    if not np.isfinite(maps).all():
        raise ValueError("The feature maps hold NaN or infinity: the training diverged.")
    return maps


def run(
    model: keras.Model, images: Any, layer: keras.Layer, added: Any = None, linear: Any = None
) -> tuple[Any, list[Any]]:
    """Run a model in inference; return its output, and what a layer returned each time it ran.

    `added` is added to the output of the layer, and the layer or operation `linear` leaves out its
    activation, which may be all it does. Both are patched meanwhile, so one thread at a time.
    """
    captured, call, activation = list[Any](), layer.call, getattr(linear, "activation", None)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        captured.append(output if added is None else output + keras.ops.cast(added, output.dtype))
        return captured[-1]

    try:
        layer.call = wrapper
        if activation is not None:
            linear.activation = keras.activations.linear
        elif linear not in (None, layer):
            linear.call = lambda x, **_: x
        return model(images, training=False), captured
    finally:
        del layer.call  # that of its class is in force again
        if activation is not None:
            linear.activation = activation
        elif linear not in (None, layer):
            del linear.call
