# ---
# jupyter:
#   accelerator: GPU
#   colab:
#     gpuType: T4
#     provenance: []
#   jupytext:
#     formats: ipynb,scripts//py:percent
#     notebook_metadata_filter: accelerator,colab
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
# # Chapter 6. Fine-tuning
#
# At the end of this chapter you can
#
# - say what the lower and the upper layers of a network know, and measure it;
# - free the last layers of a base and train them further, in the right order and in small steps;
# - recognise three ways to spoil a trained network: all at once, too early, and by batch normalisation;
# - decide what to do with your own photos: how many are there, and how much do they resemble those of the
#   **pretraining** (사전 훈련), the training that made the base?
#
# You need [chapter 5](05_feature_extraction.ipynb). At sample scale the chapter takes about two minutes.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# In chapter 5 the base stayed as it was. **Fine-tuning** (미세 조정) frees its last layers and trains them a little
# further, on your photos. *The source* of this chapter is *9. 합성곱 신경망* (see Sources).

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
SIZE = {"sample": 112, "full": 180}[SCALE]
WEIGHTS = {"sample": "drawn", "full": "imagenet"}[SCALE]
HEAD_EPOCHS = 50
EPOCHS = 30
HEAD_RATE = {"sample": 2e-4, "full": 1e-3}[SCALE]  # as in chapter 5
VIEWS = 10

# %%
import contextlib
import tempfile
from pathlib import Path

from cnnkit import data, evaluation, models, plots, training
from cnnkit.data import augment

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

# %% [markdown]
# ## 1. Data set: the same, and one that is quite different

# %% tags=["nbval-ignore-output"]
folder = data.cats_vs_dogs(SCALE)

# %%
train = data.image_folder(folder / "train", (SIZE, SIZE), batch_size=32, shuffle=True, seed=5)
validation = data.image_folder(folder / "validation", (SIZE, SIZE))
test = data.image_folder(folder / "test", (SIZE, SIZE))
(x_digits, y_digits), _ = data.digits()
print(len(train.labels), "photos of cats and dogs for training,", len(x_digits), "digits")


# %%
def as_photos(digits):
    large = keras.ops.image.resize(255 * digits, (SIZE, SIZE))
    return np.repeat(keras.ops.convert_to_numpy(large), 3, axis=-1)


cats_and_dogs, _ = next(iter(validation))
digits = as_photos(x_digits[:8])
plots.picture_rows({"cats and dogs": cats_and_dogs[:8] / 255, "digits": digits / 255})

# %% [markdown]
# *Figure 6.1. Photos that resemble those of the pretraining, and pictures that do not.*
#
# **What do the layers know?** A layer close to the input sees a few pixels at a time: edges, colours, corners.
# Every picture has them, so what it knows is **general**. The last layers see whole faces, and what they know is
# **specific**, made for the classes of the pretraining. That can be measured. Take the features after each block,
# averaged over the picture, and let the plainest of classifiers tell the classes apart, a logistic regression (one
# dense layer with softmax, directly on the features).
#
# **What do you expect?** After which block are cats and dogs told apart best? And the digits, which have no
# faces?

# %% tags=["nbval-ignore-output"]
base = models.vgg16_base(WEIGHTS, (SIZE, SIZE, 3))
base.trainable = False
BLOCKS = [f"block{number}" for number in range(1, 6)]
averages = [
    keras.layers.GlobalAveragePooling2D()(base.get_layer(f"{block}_pool").output)
    for block in BLOCKS
]
looking = keras.Model(base.input, keras.layers.Concatenate()(averages))
ends = np.cumsum([average.shape[-1] for average in averages])


def accuracy_by_block(train_photos, train_labels, test_photos, test_labels):
    known = np.split(training.transfer.extract_features(looking, train_photos), ends, axis=1)
    new = np.split(training.transfer.extract_features(looking, test_photos), ends, axis=1)
    accuracies = []
    for known_block, new_block in zip(known[:-1], new[:-1], strict=True):
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000))
        classifier.fit(known_block, train_labels)
        accuracies.append(classifier.score(new_block, test_labels))
    return accuracies


# %% tags=["nbval-ignore-output"]
def batches(digits):
    return np.array_split(as_photos(digits), max(1, len(digits) // 32))


by_block = {
    "cats and dogs": accuracy_by_block(train, train.labels, test, test.labels),
    "digits": accuracy_by_block(
        batches(x_digits[:400]), y_digits[:400], batches(x_digits[400:]), y_digits[400:]
    ),
}

# %%
for name, accuracies in by_block.items():
    print(f"{name}: the best block is not the first:", max(accuracies) > accuracies[0])
print("cats and dogs need the last blocks:", np.argmax(by_block["cats and dogs"]) >= 3)
print("the digits lose by the last one:", by_block["digits"][4] < max(by_block["digits"]) - 0.03)
plots.curves(by_block, BLOCKS, xlabel="features after", ylabel="test accuracy")

# %% [markdown]
# *Figure 6.2. Test accuracy of a logistic regression on the features after each block, trained on 400 pictures
# and tested on 600 photos and 1,217 digits.*
# <!-- alt: Two lines over five blocks. For cats and dogs the accuracy rises from 0.57 to 0.95. For digits it rises
# from 0.58 to 0.86 after block 4, and falls to 0.77 after block 5. -->
#
# Every block adds something for cats and dogs, the last one little. For digits, the last one takes away again:
# it keeps what tells faces apart, and drops the rest.
#
# ## 2. Learning model: the last four layers free
#
# A model like that of chapter 5: augmentation, base, head. `unfreeze_top` frees the last four layers of the
# base, three convolutions and a pooling layer, and freezes all others.
#
# **What do you expect?** How many of the 26 arrays of the base can be trained then?

# %%
training.reproducible(seed=5)
model = models.transfer_classifier(base, augmentation=augment.flip_rotate_zoom())
rows = {"head only": plots.layer_states(model)}
training.transfer.unfreeze_top(base, 4)
rows["last four layers"] = plots.layer_states(model)
print("arrays of the base that can be trained:", len(base.trainable_weights))
training.transfer.unfreeze_top(base, len(base.layers))
rows["everything"] = plots.layer_states(model)
base.trainable = False
plots.trained_layers(rows)

# %% [markdown]
# *Figure 6.3. What is trained in chapter 5, in this chapter, and when you free everything; four times as many
# parameters make a bar twice as high.*
#
# ## 3. Learning algorithm: in this order, and slowly
#
# First the head, with the base frozen, as in chapter 5. A new head is random, and so are the gradients that it sends
# back. Let them into the base, and they spoil what you came for.

# %% tags=["nbval-ignore-output"]
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=HEAD_RATE),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
directory = Path(tempfile.mkdtemp())


def best_weights(name):
    return keras.callbacks.ModelCheckpoint(
        directory / f"{name}.weights.h5", "val_loss", save_best_only=True, save_weights_only=True
    )


training.transfer.fit_from_frozen(
    model,
    train,
    validation,
    epochs=HEAD_EPOCHS,
    views=VIEWS,
    callbacks=[best_weights("head")],
    verbose=0,
)
model.load_weights(directory / "head.weights.h5")
trained_head = model.get_weights()

# %%
print("better than guessing:", model.evaluate(validation, verbose=0)[1] > 0.8)

# %% [markdown]
# Then free the last four layers, compile again (Keras looks at what is trainable when it builds the training step), and
# take **small steps**: RMSprop with a learning rate of 1e-5, a small fraction of what the head had.
# `fit_from_frozen` finds the new place by itself. It computes what lies before `block5_conv1` once for
# each view, and trains the rest.

# %%
training.transfer.unfreeze_top(base, 4)
model.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=1e-5),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)

# %% tags=["nbval-ignore-output"]
history = training.transfer.fit_from_frozen(
    model,
    train,
    validation,
    epochs=EPOCHS,
    views=VIEWS,
    callbacks=[best_weights("fine_tuned")],
    verbose=2,
)
model.load_weights(directory / "fine_tuned.weights.h5")

# %%
print("epochs:", len(history.epoch))
plots.learning_curves(history)

# %% [markdown]
# *Figure 6.4. Fine-tuning the last four layers: loss and accuracy, epoch by epoch.*
# <!-- alt: Training loss goes up and down around 0.13, validation loss stays near 0.22; training accuracy is around 0.95
# and validation accuracy near 0.92. No curve has a clear trend over thirty epochs. -->
#
# The curves hardly move: the head has already taken most of what there is to take, and the steps are small on
# purpose. What is gained shows in section 4, over several seeds.
#
# ### Three ways to spoil a trained network
#
# Each of them trains without an error and without a warning. Measure them on new models, without augmentation, to save
# time.
#
# 1. **All at once**: a new head, everything free, and the learning rate that a head needs, 1e-3.
# 2. **Too early**: the same with the last four layers free.
# 3. **Batch normalisation** in training mode, further down.
#
# **What do you expect?** A head on a frozen base has about 0.9 on validation photos after its first epochs. Where do
# the first two end after four?


# %%
def new_model(build_base, prepare):
    training.reproducible(seed=5)
    new_base = build_base(WEIGHTS, (SIZE, SIZE, 3))
    prepare(new_base)
    classifier = models.transfer_classifier(new_base)
    classifier.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return classifier


def freeze(some_base):
    some_base.trainable = False


def free_the_top(some_base):
    training.transfer.unfreeze_top(some_base, 4)


# %% tags=["nbval-ignore-output"]
ways = {}
for name, prepare in (("head only", freeze), ("too early", free_the_top)):
    classifier = new_model(models.vgg16_base, prepare)
    ways[name] = training.transfer.fit_from_frozen(
        classifier, train, validation, epochs=4, verbose=0
    )
classifier = new_model(models.vgg16_base, lambda some_base: None)
ways["all at once"] = classifier.fit(train, validation_data=validation, epochs=4, verbose=0)
for name, way in ways.items():
    print(f"{name:12}", *[f"{accuracy:.2f}" for accuracy in way.history["val_accuracy"]])

# %%
found = {name: way.history["val_accuracy"] for name, way in ways.items()}
print("a head alone is always above 0.8:", min(found["head only"]) > 0.8)
print("all at once is far below, on average:", np.mean(found["all at once"]) < 0.8)
plots.curves(found)

# %% [markdown]
# *Figure 6.5. Validation accuracy of a head on a frozen base, with the last four layers free from the beginning, and
# with everything free.*
# <!-- alt: Three lines over four epochs. The head alone stays near 0.9. Freed too early, the network jumps between
# 0.8 and 0.95. All at once, it begins near one half and jumps between 0.5 and 0.75. -->
#
# In this run, the network that was freed *all at once* forgets in one epoch what it had learned in weeks, or, in the
# sample, in a quarter of an hour. The one that was freed *too early* forgets less, since the layers below stay as they
# are, but it is a lottery: the accuracy jumps up and down, and where it ends is luck.
#
# **Batch normalisation** (배치 정규화), in Keras `BatchNormalization`, subtracts the mean of its inputs and divides by their
# standard deviation. In inference it takes the mean and the deviation that it stored in the pretraining; in training,
# those of the few photos in this batch, and it changes what it has stored. Then it multiplies by a scale and adds a
# shift, two learned numbers a channel, beside the two stored ones, which gradient descent leaves alone. VGG16 has none of it; most other networks
# do, such as chapter 8's DenseNet. When you free such a network, these layers work in training mode.
#
# **What do you expect?** A head was trained on DenseNet's features. Now nothing is trained, and only batch
# normalisation goes into training mode. What happens to the accuracy, with batches of 32 and of 4 photos?

# %% tags=["nbval-ignore-output"]
densenet = new_model(models.densenet_base, freeze)
short = training.transfer.fit_from_frozen(densenet, train, validation, epochs=10, verbose=0)

# %%
print("better than guessing:", densenet.evaluate(validation, verbose=0)[1] > 0.8)
dense_base = densenet.get_layer("densenet")
dense_head = keras.Model(densenet.get_layer("flatten").input, densenet.output)
dense_base.trainable = True
stored = dense_base.get_weights()

mixed = data.image_folder(folder / "validation", (SIZE, SIZE), 100, shuffle=True, seed=5)
photos, labels = (np.asarray(part) for part in next(iter(mixed)))


# %% tags=["nbval-ignore-output"]
class InTraining(keras.Model):
    def call(self, batch):
        return dense_head(dense_base(batch, training=True))


correct = {"stored": np.mean((densenet.predict(photos, verbose=0)[:, 0] > 0.5) == labels)}
for size in (32, 4):
    answers = InTraining().predict(photos, batch_size=size, verbose=0)[:, 0]
    correct[f"batches of {size}"] = np.mean((answers > 0.5) == labels)
    moved = [np.abs(a - b).max() for a, b in zip(stored, dense_base.get_weights(), strict=True)]
    dense_base.set_weights(stored)
for name, share in correct.items():
    print(f"{name:13} {share:.2f}")

# %%
cost = correct["stored"] - correct["batches of 4"]
print("batches of 4 cost at least four points:", cost > 0.04)
print("what was stored has changed, though nothing was trained:", max(moved) > 0.01)

# %% [markdown]
# What the network makes of a photo now depends on which other photos share its batch. In this run, on 100 photos,
# batches of 32 cost nothing; with four photos, the same weights lose many points. And what is stored drifts
# towards your photos, while the kernels were made for the old values.
#
# So batch normalisation stays frozen when you free the rest, and `unfreeze_top` sees to it. You will read the advice to
# call the base with `training=False` instead. In Keras 3 that does not help: `fit` calls the whole model in training
# mode, and inside a functional model this overrides the `training=False` that you wrote. Freezing does help: a frozen
# `BatchNormalization` layer always works in inference mode.
#
# ## 4. Performance evaluation: five results side by side

# %%
report = evaluation.report(test.labels, evaluation.predict(model, test), test.class_names)
titles = {
    "cats_vs_dogs": "from scratch\n(chapter 3)",
    "cats_vs_dogs_augmented": "with augmentation\n(chapter 4)",
    "features": "features\n(chapter 5)",
    "features_augmented": "features, with\naugmentation (chapter 5)",
    "fine_tuning": "fine-tuned\n(this chapter)",
}
recorded = {name: evaluation.spread(name, "sample") for name in titles}
for name, spread in recorded.items():
    print(f"{name:24} {spread}")
if SCALE == "sample":
    low, high = recorded["fine_tuning"].bounds
    print(f"between {low:.3f} and {high:.3f}:", report.accuracy in recorded["fine_tuning"])

# %%
plots.spreads(
    {titles[name]: spread.figures for name, spread in recorded.items()},
    live={titles["fine_tuning"]: report.accuracy},
    published=dict(zip(titles.values(), (0.70, 0.83, 0.97, 0.977, 0.98), strict=True)),
)

# %% [markdown]
# *Figure 6.6. Test accuracy on the same 600 photos: the recorded seeds at sample scale, this run, and what the source
# reports for real photos; for features without augmentation, it reports validation photos. A darker dot is several
# equal seeds.*
# <!-- alt: Five rows of dots. From scratch the seeds lie around 0.69, with augmentation around 0.87; features, features
# with augmentation and fine-tuning lie close together around 0.95 to 0.96, a little below what the source reports. -->
#
# The source reports "close to **0.98**, give or take one point". In the sample, the step from features to fine-tuning
# is small, within what 600 photos can tell for a single run: the base knows nearly all that is needed. To repeat the
# recorded runs: `python -m benchmarks results fine_tuning --scale sample`.
#
# ### What to do with your own photos
#
# Two questions decide: how many photos do you have, and how much do they resemble those that the base has seen?
#
# | | they resemble those of the pretraining | they do not |
# | --- | --- | --- |
# | **few photos** (hundreds in all, up to about 200 a class) | a head on the last features; then, slowly, the last layers | a head on the features of a *lower* block |
# | **many photos** (thousands and more) | fine-tune more layers, from the top down | train everything, from the trained weights; compare with training from scratch |
#
# The upper row is what you have measured. Few photos, similar: figure 6.6. Few pictures, different: the digits of
# figure 6.2. Their accuracy is lower after the last block, made for faces of animals, than after the block before it.
# Where you cannot say how much your photos resemble the others, draw figure 6.2 for them: it takes a minute and tells
# you where to put your head.
#
# ## Exercises
#
# 1. Which layers does `unfreeze_top(base, 8)` free? Answer first, then look.
# 2. How many times as much computation does an epoch take when everything is free, compared with the last four layers
#    on stored features? Count multiplications in the thirteen convolutions, with twice as many backwards as forwards.
# 3. Set the learning rate of the fine-tuning to 1e-3, with the head trained before. What happens to the validation
#    loss?
# 4. Interrupt the training of the last four layers on purpose, and let it go on where it was. (`fit_from_frozen` takes
#    a `directory`.)
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - *9. 합성곱 신경망* (Convolutional neural networks), after F. Chollet, *Deep Learning with Python*, 2nd
#   edition, Manning 2021, section 8.3.2: the last four layers, RMSprop at 1e-5, the figure of about 0.98.
# - J. Yosinski, J. Clune, Y. Bengio and H. Lipson, *How transferable are features in deep neural networks?*,
#   NeurIPS 2014: general and specific layers.
# - A. Karpathy, *Transfer learning*, notes of the course CS231n: the four situations.
#
# **Next:** [chapter 7, AlexNet from its four parts](07_alexnet.ipynb).
#
# ## Solutions
#
# **1.** Blocks 4 and 5, with three convolutions and a pooling layer each:

# %%
training.transfer.unfreeze_top(base, 8)
print(*[layer.name for layer in base.layers if layer.trainable])

# %% [markdown]
# **2.** A convolution multiplies height · width · filters · 9 · channels times. Backwards, a layer computes the
# gradient of its kernel and that of its input, as many multiplications each:

# %%
multiplications = {}
for layer in base.layers:
    if isinstance(layer, keras.layers.Conv2D):
        _, height, width, filters = layer.output.shape
        multiplications[layer.name] = height * width * filters * 9 * layer.input.shape[-1]
everything = sum(multiplications.values())
top = sum(multiplications[f"block5_conv{number}"] for number in (1, 2, 3))
print(f"everything, forwards and backwards: {3 * everything / 1e6:.0f} million a photo")
print(f"the last four layers on stored features: {3 * top / 1e6:.0f} million")
print(f"that is {everything / top:.0f} times as much")

# %% [markdown]
# **3.** A rate a hundred times as large throws the top layers about, and the loss jumps from epoch to epoch. Whoever
# keeps the best of them may be lucky; the next epoch may undo it:

# %% tags=["nbval-ignore-output"]
model.set_weights(trained_head)
training.transfer.unfreeze_top(base, 4)
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
fast = training.transfer.fit_from_frozen(model, train, validation, epochs=6, views=VIEWS, verbose=0)
print("validation loss:", *[f"{loss:.2f}" for loss in fast.history["val_loss"]])

# %%
slow, jumps = (np.diff(each.history["val_loss"]) for each in (history, fast))
print("it jumps more than in figure 6.4:", np.abs(jumps).max() > 2 * np.abs(slow).max())

# %% [markdown]
# **4.** Give it a directory, and call it again with the same model:


# %% tags=["nbval-ignore-output"]
class PullThePlug(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KeyboardInterrupt


run = {"epochs": 4, "views": VIEWS, "directory": directory / "run", "verbose": 0}
with contextlib.suppress(KeyboardInterrupt):
    training.transfer.fit_from_frozen(model, train, validation, callbacks=[PullThePlug()], **run)
resumed = training.transfer.fit_from_frozen(model, train, validation, **run)

# %%
print("epochs in its history:", len(resumed.epoch))
