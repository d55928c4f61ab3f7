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
# # Homework 9. ShakeNet
#
# For [chapter 9](../09_shakenet.ipynb). You mix two branches by hand, write a mode of shake-shake that is
# missing, tell a uniform coefficient from one that is not, and measure how alike branches are.

# %%
from cnnkit import backend, models

import keras
import numpy as np
from keras import ops

# %% tags=["numbers"]
FIRST, SECOND, GRADIENT = 2.0, -4.0, 3.0
ALPHA, BETA = 0.6, 0.2

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. By hand
#
# The branches give `FIRST` and `SECOND`; on the way forward they are mixed with `ALPHA`, on the way back with
# `BETA`. What comes out? The gradient `GRADIENT` comes back: how much of it gets each branch? And what comes
# out in inference?

# %% [raw]
# # BEGIN SOLUTION

# %%
output = ALPHA * FIRST + (1 - ALPHA) * SECOND  # SOLUTION
to_first = BETA * GRADIENT  # SOLUTION
to_second = (1 - BETA) * GRADIENT  # SOLUTION
in_inference = (FIRST + SECOND) / 2  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_by_hand(output, to_first, to_second, in_inference):
    import numpy as np

    if ... in (output, to_first, to_second, in_inference):
        return "Write formulas in place of the dots."
    if np.isclose(output, BETA * FIRST + (1 - BETA) * SECOND):
        return "Forward it is ALPHA; BETA is for the way back."
    if not np.isclose(output, ALPHA * FIRST + (1 - ALPHA) * SECOND):
        return "Forward: a share ALPHA of the first, and the rest of the second."
    if np.isclose(to_first, ALPHA * GRADIENT):
        return "Backward, BETA takes the place of ALPHA: that is the idea."
    if np.isclose(to_first, (1 - BETA) * GRADIENT):
        return "BETA is for the first branch, 1 - BETA for the second."
    if not np.isclose(to_first, BETA * GRADIENT) or not np.isclose(to_second, (1 - BETA) * GRADIENT):
        return "Backward: shares BETA and 1 - BETA of the gradient."
    if not np.isclose(in_inference, (FIRST + SECOND) / 2):
        return "In inference nothing is random: both branches count the same."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: [1, 3]

# %% [markdown]
# ## 2. A missing mode
#
# `models.ShakeShake` has the mode *even-shake*: forward the mean of both branches, backward a β for each
# picture, drawn anew in each step. Write it yourself, as chapter 9 wrote its layer `Shake`. (What
# `ops.stop_gradient` returns counts forward, and is a constant for the way back.)

# %% [raw]
# # BEGIN SOLUTION

# %%
class EvenShake(keras.Layer):
    def call(self, branches, training=False):
        first, second = branches
        # BEGIN SOLUTION
        even = (first + second) / 2
        if not training:
            return even
        beta = keras.random.uniform((ops.shape(first)[0], 1, 1, 1))
        random = beta * first + (1 - beta) * second
        return random + ops.stop_gradient(even - random)
        # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_even_shake(EvenShake):
    from cnnkit import backend

    import keras
    import numpy as np

    random = np.random.default_rng(0)
    branches = [random.normal(size=(2000, 2, 2, 3)).astype("float32") for _ in range(2)]
    mean = (branches[0] + branches[1]) / 2
    layer = EvenShake()
    if layer(branches, training=True) is None:
        return "`call` returns nothing yet."
    keras.utils.set_random_seed(1)
    forward = np.asarray(layer(branches, training=True))
    if forward.shape != mean.shape:
        return f"The output has shape {forward.shape}; expected {mean.shape}."
    if not np.allclose(np.asarray(layer(branches)), mean, atol=1e-5):
        return "In inference it should be the mean of both branches."
    if not np.allclose(forward, mean, atol=1e-5):
        return "Forward it shakes. Even means that the output is the mean, in training, too."

    # PART
    def betas():
        found = backend.gradients(lambda a, b: layer([a, b], training=True), *branches)
        return found[0], found[1]

    first, second = betas()
    if np.allclose(first, 0.5, atol=1e-5):
        return "Backward both branches get half: β has no effect. What is a constant for the way back?"
    if np.allclose(first, 0, atol=1e-6):
        return "No gradient comes through: too much is inside stop_gradient."
    if not np.allclose(first + second, 1, atol=1e-4):
        return "The shares of the two branches should add up to 1: β and 1 - β."
    beta = first.mean(axis=(1, 2, 3))
    if np.abs(first - beta[:, np.newaxis, np.newaxis, np.newaxis]).max() > 1e-4:
        return "Within a picture β differs: draw numbers of the shape (n, 1, 1, 1)."
    if np.ptp(beta) < 1e-4:
        return "All pictures have the same β: draw one for each."
    if beta.min() < 0 or beta.max() > 1 or beta.max() - beta.min() < 0.7:
        return f"β lies between {beta.min():.2f} and {beta.max():.2f}; expected uniform in 0 to 1."
    middle = ((beta > 0.4) & (beta < 0.6)).mean()
    if abs(middle - 0.2) > 0.05:
        return f"A uniform β lies between 0.4 and 0.6 in a fifth of the pictures, yours in {middle:.2f}."
    if np.allclose(betas()[0], first):
        return "The next step has the same β: draw it within `call`."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 2

# %% [markdown]
# ## 3. Uniform, or not?
#
# An implementation draws two uniform numbers and takes α = u₁ / (u₁ + u₂). That looks fair and is something
# else. Write a function that estimates how often α lies between 0.4 and 0.6, from 100,000 draws, for both
# ways.

# %% [raw]
# # BEGIN SOLUTION

# %%
def share_in_the_middle(draw):
    """Return the share of α between 0.4 and 0.6; draw(n) returns n coefficients."""
    alpha = draw(100_000)  # SOLUTION
    return float(np.mean((alpha > 0.4) & (alpha < 0.6)))  # SOLUTION


def uniform(n):
    return np.random.default_rng(0).uniform(size=n)


def quotient(n):
    # BEGIN SOLUTION
    first, second = np.random.default_rng(0).uniform(size=(2, n))
    return first / (first + second)
    # END SOLUTION


of_uniform = share_in_the_middle(uniform)
of_quotient = share_in_the_middle(quotient)

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_uniform(quotient, of_uniform, of_quotient):
    import numpy as np

    if of_uniform is None:
        return "share_in_the_middle returns nothing yet."
    if abs(of_uniform - 0.2) > 0.01:
        return f"A uniform α lies between 0.4 and 0.6 in a fifth of the draws; you have {of_uniform:.3f}."
    if quotient(3) is None or of_quotient is None:
        return "quotient returns nothing yet."
    draws = np.asarray(quotient(1000))
    if draws.shape != (1000,):
        return f"quotient(1000) should return 1,000 numbers; its shape is {draws.shape}."
    if np.ptp(draws) < 1e-6:
        return "u₁ and u₂ are the same numbers: draw two, independently."
    if draws.max() > 1:
        return "α is above 1: divide by the sum of both."
    many = np.asarray(quotient(100_000))
    if abs(np.mean((many > 0.4) & (many < 0.6)) - 1 / 3) > 0.01:
        return "quotient does not draw u₁ / (u₁ + u₂)."
    if abs(of_quotient - 1 / 3) > 0.01:
        return f"You have {of_quotient:.3f} for the quotient, which is not what u₁ / (u₁ + u₂) gives."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 2

# %% [markdown]
# ## 4. One long cosine
#
# Write the learning rate of chapter 9 after `step` of `steps` steps: half a cosine wave from `initial` to 0.

# %% [raw]
# # BEGIN SOLUTION

# %%
def cosine_rate(step, steps, initial):
    """Return the learning rate."""
    return initial * (1 + np.cos(np.pi * step / steps)) / 2  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_cosine(cosine_rate):
    import keras
    import numpy as np

    right = keras.optimizers.schedules.CosineDecay(0.2, 100)
    got = cosine_rate(0, 100, 0.2)
    if got is None:
        return "The function returns nothing yet."
    if not np.isclose(got, 0.2):
        return f"At step 0 the rate is the initial one, 0.2; yours is {float(got):.3f}."
    if np.isclose(cosine_rate(100, 100, 0.2), -0.2):
        return "It becomes negative: lift the cosine by 1 and halve it."
    if np.isclose(cosine_rate(100, 100, 0.2), 0.2):
        return "A whole wave comes back to where it began; take half of one, up to π."
    if np.isclose(cosine_rate(25, 100, 0.2), 0.15):
        return "That is a straight line."
    for step in (25, 50, 75, 100):
        if not np.isclose(cosine_rate(step, 100, 0.2), float(right(step)), atol=1e-6):
            return f"At step {step} of 100 it should be {float(right(step)):.4f}."
    if not np.isclose(cosine_rate(10, 40, 0.1), 0.1 * (1 + np.cos(np.pi / 4)) / 2, atol=1e-6):
        return "With 40 steps and an initial rate of 0.1 it is not right: use the arguments."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 2

# %% [markdown]
# ## 5. How alike are two branches?
#
# Lay the outputs of two branches out as long vectors and compute their correlation: 1 for the same up to
# scale and shift, 0 for nothing in common, -1 for opposites.

# %% [raw]
# # BEGIN SOLUTION

# %%
def correlation(first, second):
    """Return the correlation of two arrays of the same shape."""
    # BEGIN SOLUTION
    first, second = first - first.mean(), second - second.mean()
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_correlation(correlation):
    import numpy as np

    random = np.random.default_rng(3)
    first = random.normal(size=(5, 2, 2, 3)) + 4
    second = 0.6 * first + random.normal(size=first.shape)
    got, right = correlation(first, second), np.corrcoef(first.ravel(), second.ravel())[0, 1]
    if got is None:
        return "The function returns nothing yet."
    if np.ndim(got):
        return f"Return one number; yours has shape {np.shape(got)}. Flatten the arrays, or take one entry."
    cosine = (first * second).sum() / np.linalg.norm(first) / np.linalg.norm(second)
    if np.isclose(got, cosine):
        return "The means are still there: everything above 0 looks alike. Subtract them first."
    pair = first.ravel(), second.ravel()
    if np.isclose(got, np.cov(*pair)[0, 1]) or np.isclose(got, np.cov(*pair, bias=True)[0, 1]):
        return "That is the covariance, which grows with the numbers: divide by both standard deviations."
    if not np.isclose(got, right):
        return f"NumPy's corrcoef gives {right:.3f}, you {float(got):.3f}."
    if not np.isclose(correlation(first, 3 - 2 * first), -1):
        return "For opposites it should be -1."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
