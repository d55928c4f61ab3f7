# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Homework 10. Looking inside
#
# For [chapter 10](../10_looking_inside.ipynb). You compute Grad-CAM from its definition, measure where heat
# lies, let a picture climb, and find out which of two networks cheats.

# %%
import tempfile
from pathlib import Path

from cnnkit import backend, data, evaluation, training
from cnnkit.evaluation import explain

import keras
import numpy as np
from keras import layers

# %% tags=["numbers"]
SIZE = 64  # pixels of the drawn photos

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. What do you see where?
#
# Write for each sentence whether it is true of a network like VGG16, `True` or `False`.
#
# - **first**: you recognise a photo more easily from the first feature maps than from the last
# - **channels**: deeper layers have fewer feature maps than the first ones
# - **silent**: in the last maps many filters answer 0, since they do not find what they look for
# - **sharp**: Grad-CAM of a deeper layer is sharper, since the layer knows more

# %% [raw]
# # BEGIN SOLUTION

# %%
first = True  # SOLUTION
channels = False  # SOLUTION
silent = True  # SOLUTION
sharp = False  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_sentences(first, channels, silent, sharp):
    reasons = {
        "first": "What do figures 10.1 and 10.2 show on the left, and what on the right?",
        "channels": "VGG16 begins with 64 maps. How many does block 5 have?",
        "silent": "After ReLU, what is left of a filter that does not match?",
        "sharp": "How many cells has a map of block 3, and one of block 5?",
    }
    answers = (first, channels, silent, sharp)
    for (name, reason), answer, right in zip(reasons.items(), answers, (1, 0, 1, 0), strict=True):
        if not isinstance(answer, bool):
            return f"{name}: write True or False."
        if answer != right:
            return f"{name}: {reason}"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: [2, 1]

# %% [markdown]
# ## 2. Grad-CAM
#
# Given are the feature maps $A_k$ of a layer for one photo and the gradients of the score with respect to
# each of their numbers, both (rows, columns, maps). Compute the heat by its definition: a weight for each
# map, the mean of its gradients; the weighted sum of the maps; what is negative becomes 0.

# %% [raw]
# # BEGIN SOLUTION

# %%
def grad_cam(maps, gradients):
    """Return the heat, (rows, columns), not scaled."""
    # BEGIN SOLUTION
    weights = gradients.mean(axis=(0, 1))
    return np.maximum((weights * maps).sum(axis=-1), 0)
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_grad_cam(grad_cam):
    import numpy as np

    random = np.random.default_rng(6)
    maps = random.exponential(size=(4, 5, 7))
    gradients = random.normal(size=(4, 5, 7)) + np.array([2, -2, 1, -1, 1, -1, 0])
    got = grad_cam(maps, gradients)
    if got is None:
        return "The function returns nothing yet."
    got = np.asarray(got)
    if np.shape(got) != (4, 5):
        return f"The heat has shape {np.shape(got)}; expected (rows, columns), here (4, 5)."
    weights = gradients.mean(axis=(0, 1))
    total = (weights * maps).sum(axis=-1)
    if np.allclose(got, np.maximum((gradients * maps).sum(axis=-1), 0)):
        return "Each number has its own weight here; Grad-CAM gives one to a whole map, the mean of its gradients."
    if np.allclose(got, (np.maximum(weights, 0) * maps).sum(axis=-1)):
        return "First add up, then cut off: maps that speak against the class count, too."
    if np.allclose(got, np.maximum((maps.mean(axis=(0, 1)) * gradients).sum(axis=-1), 0)):
        return "Maps and gradients are swapped: the gradients give the weights."
    summed = np.allclose(np.maximum(got, 0), np.maximum(total, 0))
    if not summed and np.allclose(np.maximum(got, 0) / got.max(), np.maximum(total, 0) / total.max()):
        return "Up to a factor it is right: take the mean of the gradients, and do not scale."
    if not summed:
        return "One weight for each map, the weighted sum over the maps, and what is negative becomes 0."
    # PART
    if not np.allclose(got, np.maximum(total, 0)):
        return "What is negative speaks for other classes: it becomes 0."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 2

# %% [markdown]
# ## 3. Where the heat lies
#
# Which share of the heat of a picture lies in a box, by which share of the picture the box covers? For heat
# that is anywhere, the quotient is 1. A box is (left, top, right, bottom); right and bottom lie just outside.

# %% [raw]
# # BEGIN SOLUTION

# %%
def focus(heat, box):
    """Return the quotient; heat is (rows, columns)."""
    # BEGIN SOLUTION
    left, top, right, bottom = box
    share = heat[top:bottom, left:right].sum() / heat.sum()
    return share / ((bottom - top) * (right - left) / heat.size)
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_focus(focus):
    from cnnkit.evaluation import explain

    import numpy as np

    heat, box = np.random.default_rng(7).uniform(size=(10, 20)), (12, 1, 19, 4)
    heat[1:4, 12:19] += 2
    right = explain.focus(heat[np.newaxis], np.array([box])).ratio
    got = focus(heat, box)
    if got is None:
        return "The function returns nothing yet."
    area = 7 * 3 / 200
    if np.isclose(got, right * area):
        return "That is the share of the heat. Divide it by the share of the picture that the box covers."
    if np.isclose(focus(np.ones((10, 20)), box), area):
        return "Heat that is the same everywhere should give 1."
    swapped = heat[12:19, 1:4].sum() / heat.sum() / area
    if np.isclose(got, swapped):
        return "Rows come first in an array: heat[top:bottom, left:right]."
    if not np.isclose(got, right):
        return f"explain.focus has {right:.3f}, you have {float(got):.3f}."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [2, 1]

# %% [markdown]
# ## 4. A picture that climbs
#
# Change a picture in small steps so that a function of it grows: gradient ascent. In each step compute the
# gradient, divide it by its standard deviation (plus 1e-8), and go `rate` times that far. The picture stays
# within 0 to 1. `backend.gradients(function, picture)` returns a list with the gradient.

# %% [raw]
# # BEGIN SOLUTION

# %%
def climb(function, picture, steps, rate):
    """Return the picture after so many steps; function takes a picture and returns a tensor."""
    # BEGIN SOLUTION
    for _ in range(steps):
        (gradient,) = backend.gradients(function, picture)
        picture = np.clip(picture + rate * gradient / (gradient.std() + 1e-8), 0, 1)
    return picture
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_climb(climb):
    import numpy as np
    from keras import ops

    start = np.random.default_rng(8).uniform(0.4, 0.6, (6, 6, 3)).astype("float32")
    goal = np.full((6, 6, 3), 0.2, "float32")
    goal[2:4, 2:4, 0] = 0.8

    def alike(picture, goal=goal):
        return -ops.sum((picture - goal) ** 2)

    given = start.copy()
    got = climb(alike, start, 1, 0.01)
    if got is None:
        return "The function returns nothing yet."
    if not np.array_equal(start, given):
        return "It changes the picture that it was given: make a new one."
    moved, gradient = np.asarray(got) - given, 2 * (goal - given)
    expected = 0.01 * gradient / gradient.std()
    if np.allclose(moved, -expected, atol=1e-5):
        return "It goes down: to climb, add the gradient."
    if np.allclose(moved, 0.01 * gradient, atol=1e-5):
        return "Divide the gradient by its standard deviation, so that a step has the same size everywhere."
    if np.allclose(moved, 0):
        return "After one step the picture is the same."
    if not np.allclose(moved, expected, atol=1e-4):
        return "One step is not right: rate × gradient / its standard deviation."
    # PART
    far = np.asarray(climb(alike, start, 60, 0.05))
    if np.abs(far - goal).mean() > 0.1:
        return "After many steps it is not where it should be: does each step begin where the last one ended?"
    bright = np.asarray(climb(lambda picture: alike(picture, goal=2.0), start, 60, 0.05))
    if bright.min() < 0 or bright.max() > 1:
        return "After many steps the picture leaves 0 to 1: clip it in each step."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: [2, 1]

# %% [markdown]
# ## 5. Which network cheats?
#
# Two networks tell cats from dogs, each tested on photos of the kind it learned from. One of them looks at
# the animals, the other one at the wall behind them. You get both, and their test photos with the boxes of
# the faces. Find out by measuring, and say which one cheats.

# %% jupyter={"source_hidden": true} tags=["nbval-ignore-output"]
def small_network():
    x = inputs = keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(1 / 255)(x)
    for number, filters in enumerate((16, 32, 64), start=1):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU(name=f"relu{number}")(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.MaxPooling2D(2)(x) if number < 3 else x
    outputs = layers.Dense(2, activation="softmax")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, outputs)

# %% jupyter={"source_hidden": true} tags=["nbval-ignore-output"]
def trained(background, epochs, folder):
    parts = {}
    for part, count, seed in (("train", 200, 1), ("test", 40, 2)):
        path = folder / part
        data.drawings.write(path, ["cat", "dog"], count, seed, size=SIZE, background=background)
        options = {"shuffle": part == "train", "seed": 5}
        parts[part] = data.image_folder(path, (SIZE, SIZE), batch_size=16, **options)
    training.reproducible(seed=5)
    model = small_network()
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * len(parts["train"]))
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(parts["train"], epochs=epochs, verbose=0)
    return model, parts["test"]


folder = Path(tempfile.mkdtemp())
kinds = np.random.default_rng(11).permutation([("species", 4), ("neutral", 12)]).tolist()
networks = {
    name: trained(background, int(epochs), folder / name)
    for name, (background, epochs) in zip("AB", kinds, strict=True)
}

# %%
for name, (model, photos) in networks.items():
    right = evaluation.report(photos.labels, evaluation.predict(model, photos)).accuracy
    print(f"network {name}: accuracy {right:.2f} on its own test photos")

# %% [raw]
# # BEGIN SOLUTION

# %%
def heat_on_the_face(model, photos):
    """Return explain.focus(…).ratio over all of these test photos."""
    # BEGIN SOLUTION
    pictures = data.load_images(photos.file_paths, (SIZE, SIZE))
    boxes = data.drawings.face_boxes(photos.file_paths, (SIZE, SIZE))
    return explain.focus(explain.grad_cam(model, pictures), boxes).ratio
    # END SOLUTION


ratios = {name: heat_on_the_face(*network) for name, network in networks.items()}
print(ratios)
cheats = "B"  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_cheat(networks, ratios, cheats):
    from cnnkit import data
    from cnnkit.evaluation import explain

    import numpy as np

    if any(ratio is None for ratio in ratios.values()):
        return "heat_on_the_face returns nothing yet."
    for name, (model, photos) in networks.items():
        pictures = data.load_images(photos.file_paths, (SIZE, SIZE))
        boxes = data.drawings.face_boxes(photos.file_paths, (SIZE, SIZE))
        right = explain.focus(explain.grad_cam(model, pictures), boxes).ratio
        if not np.isclose(ratios[name], right, rtol=1e-3):
            return (
                f"Network {name}: {ratios[name]:.2f}, where the ratio is {right:.2f}. Load the photos at "
                "SIZE × SIZE, and resize the boxes with them (data.drawings.face_boxes)."
            )
    # PART
    if cheats not in networks:
        return 'Write "A" or "B".'
    if ratios[cheats] > min(ratios.values()):
        return (
            "A test set with the same flaw cannot tell: accuracy is no proof. Which of them "
            "looks past the faces?"
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
