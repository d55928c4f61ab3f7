"""What a layer says while its model runs, wherever in the model it is."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras
import numpy as np


def layers_by_path(model: keras.Model) -> dict[str, keras.Layer]:
    """Return all layers in their order, those of models within the model as ``base/conv1``."""
    found: dict[str, keras.Layer] = {}
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            inner = layers_by_path(layer)
            found |= {f"{layer.name}/{path}": each for path, each in inner.items()}
        found[layer.name] = layer
    return found


def find_layer(model: keras.Model, wanted: str | keras.Layer) -> keras.Layer:
    """Return a layer by its name, by its path, or as it is.

    Raises
    ------
    ValueError
        The model has no such layer, or several.
    """
    layers = layers_by_path(model)
    if wanted in layers:
        return layers[wanted]
    if isinstance(wanted, keras.Layer):
        found = {path: layer for path, layer in layers.items() if layer is wanted}
    else:
        found = {path: each for path, each in layers.items() if f"/{path}".endswith(f"/{wanted}")}
    if len({id(layer) for layer in found.values()}) == 1:
        return found.popitem()[1]
    if found:
        raise ValueError(f"There are several layers {wanted!r}; name one of {', '.join(found)}.")
    name = getattr(wanted, "name", str(wanted))
    close = difflib.get_close_matches(name, {layer.name for layer in layers.values()}, 3)
    cure = f"did you mean {' or '.join(close)}?" if close else f"it has {some(list(layers))}."
    raise ValueError(f"The model {model.name!r} has no layer {name!r}; {cure}")


@contextmanager
def heard(
    layer: keras.Layer, change: Callable[[Any], Any] | None = None
) -> Iterator[list[Any]]:  # fmt: skip
    """Collect what a layer returns while its model runs, and change it on the way if asked."""
    outputs: list[Any] = []
    before, call = vars(layer).get("call"), layer.call

    def listened(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        outputs.append(output if change is None else change(output))
        return outputs[-1]

    layer.call = listened
    try:
        yield outputs
    finally:
        if before is None:
            del layer.call  # that of its class is in force again
        else:
            layer.call = before


@contextmanager
def linear(layer: keras.Layer) -> Iterator[None]:
    """Leave out the activation of a layer, if it has one."""
    activation = getattr(layer, "activation", None)
    if activation is not None:
        layer.activation = keras.activations.linear
    try:
        yield
    finally:
        if activation is not None:
            layer.activation = activation


def outputs_of(
    model: keras.Model, layers: Iterable[keras.Layer], images: np.ndarray
) -> list[Any]:  # fmt: skip
    """Return what layers make of pictures, in inference.

    None for one that does not run just once, such as the input layer, or that makes no tensor.
    """
    with ExitStack() as stack:
        outputs = [stack.enter_context(heard(layer)) for layer in layers]
        model(images, training=False)
    return [
        keras.ops.convert_to_numpy(each[0])
        if len(each) == 1 and hasattr(each[0], "shape")
        else None
        for each in outputs
    ]


def maps_of(
    model: keras.Model, layers: Sequence[keras.Layer], images: np.ndarray
) -> list[np.ndarray]:
    """Return the feature maps (n, h, w, channels) that layers make of pictures.

    Raises
    ------
    ValueError
        What one makes are no feature maps, or no numbers.
    """
    outputs = outputs_of(model, layers, images)
    for layer, output in zip(layers, outputs, strict=True):
        if not is_spatial(output):
            gives = f"gives {output.shape}" if output is not None else "runs not just once"
            raise ValueError(
                f"The layer {layer.name!r} {gives}; expected one with a spatial output, (n, "
                f"height, width, channels): {some(spatial_layers(model, images[:1]))}."
            )
        if not np.isfinite(output).all():
            raise ValueError(
                f"The layer {layer.name!r} gives NaN or infinity; a training that diverged leaves "
                "such weights."
            )
    return outputs


def is_spatial(output: Any) -> bool:
    """Whether the output of a layer has a height and a width, of more than one pixel."""
    return output is not None and output.ndim == 4 and max(output.shape[1:3]) > 1


def spatial_layers(model: keras.Model, images: np.ndarray) -> list[str]:
    """Return the paths of the layers that make feature maps, in their order."""
    layers = layers_by_path(model)
    outputs = outputs_of(model, layers.values(), images)
    return [path for path, each in zip(layers, outputs, strict=True) if is_spatial(each)]


def some(names: Sequence[str]) -> str:
    """List the last five of some names."""
    if not names:
        return "it has none"
    return ("…, " if len(names) > 5 else "") + ", ".join(names[-5:])
