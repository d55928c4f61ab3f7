"""What the filters of a network look for."""

from collections.abc import Sequence
from typing import Any

from cnnkit import backend
from cnnkit.evaluation.explain.layers import find_layer, maps_of, run
from cnnkit.networks import input_of

import keras
import numpy as np
from keras import ops

NOISE, STEP, CONTRAST = 0.02, 0.02, 0.15  # in shares of the range of pixels
SHIFT, BLUR = 2, 1.0  # pixels


def filter_patterns(
    model: keras.Model, layer: str | keras.Layer, filters: int | Sequence[int] = 8, steps: int = 40
) -> np.ndarray:
    """Find images to which the filters of a layer respond strongly, by gradient ascent.

    Each begins as grey noise, the same at each call, and follows the gradient of the mean response,
    before the layer's activation if it has one. The gradient is blurred, and the image moved by a
    pixel or two in each step, so that no single pixel matters.

    Parameters
    ----------
    model : keras.Model
        With an input of known size, which the patterns have.
    layer : str or keras.Layer
        As in `feature_maps`.
    filters : int or sequence of int
        How many, from the first on, or which.
    steps : int

    Returns
    -------
    ndarray, (filters, height, width, channels)
        In [0, 1], all of the same mean and contrast.

    References
    ----------
    D. Erhan et al., "Visualizing higher-layer features of a deep network", 2009; F. Chollet, "Deep
    Learning with Python", 2nd edition, Manning, 2021, section 9.4.2.
    """
    from scipy.ndimage import gaussian_filter

    found, shape = find_layer(model, layer), tuple(model.input_shape[1:])
    if None in shape:
        raise ValueError(f"The model {model.name!r} takes {shape}; build it for a known size.")
    count = maps_of(model, found, np.zeros((1, *shape), "float32")).shape[-1]
    numbers = np.arange(filters) if isinstance(filters, int | np.integer) else np.array(filters)
    chosen = np.eye(count, dtype="float32")[numbers]
    scale = 255.0 if input_of(model)[1] == 255 else 1.0

    def response(patterns: Any) -> Any:
        _, (output,) = run(model, patterns * scale, found, linear=found)
        means = ops.mean(ops.cast(output, "float32"), axis=(1, 2))
        return ops.sum(ops.multiply(means, chosen))

    random = np.random.default_rng(0)
    patterns = 0.5 + NOISE * random.standard_normal((len(numbers), *shape))
    for _ in range(steps):
        shift = random.integers(-SHIFT, SHIFT + 1, size=2)
        moved = np.roll(patterns, shift, axis=(1, 2)).astype("float32")
        (gradient,) = backend.gradients(response, moved)
        gradient = gaussian_filter(gradient, (0, BLUR, BLUR, 0))
        size = np.sqrt(np.mean(gradient**2, axis=(1, 2, 3), keepdims=True))
        step = np.divide(gradient, size, out=np.zeros_like(gradient), where=size > 0)
        patterns += STEP * np.roll(step, -shift, axis=(1, 2))
    patterns -= patterns.mean(axis=(1, 2, 3), keepdims=True)
    patterns /= patterns.std(axis=(1, 2, 3), keepdims=True)
    return np.clip(0.5 + CONTRAST * patterns, 0, 1).astype("float32")
