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
# # Homework 5. Feature extraction
#
# For [chapter 5](../05_feature_extraction.ipynb). You explain every number in the summary of VGG16, by
# computing them, and put a base to work on photos.

# %%
import tempfile
from pathlib import Path

from cnnkit import data, models, training

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression

# %% tags=["numbers"]
SIDE, UNITS = 150, 256
PHOTOS, EPOCHS, VIEWS = 2000, 50, 10

# %% [markdown]
# This is VGG16 without its last layers. Look at it, and do the questions without it.

# %%
models.vgg16_base().summary()

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: [2, 1]

# %% [markdown]
# ## 1. Every shape
#
# Its five blocks have 2, 2, 3, 3 and 3 convolutions of 3×3 with `padding="same"`, with 64, 128, 256, 512 and
# 512 filters. Each block ends with 2×2 pooling. Compute, without Keras, the shape after every layer for
# photos of any size.

# %% [raw]
# # BEGIN SOLUTION

# %%
def vgg16_shapes(side):
    """Return a list of 18 tuples (rows, columns, channels), for photos of side × side.

    One for each convolution and each pooling layer, in order.
    """
    # BEGIN SOLUTION
    shapes = []
    for convolutions, filters in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        shapes += [(side, side, filters)] * convolutions
        side //= 2
        shapes.append((side, side, filters))
    return shapes
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_shapes(vgg16_shapes):
    from cnnkit import models

    def problem(side):
        got = vgg16_shapes(side)
        if got is None:
            return "The function returns nothing yet."
        layers = models.vgg16_base(None, (side, side, 3)).layers[2:]
        if len(got) != len(layers):
            return f"There are {len(layers)} layers, 13 convolutions and 5 poolings; yours are {len(got)}."
        for layer, yours in zip(layers, got, strict=True):
            expected = tuple(layer.output.shape[1:])
            where = f"{layer.name}, for photos of {side}×{side}: {tuple(yours)}"
            if tuple(yours) == expected:
                continue
            if any(int(size) != size for size in yours):
                return where + " is no shape: pooling rounds down where a row is left over."
            if len(yours) != 3:
                return where + " should be rows, columns and channels."
            if yours[2] != expected[2]:
                return where + " has another number of channels: each convolution has one a filter."
            if yours[0] == expected[0] + 1:
                return where + ": pooling rounds down, not up, where a row is left over."
            if "conv" in layer.name:
                return where + ': padding="same" keeps rows and columns.'
            return where + ": pooling halves rows and columns."
        return None

    if said := problem(64):
        return said
    # PART
    return problem(SIDE) or problem(180)

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 3

# %% [markdown]
# ## 2. Every parameter
#
# Now the parameters of the 13 convolutions.

# %% [raw]
# # BEGIN SOLUTION

# %%
def vgg16_parameters():
    """Return a list of 13 numbers, one for each convolution, in order."""
    # BEGIN SOLUTION
    parameters, channels = [], 3
    for convolutions, filters in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        for _ in range(convolutions):
            parameters.append(9 * channels * filters + filters)
            channels = filters
    return parameters
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_parameters(vgg16_parameters):
    from cnnkit import models

    got = vgg16_parameters()
    if got is None:
        return "The function returns nothing yet."
    layers = [layer for layer in models.vgg16_base().layers if "conv" in layer.name]
    if len(got) != len(layers):
        return f"There are 13 convolutions; yours are {len(got)}."
    for layer, yours in zip(layers, got, strict=True):
        expected = layer.count_params()
        channels, filters = layer.kernel.shape[2:]
        if yours == expected:
            continue
        if yours == expected - filters:
            return f"{layer.name}: the biases are missing, one for each of its {filters} filters."
        if yours == 9 * filters * filters + filters:
            return f"{layer.name}: {channels} channels come in, not {filters}: those of the layer before."
        if yours == 9 * filters + filters:
            return f"{layer.name}: a filter is as deep as what comes in, {channels} channels."
        return f"{layer.name}: {yours:,} is not right. It has {filters} filters of 3×3×{channels}."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 2

# %% [markdown]
# ## 3. The head
#
# The base for photos of `SIDE` × `SIDE` is followed by `Flatten`, `Dense(UNITS)` and `Dense(1)`. How many
# parameters has this head? And how many with `GlobalAveragePooling2D` in place of `Flatten`?

# %% [raw]
# # BEGIN SOLUTION

# %%
with_flatten = (SIDE // 32) ** 2 * 512 * UNITS + UNITS + UNITS + 1  # SOLUTION
with_average = 512 * UNITS + UNITS + UNITS + 1  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_head(with_flatten, with_average):
    if with_flatten is ... or with_average is ...:
        return "Write formulas in place of the dots."
    cells = (SIDE // 32) ** 2
    right = cells * 512 * UNITS + UNITS + UNITS + 1
    if with_flatten == right - UNITS - 1:
        return "One of two things is missing: the last layer, or the biases of both layers."
    if with_flatten == with_average:
        return "Flatten keeps every cell of the last map; the average leaves one number a channel."
    if with_flatten != right:
        return f"Flatten: how many numbers come in? The map is {SIDE // 32} cells wide, in 512 channels."
    if with_average == 512 * UNITS + UNITS:
        return "Average: the last layer is missing, or the biases are."
    if with_average != 512 * UNITS + UNITS + UNITS + 1:
        return "Average: one number a channel comes in, 512."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 1

# %% [markdown]
# ## 4. What it costs
#
# A head is trained for `EPOCHS` epochs on `PHOTOS` photos. How many photos go through the base (a) with `fit`
# on the whole model, (b) with stored features, (c) with stored features of `VIEWS` augmented views of each
# photo?

# %% [raw]
# # BEGIN SOLUTION

# %%
passes_with_fit = PHOTOS * EPOCHS  # SOLUTION
passes_with_features = PHOTOS  # SOLUTION
passes_with_views = PHOTOS * VIEWS  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_passes(passes_with_fit, passes_with_features, passes_with_views):
    if passes_with_fit is ...:
        return "Write formulas in place of the dots."
    if passes_with_fit != PHOTOS * EPOCHS:
        return "(a) `fit` sends every photo through the whole model in each epoch."
    if passes_with_features == PHOTOS * EPOCHS:
        return "(b) Features are stored once; the epochs read them from disk."
    if passes_with_features != PHOTOS:
        return "(b) A frozen base makes the same features of a photo each time: once is enough."
    if passes_with_views == PHOTOS * VIEWS * EPOCHS:
        return "(c) The views, too, are computed once; the epochs take turns with them."
    if passes_with_views != PHOTOS * VIEWS:
        return "(c) Each view of a photo goes through the base once."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: [2, 1]

# %% [markdown]
# ## 5. Put a base to work
#
# A folder of drawn cows and owls. The drawn base has never seen either. Compute the features of both parts
# and let a logistic regression tell them apart.

# %%
folder = Path(tempfile.mkdtemp())
for part, count, seed in (("train", 20, 1), ("test", 40, 2)):
    data.drawings.write(folder / part, ["cow", "owl"], count, seed=seed, size=96)
train = data.image_folder(folder / "train", (96, 96))
test = data.image_folder(folder / "test", (96, 96))
base = models.vgg16_base("drawn", (96, 96, 3))
base.trainable = False

# %% [raw]
# # BEGIN SOLUTION

# %%
def features_of(photos):
    """Return an array (n, numbers) with the features of a folder of photos."""
    # BEGIN SOLUTION
    features = training.transfer.extract_features(base, photos)
    return features.reshape(len(features), -1)
    # END SOLUTION


# BEGIN SOLUTION NO PROMPT
classifier = LogisticRegression(max_iter=5000).fit(features_of(train), train.labels)
accuracy = classifier.score(features_of(test), test.labels)
# END SOLUTION
""" # BEGIN PROMPT
classifier = LogisticRegression(max_iter=5000)
...
accuracy = ...
""" # END PROMPT

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_features(base, train, test, features_of, classifier, accuracy):
    from numbers import Real

    import numpy as np

    found = features_of(train)
    if found is None:
        return "The function returns nothing yet."
    count = int(np.prod(base.output_shape[1:]))
    if np.shape(found) == (len(train.labels), *base.output_shape[1:]):
        return "These are maps; lay the numbers of each photo in a row (reshape)."
    if np.shape(found) != (len(train.labels), count):
        return f"The features have shape {np.shape(found)}; expected {(len(train.labels), count)}."
    images = np.concatenate([batch for batch, _ in train])
    expected = base.predict(images, verbose=0).reshape(len(images), -1)
    scaled = base.predict(images / 255, verbose=0).reshape(len(images), -1)
    if np.allclose(found, scaled, atol=1e-3):
        return "You divided the pixels by 255; the base takes them as they are, 0 to 255."
    if not np.allclose(found, expected, atol=1e-2):
        return "These are not the base's features of the photos, in the order of the files."
    # PART
    if not isinstance(accuracy, Real):
        return "The features are right. Now fit the classifier, and take its score on `test`."
    if accuracy < 0.8:
        return f"Accuracy {accuracy:.3f}: do you fit on train.labels and score on test.labels?"
    right = classifier.score(features_of(test), test.labels)
    if abs(accuracy - right) > 0.01:
        return f"Your classifier is right on {right:.3f} of the test photos, not on {accuracy:.3f}."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
