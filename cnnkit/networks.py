"""What a network takes, and what its output means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

# Layers and operations that leave the numbers of an activation probabilities.
PASSING = "Activation Average Cast Flatten GlobalAveragePooling1D GlobalAveragePooling2D Identity "
PASSING += "Mean Reshape Squeeze"
LOOSE = "Add BatchNormalization Divide Lambda Multiply Subtract TrueDivide"  # of any pixels


def output(model: Any) -> tuple[int, str, Any]:
    """Return a classifier's classes, activation, and the one layer that has it; else ValueError."""
    tensors, shape = getattr(model, "outputs", None) or [], getattr(model, "output_shape", ())
    many = f"{len(tensors)} outputs" if tensors else "what its call computes, out of sight"
    single = len(tensors) == 1 and not isinstance(getattr(model, "output", None), dict | list)
    ends = _ends(tensors[0]) if single else [(many, 0, None)]
    units = shape[-1] if shape and len(shape) == 2 else 0
    expected = "sigmoid" if units == 1 else "softmax"
    wrong = [end for end in ends if end[:2] != (expected, units)]
    if wrong or not units:
        raise ValueError(
            f"The model {getattr(model, 'name', model)!r} ends in {(wrong or ends)[0][0]}, {shape};"
            " expected a softmax, (n, classes), or one sigmoid unit for two classes. Put keras."
            "layers.Activation behind logits; begin others, Sequential or functional, with Input."
        )
    return max(2, units), expected, ends[0][2] if len(ends) == 1 else None


def _ends(tensor: Any) -> list[tuple[str, int, Any]]:
    """Return the activations that a tensor comes from, their units, and their layers."""
    made_by, node, number = tensor._keras_history
    if isinstance(made_by, keras.Model) and made_by.outputs:
        return _ends(made_by.outputs[number])
    kind, acts = type(made_by).__name__, getattr(made_by, "activation", made_by)
    name = getattr(acts, "__name__", type(acts).__name__.lower()).removesuffix("_v2")  # TensorFlow
    last = getattr(made_by, "axis", -1) in (-1, len(tensor.shape) - 1)
    if name in ("softmax", "sigmoid") and last and not isinstance(made_by, keras.layers.RNN):
        return [(name, tensor.shape[-1], made_by)]
    if kind in PASSING.split() and name in ("linear", kind.lower()):
        inputs = made_by._inbound_nodes[node].input_tensors
        return [end for each in inputs for end in _ends(each)]
    return [(kind if name == kind.lower() else f"{kind} with activation {name}", 0, None)]


def input_of(model: Any) -> tuple[tuple[int | None, ...], float]:
    """Return the shape of an image that a model takes, and the largest value of its pixels.

    That is 255 where the model rescales them, infinite where they may be any numbers, else 1.
    """
    shape = getattr(model, "input_shape", None)
    if not isinstance(shape, tuple) or not shape or isinstance(shape[0], tuple):
        what = f"The model {getattr(model, 'name', model)!r} takes {shape}"
        raise ValueError(f"{what}; expected a Sequential or functional model of one input.")
    return shape[1:], _largest(model) or 1.0


def _largest(layer: Any) -> float | None:
    """Return the largest value of the pixels for the first layer that tells; None without one."""
    if hasattr(layer, "takes_bytes"):
        return 255.0
    if isinstance(layer, keras.layers.Rescaling):
        offset = np.max(np.abs(layer.offset))  # with scale 1, AlexNet's mean colour, 0 for none
        keeps_size = np.all(np.equal(layer.scale, 1)) and (offset == 0 or offset > 1)
        return 255.0 if keeps_size or np.max(np.abs(layer.scale)) <= 1 / 127 else 1.0  # to -1 to 1
    if isinstance(layer, keras.layers.Normalization) and hasattr(layer, "mean"):
        mean = keras.ops.convert_to_numpy(layer.mean)
        return 255.0 if mean.max() > 1 else 1.0 if mean.min() > 0.01 else np.inf  # standardised
    if type(layer).__name__ in LOOSE.split():  # images / 255 is one of these
        return np.inf
    if parts := getattr(layer, "operations", getattr(layer, "layers", [])):
        return next((largest for part in parts if (largest := _largest(part))), None)
    return 1.0 if getattr(layer, "weights", []) else None


@contextmanager
def channels_last() -> Iterator[None]:
    """Build layers with the channels last, whatever keras.json says."""
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)
