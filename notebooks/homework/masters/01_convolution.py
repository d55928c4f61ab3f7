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
# # Homework 1. Convolution
#
# For [chapter 1](../01_convolution.ipynb). You compute what a convolution and a pooling layer do, by hand
# and in code, and let Keras check you.

# %%
from cnnkit import data, plots

import keras
import numpy as np

# %% tags=["numbers"]
SIDE, KERNEL, FILTERS = 150, 7, 48

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 1

# %% [markdown]
# ## 1. Sizes
#
# A picture of `SIDE` × `SIDE` pixels goes through a convolution with kernels of `KERNEL` × `KERNEL`, without
# padding and with stride 1, and then through 2×2 max pooling. How many pixels has a side after each of the
# two?

# %% [raw]
# # BEGIN SOLUTION

# %%
after_convolution = 144  # SOLUTION
after_pooling = 72  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_sizes(after_convolution, after_pooling):
    if after_convolution is ... or after_pooling is ...:
        return "Write numbers in place of the dots."
    if after_convolution == SIDE:
        return "Without padding, the map is smaller than the picture."
    if after_convolution == SIDE - KERNEL:
        return "One place is missing: in how many places does a kernel of 3 fit into 5 pixels?"
    if after_convolution != SIDE - KERNEL + 1:
        return "How many places are there for the kernel in one row?"
    if after_pooling != after_convolution // 2:
        return "2×2 pooling makes one number of two, in each direction."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 2

# %% [markdown]
# ## 2. The formula
#
# Write the size of the output in general: input of `i` pixels, window of `f`, padding of `p` on each side,
# stride `s`. It serves convolution and pooling alike.

# %% [raw]
# # BEGIN SOLUTION

# %%
def output_size(i, f, p=0, s=1):
    """Return the number of positions of a window along one side."""
    return (i + 2 * p - f) // s + 1  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_formula(output_size):
    import numbers

    if output_size(10, f=3) is None:
        return "The function returns nothing yet."
    if not isinstance(output_size(10, f=3, s=2), numbers.Integral):
        return "A size is a whole number: divide with //."
    if output_size(227, f=11, s=4) == 54:
        return "The first place counts too: add 1 after dividing by the stride."
    if output_size(10, f=3) != 8:
        return "Begin with padding 0 and stride 1: 10 pixels and a window of 3 give 8."
    if output_size(10, f=3, p=1) != 10:
        return "The padding is on both sides of the picture."
    if output_size(8, f=3, p=1, s=3) != 3:
        return "Add the padding before you divide by the stride."
    if output_size(224, f=7, p=3, s=2) != 112 or output_size(227, f=11, s=4) != 55:
        return "A step that no longer fits is left out: round down, then add 1."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: [2, 1]

# %% [markdown]
# ## 3. Correlation, as `Conv2D` computes it
#
# Write what `Conv2D` does with one map and one kernel, without padding. Loops are fine.

# %% [raw]
# # BEGIN SOLUTION

# %%
def correlate(picture, kernel, stride=1):
    """Lay the kernel on each place, multiply and add up.

    picture is (rows, columns), kernel is (k, k), and the result is a smaller picture.
    """
    # BEGIN SOLUTION
    windows = np.lib.stride_tricks.sliding_window_view(picture, kernel.shape)
    return (windows[::stride, ::stride] * kernel).sum(axis=(2, 3))
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_correlate(correlate):
    import keras
    import numpy as np

    def by_keras(picture, kernel, stride=1):
        batch, kernels = picture[np.newaxis, ..., np.newaxis], kernel[..., np.newaxis, np.newaxis]
        return keras.ops.convert_to_numpy(keras.ops.conv(batch, kernels, stride))[0, ..., 0]

    def same(one, other):
        return np.allclose(one, other, atol=1e-4)

    random = np.random.default_rng(1)
    picture, kernel = random.normal(size=(9, 7)), random.normal(size=(3, 3))
    got, expected = correlate(picture, kernel), by_keras(picture, kernel)
    if got is None:
        return "The function returns nothing yet."
    if np.shape(got) != expected.shape:
        return f"A picture of 9×7 and a kernel of 3×3 give 7×5; yours is {np.shape(got)}."
    if same(got, by_keras(picture, kernel[::-1, ::-1])):
        return (
            "Your kernel is flipped. That is the convolution of mathematics; Conv2D computes "
            "the correlation."
        )
    if same(got, by_keras(picture, kernel.T)):
        return "Rows and columns of the kernel are swapped."
    if not same(got, expected):
        return "The numbers are not right: try a kernel with a single 1 and zeros elsewhere."
    # PART
    other = random.normal(size=(2, 2))
    if np.shape(correlate(picture, other)) != (8, 6) or not same(correlate(picture, other), by_keras(picture, other)):
        return "With a kernel of 2×2 it is not right: is a 3 left in the code?"
    expected, strided = by_keras(picture, kernel, 2), correlate(picture, kernel, 2)
    if np.shape(strided) != expected.shape or not same(strided, expected):
        return "With stride 2, the windows begin at rows and columns 0, 2, 4 and so on."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [2, 1]

# %% [markdown]
# ## 4. Max pooling
#
# Write max pooling over windows of `size` × `size` that move by `stride`. A feature map may hold negative
# numbers.

# %% [raw]
# # BEGIN SOLUTION

# %%
def max_pooling(picture, size, stride):
    """Return the largest number of each window."""
    # BEGIN SOLUTION
    windows = np.lib.stride_tricks.sliding_window_view(picture, (size, size))
    return windows[::stride, ::stride].max(axis=(2, 3))
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_max_pooling(max_pooling):
    import keras
    import numpy as np

    def by_keras(picture, size, stride):
        layer = keras.layers.MaxPooling2D(size, stride)
        return keras.ops.convert_to_numpy(layer(picture[np.newaxis, ..., np.newaxis]))[0, ..., 0]

    picture = np.random.default_rng(2).normal(size=(8, 12)).astype("float32")
    got = max_pooling(picture, 2, 2)
    if got is None:
        return "The function returns nothing yet."
    if np.shape(got) != (4, 6):
        return f"8×12 numbers should become 4×6; yours are {np.shape(got)}."
    if np.allclose(got, picture.reshape(4, 2, 6, 2).mean(axis=(1, 3))):
        return "This is average pooling."
    if np.max(max_pooling(picture - 10, 2, 2)) >= 0:
        return "The maximum of a window of negative numbers is negative: do not begin with 0."
    if not np.allclose(got, by_keras(picture, 2, 2)):
        return "The shape is right, the numbers are not: print a window and its maximum."
    # PART
    overlapping, expected = max_pooling(picture, 3, 2), by_keras(picture, 3, 2)
    if np.shape(overlapping) != (3, 5) or not np.allclose(overlapping, expected):
        return "Windows of 3 that move by 2 overlap: size and stride are two numbers."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 2

# %% [markdown]
# ## 5. A kernel of your own
#
# Design a 3×3 kernel that answers with a positive number where a picture is bright above and dark below, with
# a negative one where it is the other way round, and with 0 on plain areas and on edges between left and
# right.

# %% [raw]
# # BEGIN SOLUTION

# %%
kernel = np.array([[1, 2, 1], [0, 0, 0], [-1, -2, -1]])  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_kernel(kernel):
    import numpy as np

    if kernel is ...:
        return "Write an array in place of the dots."
    if np.shape(kernel) != (3, 3):
        return f"The kernel has shape {np.shape(kernel)}; expected (3, 3)."
    above = np.cumsum(np.sum(kernel, axis=1))[:2]  # one row is bright, or two
    left = np.cumsum(np.sum(kernel, axis=0))[:2]
    if not np.isclose(np.sum(kernel), 0):
        return "On a plain area it should answer 0: its numbers have to add up to 0."
    if np.allclose(above, 0) and np.allclose(left, 0):
        return "It answers 0 to every edge between two even areas."
    if np.allclose(above, 0):
        return "This kernel looks for edges between left and right: turn it."
    if not np.allclose(left, 0):
        return "It answers to edges between left and right, too."
    if max(above) <= 0:
        return "It has the wrong sign: positive numbers belong where the picture is bright."
    if min(above) < 0:
        return "Moved by a row, it answers to the same edge with a negative number: it looks for lines."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Your kernel on a handwritten five, by your own function of question 3:

# %%
(digits, labels), _ = data.digits()
five = digits[labels == 5][0, :, :, 0]
response = None if kernel is ... else correlate(five, np.asarray(kernel))
None if response is None else plots.feature_maps(response[..., np.newaxis], ["response"], size=2)

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: 2

# %% [markdown]
# ## 6. Where the parameters are
#
# A colour picture of `SIDE` × `SIDE` pixels. How many parameters has a convolution with `FILTERS` kernels of
# `KERNEL` × `KERNEL` on it? And how many a dense layer of `FILTERS` units, on the flattened picture? Write
# both as formulas.

# %% [raw]
# # BEGIN SOLUTION

# %%
of_the_convolution = KERNEL * KERNEL * 3 * FILTERS + FILTERS  # SOLUTION
of_the_dense_layer = SIDE * SIDE * 3 * FILTERS + FILTERS  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_parameters(of_the_convolution, of_the_dense_layer):
    import keras

    if of_the_convolution is ... or of_the_dense_layer is ...:
        return "Write formulas in place of the dots."
    picture = keras.Input((SIDE, SIDE, 3))
    convolution, dense = keras.layers.Conv2D(FILTERS, KERNEL), keras.layers.Dense(FILTERS)
    convolution(picture)
    dense(keras.layers.Flatten()(picture))
    if of_the_convolution == convolution.count_params() - FILTERS:
        return "The biases are missing: each filter has one."
    if of_the_convolution == KERNEL * KERNEL * FILTERS + FILTERS:
        return "A kernel is as deep as its input: a colour picture has three channels."
    if of_the_convolution != convolution.count_params():
        return "Count the numbers of one kernel, in rows, columns and channels, then the kernels."
    if of_the_dense_layer != dense.count_params():
        return "Each unit has a weight for every number of the picture, and a bias."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
