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
# # Chapter 8. DenseNet on your own photos
#
# At the end of this chapter you can
#
# - turn a folder of photos, as it came from a camera or a colleague, into a data set that you can trust;
# - say what DenseNet does differently from the networks before it, and count what it saves;
# - train a new head on it, or all of it, and keep the best of many evaluations;
# - find the classes that are confused, search photos by a photo, and swap heads on one base;
# - decide which of this to do with your own photos, and do it from a terminal.
#
# You need [chapter 6](06_fine_tuning.ipynb); [chapter 7](07_alexnet.ipynb) helps. At sample scale the chapter takes
# about a minute.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# A customer in an online shop often has a picture of what she wants, but no words for it. A Korean team therefore
# trained classifiers on photos of their own, as a step towards a search by picture. *The source* of this chapter is
# their report, *Transfer learning for image classification with custom data* (see Sources), which is honest about what
# went wrong on the way.

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
SIZE = {"sample": 112, "full": 224}[SCALE]
WEIGHTS = {"sample": "drawn", "full": "imagenet"}[SCALE]
SHARES = {"sample": (0.2, 0.6), "full": (0.2, 0.2)}[SCALE]  # for validation, and for testing
# The source takes 5e-5, in runs of many more steps. A few hundred such steps move next to nothing.
# The drawn base gives a seventh of the channels, so each weight has further to go.
HEAD_RATE = {"sample": 5e-3, "full": 1e-3}[SCALE]
HEAD_EPOCHS = 10
EPOCHS = 10

# %%
import dataclasses
import tempfile
from pathlib import Path

from cnnkit import data, evaluation, models, plots, training

import keras
import numpy as np

directory = Path(tempfile.mkdtemp())

# %% [markdown]
# ## 1. Data set: a folder, as folders are
#
# A folder of your own has a folder for each class, and more than that: a `Thumbs.db` that Windows left, a file whose
# copy was interrupted. At sample scale, such a folder is drawn here: four species that the base has never seen. At
# full scale it is the ants and bees of PyTorch's tutorial, which the source followed. For your own photos, write
# `folder = Path("…")`.

# %% tags=["nbval-ignore-output"]
SPECIES = ["cow", "horse", "koala", "owl"]
if SCALE == "sample":
    folder = data.drawings.write(directory / "photos", SPECIES, per_class=200, seed=8)
    (folder / "cow" / "Thumbs.db").write_bytes(b"of Windows")
    whole = (folder / "owl" / "owl.0.jpg").read_bytes()
    (folder / "owl" / "copy of owl.0.jpg").write_bytes(whole[: len(whole) // 2])
else:
    folder = data.ants_and_bees()

# %% [markdown]
# The source lost two days to a division by zero. Its cause: such files, which were counted as photos. So check first.
# Every file is opened and decoded to its last pixel:

# %%
classes, problems = data.check_folder(folder)
print(classes)
for path, reason in problems:
    print(f"{path.parent.name}/{path.name}: {reason.split(' (')[0]}")

# %% [markdown]
# Split the folder into three parts, as in chapter 3. The test photos are for the end, and for nothing before it. Here
# they are the larger part, so that the accuracy is known to about three points; from your own photos you would give a
# fifth.

# %% tags=["nbval-ignore-output"]
split = data.split_folder(folder, directory / "split", *SHARES, seed=0, skip_unusable=True)
train, validation, test = (
    data.image_folder(split / part, (SIZE, SIZE), batch_size=8, shuffle=part == "train", seed=5)
    for part in ("train", "validation", "test")
)

# %%
for name, photos in (("train", train), ("validation", validation), ("test", test)):
    counts = np.bincount(photos.labels)
    print(f"{name:10}", dict(zip(photos.class_names, counts.tolist(), strict=True)))

# %%
shown = [np.flatnonzero(train.labels == number)[:6] for number in range(len(train.class_names))]
rows = {
    name: list(data.load_images([train.file_paths[n] for n in numbers], (SIZE, SIZE)) / 255)
    for name, numbers in zip(train.class_names, shown, strict=True)
}
plots.picture_rows(rows)

# %% [markdown]
# *Figure 8.1. Six training photos of each class.*
#
# ## 2. Learning model: every layer sees all before it
#
# Networks that were simply made deeper got worse, even on their training pictures: they were harder to train. In 2015,
# **ResNet** gave each block a **skip connection** (스킵 연결): the block F computes only what has to be *added* to its
# input,
#
# $$H(x) = F(x) + x.$$
#
# In 2016, **DenseNet** went further. In a **dense block** (밀집 블록), each layer sees the outputs of *all* layers before
# it, side by side:
#
# $$x_l = F_l([x_0, x_1, …, x_{l-1}]).$$
#
# Sums forget what they are made of; joined channels do not.

# %%
plots.shortcuts(layers=4)

# %% [markdown]
# *Figure 8.2. Layers F with skip connections in a ResNet, added (+), and in a dense block, joined ([ ]).*
#
# **What do you expect?** A dense block of 6 layers: how many connections are drawn for it? And one of 24?

# %%
for x in (4, 6, 24):
    drawn = sum(layer for layer in range(1, x + 1))  # one layer has 1, the next has 2, …
    print(f"{x} layers: {drawn} connections, x(x+1)/2 = {x * (x + 1) // 2}")

# %% [markdown]
# ### Why one reads the model's code
#
# One line loads DenseNet from a library, and for classifying that is enough. The team wanted to change it: to add
# dropout, to swap its last layer. Then you have to know where that layer is, and what it is fed. DenseNet's parts are
# few:
#
# | part | what it is | channels |
# | --- | --- | --- |
# | layer of a dense block | BN, ReLU, 1×1 convolution to 4k; BN, ReLU, 3×3 convolution to k | adds k |
# | dense block | such layers, each joined to all before it | c → c + layers · k |
# | transition | BN, ReLU, 1×1 convolution; 2×2 average pooling | halves them, and height and width |
#
# k is the **growth rate** (성장률): 32 channels a layer, in DenseNet-121. BN is batch normalisation. The 1×1 convolution
# is a **bottleneck** (병목): whatever has gathered, up to 992 channels, becomes 4k = 128 before the expensive 3×3.
# (Chapter 1's dense layer is another thing: these layers are convolutions.) All of it is `cnnkit/models/densenet.py`, a
# hundred lines:

# %%
densenet = models.densenet_base(None, (SIZE, SIZE, 3))
blocks = {}
for layer in densenet.layers:
    channels = layer.output.shape[-1]
    if layer.name in ("pool1", "pool2_pool", "pool3_pool", "pool4_pool"):
        blocks[f"block {len(blocks) + 1}"] = [channels]
    elif layer.name.endswith("_concat"):
        blocks[f"block {len(blocks)}"].append(channels)
print({name: f"{len(channels) - 1} layers" for name, channels in blocks.items()})
plots.curves(blocks, xlabel="layer of the block", ylabel="channels")

# %% [markdown]
# *Figure 8.3. The channels in DenseNet-121's four dense blocks. Each layer adds 32; each transition halves them.*
#
# 121 = 1 + 2 · (6 + 12 + 24 + 16) + 3 + 1: the first convolution, two for each layer of a block, three transitions,
# and the classifier. DenseNet-169 and 201 have other blocks, `block_config=(6, 12, 32, 32)` and `(6, 12, 48, 32)`.
#
# Its authors claim four strengths. **Gradients** come back by short ways. **Propagation**: so do features on their
# way forward. **Reuse**: a layer can use what an early one has found, without computing it again. And therefore
# **fewer parameters**. The last can be counted.
#
# **What do you expect?** ResNet-50 and DenseNet-121 are about equally good on ImageNet: 74.9 % and 75.0 % by Keras's
# own table. How many times as many parameters does the ResNet have, without its last layer?

# %%
resnet = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))
for network in (resnet, densenet):
    print(f"{network.name:10} {network.count_params():11,} parameters")
print(f"times as many: {resnet.count_params() / densenet.count_params():.1f}")

# %% [markdown]
# ### A base, and a head of your own
#
# The base comes with trained weights. **Pooling** its feature maps leaves one number a channel: the mean of each.
# What follows is the **head**: one dense layer with softmax, which knows the names of its classes.

# %%
base = models.densenet_base(WEIGHTS, (SIZE, SIZE, 3))
pooled = models.pooled(base)
training.reproducible(seed=5)
head = models.classification_head(base, train.class_names)
print(f"base {base.count_params():,} parameters, head {head.count_params():,}")
print("a photo becomes", pooled.output_shape[-1], "numbers")

# %% [markdown]
# ## 3. Learning algorithm: the head alone, then everything
#
# The team had two training programs, or trainers, each written by one member. One trains **the head alone**, with
# Adam; the base stays as it is. So what it makes of a photo is computed once (chapter 5), and the data set of the
# head is numbers instead of photos:

# %% tags=["nbval-ignore-output"]
train_features, validation_features = (
    training.transfer.as_features(pooled, photos, directory / "features")
    for photos in (train, validation)
)

# %%
print("photos  ", (len(train.labels), SIZE, SIZE, 3))
print("features", train_features.features.shape)

# %% [markdown]
# Adam remembers two things about each weight: the mean of its last gradients, and how large they were. It divides the
# one by the other. **The learning rate decays** by 15 % every few epochs, and for this the source makes a *new* Adam
# each time. That is easily overlooked, since it runs; but the new one remembers nothing.
#
# **What do you expect?** A weight has the gradients 1, −1, 1, −1 and then 0.01. How far does the Adam that remembers
# step at the last one, and how far a new one? The learning rate is 0.1.


# %%
def last_step(gradients, forget):
    weight = keras.Variable(0.0)
    optimizer = keras.optimizers.Adam(0.1)
    for gradient in gradients:
        if forget and gradient == gradients[-1]:
            optimizer = keras.optimizers.Adam(0.1)
        before = float(weight)
        optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    return abs(float(weight) - before)


for forget in (False, True):
    name = "a new one" if forget else "the same Adam"
    print(f"{name:14} steps {last_step([1.0, -1.0, 1.0, -1.0, 0.01], forget):.3f}")

# %% [markdown]
# The old one knows that these gradients cancel out, and how large they were. The new one knows nothing, and its first
# step is as long as the learning rate, however small the gradient. The same optimizer with another learning rate
# keeps its memory, its moments. Keras's `LearningRateScheduler` does that, and the recipe has it:

# %%
recipe = dataclasses.replace(
    training.recipes.HEAD_ONLY, learning_rate=HEAD_RATE, epochs=HEAD_EPOCHS
)
print(f"{recipe.optimizer}, batches of {recipe.batch_size}, {recipe.epochs} epochs")
print(f"learning rate {recipe.learning_rate}, × {recipe.decay} every {recipe.decay_every} epochs")

# %% [markdown]
# **When to evaluate.** On a large data set an epoch is long, and the best weights may come in its middle. So both
# trainers evaluate every few steps as well. One of them does it *during* its pass over the validation photos, and
# keeps the weights with the best accuracy so far, a share of the photos seen so far.
#
# **What do you expect?** A classifier is right on 80 of 100 photos, in random order. What is the best accuracy that
# you see on the way, looking every 10 photos?

# %%
random = np.random.default_rng(5)
right = np.array([True] * 80 + [False] * 20)
passes = np.cumsum([random.permutation(right) for _ in range(1000)], axis=1)
seen = passes[:, 9::10] / np.arange(10, 101, 10)
print(
    f"over the whole pass {seen[:, -1].mean():.2f}, best on the way {seen.max(axis=1).mean():.2f}"
)

# %% [markdown]
# The best figure on the way is too high, by luck; and luck decides which weights are kept. `training.Evaluations`
# evaluates every few steps too, once the first epochs are over, but always on *all* validation photos, and at each
# epoch's end. Each time it writes what your function writes. It keeps the best weights so far, unless they are below
# a floor, an accuracy under which nothing is worth keeping:


# %%
def judge(model, folder):
    probabilities = evaluation.predict(model, validation_features.features)
    report = evaluation.report(validation.labels, probabilities, validation.class_names)
    report.to_csv(folder / "report.csv")
    heatmap = plots.confusion(report.confusion, validation.class_names, percent=True)
    heatmap.savefig(folder / "confusion.png")
    return {"accuracy": report.accuracy}


evaluations = training.Evaluations(judge, directory / "head", every=10, after=3, floor=0.5)

# %% [markdown]
# Train it. Everything lands in one directory, from which an interrupted run goes on (chapter 7).

# %% tags=["nbval-ignore-output"]
history = training.fit(
    head,
    recipe,
    train_features,
    validation_features,
    directory / "head",
    evaluate=evaluations,
    verbose=0,
)

# %%
names = sorted(path.name for path in (directory / "head").glob("epoch-*"))
steps = len(train_features)
print(
    "evaluations:", len(names), "=", recipe.epochs, "+", (recipe.epochs - 3) * ((steps - 1) // 10)
)
print("each has", sorted(path.name for path in (directory / "head" / names[0]).iterdir()))

# %% tags=["nbval-ignore-output"]
plots.learning_curves(history)

# %% [markdown]
# *Figure 8.4. Learning curves of the head alone. `judge` returns no loss, so there is none of the validation photos.*
# <!-- alt: Training loss falls quickly in the first three epochs and slowly after; training and validation accuracy rise
# together from about 0.6 and 0.7 to about 0.9. -->

# %%
head = keras.models.load_model(directory / "head" / "best.keras")
classifier = models.with_head(base, head)
head_report = evaluation.report(test.labels, evaluation.predict(classifier, test), test.class_names)
print("better than guessing by far:", head_report.accuracy > 0.7)

# %% tags=["nbval-ignore-output"]
print(f"test accuracy of the head alone: {head_report.accuracy:.3f}")

# %% [markdown]
# The other trainer trains **the whole network**, by stochastic gradient descent with momentum. It begins where the
# head is: a new head would send its wild gradients through the base (chapter 6). Batch normalisation keeps its
# statistics.

# %% tags=["nbval-ignore-output"]
training.transfer.unfreeze_top(base, len(base.layers))
whole_recipe = dataclasses.replace(training.recipes.WHOLE_NETWORK, epochs=EPOCHS)
whole_history = training.fit(
    classifier, whole_recipe, train, validation, directory / "network", verbose=0
)
classifier = keras.models.load_model(directory / "network" / "best.keras")

# %%
probabilities = evaluation.predict(classifier, test)
report = evaluation.report(test.labels, probabilities, test.class_names)
print("not clearly worse than the head alone:", report.accuracy > head_report.accuracy - 0.03)

# %% [markdown]
# ## 4. Performance evaluation: which classes, which photos
#
# One number says how often the classifier is right. It does not say *when*.
#
# **What do you expect?** Look at figure 8.1 again. Which two of the species will be taken for one another?

# %%
plots.confusion(report.confusion, test.class_names, percent=True)

# %% [markdown]
# *Figure 8.5. Of each class in a row, how many per cent were taken for which.*
# <!-- alt: A matrix of four by four with a dark diagonal, darkest for koala and owl. The largest numbers beside it are
# cows taken for horses and horses taken for cows. -->

# %%
confused = report.confusion + report.confusion.T
np.fill_diagonal(confused, 0)
pair = sorted(np.unravel_index(confused.argmax(), confused.shape))
print("most often confused:", *[test.class_names[number] for number in pair])

# %% tags=["nbval-ignore-output"]
print(report)

# %% [markdown]
# You know precision, recall and the means from [chapter 2](02_mnist.ipynb). A class without photos has a dash; a
# program that divides by its number of photos would stop.
#
# The source writes this as a table of fractions, right of total for each pair of classes. (When you open it in a
# spreadsheet, import its columns as text, or 3/40 may become a date.)

# %%
report.to_csv(directory / "report.csv")
table = (directory / "report.csv").read_text().splitlines()
print(table[0])
print("rows:", len(table), "= header, classes, two means, accuracy:", 1 + len(test.class_names) + 3)

# %%
wrong = evaluation.worst_mistakes(test.labels, probabilities, count=6)
pictures = data.load_images([test.file_paths[n] for n in wrong], (SIZE, SIZE)) / 255
plots.mistakes(pictures, test.labels[wrong], probabilities[wrong], test.class_names)

# %% [markdown]
# *Figure 8.6. The mistakes that the classifier was surest of.*
#
# ### Search by picture
#
# What the team wanted in the end was search. The pooled features place each photo in a space where alike is near; the
# classes need not even be known. The **cosine distance** (코사인 거리) looks at directions alone.
#
# **What do you expect?** You search the training photos by an owl from the test set. Will the nearest all be owls?

# %%
pooled = models.pooled(classifier.get_layer("densenet"))
features = training.transfer.extract_features(pooled, train, directory / "features")
collection = evaluation.SimilarImages(features, train.file_paths)
query = test.file_paths[-1]
found = collection.nearest(pooled.predict(data.load_images([query], (SIZE, SIZE)), verbose=0), k=6)
collection.show(query, found)

# %% [markdown]
# *Figure 8.7. A test photo, and the training photos nearest to it, with their classes and cosine distances.*

# %%
print("a photo finds itself:", collection.nearest(features[0], k=1)[0].path == train.file_paths[0])
of_its_class = sum(Path(path).parent.name == Path(query).parent.name for path, _ in found)
print("at least half are of its class:", of_its_class >= 3)

# %% [markdown]
# ### One base, many heads
#
# A head is a few kilobytes, its base a megabyte here and 29 for DenseNet-121. The team kept one base in memory and
# swapped heads. Here is a second one for the base as it came, which tells only cows from all others.

# %%
base = models.densenet_base(WEIGHTS, (SIZE, SIZE, 3))
first = test.class_names[0]
second = models.classification_head(base, [f"no {first}", first])
is_first = (train.labels == 0).astype(int)
second.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

# %% tags=["nbval-ignore-output"]
second.optimizer.learning_rate = HEAD_RATE
second.fit(train_features.features, is_first, batch_size=8, epochs=HEAD_EPOCHS, verbose=0)
for name, each in (("species", head), ("first", second)):
    each.save(directory / f"{name}.keras")

# %%
photo = data.load_images([test.file_paths[0]], (SIZE, SIZE))
titles = []
for name in ("species", "first"):
    loaded = keras.models.load_model(directory / f"{name}.keras")
    swapped = models.with_head(base, loaded)  # shares the base, loads nothing
    answer = evaluation.predict(swapped, photo)[0]
    titles.append(f"{models.class_names(swapped)[answer.argmax()]} {answer.max():.0%}")
    print(f"{name:8}", models.class_names(swapped), "adds up to 1:", np.isclose(answer.sum(), 1))
print("less than 50 kilobytes:", (directory / "species.keras").stat().st_size < 50_000)
plots.image_grid([photo[0] / 255] * 2, titles, size=1.6)

# %% [markdown]
# *Figure 8.8. One photo, one base, and the answers of two heads.*
#
# A head fits the base that it was trained on, and no other: after the whole network was trained, its base is another
# one.
#
# ### Results

# %%
titles = {"own_photos_head": "head only", "own_photos_network": "then the\nwhole network"}
recorded = {name: evaluation.spread(name, "sample") for name in titles}
live = {"own_photos_head": head_report.accuracy, "own_photos_network": report.accuracy}
for name, spread in recorded.items():
    print(f"{name:20} {spread}")
    if SCALE == "sample":
        low, high = spread.bounds
        print(f"  this run lies between {low:.3f} and {high:.3f}:", live[name] in spread)

# %%
plots.spreads(
    {titles[name]: spread.figures for name, spread in recorded.items()},
    live={titles[name]: figure for name, figure in live.items()},
)

# %% [markdown]
# *Figure 8.9. Test accuracy on 480 drawings of four species, from 40 training drawings of each: the recorded seeds,
# and this run.*
#
# The source reports averages in the mid to high nineties for both of its trainers, on its own photos, which nobody
# else has. To repeat the recorded runs: `python -m benchmarks results own_photos_head own_photos_network --scale
# sample`.
#
# ## 5. Your own photos
#
# Chapter 6 ended with four situations. Now they are a decision about your folder. Count your photos (`cnnkit check`),
# look at what the base was trained on, and begin at the top:
#
# | | your photos resemble those of the pretraining | they do not |
# | --- | --- | --- |
# | **few** (hundreds in all, up to about 200 a class) | head only first; then try the whole network, slowly | head only, and find more photos (in a notebook, try the features of an earlier block) |
# | **many** (thousands and more) | head only first, then the whole network | the whole network, from the trained weights; compare with random ones |
#
# Here, with 40 photos a class, the whole network gained three points. The base had seen drawings of the same kind,
# which may be why. Try the head first; it takes a minute, and you know what to beat.
#
# And all of it works without a notebook. The team's two members kept a settings file each, with values that suited
# their own machines, until the two could not be merged any more. So there is one file, and it says what each value
# means. (For the whole network, write another one with `cnnkit init photos --file whole.yml --head-from run --output
# whole`.) These are the commands:
#
# ```sh
# cnnkit check photos
# cnnkit init photos          # writes run.yml, with every value and what it means
# cnnkit train run.yml        # interrupted, the same command goes on
# cnnkit evaluate run
# cnnkit predict run new.jpg
# cnnkit similar run new.jpg
# ```
#
# ## Exercises
#
# 1. How many parameters has the first layer of DenseNet-121's last dense block? And a plain 3×3 convolution from 512
#    to 512 channels?
# 2. What learning rate does the head have in its last epoch?
# 3. Build DenseNet-169. How many parameters does it have without its last layer?
# 4. Search by a photo of your own, or by one of another species. What does the distance of the nearest tell you?
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - *Custom Data 로 이미지 분류 전이학습 하기* (Transfer learning for image classification with custom data): the two trainers,
#   their evaluation, the swapped heads, and what went wrong.
# - G. Huang, Z. Liu, L. van der Maaten and K. Q. Weinberger, *Densely Connected Convolutional Networks*, CVPR 2017:
#   the network and its four strengths.
# - K. He, X. Zhang, S. Ren and J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016: skip connections.
# - S. Chilamkurthy, *Transfer Learning for Computer Vision*, PyTorch's tutorial: the values of the whole network's
#   recipe, and the ants and bees.
#
# **Next:** [chapter 9, shake-shake: a layer of your own](09_shakenet.ipynb).
#
# ## Solutions
#
# **1.** It sees 512 channels: 512 · 128 weights in the bottleneck, 128 · 32 · 9 in the 3×3 convolution,
# and four numbers for each channel that is normalised.

# %%
counted = 512 * 128 + 128 * 32 * 9 + 4 * (512 + 128)
layers = [layer for layer in densenet.layers if layer.name.startswith("conv5_block1_")]
print(f"{counted:,} =", f"{sum(layer.count_params() for layer in layers):,}")
print(f"a plain convolution: {512 * 512 * 9:,}")

# %% [markdown]
# **2.** It has fallen after epochs 3, 6 and 9:

# %%
print(f"{HEAD_RATE * 0.85**3:.5f}", f"{history.history['learning_rate'][-1]:.5f}")

# %% [markdown]
# **3.** Other blocks, the same parts:

# %%
deeper = models.densenet_base(None, (SIZE, SIZE, 3), block_config=(6, 12, 32, 32))
print(f"{deeper.count_params():,}")

# %% [markdown]
# **4.** Something is always nearest. A distance much larger than those among your photos says: nothing here is like
# it. A small one proves nothing: some of these cats lie as near to a training photo as your test photos do.

# %%
strange = data.drawings.write(directory / "strange", ["cat"], per_class=20, seed=9)
photos = data.load_images(sorted((strange / "cat").iterdir()), (SIZE, SIZE))
far = [collection.nearest(f, k=1)[0].distance for f in pooled.predict(photos, verbose=0)]
photos = data.load_images(test.file_paths[::24], (SIZE, SIZE))
near = [collection.nearest(f, k=1)[0].distance for f in pooled.predict(photos, verbose=0)]
print("on average, cats are further away than test photos:", np.mean(far) > np.mean(near))
