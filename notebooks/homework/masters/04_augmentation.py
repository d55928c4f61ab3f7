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
# # Homework 4. Augmentation
#
# For [chapter 4](../04_augmentation.ipynb). You write augmentations, find the wrong one by measuring, and
# count what they make of a photo.

# %%
from cnnkit import data, evaluation, models, plots, training
from cnnkit.data import augment

import keras
import numpy as np

# %% tags=["numbers"]
PAD = 3
SUSPECTS = ["moved", "turned a little", "upside down", "brighter or darker"]

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. Which claim is false?
#
# Each augmentation claims that the label stays. For each task, write the one of its four augmentations whose
# claim is false.
#
# | task | a | b | c | d |
# | --- | --- | --- | --- | --- |
# | cells under a microscope, healthy or not | flip | quarter turns | small shift | blur until no nucleus is seen |
# | traffic signs, "turn left" or "turn right" | brighter | flip left to right | rotate by 5° | small zoom |
# | ripe or unripe bananas | flip | rotate | green becomes yellow | crop a little |
# | handwritten letters | thicker strokes | shift by a pixel | shear a little | half turn |

# %% [raw]
# # BEGIN SOLUTION

# %%
cells = "d"  # SOLUTION
signs = "b"  # SOLUTION
bananas = "c"  # SOLUTION
letters = "d"  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_claims(cells, signs, bananas, letters):
    answers = {"cells": cells, "signs": signs, "bananas": bananas, "letters": letters}
    reasons = {
        "cells": "What must a doctor see in order to tell? Cells have no up and down.",
        "signs": "What does an arrow to the left become in a mirror?",
        "bananas": "By what does one tell a ripe banana?",
        "letters": "Turn a d and a u on paper: what do you read?",
    }
    for answer, (task, reason), right in zip(answers.values(), reasons.items(), "dbcd", strict=True):
        if answer not in ("a", "b", "c", "d"):
            return f'{task}: write "a", "b", "c" or "d".'
        if answer != right:
            return f"{task}: {reason}"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 2

# %% [markdown]
# ## 2. Mirror
#
# Write an augmentation by hand: mirror the photos of a batch left to right, those for which `chosen` is true.

# %% [raw]
# # BEGIN SOLUTION

# %%
def mirror(photos, chosen):
    """photos is (n, rows, columns, channels), chosen is (n,) of bool; return new photos."""
    # BEGIN SOLUTION
    mirrored = photos.copy()
    mirrored[chosen] = photos[chosen, :, ::-1]
    return mirrored
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_mirror(mirror):
    import numpy as np

    photos = np.random.default_rng(0).integers(0, 256, (4, 5, 6, 3))
    given, chosen = photos.copy(), np.array([True, False, False, True])
    got = mirror(photos, chosen)
    if got is None:
        return "The function returns nothing yet."
    if not np.array_equal(photos, given):
        return "It changes the photos that it was given. Copy them first: the next epoch needs them."
    if np.shape(got) != photos.shape:
        return f"The photos have shape {photos.shape}, the mirrored ones {np.shape(got)}."
    if np.array_equal(got[0], given[0, ::-1]):
        return "These are upside down: the first axis of a photo are its rows."
    if np.array_equal(got[0], given[0, :, :, ::-1]):
        return "This mirrors the colours: the last axis are the channels."
    if np.array_equal(got, given[:, :, ::-1]):
        return "All are mirrored, also those that were not chosen."
    if not np.array_equal(got[0], given[0, :, ::-1]):
        return "Columns are the second axis of a photo, the third of a batch."
    if not np.array_equal(got[1:3], given[1:3]):
        return "Photos that were not chosen should stay as they are."
    if not np.array_equal(got[3], given[3, :, ::-1]):
        return "The first photo is right, but not all that were chosen are mirrored."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 1

# %% [markdown]
# ## 3. How many photos are in one?
#
# `pad_and_crop(PAD)` surrounds a photo with `PAD` pixels on each side and cuts out a window of the old size.
# A flip left to right comes before it. How many different photos can the two make of one?

# %% [raw]
# # BEGIN SOLUTION

# %%
different_photos = 2 * (2 * PAD + 1) ** 2  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_count(different_photos):
    if different_photos is ...:
        return "Write a formula in place of the dots."
    places = 2 * PAD + 1
    if different_photos == places**2:
        return "The flip doubles them."
    if different_photos in ((2 * PAD) ** 2, 2 * (2 * PAD) ** 2):
        return "The window may also stay where it is: from -PAD to PAD there is a 0."
    if different_photos in ((PAD + 1) ** 2, 2 * (PAD + 1) ** 2):
        return "There is room on both sides."
    if different_photos == 2 * places:
        return "The window moves in two directions."
    if different_photos != 2 * places**2:
        return "Count the places of the window in a row, then in both directions, then the flip."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [2, 1]

# %% [markdown]
# ## 4. Find the wrong augmentation
#
# One of four augmentations of digits costs accuracy. Do not guess; measure. Write a function that trains the
# network of chapter 1 with an augmentation in front, as chapter 4 does it, and returns its accuracy on the
# digits for validation. Then name the culprit. (The test digits take no part: naming it is a decision.)

# %%
(x, y), _ = data.digits()
x_train, y_train, x_validation, y_validation = x[:600], y[:600], x[600:], y[600:]
changes = [
    augment.pad_and_crop(1),
    augment.rotate(10),
    keras.layers.RandomFlip("vertical"),
    keras.layers.RandomBrightness(0.1, value_range=(0, 1)),
]
suspects = dict(zip(SUSPECTS, changes, strict=True))
six = np.repeat(x[y == 6][:1], 8, axis=0)
plots.picture_rows(
    {name: np.asarray(layer(six, training=True)) for name, layer in suspects.items()}
)

# %% [raw]
# # BEGIN SOLUTION

# %%
def accuracy_with(augmentation):
    """Train models.digits_cnn() with this augmentation for 20 epochs; return the accuracy."""
    # BEGIN SOLUTION
    training.reproducible(seed=5)
    network = models.digits_cnn()
    model = keras.Sequential([augmentation, network])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x_train, y_train, epochs=20, verbose=0)
    return evaluation.report(y_validation, evaluation.predict(network, x_validation)).accuracy
    # END SOLUTION


accuracies = {name: accuracy_with(layer) for name, layer in suspects.items()}
print(accuracies)
culprit = "upside down"  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_culprit(accuracies, culprit):
    import numbers

    if any(not isinstance(figure, numbers.Real) for figure in accuracies.values()):
        return "The function returns no accuracy yet."
    if not all(0 <= figure <= 1 for figure in accuracies.values()):
        return f"An accuracy lies between 0 and 1; you have {accuracies}."
    if max(accuracies.values()) < 0.5:
        return "None of them learns: is the network compiled, and trained on x_train?"
    if max(accuracies.values()) < 0.9:
        return "All are low: do you measure the network itself, without the augmentation?"
    if len(set(accuracies.values())) == 1:
        return "All are the same: does each training begin with a new network, and its augmentation?"
    worst, next_worst, *_ = sorted(accuracies.values())
    if next_worst - worst < 0.01:
        return f"Your figures do not differ ({accuracies}): is the augmentation part of the training?"
    # PART
    if culprit not in SUSPECTS:
        return f"The culprit is one of {SUSPECTS}."
    if accuracies[culprit] > worst:
        return "By your own figures another one is worse."
    if culprit != SUSPECTS[2]:
        return "Your figures mislead: does each training begin with a new network?"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: [2, 1]

# %% [markdown]
# ## 5. An augmentation of your own
#
# Light differs from photo to photo. Write a layer that multiplies each photo of a batch by a random number of
# its own, between 1 - `amount` and 1 + `amount`. `augment.Augmentation` does the rest: it leaves photos alone
# in inference, and clips them to 0 to 255.

# %% [raw]
# # BEGIN SOLUTION

# %%
class Light(augment.Augmentation):
    def __init__(self, amount, **options):
        super().__init__(**options)
        self.amount = amount

    def change(self, photos):
        # BEGIN SOLUTION
        shape = (keras.ops.shape(photos)[0], 1, 1, 1)
        factor = keras.random.uniform(shape, 1 - self.amount, 1 + self.amount, seed=self.random)
        return factor * photos
        # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_light(Light):
    import keras
    import numpy as np

    photos = np.tile(np.linspace(20, 120, 64, dtype="float32").reshape(1, 8, 8, 1), (64, 1, 1, 3))
    layer = Light(0.5, seed=1)
    if layer.change(photos) is None:
        return "`change` returns nothing yet."
    changed = np.asarray(layer(photos, training=True))
    if changed.shape != photos.shape:
        return f"The photos have shape {photos.shape}, the changed ones {changed.shape}."
    if np.allclose(changed, photos):
        return "Nothing changes in training."
    if (changed - photos).std(axis=(1, 2, 3)).max() < 0.01:
        return "This adds light; a photo in half the light has half of each number: multiply."
    factor = changed / photos
    if factor.std(axis=(1, 2)).max() > 0.01:
        return "Each pixel has a factor of its own, which is noise: draw numbers of the shape (n, 1, 1, 1)."
    if factor.std(axis=3).max() > 0.01:
        return "Each colour has a factor of its own, which changes colours: draw numbers of the shape (n, 1, 1, 1)."
    factor = factor[:, 0, 0, 0]
    if factor.std() < 0.01:
        return "All photos of the batch have the same factor: light differs from photo to photo."
    if factor.min() < 0.49 or factor.max() > 1.51:
        return f"The factors go from {factor.min():.2f} to {factor.max():.2f}; expected 0.5 to 1.5."
    if factor.min() > 0.7 or factor.max() < 1.3:
        return f"The factors go only from {factor.min():.2f} to {factor.max():.2f}; expected 0.5 to 1.5."
    # PART
    light = np.asarray(Light(0.2, seed=1)(photos, training=True)) / photos
    if light.min() < 0.79 or light.max() > 1.21 or not (abs(factor - 1) < 0.1).any():
        return "The factors lie anywhere from 1 - amount to 1 + amount; is 0.5 left in the code?"
    model = keras.Sequential([keras.Input((8, 8, 3)), layer, keras.layers.Conv2D(1, 1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")  # in whose steps a number would stand still
    one, two = (float(model.train_on_batch(photos, photos[..., :1])) for _ in range(2))
    if np.isclose(one, two) or np.allclose(np.asarray(layer(photos, training=True)), changed):
        return "It does the same in each step: pass seed=self.random, which moves on, and not a number."
    if not np.array_equal(np.asarray(layer(photos, training=False)), photos):
        return "In inference the photos should stay as they are. Write `change` only, not `call`."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
