"""What the layers of a network make of a picture, and the kernels by which they do."""

from collections.abc import Sequence

from cnnkit import checks
from cnnkit.evaluation.explain.listening import find_layer, layers_by_path, maps_of, some

import keras
import numpy as np
from keras import ops


def feature_maps(
    model: keras.Model,
    image: np.ndarray,
    layers: str | keras.Layer | Sequence[str | keras.Layer],
) -> dict[str, np.ndarray]:
    """Return what layers make of a picture.

    Parameters
    ----------
    model : keras.Model
    image : ndarray, (height, width, channels)
        In the form the model takes.
    layers : str, keras.Layer, or several
        At any depth, by name, by path such as ``base/conv1``, or themselves.

    Returns
    -------
    dict of str to ndarray, (h, w, channels)
        By name, in the order of `layers`.

    Raises
    ------
    ValueError
        A picture that does not fit, no such layer, or one without a spatial output.
    """
    images = pictures(model, image)
    if len(images) > 1:
        raise ValueError(f"{len(images)} pictures were given; expected a single one: images[0].")
    wanted = [layers] if isinstance(layers, str | keras.Layer) else list(layers)
    found = [find_layer(model, each) for each in wanted]
    names = [str(getattr(each, "name", each)) for each in wanted]
    if len(set(names)) < len(names):
        raise ValueError(f"The layers {names} have the same name; give paths such as base/conv1.")
    maps = maps_of(model, found, images)
    return {name: each[0] for name, each in zip(names, maps, strict=True)}


def kernels(model: keras.Model, layer: str | keras.Layer) -> np.ndarray:
    """Return the kernels of a convolution.

    Parameters
    ----------
    model : keras.Model
    layer : str or keras.Layer
        As in `feature_maps`.

    Returns
    -------
    ndarray, (h, w, input channels, filters)
        As `plots.kernels` takes them.

    Raises
    ------
    ValueError
        No such layer, or one that is no two-dimensional convolution.
    """
    found = find_layer(model, layer)
    if not _convolves(found):
        others = [path for path, each in layers_by_path(model).items() if _convolves(each)]
        raise ValueError(
            f"The layer {found.name!r} is a {type(found).__name__}, which has no kernels; expected "
            f"a convolution: {some(others)}."
        )
    return ops.convert_to_numpy(found.kernel)


def pictures(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """Return one picture, or several, as a batch that fits the model.

    Raises
    ------
    ValueError
        They do not fit, or the model does not take just pictures.
    """
    if len(getattr(model, "inputs", None) or ()) != 1:
        raise ValueError(
            f"{getattr(model, 'name', model)!r} has no single input of known shape; expected a "
            "functional model, or a Sequential that begins with keras.Input."
        )
    images = np.asarray(image)
    if images.ndim == len(model.input_shape) - 1:
        images = images[np.newaxis]
    checks.images(model, images)
    return images


def _convolves(layer: keras.Layer) -> bool:
    return len(getattr(getattr(layer, "kernel", None), "shape", ())) == 4
