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
# # Homework 6. Fine-tuning
#
# For [chapter 6](../06_fine_tuning.ipynb). You put the steps into order, free layers by hand, find the run
# that forgot what it knew, and decide what to do with four data sets.

# %%
import tempfile
from pathlib import Path

from cnnkit import data, models, training

import keras
import numpy as np

# %% tags=["numbers"]
FREE = 8  # layers of VGG16's base, from its end

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. In this order
#
# Put the letters of the steps into the right order, such as `"abcdef"`.
#
# - a: train the head
# - b: free the last layers of the base
# - c: put a new head on the trained base
# - d: compile with a small learning rate
# - e: train the head and the freed layers
# - f: freeze the whole base

# %% [raw]
# # BEGIN SOLUTION

# %%
order = "cfabde"  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_order(order):
    letters = "" if order is ... else "".join(order).lower().replace(",", "").replace(" ", "")
    if sorted(letters) != list("abcdef"):
        return 'Write six letters, each once, such as "abcdef".'
    place = letters.index
    if place("c") > place("a"):
        return "Which head do you train in step a? It has to be there first."
    if place("f") > place("a"):
        return "A new head sends random gradients back: freeze the base before you train the head."
    if place("b") < place("a"):
        return "The layers come free when the head is trained, not before."
    if place("d") < place("b"):
        return "Keras looks at what is trainable when you compile: free the layers first."
    if place("e") < place("d"):
        return "Train the freed layers after compiling, with the small learning rate."
    if letters not in ("cfabde", "fcabde"):
        return "Nearly: read it aloud as a story."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 2

# %% [markdown]
# ## 2. How many arrays?
#
# `training.transfer.unfreeze_top(base, FREE)` frees the last `FREE` layers of the full-width VGG16's base (they end: …
# `block4_conv1`, `block4_conv2`, `block4_conv3`, `block4_pool`, `block5_conv1`, `block5_conv2`,
# `block5_conv3`, `block5_pool`). How many arrays can then be trained, and how many parameters are in them?

# %% [raw]
# # BEGIN SOLUTION

# %%
arrays = 12  # SOLUTION
parameters = 9 * 256 * 512 + 512 + 5 * (9 * 512 * 512 + 512)  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_arrays(arrays, parameters):
    from cnnkit import models, training

    if arrays is ... or parameters is ...:
        return "Write numbers in place of the dots."
    base = models.vgg16_base()
    training.transfer.unfreeze_top(base, FREE)
    free = base.trainable_weights
    if arrays == 2 * FREE:
        return "Pooling layers count as layers, and have no weights."
    if arrays == len(free) // 2:
        return "Each convolution has two arrays: a kernel and a bias."
    if arrays != len(free):
        return f"Which of the last {FREE} layers are convolutions?"
    right = sum(layer.count_params() for layer in base.layers if layer.trainable)
    if parameters == right + 9 * 256 * 512:
        return "block4_conv1 gets 256 channels from block 3, not 512."
    if parameters != right:
        return "Each kernel has 3 × 3 × channels × filters numbers, and each filter a bias."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: [2, 1]

# %% [markdown]
# ## 3. Free them by hand
#
# Write `unfreeze_top` yourself: free the last `count` layers of a base and freeze all others.
# BatchNormalization stays frozen wherever it is, so that it keeps what it has stored.

# %% [raw]
# # BEGIN SOLUTION

# %%
def free_last(base, count):
    """Set `trainable` of the base's layers. Nothing is returned."""
    # BEGIN SOLUTION
    base.trainable = True
    for number, layer in enumerate(base.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = number >= len(base.layers) - count and not normalises
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_free_last(free_last):
    from cnnkit import models, training

    def problem(name, builder):
        base, right = (builder("drawn", (64, 64, 3)) for _ in range(2))
        for count in (15, 8):
            base.trainable = count == 15
            free_last(base, count)
            training.transfer.unfreeze_top(right, count)
            got = {weight.path for weight in base.trainable_weights}
            expected = {weight.path for weight in right.trainable_weights}
            if got == expected:
                continue
            if not got:
                return f"{name}: nothing is free. A frozen base hides its layers: set base.trainable = True first."
            if any("_bn/" in path or path.startswith("bn/") for path in got):
                return f"{name}: BatchNormalization is free, and would forget what it has stored."
            if len(got) > len(expected):
                return f"{name}: {len(got)} arrays are free, not {len(expected)}: freeze the layers before."
            return f"{name}: {len(got)} arrays are free; the last {count} layers have {len(expected)}."

    if said := problem("VGG16", models.vgg16_base):
        return said
    # PART
    return problem("DenseNet", models.densenet_base)

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [2, 1]

# %% [markdown]
# ## 4. Which run forgot?
#
# Two copies of a trained base were fine-tuned on eighty drawn photos, one in small steps, one in large ones.
# You only have their weights. Write a function that says how far a network moved: for each array, the norm of
# its change divided by the norm it had before; then the mean over all arrays that changed at all. And say
# which run took the large steps.

# %% tags=["nbval-ignore-output"]
folder = Path(tempfile.mkdtemp())
data.drawings.write(folder, ["cow", "owl"], per_class=40, seed=1, size=64)
photos = data.image_folder(folder, (64, 64), batch_size=16, shuffle=True, seed=0)


def fine_tuned(learning_rate):
    training.reproducible(seed=0)
    base = models.vgg16_base("drawn", (64, 64, 3))
    training.transfer.unfreeze_top(base, 4)
    model = models.transfer_classifier(base)
    model.compile(keras.optimizers.RMSprop(learning_rate), "binary_crossentropy")
    model.fit(photos, epochs=2, verbose=0)
    return base.get_weights()


before = models.vgg16_base("drawn", (64, 64, 3)).get_weights()
runs = dict(zip("AB", np.random.default_rng(7).permutation([1e-5, 1e-2]), strict=True))
runs = {name: fine_tuned(float(rate)) for name, rate in runs.items()}

# %% [raw]
# # BEGIN SOLUTION

# %%
def moved(before, after):
    """Return the mean relative change; both are lists of arrays, as model.get_weights() gives them."""
    # BEGIN SOLUTION
    changes = [
        np.linalg.norm(new - old) / np.linalg.norm(old)
        for old, new in zip(before, after, strict=True)
        if not np.array_equal(old, new)
    ]
    return float(np.mean(changes))
    # END SOLUTION


print({name: moved(before, weights) for name, weights in runs.items()})
large_steps = "B"  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_moved(before, runs, moved, large_steps):
    import numpy as np

    old = [np.array([[0.0, 10.0]]), np.array([[1.0]]), np.array([4.0]), np.array([2.0])]
    new = [np.array([[3.0, 14.0]]), np.array([[2.0]]), np.array([5.0]), np.array([2.0])]
    got = moved(old, new)
    if got is None:
        return "The function returns nothing yet."
    if np.isclose(got, (0.5 + 1 + 0.25 + 0) / 4):
        return "An array that did not change was frozen: leave it out of the mean."
    if np.isclose(got, (5 + 1 + 1) / 3):
        return "Divide each change by the norm that the array had before."
    if not np.isclose(got, (0.5 + 1 + 0.25) / 3):
        return "For [0, 10] → [3, 14] it is 5 / 10, for [1] → [2] it is 1 / 1, for [4] → [5] it is 1 / 4."
    # PART
    if large_steps not in runs:
        return 'Write "A" or "B".'
    if moved(before, runs[large_steps]) < max(moved(before, after) for after in runs.values()):
        return "The other one has moved further."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 2

# %% [markdown]
# ## 5. What would you do?
#
# Chapter 6 decides by two questions: how many photos there are, and how much they resemble those of the
# pretraining. A base trained on ImageNet is at hand. Write for each data set the letter of what to try first.
#
# - **dogs**: 300 photos of twenty breeds of dogs
# - **x_rays**: 200,000 X-rays of the chest
# - **bottles**: 100,000 photos of bottles in shops
# - **mould**: 200 microscopic pictures of mould
#
# a: a head on the features of the last layers; b: a head on the features of earlier layers; c: fine-tune many
# layers; d: train all of it, from the trained weights or from scratch

# %% [raw]
# # BEGIN SOLUTION

# %%
dogs = "a"  # SOLUTION
x_rays = "d"  # SOLUTION
bottles = "c"  # SOLUTION
mould = "b"  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_decision(dogs, x_rays, bottles, mould):
    reasons = {
        "dogs": "Few photos, and ImageNet is full of dogs: what is already there?",
        "x_rays": "Very many pictures, and none like them in ImageNet: what can you afford?",
        "bottles": "Many photos that resemble ImageNet's: what is safe, and better than a head alone?",
        "mould": "Few pictures, unlike those of ImageNet: which layers know what all pictures have?",
    }
    answers = (dogs, x_rays, bottles, mould)
    for (name, reason), answer, right in zip(reasons.items(), answers, "adcb", strict=True):
        if answer not in ("a", "b", "c", "d"):
            return f'{name}: write "a", "b", "c" or "d".'
        if answer != right:
            return f"{name}: {reason}"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
