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
# # Chapter 7. AlexNet from its four parts
#
# At the end of this chapter you can
#
# - take a published network apart into data set, learning model, learning algorithm and performance evaluation, and say
#   which of them a new idea belongs to;
# - build the network of 2012 layer by layer, account for its 58,289,538 parameters, and see why its initial weights fit
#   its pixels;
# - train it with its published **recipe** (레시피) in a run that you may stop at any moment;
# - evaluate it with ten crops of each photo, and say what they gain.
#
# You need [chapter 4](04_augmentation.ipynb). At sample scale the chapter takes about two minutes.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# In 2012 a network of eight layers with weights won the ImageNet competition by a margin that turned a field around. It
# is called **AlexNet**, after the first of its authors. Here you rebuild it for cats and dogs, as Sualab, a company in Seoul, did in a
# Korean tutorial, *the source* of this chapter, which sees four parts in every image classifier. So does this course:
#
# | part | what it answers | here |
# | --- | --- | --- |
# | **data set** | What does the network see? | photos of 256×256, windows of 227×227, mirrored or not |
# | **learning model** | What is computed? | five convolutions, three dense layers |
# | **learning algorithm** | How are the weights found? | gradient descent with momentum, a learning rate that falls |
# | **performance evaluation** | How good is it? | accuracy, with ten crops of each photo |
#
# A new idea nearly always changes one of them and leaves the other three as they are.
#
# **What do you expect?** Which part does each of these change? (a) DenseNet, in which each layer sees all layers before
# it; (b) Adam, with a step of its own for each weight; (c) shifting the colours of the photos at random. You find the
# answer at the end of section 4.

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
SIDE = {"sample": 130, "full": 256}[SCALE]  # of the photos
WINDOW = {"sample": 115, "full": 227}[SCALE]  # of what the network sees
WIDTH = {"sample": 1 / 4, "full": 1.0}[SCALE]
BATCH_SIZE = {"sample": 16, "full": 256}[SCALE]
LEARNING_RATE = {"sample": 0.0025, "full": 0.01}[SCALE]  # small batches are noisy: small steps
EPOCHS = {"sample": 28, "full": 300}[SCALE]
CROPS_EACH_EPOCH = {"sample": False, "full": True}[SCALE]  # ten crops take ten times as long

# %%
import dataclasses
import functools
import tempfile
from pathlib import Path

from cnnkit import data, evaluation, models, plots, training
from cnnkit.data import augment

import keras
import numpy as np

# %% [markdown]
# ## 1. Data set: windows of photos
#
# The source takes Kaggle's 25,000 photos of cats and dogs, half of them for testing, and a fifth of the other half for
# validation. It resizes each to 256×256, whatever its aspect ratio; the paper keeps the ratio and cuts off
# what is too long. In the sample, 1,000 drawings make up each half.

# %% tags=["nbval-ignore-output"]
folder = data.cats_vs_dogs(SCALE, "half")

# %%
parts = {
    part: data.image_folder(
        folder / part, (SIDE, SIDE), BATCH_SIZE, shuffle=part == "train", seed=5
    )
    for part in ("train", "validation", "test")
}
train, validation, test = parts.values()
for part, photos in parts.items():
    print(f"{part:10} {len(photos.labels):6,} photos")

# %% [markdown]
# **Memory.** The source keeps its photos as float32 numbers and asks for at least 16 GB; all 25,000 would be 20 GB.
# `image_folder` decodes each photo once and keeps its bytes, a quarter of that: in memory up to 256 MB, and beyond that
# in a temporary file, from which it reads two batches ahead. Thousands of photos more take no more memory.

# %%
print(f"25,000 photos as float32: {25_000 * 256 * 256 * 3 * 4 / 1e9:.1f} GB")
print(f"a batch of 256 as float32: {256 * 256 * 256 * 3 * 4 / 1e9:.1f} GB")

# %% [markdown]
# **Augmentation.** In training, each photo gives one window at a random place, mirrored half of the time. With windows
# of 227 in photos of 256 these are 30 · 30 · 2 = 1,800 windows of each photo, all similar to one another.
# `crop_and_flip` is a layer, as in chapter 4; it goes in front of the model. In inference it takes the window in the middle.


# %%
def some_photos(numbers, side):
    size = {"target_size": (side, side), "interpolation": "bilinear"}
    return np.stack([keras.utils.load_img(test.file_paths[n], **size) for n in numbers])


photo = some_photos([3], SIDE)[0].astype("float32")
crop = augment.crop_and_flip(WINDOW, seed=5)
same = np.repeat(photo[np.newaxis], 7, axis=0)
windows = crop(same, training=True)
plots.image_grid([photo / 255, *(windows / 255)], ["photo", *(["window"] * 7)], columns=8, size=1)

# %% [markdown]
# *Figure 7.1. A photo, and seven random windows of it.*
#
# **The mean colour.** The network sees each pixel minus the mean colour of the training photos, so that its inputs lie
# around 0. Keras's `Normalization` finds it:

# %%
colours = keras.layers.Normalization()
colours.adapt(train.map(lambda photos, labels: photos))
mean = np.ravel(colours.mean).tolist()
print("three values inside the range of the pixels:", all(50 < value < 220 for value in mean))

# %% [markdown]
# ## 2. Learning model: five convolutions, three dense layers
#
# First at full width, whatever the scale; it takes a second to build.

# %%
training.reproducible(seed=5)
alexnet = models.alexnet()
alexnet.summary()

# %% [markdown]
# The first convolution has kernels of 11×11 and stride 4: (227 − 11) / 4 + 1 = 55. Max pooling of 3×3 with stride 2
# overlaps: (55 − 3) / 2 + 1 = 27. It follows conv1, conv2 and conv5.
#
# **What do you expect?** Which layer holds most of the 58 million parameters? And which one most of the
# multiplications?


# %%
def multiplications(layer):
    *places, outputs = layer.output.shape[1:]
    return int(np.prod(places)) * outputs * int(np.prod(layer.kernel.shape[:-1]))


def share(counts):
    return [f"{count / sum(counts):6.1%}" for count in counts]


layers = [layer for layer in alexnet.layers if layer.weights]
names = [layer.name for layer in layers]
parameters = share([layer.count_params() for layer in layers])
work = share([multiplications(layer) for layer in layers])
for name, of_parameters, of_work in zip(names, parameters, work, strict=True):
    print(f"{name}: {of_parameters} of the parameters, {of_work} of the multiplications")

# %% [markdown]
# The dense layers hold nearly all parameters, the convolutions do nearly all the work. That is why **dropout** stands
# where it stands, after fc6 and fc7, the first two dense layers (*fc*: fully connected): half of their units are left out in each training step, at random.
#
# In the source's program the second dropout is computed and then not used: the **logits** (로짓), the numbers that the
# softmax makes into probabilities, come from `relu7` and not from `drop7`. It is easily overlooked, since everything
# runs and trains. Here both are in use, and a test makes sure of it.
#
# **Weight decay** (가중치 감쇠) adds $5·10^{-4} · \frac{1}{2} \sum v^2$ to the loss, where $v$ runs over all weights and, as the
# source has it, all biases:

# %%
sum_of_squares = sum(float((array.astype("float64") ** 2).sum()) for array in alexnet.get_weights())
added = float(sum(alexnet.losses))
print("by the formula:", np.isclose(added, 5e-4 * sum_of_squares / 2, rtol=1e-4))

# %% [markdown]
# ### Why the weights begin as they do
#
# The paper draws its weights from a normal distribution of standard deviation 0.01. That is no general truth; it suits
# pixels from 0 to 255. The source keeps it (with 0.005 in fc6 and fc7) and divides the pixels by 255. What happens to
# the signal on its way?
#
# **What do you expect?** Five networks, each with its weights as they begin: full width with pixels from 0 to 255; the
# same with pixels from 0 to 1; a quarter of the width, with the same deviations; then with deviations multiplied by
# $1/\sqrt{\text{width}}$, as `models.alexnet` has it; and an initialisation by He and others, of which more below. In
# which of them are the logits all but equal for all photos?

# %%
batch = some_photos(np.linspace(0, len(test.labels) - 1, 16).astype(int), 227)


def spreads(weight_scale=1.0, **options):
    keras.utils.set_random_seed(5)
    model = models.alexnet(mean=mean, dropout=0.0, **options)
    model.set_weights([weight_scale * w if w.ndim > 1 else w for w in model.get_weights()])
    model.get_layer("fc8").activation = keras.activations.linear  # in front of the softmax
    inner = [model.get_layer(name).output for name in names]
    outputs = keras.Model(model.input, inner).predict(batch, verbose=0)
    return [float(output.std(axis=0).mean()) for output in outputs]


# %%
found = {
    "full width, pixels from 0 to 255": spreads(),
    "full width, pixels from 0 to 1": spreads(rescale=True),
    "a quarter of the width, the same deviations": spreads(0.5, width=1 / 4),
    "a quarter of the width, deviations · 2": spreads(width=1 / 4),
    "a quarter, He, pixels from 0 to 1": spreads(width=1 / 4, initializer="he", rescale=True),
}
ylabel = "standard deviation of the outputs"
plots.curves(found, [*names[:-1], "logits"], xlabel="layer", ylabel=ylabel, yscale="log")

# %% [markdown]
# *Figure 7.2. By how much the outputs of each layer differ from photo to photo (standard deviation over 16 photos, mean
# over the outputs), before training.*
# <!-- alt: Five lines on a logarithmic scale, from conv1 to the logits. At full width with pixels to 255 the
# deviation falls from 3 to 0.01; with pixels to 1, from 0.01 to 0.0001. A quarter of the width falls to 0.0001 as
# well, and with doubled deviations only to 0.02. He's initialisation stays between 0.1 and 0.3. -->

# %%
logits = {title: values[-1] for title, values in found.items()}
full, small_pixels, thin, grown, he = logits.values()
print("with pixels from 0 to 1, less than a twentieth is left:", small_pixels < full / 20)
print("narrow, less than a tenth:", thin < full / 10)
print("narrow with larger deviations, at least half:", grown > full / 2)
print("with He's initialisation, more than at full width:", he > full)

# %% [markdown]
# With pixels from 0 to 1, and at a quarter of the width with the same deviations, all photos give nearly the same
# logits. A spread of nearly nothing means that the network says the same about every photo, and that the gradients
# which come back are as small. It may sit at chance for many epochs. Each layer multiplies the spread by about
# $σ \sqrt{n / 2}$, with n inputs and deviation σ: 0.01 · √(5 · 5 · 96 / 2) = 0.35 for conv2. A quarter of the inputs
# halves it in every layer, and twice the deviation makes up for it (more than that in conv1, whose inputs are three
# colours at any width). Three years later He et al. took $σ = \sqrt{2 / n}$, which keeps the spread whatever the width:
# `initializer="he"`, the modern choice.
#
# ### What has changed since the paper
#
# | | the paper, 2012 | the source | here |
# | --- | --- | --- | --- |
# | photos | shorter side 256, middle cut out | squashed to 256×256 | as the source |
# | windows | 224 (the sums come out with 227) | 227 | 227; 115 in the sample |
# | pixels | 0 to 255 | 0 to 1 | 0 to 255; `rescale=True` for 0 to 1 |
# | taken off the pixels | the mean of each place | the mean colour | as the source |
# | colours | shifted at random (PCA) | – | – (`augment.PCAColor` does it) |
# | groups of channels, for two GPUs | in conv2, conv4, conv5 | none | none; `groups=2` |
# | local response normalisation (LRN) | after conv1, conv2 | none | none; an option |
# | biases that do not begin with 0 | 1 | 0.1 | 0.1; `bias=1` |
# | deviation in fc6, fc7 | 0.01 | 0.005 | 0.005 |
# | dropout | fc6 and fc7 | after fc7 not in use | fc6 and fc7 |
# | weight decay | in the update rule | in the loss, biases too | as the source |
# | batch, epochs | 128, about 90 | 256, 300 | as the source; less in the sample |
#
# The source leaves out what was made for the GPUs of 2012 or has been replaced since (LRN by batch normalisation, of
# which chapter 6 tells), and what would make its program longer.
#
# ## 3. Learning algorithm: momentum, a plateau, and a run that survives
#
# **Stochastic gradient descent with momentum** (모멘텀) keeps nine tenths of its last step and adds the new gradient
# (stochastic, since each step sees a batch that was drawn at random). The **learning rate** stays until the validation
# accuracy has not improved for more than 30 epochs; then it is divided by ten. What counts as an improvement is part of
# the rule: more than a ten-thousandth of the best accuracy, *relative* to it. Changes of the learning rate by no more
# than $10^{-8}$ are left out.
#
# **What do you expect?** With a patience of 2, after which epochs does the learning rate fall, for these accuracies?

# %%
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile(keras.optimizers.SGD(0.01))
plateau = training.ReduceOnPlateau("accuracy", "max", patience=2)
plateau.set_model(model)
for epoch, accuracy in enumerate([0.80, 0.85, 0.85, 0.85005, 0.84, 0.86, 0.85, 0.85]):
    plateau.on_epoch_end(epoch, {"accuracy": accuracy})
    rate = float(model.optimizer.learning_rate)
    print(f"epoch {epoch + 1}: accuracy {accuracy:.5f}, then the learning rate is {rate:.4f}")

# %% [markdown]
# 0.85005 is more than 0.85, but not by enough. Epochs 3, 4 and 5 do not improve, and three are more than two. (In the
# sample, 28 epochs are too few for a patience of 30: its learning rate stays.)
#
# Keras has a `ReduceLROnPlateau` of its own. It waits one epoch less, and compares absolutely: it adds its `min_delta`
# to the best. Where figures are near 1 that is nearly the same. Which figure is watched, and whether more or less of it
# is better, is part of the recipe:

# %%
recipe = training.recipes.ALEXNET
print(f"{recipe.optimizer}, learning rate {recipe.learning_rate}, momentum {recipe.momentum}")
print(f"batches of {recipe.batch_size}, {recipe.epochs} epochs, patience {recipe.patience}")
print(f"watches {recipe.monitor}, {recipe.mode}")
recipe = dataclasses.replace(
    recipe, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, epochs=EPOCHS
)

# %% [markdown]
# **A long run has to survive.** 300 epochs take days on a laptop, and a laptop is closed and restarted.
# `training.fit` compiles and trains as you did in the chapters before, and keeps a directory from which the same call
# goes on.

# %%
directory = {"sample": Path(tempfile.mkdtemp()), "full": Path("runs")}[SCALE] / "alexnet"
ten_crop = functools.partial(augment.ten_crop, size=WINDOW)


def accuracy_with_ten_crops(model, photos):
    probabilities = evaluation.predict(model, photos, views=ten_crop)
    return {"accuracy": evaluation.report(photos.labels, probabilities).accuracy}


def train_alexnet(callbacks=(), verbose=0):
    training.reproducible(seed=5)
    model = models.alexnet(
        (WINDOW, WINDOW, 3),
        width=WIDTH,
        mean=mean,
        augmentation=augment.crop_and_flip(WINDOW),
    )
    evaluate = accuracy_with_ten_crops if CROPS_EACH_EPOCH else None
    history = training.fit(
        model, recipe, train, validation, directory, evaluate, callbacks, verbose
    )
    return model, history


# %% [markdown]
# Pull the plug in the middle of the third epoch:


# %% tags=["nbval-ignore-output"]
class PullThePlug(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self.epoch == 2 and batch == 20:
            raise KeyboardInterrupt


try:
    train_alexnet(PullThePlug(), verbose=2)
except KeyboardInterrupt:
    print("The plug was pulled.")

# %%
print(*sorted(path.name for path in directory.iterdir() if path.name[0] != "."))

# %% [markdown]
# The first lines that `fit` prints are worth a look before every long run: shapes, range of the pixels, photos of each
# class. They are what the source prints too. Now call it again.

# %% tags=["nbval-ignore-output"]
model, history = train_alexnet(verbose=2)

# %%
print("epochs in its history:", len(history.epoch))
print("the loss has fallen:", history.history["loss"][-1] < history.history["loss"][0])
plots.learning_curves(history)

# %% [markdown]
# *Figure 7.3. Learning curves of the whole run, before and after the plug was pulled. `curves.png` in the directory is
# this figure, drawn when the call ends.*
# <!-- alt: For seven epochs the losses stay near 0.75 and the accuracies near one half. Then training and validation
# curves improve together, to a loss of 0.25 and an accuracy of 0.94 after 28 epochs. -->
#
# For a while nothing seems to happen; then it begins. Do not give up on a network in its first epochs before you have
# looked at figure 7.2 for it.
#
# **What it takes to go on bit for bit.** A saved Keras model holds the weights and the optimizer's momentum. That is
# not all: dropout and augmentation draw random numbers, whose generators have states; the order of the photos in an
# epoch has to follow from the epoch's number; the plateau has counted epochs; and the history is needed for the curves.
# `state.npz` holds all of it, and a new one takes its place only when it is whole. A test kills a run twenty times and compares every bit with one that was never killed.
#
# ## 4. Performance evaluation: ten crops
#
# A photo is larger than the window. Training saw windows everywhere; which should the test use? The paper takes ten:
# four corners and the middle, each mirrored too, and averages the ten predictions. The source does so for its
# validation set as well, after each epoch, so the 0.932 that it reports for
# validation is a ten-crop figure.
#
# **What do you expect?** How much better are ten crops than the middle alone, and a random window? You know what they
# cost.

# %%
best = keras.models.load_model(directory / "best.keras")
several = {
    "one random window": lambda photos: crop(photos, training=True)[:, np.newaxis],
    "the middle": None,
    "ten crops": ten_crop,
}
reports = {}
for name, views in several.items():
    probabilities = evaluation.predict(best, test, views=views)
    reports[name] = evaluation.report(test.labels, probabilities, test.class_names)

# %% tags=["nbval-ignore-output"]
for name, report in reports.items():
    print(f"{name:18} {report.accuracy:.3f}")
print(reports["ten crops"])

# %%
middle, ten = reports["the middle"].accuracy, reports["ten crops"].accuracy
print("ten crops are not clearly worse than the middle:", ten > middle - 0.015)
titles = {
    "alexnet": "ten crops",
    "alexnet_center": "the middle",
    "alexnet_without_dropout": "without dropout,\nten crops",
}
recorded = {name: evaluation.spread(name, "sample") for name in titles}
for name, spread in recorded.items():
    print(f"{name:24} {spread}")
gains = np.subtract(recorded["alexnet"].figures, recorded["alexnet_center"].figures)
print("ten crops minus the middle, seed by seed:", *[f"{gain:+.3f}" for gain in gains])
if SCALE == "sample":
    low, high = recorded["alexnet"].bounds
    print(f"between {low:.3f} and {high:.3f}:", ten in recorded["alexnet"])

# %%
plots.spreads(
    {titles[name]: spread.figures for name, spread in recorded.items()},
    live={"ten crops": ten, "the middle": middle},
    published={"ten crops": 0.92768},
)

# %% [markdown]
# *Figure 7.4. Test accuracy on 1,000 drawings: the recorded seeds at sample scale, this run, and what the source
# reports for 12,500 real photos. Of the runs without dropout, three had the same accuracy.*
# <!-- alt: Three rows of dots between 0.90 and 0.95. Ten crops lie a little to the right of the middle, and without
# dropout in the same range; the published 0.928 is within all three. -->
#
# Ten crops and the middle are judged on the same networks, so they can be compared seed by seed: ten crops gain about
# two thirds of a point on average, and lose a little for one seed. They cost ten times as much. Training saw windows everywhere,
# so a single random window is nearly as good as the middle: 0.7 points below it in the stored run, too little for one
# run to tell.
#
# **What does dropout do?** A part of a published recipe may be there for good reasons, and still do nothing for you.
# Leave it out and see; this is called **ablation** (절제 연구). Here, five runs without dropout are no worse than five with
# it: what they differ by is less than what seeds differ by. The network sees each drawing 28 times, in other windows,
# and has no time to learn them by heart. At full scale there are 300 epochs and 37 times as many weights.
#
# The source reports 0.932 on its validation photos and **0.92768** on its test photos. The best entry of the
# competition had 0.98914. To repeat the recorded runs: `python -m benchmarks results alexnet alexnet_center
# alexnet_without_dropout --scale sample`.
#
# Last, look at single answers:

# %%
shown = np.linspace(0, len(test.labels) - 1, 12).astype(int)
pictures = some_photos(shown, SIDE).astype("float32")
probabilities = evaluation.predict(best, pictures, views=ten_crop)
answers = [f"{test.class_names[row.argmax()]} {row.max():.1%}" for row in probabilities]
plots.image_grid(pictures / 255, answers, columns=6, size=1.25)

# %% [markdown]
# *Figure 7.5. Twelve test photos, the first six cats and the others dogs, with the answer of the network and its
# probability.*
#
# **The answer from the beginning:** DenseNet is a new *model*, [chapter 8](08_own_photos.ipynb); Adam a new
# *algorithm*; colours shifted at random change the *data set*. In this package, you would touch `models`, the recipe,
# and the layer in front of the model.
#
# ## Exercises
#
# 1. With windows of 224, as the paper writes, what size does conv1's output have? Why 227?
# 2. How many parameters does the paper's own network have, with its groups and 1,000 classes? Compute it for conv2 by
#    hand.
# 3. A run with patience 30 improves in epoch 100 for the last time. How often has the learning rate fallen by epoch
#    300?
# 4. Take the mean of five crops, without the mirror images (they come first: four corners, the middle, then the same
#    mirrored). Does the accuracy change by more than a point and a half?
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - Sualab's research blog, on telling dogs from cats with AlexNet (in Korean): the four parts, the form of the network
#   used here, its recipe and its figures.
# - A. Krizhevsky, I. Sutskever and G. E. Hinton, *ImageNet Classification with Deep Convolutional Neural Networks*,
#   NeurIPS 2012: the network, the augmentation and the ten crops.
# - K. He, X. Zhang, S. Ren and J. Sun, *Delving Deep into Rectifiers*, ICCV 2015: the initialisation.
#
# **Next:** [chapter 8, DenseNet on your own photos](08_own_photos.ipynb).
#
# ## Solutions
#
# **1.** 54.25, which is no size. With 227 it is 55, as in the paper's own figure:

# %%
for side in (224, 227):
    print(side, "→", (side - 11) / 4 + 1)

# %% [markdown]
# **2.** In two groups, each of conv2's 256 kernels sees half of the 96 channels: 5 · 5 · 48 · 256 weights and 256
# biases.

# %%
paper = models.alexnet(classes=1000, groups=2, bias=1, local_response_normalization=True)
print("conv2:", 5 * 5 * 48 * 256 + 256, "=", paper.get_layer("conv2").count_params())
print(f"all: {paper.count_params() / 1e6:.2f} million")

# %% [markdown]
# **3.** Every 31 epochs, first after epoch 131: six times, down to $10^{-8}$. A seventh change, by $9 · 10^{-9}$, would
# be left out.

# %%
epochs = [epoch for epoch in range(1, 301) if epoch > 100 and (epoch - 100) % 31 == 0]
print(epochs, f"→ {0.01 * 0.1 ** len(epochs):.0e}")

# %% [markdown]
# **4.** Any function that makes views will do:

# %%
five = evaluation.predict(best, test, views=lambda photos: ten_crop(photos)[:, :5])
accuracy = evaluation.report(test.labels, five).accuracy
print("within a point and a half of ten crops:", abs(accuracy - ten) < 0.015)
