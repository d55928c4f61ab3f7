"""Which layers are frozen, and where a model can be cut behind them."""

from collections.abc import Iterator
from typing import Any

from cnnkit.training.state import random_states

import keras
import numpy as np


def unfreeze_top(base: keras.Model, count: int) -> None:
    """Free the last layers of a base and freeze all others. Compile the model afterwards.

    BatchNormalization stays frozen everywhere, so that it keeps the statistics that it was trained
    with: `training=False` in the call does not see to it, since `fit` overrides it.

    Parameters
    ----------
    base : keras.Model
        With its layers in a row, such as `models.vgg16_base`.
    count : int
        How many of its layers, from 0; pooling layers count. For VGG16, 4 frees its last block.

    Raises
    ------
    ValueError
        More layers than the base has, or a whole model instead of its base.
    """
    inside = [layer for layer in base.layers if isinstance(layer, keras.Model) and layer.weights]
    if inside:
        raise ValueError(
            f"{base.name!r} holds the model {inside[0].name!r}; expected a base with its layers in "
            f"a row. Give it model.get_layer({inside[0].name!r})."
        )
    if not isinstance(count, int | np.integer) or not 0 <= count <= len(base.layers):
        raise ValueError(
            f"count is {count!r}; expected 0 to {len(base.layers)}, the number of layers of the "
            f"base {base.name!r}."
        )
    base.trainable = True
    frozen = len(base.layers) - count
    for number, layer in enumerate(base.layers):
        layer.trainable = number >= frozen
    for leaf in _leaves(base):
        if isinstance(leaf, keras.layers.BatchNormalization):
            leaf.trainable = False


def cut(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Cut a model behind its frozen layers, also where the place is inside a nested model.

    Parameters
    ----------
    model : keras.Model
        With one input and one output.

    Returns
    -------
    frozen, rest : keras.Model
        Input → hidden values, and hidden values → output. They share the model's layers. Random
        layers are in `frozen` if they come before all weights, as augmentation does.

    Raises
    ------
    ValueError
        The frozen layers are none, all, or others than the first.
    """
    graph = _graph(model)
    if not model.trainable_weights:
        raise ValueError(
            f"All layers of {model.name!r} are frozen, so that there is nothing to train. Free "
            "some, and compile the model."
        )
    frozen, rest = _cut(graph)
    if frozen is None or not any(map(_holds_frozen, frozen.layers)):
        raise ValueError(
            f"The model {model.name!r} does not begin with frozen layers. Freeze its base, "
            "base.trainable = False, or all but the base's last layers, "
            "training.transfer.unfreeze_top(base, 4), and compile the model."
        )
    for layer in _leaves(rest):
        if _holds_frozen(layer) and not isinstance(layer, keras.layers.BatchNormalization):
            raise ValueError(
                f"The layer {layer.name!r} is frozen, but the frozen layers cannot be cut off "
                "behind it: a layer before it is trained or draws random numbers, or the place is "
                "inside a block with branches. Free the layer, freeze all before it, or free "
                "whole blocks."
            )
    return frozen, rest


def _cut(graph: keras.Model, learned: bool = False) -> tuple[keras.Model | None, keras.Model]:
    """Cut a graph; `learned` says whether frozen weights come before it."""
    # Keras has no public way to walk a graph; these attributes are as old as its functional API.
    depths = sorted(graph._nodes_by_depth, reverse=True)
    nodes = [node for depth in depths for node in graph._nodes_by_depth[depth]]
    nodes = [node for node in nodes if not node.is_input]
    last_use = {id(x): number for number, node in enumerate(nodes) for x in node.input_tensors}
    last_use[id(graph.outputs[0])] = len(nodes)

    alive, place = {id(graph.inputs[0])}, None
    for number, node in enumerate(nodes):
        layer = node.operation
        learns = learned or _holds_frozen(layer)
        if not _is_frozen(layer) or (learns and _is_random(layer)):
            break
        learned = learns
        alive |= {id(x) for x in node.outputs}
        alive = {x for x in alive if last_use.get(x, -1) > number}
        if len(alive) == 1 and id(node.outputs[0]) in alive:
            place = node.outputs[0]

    entry = id(node.input_tensors[0])
    if isinstance(layer, keras.Model) and alive == {entry} and last_use[entry] == number:
        frozen, rest = _cut(_graph(layer), learned)
        if frozen is not None:
            front = keras.Model(graph.inputs[0], frozen(node.input_tensors[0]), name=graph.name)
            hidden = keras.Input(batch_shape=rest.inputs[0].shape, dtype=rest.inputs[0].dtype)
            y = rest(hidden)
            if node.outputs[0] is not graph.outputs[0]:
                y = keras.Model(node.outputs[0], graph.outputs[0])(y)
            return front, keras.Model(hidden, y)
    if place is None:
        return None, graph
    front = keras.Model(graph.inputs[0], place, name=graph.name)
    return front, keras.Model(place, graph.outputs[0])


def _graph(model: keras.Model) -> keras.Model:
    """Return a model's graph; that of a Sequential is inside it."""
    ends = (getattr(model, "inputs", None) or (), getattr(model, "outputs", None) or ())
    if [len(end) for end in ends] != [1, 1]:
        raise ValueError(
            f"The model {model.name!r} has no graph with one input and one output. Build it with "
            "the functional API or, with an Input in front, as a Sequential."
        )
    return keras.Model(model.inputs[0], model.outputs[0], name=model.name)


def _leaves(layer: Any) -> Iterator[keras.Layer]:
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _leaves(inner)
    elif isinstance(layer, keras.Layer):
        yield layer


def _is_frozen(layer: Any) -> bool:
    """Whether training leaves a layer as it is."""
    return not any(
        leaf.trainable_weights
        or (leaf.trainable and isinstance(leaf, keras.layers.BatchNormalization))
        for leaf in _leaves(layer)
    )


def _holds_frozen(layer: Any) -> bool:
    return any(leaf.weights and not leaf.trainable for leaf in _leaves(layer))


def _is_random(layer: Any) -> bool:
    return isinstance(layer, keras.Layer) and bool(random_states(layer))
