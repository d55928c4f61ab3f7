"""Where in a picture the evidence for a class is."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cnnkit import backend
from cnnkit.evaluation.explain.listening import (
    find_layer,
    heard,
    layers_by_path,
    linear,
    maps_of,
    spatial_layers,
)
from cnnkit.evaluation.explain.maps import pictures

import keras
import numpy as np
from keras import ops

BATCH = 32  # pictures that go through the model together


class Focus(NamedTuple):
    """How much of the heat of pictures lies in boxes.

    Parameters
    ----------
    heat : ndarray, (n,)
        Share of each picture's heat that lies in its box, in [0, 1]; NaN where there is no heat.
    area : ndarray, (n,)
        Share of each picture that its box covers.
    """

    heat: np.ndarray
    area: np.ndarray

    @property
    def ratio(self) -> float:
        """The mean share of the heat, divided by that of the area: 1 for heat that is anywhere.

        Pictures without heat are left out; NaN where there are no others.
        """
        lit = np.isfinite(self.heat)
        return float(self.heat[lit].mean() / self.area[lit].mean()) if lit.any() else np.nan


def grad_cam(
    model: keras.Model,
    image: np.ndarray,
    class_index: int | Sequence[int] | None = None,
    layer: str | keras.Layer | None = None,
) -> np.ndarray:
    """Find where in a picture the evidence for a class is.

    The feature maps of a layer are added up, each weighted by how much the score of the class rises
    with it; where the sum is negative, there is no evidence. The score is what the last layer
    computes before softmax or sigmoid; for the first class of one sigmoid unit, its negative.

    Parameters
    ----------
    model : keras.Model
        A classifier: softmax, or one sigmoid unit for two classes.
    image : ndarray, (height, width, channels) or (n, height, width, channels)
        One picture or several, in the form the model takes.
    class_index : int or sequence of int, optional
        The class, or that of each picture; the predicted one where not given.
    layer : str or keras.Layer, optional
        As in `feature_maps`; the last with a spatial output, pooling aside, where not given.

    Returns
    -------
    ndarray, (height, width) or (n, height, width)
        The heat of each pixel, in [0, 1]: 1 at the hottest, 0 everywhere where there is no
        evidence.

    Raises
    ------
    ValueError
        Pictures that do not fit, no such class or layer, a layer without a spatial output, or no
        classifier.

    References
    ----------
    R. R. Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", ICCV 2017.
    """
    images = pictures(model, image)
    if len(model.outputs) != 1 or len(model.output_shape) != 2:
        raise ValueError(
            f"The model {model.name!r} gives {model.output_shape}; expected a classifier, (n, "
            "classes). models.with_head and models.transfer_classifier make one of a base."
        )
    found = _last(model, images[:1]) if layer is None else find_layer(model, layer)
    count = max(2, model.output_shape[-1])
    if class_index is None:
        scores = [ops.convert_to_numpy(_scores(model, part)) for part in _parts(images)]
        classes = np.concatenate(scores).argmax(axis=1)
    else:
        classes = np.asarray(class_index)
        known = np.issubdtype(classes.dtype, np.integer) and classes.shape in ((), (len(images),))
        if not known or classes.min() < 0 or classes.max() >= count:
            raise ValueError(
                f"class_index is {class_index}; expected a class of {model.name!r}, 0 to "
                f"{count - 1}, or one for each of {len(images)} pictures."
            )
        classes = np.broadcast_to(classes, len(images))
    chosen = np.eye(count, dtype="float32")[classes]
    heat = np.concatenate(
        [
            _heat(model, part, weights, found)
            for part, weights in zip(_parts(images), _parts(chosen), strict=True)
        ]
    )
    return heat if np.ndim(image) == len(model.input_shape) else heat[0]


def focus(heat: np.ndarray, boxes: np.ndarray) -> Focus:
    """Measure how much of the heat of pictures lies in boxes, such as those around faces.

    Parameters
    ----------
    heat : ndarray, (n, height, width)
        As `grad_cam` returns it.
    boxes : ndarray of int, (n, 4)
        Left, top, right and bottom in pixels; right and bottom lie just outside.

    Returns
    -------
    Focus

    Raises
    ------
    ValueError
        Not one box for each picture, or one that is empty or reaches out of its picture.
    """
    heat, boxes = np.asarray(heat), np.asarray(boxes)
    if heat.ndim != 3 or boxes.shape != (len(heat), 4):
        raise ValueError(
            f"The heat has shape {heat.shape} and the boxes {boxes.shape}; expected (n, height, "
            "width) and (n, 4)."
        )
    height, width = heat.shape[1:]
    if not np.issubdtype(boxes.dtype, np.integer):
        raise ValueError(f"The boxes have dtype {boxes.dtype}; expected whole pixels.")
    corners, ends, limits = boxes[:, :2], boxes[:, 2:], np.array([width, height])
    wrong = ((corners < 0) | (corners >= ends) | (ends > limits)).any(axis=1)
    if wrong.any():
        raise ValueError(
            f"The box {boxes[wrong][0].tolist()} is empty or reaches out of its picture of "
            f"{height} by {width} pixels. Boxes are resized with their pictures."
        )
    inside = [
        picture[top:bottom, left:right].sum()
        for picture, (left, top, right, bottom) in zip(heat, boxes, strict=True)
    ]
    total = heat.sum(axis=(1, 2))
    share = np.divide(inside, total, out=np.full(len(heat), np.nan), where=total > 0)
    return Focus(share, (ends - corners).prod(axis=1) / (height * width))


def _heat(
    model: keras.Model, images: np.ndarray, chosen: np.ndarray, layer: keras.Layer
) -> np.ndarray:
    """Return the heat of a batch, where `chosen` has a 1 at the class of each picture."""
    (maps,) = maps_of(model, [layer], images)

    def score(change: Any) -> Any:
        with heard(layer, lambda output: output + ops.cast(change, output.dtype)):
            return ops.sum(ops.multiply(_scores(model, images), chosen))

    (gradients,) = backend.gradients(score, np.zeros(maps.shape, "float32"))
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1, keepdims=True), 0)
    resized = ops.image.resize(heat.astype("float32"), images.shape[1:3], "bilinear")
    heat = ops.convert_to_numpy(resized)[..., 0]
    hottest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, hottest, out=np.zeros_like(heat), where=hottest > 0)


def _scores(model: keras.Model, images: np.ndarray) -> Any:
    """Return the scores of the classes, (n, classes), before softmax or sigmoid."""
    last: keras.Layer = model
    while isinstance(last, keras.Model):
        last = last.layers[-1]
    with linear(last):
        scores = ops.cast(model(images, training=False), "float32")
    if isinstance(last, keras.layers.Softmax):
        scores = ops.log(scores + keras.config.epsilon())
    return ops.concatenate([-scores, scores], axis=1) if scores.shape[1] == 1 else scores


def _last(model: keras.Model, images: np.ndarray) -> keras.Layer:
    """Return the last layer with a spatial output that does not pool."""
    layers = layers_by_path(model)
    for path in reversed(spatial_layers(model, images)):
        layer = layers[path]
        if "Pooling" not in type(layer).__name__ and not isinstance(layer, keras.Model):
            return layer
    raise ValueError(f"The model {model.name!r} has no layer with a spatial output.")


def _parts(array: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(array), BATCH):
        yield array[start : start + BATCH]
