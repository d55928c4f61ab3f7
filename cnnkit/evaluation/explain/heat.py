"""Where in an image the evidence for a class is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cnnkit import backend
from cnnkit.evaluation.explain import layers
from cnnkit.evaluation.predict import predict
from cnnkit.networks import channels_last, output

import keras
import numpy as np
from keras import ops

BATCH = 32  # images that go through the model together
# Spatial outputs that are not taken where no layer is given.
NOT_LAST = (keras.Model, keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)


class Focus(NamedTuple):
    """Shares of each image's heat (NaN without any) and area in its box: both (n,), in [0, 1]."""

    heat: np.ndarray
    area: np.ndarray

    @property
    def ratio(self) -> float:
        """Mean share of heat by mean share of area: 1 for heat anywhere, NaN without any."""
        lit = np.isfinite(self.heat)  # images without heat do not count
        return float(self.heat[lit].mean() / self.area[lit].mean()) if lit.any() else np.nan


def grad_cam(
    model: keras.Model,
    image: np.ndarray,
    class_index: int | Sequence[int] | None = None,
    layer: str | keras.Layer | None = None,
) -> np.ndarray:
    """Find where in an image the evidence for a class is.

    The feature maps of a layer are added up, each weighted by how much the score of the class rises
    with it; where the sum is negative, there is no evidence. The score is what the last layer
    computes before softmax or sigmoid; for the first class of one sigmoid unit, its negative.

    Parameters
    ----------
    model : keras.Model
        A classifier: softmax, or one sigmoid unit for two classes.
    image : ndarray, (height, width, channels) or (n, height, width, channels)
        One image or several, in the form the model takes.
    class_index : int or sequence of int, optional
        The class, or that of each image; the predicted one where not given.
    layer : str or keras.Layer, optional
        As in `feature_maps`; the last with a spatial output, pooling aside, where not given.

    Returns
    -------
    ndarray, (height, width) or (n, height, width)
        The heat of each pixel, in [0, 1]: 1 at the hottest, 0 everywhere without evidence.

    References
    ----------
    R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", ICCV 2017.
    """
    images, (count, *_) = layers.as_batch(model, image), output(model)
    classes = predict(model, images).argmax(axis=1) if class_index is None else class_index
    if not np.isin(classes, range(count)).all():
        raise ValueError(f"class_index is {class_index}; expected classes from 0 to {count - 1}.")
    chosen = np.eye(count, dtype="float32")[np.broadcast_to(classes, len(images))]
    every = layers.layers_by_path(model).values()
    spatial = [la for la in every if layers.is_spatial(la) and not isinstance(la, NOT_LAST)]
    found = layers.find_layer(model, layer or (spatial or model.layers)[-1])
    parts = [slice(start, start + BATCH) for start in range(0, len(images), BATCH)]
    heat = np.concatenate([_heat(model, images[part], chosen[part], found) for part in parts])
    return heat if np.ndim(image) == len(model.input_shape) else heat[0]


def focus(heat: np.ndarray, boxes: np.ndarray) -> Focus:
    """Measure how much of the heat of images lies in boxes, such as those around faces.

    Parameters
    ----------
    heat : ndarray, (n, height, width)
        As `grad_cam` returns it.
    boxes : ndarray of int, (n, 4)
        Left, top, right and bottom in pixels; right and bottom lie just outside.
    """
    starts, ends, (height, width) = boxes[:, :2], boxes[:, 2:], heat.shape[1:]
    wrong = ((starts < 0) | (starts >= ends) | (ends > (width, height))).any(axis=1)
    if wrong.any():
        raise ValueError(
            f"The box {boxes[wrong][0].tolist()} is empty or reaches out of its image of {height} "
            f"by {width} pixels. Boxes are resized with their images."
        )
    pairs = zip(heat, boxes, strict=True)
    inside = [one[top:bottom, left:right].sum() for one, (left, top, right, bottom) in pairs]
    total = heat.sum(axis=(1, 2))
    share = np.divide(inside, total, out=np.full(len(heat), np.nan), where=total > 0)
    return Focus(share, (ends - starts).prod(axis=1) / (height * width))


def _heat(
    model: keras.Model, images: np.ndarray, chosen: np.ndarray, layer: keras.Layer
) -> np.ndarray:
    """Return the heat of a batch, where `chosen` has a 1 at the class of each image."""
    maps, (_, activation, last) = layers.maps_of(model, layer, images), output(model)

    def score(change: Any) -> Any:
        scores = ops.cast(layers.run(model, images, layer, change, last)[0], "float32")
        if last is None:  # the mean of several networks
            other = ops.log(ops.maximum(1 - scores, 1e-30)) if activation == "sigmoid" else 0
            scores = ops.log(ops.maximum(scores, 1e-30)) - other
        if activation == "sigmoid":
            scores = ops.concatenate([-scores, scores], axis=1)
        return ops.sum(ops.multiply(scores, chosen))

    (gradients,) = backend.gradients(score, np.zeros(maps.shape, "float32"))
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1, keepdims=True), 0)
    with channels_last():
        resized = ops.image.resize(heat.astype("float32"), images.shape[1:3], "bilinear")
    heat = ops.convert_to_numpy(resized)[..., 0]
    hottest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, hottest, out=np.zeros_like(heat), where=hottest > 0)
