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
# # Homework 2. MNIST
#
# For [chapter 2](../02_mnist.ipynb). You follow shapes and parameters through a network, build the best one
# you can within a budget, and read its confusion matrix.

# %%
from cnnkit import data, evaluation, training

import keras
import numpy as np
(x_train, y_train), (x_test, y_test) = data.mnist("sample")

# %% tags=["numbers"]
SIDE, FIRST, SECOND = 36, 24, 48
BUDGET, FLOOR = 20_000, 0.9

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 2

# %% [markdown]
# ## 1. Shapes
#
# Pictures of `SIDE` × `SIDE` × 1 go through these layers:
#
# 1. `Conv2D(FIRST, 5)`
# 2. `MaxPooling2D(2)`
# 3. `Conv2D(SECOND, 3, padding="same")`
# 4. `MaxPooling2D(2)`
# 5. `Flatten()`
#
# Write the shape after each of them, without the batch: `(rows, columns, channels)`, and one number in a
# tuple for the last.

# %% [raw]
# # BEGIN SOLUTION

# %%
shapes = [
    # BEGIN SOLUTION
    (32, 32, 24),
    (16, 16, 24),
    (16, 16, 48),
    (8, 8, 48),
    (3072,),
    # END SOLUTION
]

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_shapes(shapes):
    import keras

    names = ["Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten"]
    if len(shapes) != len(names):
        return f"There are {len(names)} layers; write a shape for each. Yours are {len(shapes)}."
    picture = keras.Input((SIDE, SIDE, 1))
    x = [keras.layers.Conv2D(FIRST, 5)(picture)]
    x.append(keras.layers.MaxPooling2D(2)(x[-1]))
    x.append(keras.layers.Conv2D(SECOND, 3, padding="same")(x[-1]))
    x.append(keras.layers.MaxPooling2D(2)(x[-1]))
    x.append(keras.layers.Flatten()(x[-1]))
    for number, (name, right, yours) in enumerate(zip(names, x, shapes, strict=True), start=1):
        where = f"Layer {number}, {name}: "
        expected = tuple(right.shape[1:])
        if not isinstance(yours, tuple):
            return where + "write a tuple, such as (8, 8, 3), or (192,) for a single number."
        if yours == expected:
            continue
        if len(yours) != len(expected):
            return where + f"the shape has {len(expected)} number(s) without the batch."
        if yours[-1] != expected[-1] and name == "Conv2D":
            return where + "it has as many channels as filters, whatever comes in."
        if yours[-1] != expected[-1] and name == "MaxPooling2D":
            return where + "pooling works on each map by itself and keeps their number."
        if name == "Flatten":
            return where + "it lays rows × columns × channels numbers in a row."
        if yours[:2] == (SIDE, SIDE):
            return where + "without padding, a kernel of 5 fits into fewer places."
        return where + "not yet. Which formula of chapter 1 gives its side?"

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
# Write a function for the parameters of a convolution, and use it: how many has a network of layers 1 to 5,
# followed by `Dense(10)`?

# %% [raw]
# # BEGIN SOLUTION

# %%
def conv_parameters(kernel, channels, filters):
    """Return how many numbers Conv2D(filters, kernel) learns on this many channels."""
    return kernel * kernel * channels * filters + filters  # SOLUTION


# BEGIN SOLUTION NO PROMPT
side = (SIDE - 4) // 2 // 2
dense = side * side * SECOND * 10 + 10
all_parameters = conv_parameters(5, 1, FIRST) + conv_parameters(3, FIRST, SECOND) + dense
# END SOLUTION
""" # BEGIN PROMPT
all_parameters = ...
""" # END PROMPT

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_parameters(conv_parameters, all_parameters):
    import keras

    got = conv_parameters(3, 8, 16)
    if got is None:
        return "The function returns nothing yet."
    if got == 3 * 3 * 8 * 16:
        return "The biases are missing: each filter has one."
    if got == 3 * 3 * 16 + 16:
        return "Each filter is as deep as its input has channels."
    if got == 3 * 8 * 16 + 16:
        return "A kernel of 3 has 3 × 3 places."
    if got != 3 * 3 * 8 * 16 + 16 or conv_parameters(5, 3, 8) != 5 * 5 * 3 * 8 + 8:
        return "Count one filter first: a weight for each row, column and channel, and a bias."
    network = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            keras.layers.Conv2D(FIRST, 5),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(SECOND, 3, padding="same"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )
    if all_parameters is ...:
        return "The function is right. Now add up the layers."
    if all_parameters == network.count_params() - network.layers[-1].count_params():
        return "The dense layer is missing: a weight for each of its inputs and each class."
    if all_parameters != network.count_params():
        return "The function is right, the sum is not. Which layers have parameters at all?"

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 2

# %% [markdown]
# ## 3. The functional API
#
# Build the network of questions 1 and 2 with Keras's functional API: ReLU after each convolution, and a
# softmax at the end. Its name is `"homework"`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def build_homework():
    """Return the model, not yet compiled."""
    # BEGIN SOLUTION
    inputs = keras.Input((SIDE, SIDE, 1))
    x = keras.layers.Conv2D(FIRST, 5, activation="relu")(inputs)
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Conv2D(SECOND, 3, padding="same", activation="relu")(x)
    x = keras.layers.MaxPooling2D(2)(x)
    outputs = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(x))
    return keras.Model(inputs, outputs, name="homework")
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_functional(build_homework):
    import keras

    model = build_homework()
    if not isinstance(model, keras.Model):
        return "The function returns no model yet: keras.Model(inputs, outputs) makes one."
    if model.input_shape != (None, SIDE, SIDE, 1):
        return f"It takes {model.input_shape}; expected (None, {SIDE}, {SIDE}, 1)."
    if isinstance(model, keras.Sequential):
        return "This is a Sequential model. The functional API calls each layer on the output of another."
    activations = {keras.layers.ReLU: "relu", keras.layers.Softmax: "softmax"}
    kinds, after = [], []
    for layer in model.layers:
        if type(layer) in activations:
            after[-1] = activations[type(layer)]
        elif isinstance(layer, keras.layers.Activation):
            after[-1] = layer.activation.__name__
        elif not isinstance(layer, keras.layers.InputLayer):
            kinds.append(type(layer).__name__)
            after.append(layer.activation.__name__ if hasattr(layer, "activation") else "")
    expected = ["Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense"]
    if kinds != expected:
        return "Its layers are {}; expected {}.".format(*map(", ".join, (kinds, expected)))
    if after[0] != "relu" or after[2] != "relu":
        return f"After its convolutions come {after[0]!r} and {after[2]!r}; put a ReLU after each."
    if after[5] != "softmax":
        return f"It ends with {after[5]!r}: only softmax makes probabilities that add up to 1."
    first, second = (layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    if [first.filters, second.filters] != [FIRST, SECOND]:
        return "The numbers of filters are not those of question 1."
    if first.kernel_size != (5, 5) or second.kernel_size != (3, 3):
        return "The first convolution has kernels of 5, the second of 3."
    if second.padding != "same":
        return 'The second convolution has padding="same".'
    if model.layers[-1].output.shape[-1] != 10:
        return "There are ten classes."
    flat = next(layer for layer in model.layers if isinstance(layer, keras.layers.Flatten))
    if flat.output.shape[-1] != ((SIDE - 4) // 4) ** 2 * SECOND:
        return "The dense layer gets another number of inputs: how far do the windows of pooling move?"
    inputs = flat.output.shape[-1]
    if model.count_params() != 26 * FIRST + (9 * FIRST + 1) * SECOND + (inputs + 1) * 10:
        return "It has not as many parameters as in question 2: did you leave out the biases?"
    if model.name != "homework":
        return f'The model is called {model.name!r}; give it name="homework".'

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: [1, 3]

# %% [markdown]
# ## 4. The best network within a budget
#
# A telephone has no room for your network. Build the best classifier of 28×28 pictures that you can with **at
# most `BUDGET` parameters**, for the training below. Chapter 2's network has five times the budget. Yours should
# reach an accuracy of at least `FLOOR`, and can reach a good deal more, on pictures set aside for validation:
# they are for trying as often as you like. The test pictures are not.

# %%
x_fit, y_fit = x_train[:3000], y_train[:3000]
x_validation, y_validation = x_train[3000:], y_train[3000:]

# %% [raw]
# # BEGIN SOLUTION

# %%
def build_within_budget():
    """Return a model (28, 28, 1) → 10 probabilities, not yet compiled."""
    # BEGIN SOLUTION
    x = inputs = keras.Input((28, 28, 1))
    for filters in (16, 24, 32):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
        x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Flatten()(x)
    outputs = keras.layers.Dense(10, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="within_budget")
    # END SOLUTION


training.reproducible(seed=0)
model = build_within_budget()
if model is not None:
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x_fit, y_fit, batch_size=32, epochs=5, verbose=0)
    print(f"{model.count_params():,} parameters")

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_budget(model):
    from cnnkit import data, evaluation

    import keras

    if not isinstance(model, keras.Model):
        return "The function returns no model yet."
    count = model.count_params()
    if count > BUDGET:
        heavy = max(model.layers, key=lambda layer: layer.count_params())
        return (
            f"It has {count:,} parameters, {count - BUDGET:,} too many. Most are in {heavy.name}, "
            f"{heavy.count_params():,}: what would make its input smaller?"
        )
    (x, y), _ = data.mnist("sample")
    probabilities = model.predict(x[3000:], verbose=0)
    if probabilities.shape != (len(x) - 3000, 10):
        return f"A picture gets {probabilities.shape[1:]} numbers: end with Flatten and Dense(10)."
    if abs(probabilities.sum(axis=1) - 1).max() > 1e-3:
        return "Its outputs do not add up to 1: end with a softmax."
    # PART
    accuracy = evaluation.report(y[3000:], probabilities).accuracy
    if accuracy < 0.2:
        return f"Accuracy {accuracy:.3f}, which is guessing. Is a ReLU in front of the softmax?"
    if accuracy < FLOOR:
        return (
            f"Accuracy {accuracy:.3f}, and {BUDGET - count:,} parameters are left. Pool later, "
            "take more filters, or add a layer."
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 2

# %% [markdown]
# ## 5. Precision and recall
#
# Compute the precision and the recall of a class from a confusion matrix: row, what a picture is; column,
# what it was taken for.

# %% [raw]
# # BEGIN SOLUTION

# %%
def precision_and_recall(matrix, k):
    """Return precision and recall of class k."""
    # BEGIN SOLUTION
    right = matrix[k, k]
    return right / matrix[:, k].sum(), right / matrix[k].sum()
    # END SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
def test_precision_and_recall(precision_and_recall):
    import numpy as np

    matrix = np.array([[8, 2, 0], [1, 6, 3], [1, 0, 4]])
    got = precision_and_recall(matrix, 1)
    if got is None or got is ...:
        return "The function returns nothing yet."
    precision, recall = got
    if np.allclose((precision, recall), (6 / 10, 6 / 8)):
        return "They are swapped: precision looks at what *was called* k, a column."
    if not np.isclose(precision, 6 / 8):
        return "Precision: of all pictures that were taken for k, which share is k?"
    if not np.isclose(recall, 6 / 10):
        return "Recall: of all pictures that are k, which share was found?"
    if not np.allclose(precision_and_recall(matrix, 2), (4 / 7, 4 / 5)):
        return "For class 1 it is right, for class 2 it is not."

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION
