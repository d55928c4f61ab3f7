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
# # Homework 7. AlexNet
#
# For [chapter 7](../07_alexnet.ipynb). You follow the sizes through AlexNet, write a step of momentum and
# the rule that lowers the learning rate, and average over crops.

# %%
from cnnkit import models
from cnnkit.data import augment

import keras
import numpy as np

# %% tags=["numbers"]
WINDOW, CLASSES = 201, 7

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. Sizes
#
# `models.alexnet((WINDOW, WINDOW, 3))`: conv1 has kernels of 11 with stride 4 and no padding; every pooling
# has windows of 3 with stride 2. conv2 to conv5 have `padding="same"`. There are poolings after conv1, conv2
# and conv5. How many rows has a map after conv1, and after each of the three poolings?

# %% [raw]
# # BEGIN SOLUTION

# %%
rows = [48, 23, 11, 5]  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_rows(rows):
    if rows is ... or len(rows) != 4:
        return "Write a list of four numbers."
    right = [(WINDOW - 11) // 4 + 1]
    for _ in range(3):
        right.append((right[-1] - 3) // 2 + 1)
    if rows[0] == right[0] - 1:
        return "conv1: the first place counts too: add 1 after dividing by the stride."
    if rows[0] == right[0] + 1:
        return "conv1: a step that no longer fits is left out: round down."
    if rows[0] != right[0]:
        return "conv1: (i - f) / s, rounded down, plus 1."
    if rows[1] == rows[0] // 2:
        return "Pooling has no padding here: a window of 3 that sticks out is left out."
    for name, yours, expected in zip(("first", "second", "third"), rows[1:], right[1:], strict=True):
        if yours != expected:
            return f"The {name} pooling: windows of 3 that move by 2, by the same formula."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 2

# %% [markdown]
# ## 2. Parameters
#
# The layers have 96, 256, 384, 384 and 256 filters, with kernels of 11, 5, 3, 3 and 3, then 4,096, 4,096 and
# `CLASSES` units. How many parameters has conv2? How many has it with `groups=2`, where each filter sees only
# half of the channels? And how many has fc6, the first dense layer?

# %% [raw]
# # BEGIN SOLUTION

# %%
conv2 = 5 * 5 * 96 * 256 + 256  # SOLUTION
conv2_in_groups = 5 * 5 * 48 * 256 + 256  # SOLUTION
fc6 = rows[-1] ** 2 * 256 * 4096 + 4096  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_parameters(conv2, conv2_in_groups, fc6):
    from cnnkit import models

    if ... in (conv2, conv2_in_groups, fc6):
        return "Write formulas in place of the dots."
    grouped = models.alexnet((WINDOW, WINDOW, 3), CLASSES, groups=2)
    right = 5 * 5 * 96 * 256 + 256
    if conv2 == right - 256:
        return "conv2: the biases are missing, one for each filter."
    if conv2 != right:
        return "conv2: each of 256 filters is 5 × 5 × 96, since conv1 makes 96 maps."
    expected = grouped.get_layer("conv2").count_params()
    if conv2_in_groups == right // 2:
        return "In groups: the weights are halved, the biases are not; there are still 256 filters."
    if conv2_in_groups == expected - 256:
        return "In groups: the biases are missing, one for each filter."
    if conv2_in_groups == 5 * 5 * 48 * 128 + 128:
        return "In groups: that is one of the two groups."
    if conv2_in_groups != expected:
        return "In groups: each of 256 filters sees 48 channels."
    if fc6 != grouped.get_layer("fc6").count_params():
        return "fc6: it gets the last pooled map, rows × rows × 256 numbers, and each unit has a bias."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 2

# %% [markdown]
# ## 3. A step of momentum
#
# Write a step of stochastic gradient descent with momentum, as Keras's `SGD` does it: the velocity keeps a
# share `momentum` of what it was, minus the learning rate times the gradient; the weight moves by the
# velocity.

# %% [raw]
# # BEGIN SOLUTION

# %%
def step(weight, velocity, gradient, learning_rate, momentum):
    """Return the new weight and the new velocity."""
    # BEGIN SOLUTION
    velocity = momentum * velocity - learning_rate * gradient
    return weight + velocity, velocity
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_step(step):
    import keras
    import numpy as np

    weight, velocity = 1.0, 0.0
    variable, sgd = keras.Variable(1.0), keras.optimizers.SGD(0.05, momentum=0.8)
    for number, gradient in enumerate((2.0, -1.0, 0.5), start=1):
        got = step(weight, velocity, gradient, 0.05, 0.8)
        if got is None:
            return "The function returns nothing yet."
        before, (weight, velocity) = weight, got
        sgd.apply([keras.ops.convert_to_tensor(gradient)], [variable])
        expected = float(variable)
        if np.isclose(weight, expected) and np.isclose(velocity, expected - before):
            continue
        if np.isclose(weight, expected):
            return "The weight is right. The velocity is what it moved by, with its sign and the rate."
        if np.isclose(velocity, expected):
            return "Return the weight first, then the velocity."
        if number == 1 and weight > before:
            return "The weight moves with the gradient; it should go against it."
        if number == 2 and np.isclose(weight, before + 0.05):
            return "The second step forgets the first: the velocity keeps a share of what it was."
        return f"After step {number} Keras has {expected:.3f}, you have {float(weight):.3f}."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [2, 1]

# %% [markdown]
# ## 4. The plateau
#
# The learning rate is divided by ten when the accuracy has not improved for *more than* `patience` epochs;
# then the waiting begins anew. An improvement is more than the best so far times (1 + 1e-4). Write which
# learning rate holds after each epoch.

# %% [raw]
# # BEGIN SOLUTION

# %%
def learning_rates(accuracies, patience, rate=0.01):
    """Return a list with the learning rate after each epoch."""
    # BEGIN SOLUTION
    best, waited, rates = -np.inf, 0, []
    for accuracy in accuracies:
        if best < 0 or accuracy > best * (1 + 1e-4):
            best, waited = accuracy, 0
        else:
            waited += 1
        if waited > patience:
            rate, waited = rate / 10, 0
        rates.append(rate)
    return rates
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_plateau(learning_rates):
    from cnnkit import training

    import keras
    import numpy as np

    def by_the_recipe(accuracies, patience):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(keras.optimizers.SGD(0.01))
        plateau = training.ReduceOnPlateau("accuracy", "max", patience=patience)
        plateau.set_model(model)
        rates = []
        for epoch, accuracy in enumerate(accuracies):
            plateau.on_epoch_end(epoch, {"accuracy": accuracy})
            rates.append(float(model.optimizer.learning_rate))
        return rates

    def problem(cases):
        for text, accuracies in cases.items():
            got, expected = learning_rates(accuracies, 2), by_the_recipe(accuracies, 2)
            if got is None:
                return "The function returns nothing yet."
            if len(got) != len(expected) or not np.allclose(got, expected):
                shown = ", ".join(f"{rate:.0e}" for rate in got)
                return text.format(f"for {accuracies} you have {shown}") + "."
        return None

    plain = {
        "Improving all the time: {}": [0.5, 0.6, 0.7, 0.8],
        "Standing still: {}. More than 2 epochs are three": [0.5, 0.5, 0.5, 0.5, 0.5],
        "After a fall: {}. The best so far stays": [0.9, *[0.5] * 3, 0.6, 0.7, 0.8],
        "A long plateau: {}. After each fall the waiting begins anew": [0.5] * 8,
        "Down and up again: {}. It is the best so far that counts": [0.8, 0.5, 0.6, 0.7, 0.75, 0.9],
    }
    if said := problem(plain):
        return said
    # PART
    small = "Better by next to nothing: {}. "
    slow = {
        small + "That is no improvement": [0.5, 0.50001, 0.50002, 0.50003, 0.50004],
        small + "Compare with the last improvement": [0.5, 0.50004, 0.50008, 0.50012, 0.50016],
        small + "Multiply the best by 1.0001": [0.2, 0.20003, 0.20006, 0.20009, 0.20012],
    }
    if said := problem(slow):
        return said
    if not np.allclose(learning_rates([0.5] * 6, 1), by_the_recipe([0.5] * 6, 1)):
        return "With a patience of 1 it is not right."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 2

# %% [markdown]
# ## 5. The mean of ten crops
#
# `augment.ten_crop` makes ten windows of each photo, and a model gives probabilities to each. Write the
# answer for each photo.

# %% [raw]
# # BEGIN SOLUTION

# %%
def mean_over_views(predict, photos, views):
    """Return probabilities (n, classes).

    predict takes pictures (m, rows, columns, channels) and returns (m, classes); views takes
    photos (n, …) and returns (n, k, rows, columns, channels).
    """
    # BEGIN SOLUTION
    windows = np.asarray(views(photos))
    photos_count, count = windows.shape[:2]
    probabilities = predict(windows.reshape(-1, *windows.shape[2:]))
    return probabilities.reshape(photos_count, count, -1).mean(axis=1)
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_mean_over_views(mean_over_views):
    import functools

    from cnnkit.data import augment

    import numpy as np

    photos = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3)).astype("float32")
    views = functools.partial(augment.ten_crop, size=6)

    def predict(pictures):
        if np.ndim(pictures) != 4:
            raise ValueError(f"predict got {np.shape(pictures)}; it takes (m, rows, columns, 3).")
        bright = (np.mean(pictures, axis=(1, 2, 3)) / 255) ** 4
        return np.stack([bright, 1 - bright], axis=1)

    got = mean_over_views(predict, photos, views)
    if got is None:
        return "The function returns nothing yet."
    if np.shape(got) != (3, 2):
        return f"Three photos and two classes; yours is {np.shape(got)}."
    windows = np.asarray(views(photos))
    expected = np.stack([predict(each).mean(axis=0) for each in windows])
    mixed = predict(windows.reshape(-1, 6, 6, 3)).reshape(10, 3, 2).mean(axis=0)
    if np.allclose(got, mixed) and not np.allclose(mixed, expected):
        return "Windows of different photos are mixed: the ten of a photo follow one another."
    if np.allclose(got, predict(windows.mean(axis=1))):
        return "You average the pictures, which blurs them. Average what the model says of each."
    if not np.allclose(got, expected, atol=1e-6):
        return "Average the ten rows of probabilities of each photo."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
