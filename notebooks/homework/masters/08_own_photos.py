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
# # Homework 8. Your own photos
#
# For [chapter 8](../08_own_photos.ipynb). You clean a folder, change DenseNet's growth rate and predict
# what it costs, mend a confusion matrix that divides by zero, and search photos by a photo.

# %%
import tempfile
from pathlib import Path

from cnnkit import data, models

import numpy as np

# %% tags=["numbers"]
BLOCKS, GROWTH = (3, 6, 4), 20

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. A folder, as folders are
#
# Count the usable photos of each class, in a dict such as `{"horse": 3}`, and list the files that are not usable.

# %%
folder = Path(tempfile.mkdtemp()) / "photos"
data.drawings.write(folder, ["horse", "koala", "owl"], per_class=12, seed=8, size=64)
(folder / "owl" / "Thumbs.db").write_bytes(b"of Windows")
whole = (folder / "koala" / "koala.3.jpg").read_bytes()
(folder / "koala" / "koala.12.jpg").write_bytes(whole[: len(whole) // 2])
(folder / "horse" / "horse.12.jpg").write_bytes(b"")
(folder / "horse" / "horse.5.jpg").unlink()

# %% [raw]
# # BEGIN SOLUTION

# %%
photos_of_each_class = data.check_folder(folder)[0]  # SOLUTION
unusable = [path.name for path, reason in data.check_folder(folder)[1]]  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_folder(photos_of_each_class, unusable):
    from pathlib import Path

    if photos_of_each_class is ... or unusable is ...:
        return "Look into chapter 8, section 1: one call finds both."
    counts = dict(photos_of_each_class)
    if counts == {"horse": 12, "koala": 13, "owl": 13}:
        return "These are files, not photos: open each one."
    if counts != {"horse": 11, "koala": 12, "owl": 12}:
        return f"You have {counts}. A photo is usable when it can be decoded to its last pixel."
    names = {Path(each[0] if isinstance(each, tuple | list) else each).name for each in unusable}
    if "koala.12.jpg" not in names:
        return "One file begins like a photo and breaks off in the middle."
    if names != {"Thumbs.db", "koala.12.jpg", "horse.12.jpg"}:
        return f"You have {sorted(names)}: what else cannot be decoded, or can?"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 2

# %% [markdown]
# ## 2. How channels grow
#
# In a dense block each layer adds `growth` channels; after each block but the last, a transition halves them.
# The first convolution makes 2 · `growth` channels. Write how many channels there are at the end of each
# block, before the transition.

# %% [raw]
# # BEGIN SOLUTION

# %%
def channels_after_blocks(blocks, growth):
    """Return a list with a number for each block; blocks has the layers of each."""
    # BEGIN SOLUTION
    channels, after = 2 * growth, []
    for layers in blocks:
        channels += layers * growth
        after.append(channels)
        channels //= 2
    return after
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_channels(channels_after_blocks):
    from cnnkit import models

    for blocks, growth in (((6, 12, 24, 16), 32), (BLOCKS, GROWTH)):
        base = models.densenet_base(None, (64, 64, 3), growth, blocks)
        expected, block = [], 2
        for block in range(2, len(blocks) + 2):
            last = f"conv{block}_block{blocks[block - 2]}_concat"
            expected.append(base.get_layer(last).output.shape[-1])
        got = channels_after_blocks(blocks, growth)
        where = f"For blocks of {blocks} layers and a growth of {growth}: "
        if got is None:
            return "The function returns nothing yet."
        if len(got) != len(blocks):
            return where + f"write {len(blocks)} numbers; yours are {len(got)}."
        if got[0] == blocks[0] * growth:
            return where + "a block keeps what comes in, 2 · growth channels, and adds to it."
        if got[0] != expected[0]:
            return where + f"the first block has {expected[0] - 2 * growth} new channels."
        if got[1] == expected[0] + blocks[1] * growth:
            return where + "the transition halves the channels before the second block."
        if list(got) != expected:
            return where + f"you have {list(got)}; what comes into the last block?"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: [2, 2]

# %% [markdown]
# ## 3. Predict, then count
#
# How many parameters has DenseNet's base with blocks of `BLOCKS` layers and a growth rate of `GROWTH`?
# Predict it with a function, for any blocks and growth, and only then let Keras count.
#
# There are no biases. The first convolution is 7×7 on three colours. A dense layer on c channels has a 1×1
# convolution to 4 · growth channels and a 3×3 convolution to `growth`; a transition has a 1×1 convolution to
# half of its channels. Before each of these, and at the very end, and after the first convolution, there is a
# BatchNormalization with four numbers a channel.

# %% [raw]
# # BEGIN SOLUTION

# %%
def densenet_parameters(blocks, growth):
    """Return the number of parameters of the base, those of BatchNormalization included."""
    # BEGIN SOLUTION
    channels = 2 * growth
    total = 7 * 7 * 3 * channels + 4 * channels
    for number, layers in enumerate(blocks):
        if number:
            total += 4 * channels + channels * (channels // 2)
            channels //= 2
        for _ in range(layers):
            total += 4 * channels + channels * 4 * growth
            total += 4 * 4 * growth + 9 * 4 * growth * growth
            channels += growth
    return total + 4 * channels
    # END SOLUTION


prediction = densenet_parameters(BLOCKS, GROWTH)
print("predicted:", prediction)
print("counted:  ", models.densenet_base(None, (64, 64, 3), GROWTH, BLOCKS).count_params())

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_prediction(densenet_parameters):
    from cnnkit import models

    def problem(blocks, growth):
        base = models.densenet_base(None, (64, 64, 3), growth, blocks)
        got, expected = densenet_parameters(blocks, growth), base.count_params()
        where = f"For blocks of {blocks} layers and a growth of {growth}: "
        if got is None:
            return "The function returns nothing yet."
        if got == expected:
            return None
        learned = sum(int(w.shape[0]) for w in base.trainable_weights if len(w.shape) == 1)
        if got == expected - 2 * learned:
            return where + "you count nothing for BatchNormalization, which has four numbers a channel."
        if got == expected - learned:
            return where + "BatchNormalization has four numbers a channel; two of them are not trained, and counted."
        last = 4 * int(base.output.shape[-1])
        if got == expected - last:
            return where + "the last BatchNormalization is missing, at the very end."
        if len(blocks) == 1 and blocks[0] == 1:
            return where + f"you have {got:,} and Keras {expected:,}. Write down its {len(base.layers)} layers."
        if len(blocks) == 1:
            return where + "the second layer sees the channels of the first, too."
        return where + f"you have {got:,} and Keras {expected:,}. Is the transition right?"

    if said := problem((1,), 8) or problem((2,), 8):
        return said
    # PART
    return problem((1, 1), 8) or problem((6, 12, 24, 16), 32)

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 2

# %% [markdown]
# ## 4. A confusion matrix that divides by zero
#
# Somebody wrote this function, which gives each row of a confusion matrix in shares, and then had photos
# without a single owl to test it on. There are two mistakes in it. Mend both: rows add up to 1, a row without
# photos is all 0, and no warning appears.
#
# ```python
# def shares(matrix):
#     return matrix / matrix.sum(axis=1)
# ```

# %% [raw]
# # BEGIN SOLUTION

# %%
def shares(matrix):
    """Return the matrix with each row divided by its sum."""
    # BEGIN SOLUTION
    sums = matrix.sum(axis=1, keepdims=True)
    return matrix / np.maximum(sums, 1)
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_shares(shares):
    import warnings

    import numpy as np

    matrix = np.array([[6, 2, 0], [1, 4, 5], [0, 0, 0]])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        got = shares(matrix)
    broken = matrix / np.array([8, 10, 1])  # as without keepdims
    if got is None:
        return "The function returns nothing yet."
    got = np.asarray(got, float)
    if got.shape != matrix.shape:
        return f"The result has shape {got.shape}; expected {matrix.shape}."
    if np.allclose(got[:2, :2], broken[:2, :2]):
        return (
            "The first number of the sums divides the first *column*. Each row needs its own: "
            "keep the axis, with keepdims=True."
        )
    if np.allclose(np.nan_to_num(got[:, 0]), [6 / 7, 1 / 7, 0]):
        return "Now columns add up to 1. A row is what a photo *is*."
    if np.isnan(got).any():
        return "The class without photos still gives nan, not a number."
    if not np.allclose(got, [[0.75, 0.25, 0], [0.1, 0.4, 0.5], [0, 0, 0]]):
        return "Each row with photos should add up to 1, and the one without should be 0."
    if caught:
        return "The numbers are right, but NumPy warns. Do not divide by 0 in the first place."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: [2, 1]

# %% [markdown]
# ## 5. Search by a photo
#
# Each photo is a row of features. Find those that are most like a query by **cosine similarity**, $a · b /
# (|a| |b|)$, the most similar first.

# %% [raw]
# # BEGIN SOLUTION

# %%
def most_similar(features, query, count):
    """Return the numbers of the `count` most similar rows; features is (n, d), query is (d,)."""
    # BEGIN SOLUTION
    lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(query)
    return np.argsort(-(features @ query) / lengths)[:count]
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_most_similar(most_similar):
    import numpy as np

    random = np.random.default_rng(4)
    features = random.normal(size=(40, 6)) * random.uniform(0.1, 10, (40, 1))
    query = random.normal(size=6)
    got = most_similar(features, query, 5)
    if got is None:
        return "The function returns nothing yet."
    got = np.asarray(got)
    if got.shape != (5,):
        return f"The result has shape {got.shape}; expected (5,)."
    cosine = features @ query / np.linalg.norm(features, axis=1) / np.linalg.norm(query)
    order = np.argsort(-cosine)
    if np.array_equal(got, order[::-1][:5]):
        return "These are the least similar: argsort begins with the smallest."
    if np.array_equal(got, np.argsort(-(features @ query))[:5]):
        return "Long rows win: divide each product by the lengths of both."
    if np.array_equal(got, np.argsort(np.linalg.norm(features - query, axis=1))[:5]):
        return "That is the Euclidean distance; the cosine looks at directions only."
    if set(got.tolist()) != set(order[:5].tolist()):
        return f"The five most similar are {order[:5].tolist()} here, yours {got.tolist()}."
    # PART
    if not np.array_equal(got, order[:5]):
        return "These are the five, in another order: the most similar comes first."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
