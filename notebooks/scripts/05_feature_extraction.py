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
# # Chapter 5. Feature extraction
#
# At the end of this chapter you can
#
# - say what ImageNet is, what VGG16 learned from it, and why a network for 1,000 classes serves two;
# - put a small **head** (헤드) on a trained **base** (기저), compute the features once, and train in seconds;
# - do the same with augmentation, and say what that costs;
# - choose a trained network for your own photos.
#
# You need [chapter 4](04_augmentation.ipynb). At sample scale the chapter takes about a minute.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# In chapter 4 you got out of 400 or 2,000 photos all that they hold, and were still wrong about every seventh photo.
# People need fewer photos of a new animal, because they have seen others before. A network can do the
# same: **transfer learning** (전이 학습) takes a network that was trained on many other photos, and uses what it knows.
# Its plainest form is **feature extraction** (특성 추출): the trained network stays as it is, and only a new head learns
# from what it makes of your photos. *The source* of this chapter is *9. 합성곱 신경망* (see Sources).

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
SIZE = {"sample": 112, "full": 180}[SCALE]
WEIGHTS = {"sample": "drawn", "full": "imagenet"}[SCALE]
EPOCHS = 20
AUGMENTED_EPOCHS = 50
AUGMENTED_RATE = {"sample": 2e-4, "full": 1e-3}[SCALE]  # small steps, see below
VIEWS = 10

# %%
import tempfile
import time
from pathlib import Path

from cnnkit import data, evaluation, models, plots, training
from cnnkit.data import augment

import keras
import numpy as np
from sklearn.decomposition import PCA

# %% [markdown]
# ## 1. Data set: yours, and the one that the network has seen
#
# Your photos are those of chapters 3 and 4, a little larger at sample scale: the trained network was made for
# this size.

# %% tags=["nbval-ignore-output"]
folder = data.cats_vs_dogs(SCALE)

# %%
train = data.image_folder(folder / "train", (SIZE, SIZE), batch_size=32, shuffle=True, seed=5)
validation = data.image_folder(folder / "validation", (SIZE, SIZE))
test = data.image_folder(folder / "test", (SIZE, SIZE))
print(len(train.labels), "photos for training,", len(test.labels), "for testing")

# %% [markdown]
# **ImageNet** (이미지넷) holds about 15 million photos in 22,000 categories. Its yearly competition, the
# **ILSVRC** (2010 to 2017), took 1,000 of the categories with 1.2 to 1.3 million photos for training: animals,
# vehicles, tools, food. An entry was judged by its five best guesses for each photo.
#
# | year | network | layers with weights | error of the entry, five best guesses |
# | --- | --- | --- | --- |
# | 2012 | AlexNet, the winner (chapter 7) | 8 | 15.3 % |
# | 2014 | **VGG**, second | 16 or 19 | 7.3 % |
# | 2014 | GoogLeNet, the winner | 22 | 6.7 % |
# | 2015 | ResNet, the winner | 152 | 3.6 % |
#
# Each entry averaged several such networks; a single AlexNet has about 18 %. VGG16 came second and
# became the more popular one, since nothing could be simpler: 3×3 convolutions and 2×2 max pooling, five
# times over, and three dense layers. Its training took weeks. You download the result.
#
# At sample scale you have no need to: a VGG16 with one eighth of the filters comes with cnnkit. It was trained on
# drawn animals of twelve species: bears, foxes, frogs, lions, monkeys, mice, pandas, pigs, rabbits, raccoons, sheep
# and tigers. It has never seen a cat or a dog.

# %%
mixed = data.image_folder(folder / "validation", (SIZE, SIZE), 8, shuffle=True, seed=5)
photos, labels = next(iter(mixed))
plots.image_grid(photos.numpy() / 255, [mixed.class_names[label] for label in labels], columns=8)

# %% [markdown]
# *Figure 5.1. Eight of your photos.*
#
# **What do you expect?** What can a network that tells lions from rabbits know about these? What can it not know?
#
# ## 2. Learning model: a trained base, a new head
#
# The last layers of a classifier are made for its classes, and you have no use for 1,000 of them. What
# comes before them turns photos into **features** (특성): numbers that say where there are edges, textures,
# eyes, ears. To tell Siamese cats from Persian ones and 120 breeds of dogs from one another, it had to learn
# much more than "cat or dog" needs. So cut the last layers off and keep the rest, the base. Keras says
# `include_top=False`.

# %%
base = models.vgg16_base(WEIGHTS, (SIZE, SIZE, 3))
for layer in base.layers:
    print(f"{layer.name:14} {layer.output.shape[1:]!s:16} {layer.count_params():>9,}")
print(f"together {base.count_params():,}, and at full width {models.vgg16_base().count_params():,}")

# %% [markdown]
# Each block halves height and width; the number of filters doubles up to block 4. The first layer,
# `preprocessing`, is not VGG16's. VGG16 was trained on colours in the order blue, green, red, minus
# their mean over all of ImageNet. A student who forgets that, or does it twice, gets no error, only
# worse results. Here it belongs to the base: give it pixels from 0 to 255.
#
# **What do you expect?** How many of the base's arrays of weights can be trained? There are thirteen
# convolutions, each with a kernel and a bias. And how many when the base is **frozen** (동결)?

# %%
print("arrays that can be trained:", len(base.trainable_weights))
base.trainable = False
print("when the base is frozen:", len(base.trainable_weights))

# %% [markdown]
# `models.transfer_classifier` puts a head on it: flatten, a dense layer of 256 units without an activation,
# dropout, and one unit with a sigmoid. A base of full width gives 5×5×512 features for photos of
# 180×180, and the head 3,277,313 parameters.

# %%
training.reproducible(seed=5)
model = models.transfer_classifier(base)
plots.trained_layers({"VGG16 with a new head": plots.layer_states(model)})

# %% [markdown]
# *Figure 5.2. The layers with weights; four times as many parameters make a bar twice as high. Only the head is
# trained.*
#
# ## 3. Learning algorithm
#
# ### Compute the features once
#
# A frozen base gives the same features for a photo in each epoch. So compute them once, and train the head on them.
# Do the features deserve the effort? Look at the photos before and after the base: **principal components**, which
# you met in chapter 4, squeeze each photo into two numbers, first from its pixels, then from its features. The labels
# are used for the colours only.

# %% tags=["nbval-ignore-output"]
features = training.transfer.extract_features(base, train)
validation_features = training.transfer.extract_features(base, validation)
test_features = training.transfer.extract_features(base, test)

# %%
print("features of the training photos:", features.shape)
pixels = np.concatenate([images for images, _ in test])

# %%
maps = {
    "pixels": PCA(2).fit_transform(pixels.reshape(len(pixels), -1)),
    "features": PCA(2).fit_transform(test_features.reshape(len(pixels), -1)),
}
plots.point_maps(maps, test.labels, test.class_names)

# %% [markdown]
# *Figure 5.3. The test photos as points: two principal components of their pixels and of their features.*
# <!-- alt: Two clouds of points. By their pixels, cats and dogs lie over one another. By their features, most dogs lie
# at the left and most cats at the right, with few in between. -->
#
# Nobody has told the base which photo is a cat. Still its features sort them, and you see only two numbers out of
# hundreds. The base cannot know the names: which group is the cats, only your labels say.
#
# `extract_features` keeps its result on disk, under a key of the base's weights and of the photos' pixels. Run this
# notebook again tomorrow, and the features are there; change a photo, and they are computed anew.

# %%
start = time.perf_counter()
for part in (train, validation, test):
    training.transfer.extract_features(base, part)
print("the second time takes less than two seconds:", time.perf_counter() - start < 2)

# %% [markdown]
# Now the head. It begins where the base ends, and Keras can take it out of the whole model. The two share
# their layers: train the head, and the model is trained.

# %%
head = keras.Model(model.get_layer("flatten").input, model.output, name="head")
head.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
directory = Path(tempfile.mkdtemp())


def best_weights(name):
    return keras.callbacks.ModelCheckpoint(
        directory / f"{name}.weights.h5", "val_loss", save_best_only=True, save_weights_only=True
    )


# %% [markdown]
# **What do you expect?** Chapter 3's training took about a minute for 30 epochs. How long do 20 epochs
# take here, and which accuracy do they reach?

# %% tags=["nbval-ignore-output"]
history = head.fit(
    features,
    train.labels,
    validation_data=(validation_features, validation.labels),
    epochs=EPOCHS,
    callbacks=[best_weights("head")],
    verbose=2,
)

# %%
curves = history.history
print("validation accuracy above 0.85:", max(curves["val_accuracy"]) > 0.85)
print("found in the first ten epochs:", max(curves["val_accuracy"][:10]) > 0.85)
plots.learning_curves(history)

# %% [markdown]
# *Figure 5.4. Loss and accuracy of a head on stored features.*
# <!-- alt: Training loss falls from 0.6 to 0.1 and training accuracy rises to 0.97. Validation loss is lowest in the
# first epochs and then rises; validation accuracy stays around 0.92. -->
#
# The very first epoch goes beyond what chapter 4 needed minutes for, and then the head begins to learn by
# heart: its training loss goes on falling, and that of the validation photos rises. You know what helps.

# %%
head.load_weights(directory / "head.weights.h5")
report = evaluation.report(test.labels, evaluation.predict(model, test), test.class_names)

# %% [markdown]
# ### With augmentation
#
# Augmentation changes each photo in each epoch, so that its features are never the same twice. The published way
# gives up storing them: augmentation, base and head become one model, and each of 50 epochs sends all photos
# through the base, 20,000 passes in the sample. On a laptop, with VGG16 at full width, 2,000 photos, and 1,000
# for validation, that is three to four hours.
#
# There is a way between. Compute the features of ten augmented **views** of each photo, and let the epochs take turns
# with them. `fit_from_frozen` does that with any model whose frozen layers come first: it finds the place where
# training begins, computes what lies before it once, and trains the rest. The weights end up in your model, and they
# are the same that `fit` would find on these views. At sample scale the head takes smaller steps here: with the
# published learning rate of 1e-3, its validation loss jumps up and down and does not settle.

# %%
training.reproducible(seed=5)
augmented = models.transfer_classifier(base, augmentation=augment.flip_rotate_zoom())
augmented.compile(
    optimizer=keras.optimizers.RMSprop(learning_rate=AUGMENTED_RATE),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
passes = len(train.labels) * AUGMENTED_EPOCHS
print(f"passes of photos through the base: {passes:,} with fit, here {len(train.labels) * VIEWS:,}")

# %% tags=["nbval-ignore-output"]
augmented_history = training.transfer.fit_from_frozen(
    augmented,
    train,
    validation,
    epochs=AUGMENTED_EPOCHS,
    views=VIEWS,
    callbacks=[best_weights("augmented")],
    verbose=0,
)

# %%
print("epochs:", len(augmented_history.epoch))
plots.learning_curves(augmented_history)

# %% [markdown]
# *Figure 5.5. Loss and accuracy of a head on features of augmented photos.*
# <!-- alt: Training loss falls to about 0.15 and training accuracy rises to 0.95. Validation loss stays around 0.25 over
# fifty epochs, without the rise of figure 5.4; validation accuracy stays around 0.91. -->
#
# **What do you expect?** Compare figures 5.4 and 5.5: in which of them does the head overfit later? And which of the
# two will be better on the test photos?
#
# ## 4. Performance evaluation

# %%
augmented.load_weights(directory / "augmented.weights.h5")
augmented_report = evaluation.report(
    test.labels, evaluation.predict(augmented, test), test.class_names
)
recorded = {
    name: evaluation.spread(name, "sample")
    for name in ("cats_vs_dogs", "cats_vs_dogs_augmented", "features", "features_augmented")
}
for name, spread in recorded.items():
    print(f"{name:24} {spread}")

# %%
if SCALE == "sample":
    for name, found in (("features", report), ("features_augmented", augmented_report)):
        low, high = recorded[name].bounds
        print(f"{name}: between {low:.3f} and {high:.3f}:", found.accuracy in recorded[name])

# %%
titles = {
    "cats_vs_dogs": "from scratch\n(chapter 3)",
    "cats_vs_dogs_augmented": "with augmentation\n(chapter 4)",
    "features": "features",
    "features_augmented": "features, with\naugmentation",
}
plots.spreads(
    {titles[name]: spread.figures for name, spread in recorded.items()},
    live={"features": report.accuracy, titles["features_augmented"]: augmented_report.accuracy},
    published=dict(zip(titles.values(), (0.70, 0.83, 0.97, 0.977), strict=True)),
)

# %% [markdown]
# *Figure 5.6. Test accuracy: the recorded seeds at sample scale, this run, and what the source reports for real photos;
# for features without augmentation, it reports validation photos. A darker dot is several equal seeds.*
# <!-- alt: Four rows of dots. From scratch the seeds lie around 0.69, with augmentation around 0.87; features with and
# without augmentation lie around 0.95, far to the right of both and a little below what the source reports. -->
#
# With augmentation the head overfits later: in figure 5.4 the validation loss is lowest within the first epochs, in
# figure 5.5 much later. On the test photos the two are as good as each other.
#
# The source reports **0.97** on validation photos without augmentation, and **0.977** on test photos with it. To
# repeat the recorded runs: `python -m benchmarks results features features_augmented --scale sample`.
#
# In the sample, augmentation changes little: what few photos lack, the base knows already. Whether it helps
# you is a question that you answer by measuring.
#
# ### Which network?
#
# `keras.applications` has a dozen families of networks with ImageNet weights. Some of them, with the accuracy of
# their best guess on ImageNet's validation photos, as Keras's documentation has it:
#
# | network | file | parameters | accuracy | take it when |
# | --- | --- | --- | --- | --- |
# | MobileNetV2 | 14 MB | 3.5 million | 0.713 | it has to run on a phone |
# | EfficientNetB0 | 29 MB | 5.3 million | 0.771 | you want much accuracy for little computation |
# | DenseNet121 | 33 MB | 8.1 million | 0.750 | you have few photos, and the file should be small (chapter 8) |
# | Xception | 88 MB | 22.9 million | 0.790 | you have a GPU, and details matter |
# | ResNet50 | 98 MB | 25.6 million | 0.749 | you compare with others: everybody has used it |
# | VGG16 | 528 MB | 138.4 million | 0.713 | you want to look inside: its layers stand in a row (chapter 10) |
# | EfficientNetV2S | 88 MB | 21.6 million | 0.839 | accuracy counts most, and you have a GPU |
#
# Files and parameters are those of the whole network; of VGG16's, nine tenths are in the dense layers that you cut
# off. Each network has a preprocessing of its own.
#
# ## Exercises
#
# 1. Why does the dense layer of the head have no activation? What would two dense layers without activation be worth
#    without the dropout between them?
# 2. The head of VGG16 at full width has 3,277,313 parameters for photos of 180×180. How many would it have behind
#    `GlobalAveragePooling2D`, which keeps the mean of each map alone, instead of `Flatten`? Compute it, then check.
# 3. Change the pixels of one photo, and show that `extract_features` computes new features for it.
# 4. Take a base with random weights instead of the trained one, and train a head on its features. How good is it?
#    What does that say about figure 5.3?
# 5. Is a head needed at all? Classify each test photo by its nearest training photo, once by pixels and
#    once by features (`sklearn.neighbors.KNeighborsClassifier`).
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - *9. 합성곱 신경망* (Convolutional neural networks), after F. Chollet, *Deep Learning with Python*, 2nd
#   edition, Manning 2021, section 8.3: feature extraction with VGG16, and the figures of 0.97 and 0.977.
# - K. Simonyan and A. Zisserman, *Very deep convolutional networks for large-scale image recognition*, ICLR 2015.
# - O. Russakovsky et al., *ImageNet large scale visual recognition challenge*, International Journal of
#   Computer Vision 2015.
# - [Keras Applications](https://keras.io/api/applications/), for the table of networks.
#
# **Next:** [chapter 6, fine-tuning](06_fine_tuning.ipynb).
#
# ## Solutions
#
# **1.** Two linear layers in a row are one linear layer. So in inference the head can do no more than a single unit,
# with the dropout or without. What changes is how it is trained: each step uses another half of the 256 units, so
# that the head does not lean on a few of them. The source gives no other reason.
#
# **2.** 512 features instead of 12,800: 512 · 256 + 256 + 256 + 1 = 131,585.

# %%
pooled = keras.Sequential(
    [
        keras.Input((5, 5, 512)),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(256),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
print(f"{pooled.count_params():,}")

# %% [markdown]
# **3.** The features are in the order of the files, so the photo with number 3 has number 3:

# %%
batches = [(images.numpy(), labels.numpy()) for images, labels in validation]
batches[0][0][3] = 255 - batches[0][0][3]
changed = training.transfer.extract_features(base, batches)
different = np.abs(changed - validation_features).max(axis=(1, 2, 3)) > 1e-3
print("photos with other features:", np.flatnonzero(different))

# %% [markdown]
# **4.** Better than guessing, and far worse than the trained one. Random filters keep some of what is in a photo;
# the order in figure 5.3 comes from training.


# %% tags=["nbval-ignore-output"]
def accuracy_of_a_head(some_base):
    some_base.trainable = False
    training.reproducible(seed=5)
    classifier = models.transfer_classifier(some_base)
    classifier.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    training.transfer.fit_from_frozen(classifier, train, epochs=10, verbose=0)
    return evaluation.report(test.labels, evaluation.predict(classifier, test)).accuracy


width = {"sample": 1 / 8, "full": 1}[SCALE]
untrained = accuracy_of_a_head(models.vgg16_base(None, (SIZE, SIZE, 3), width))
print(f"features of random weights {untrained:.3f}, of trained ones {report.accuracy:.3f}")

# %%
print("at least 15 points below the trained base:", untrained < report.accuracy - 0.15)

# %% [markdown]
# **5.** By features, the nearest photo is far better than by pixels: the features put photos of one class near one
# another.

# %%
from sklearn.neighbors import KNeighborsClassifier

unshuffled = data.image_folder(folder / "train", (SIZE, SIZE))
train_pixels = np.concatenate([images for images, _ in unshuffled])


def score_of_the_nearest(known, new):
    nearest = KNeighborsClassifier(1).fit(known.reshape(len(known), -1), train.labels)
    return nearest.score(new.reshape(len(new), -1), test.labels)


by_pixels = score_of_the_nearest(train_pixels, pixels)
by_features = score_of_the_nearest(features, test_features)
print("by features at least 15 points better:", by_features > by_pixels + 0.15)
