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
# # Chapter 10. Looking inside a network
#
# At the end of this chapter you can
#
# - show what each layer of a network makes of a photo, and what its filters look for;
# - compute Grad-CAM by its definition, and read where in a photo the evidence for a class is;
# - lay out photos in a plane so that you see which ones a network finds alike;
# - catch a network that is right for the wrong reason, by a picture and by a number.
#
# You need [chapter 5](05_feature_extraction.ipynb) and [chapter 6](06_fine_tuning.ipynb) for bases and fine-tuning, and
# [chapter 8](08_own_photos.ipynb) for heads and Adam.
# At sample scale the chapter takes about two minutes.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# Accuracy says how often a network is right. It does not say why. A network that tells wolves from dogs by the snow in
# the background is right on all photos of a test set that was taken the same way, and useless in summer. This chapter
# is the last part of every classifier, **performance evaluation**, once more, with other means than numbers: you look
# inside. *The sources* are the paper on Grad-CAM and section 9.4 of Chollet's book (see Sources).
#
# You look into two networks, a small one that learns from scratch, and VGG16 fine-tuned. The photos are the cats and
# dogs of [chapter 3](03_cats_vs_dogs.ipynb). The drawn ones of the sample have one advantage over real photos: you
# know where the face is, since the program that drew it wrote it down.

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
SIZE = {"sample": 112, "full": 180}[SCALE]  # pixels, of photos for the fine-tuned network
SMALL = {"sample": 64, "full": 128}[SCALE]  # and for the small one
WEIGHTS = {"sample": "drawn", "full": "imagenet"}[SCALE]
EPOCHS = {"sample": 15, "full": 40}[SCALE]

# %%
import tempfile
from pathlib import Path

from cnnkit import data, evaluation, models, plots, training
from cnnkit.evaluation import explain

import keras
import numpy as np
from keras import layers
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

# %% [markdown]
# ## 1. Two networks for the same photos

# %% tags=["nbval-ignore-output"]
folder = data.cats_vs_dogs(SCALE)

# %%
train = data.image_folder(folder / "train", (SIZE, SIZE), batch_size=16, shuffle=True, seed=5)
test = data.image_folder(folder / "test", (SIZE, SIZE))
small_train = data.image_folder(folder / "train", (SMALL, SMALL), 16, shuffle=True, seed=5)
small_test = data.image_folder(folder / "test", (SMALL, SMALL))
print(len(train.labels), "photos for training,", len(test.labels), "for testing")

# %% [markdown]
# The small network has four convolutions and ends in the mean of each feature map, as DenseNet does in [chapter
# 8](08_own_photos.ipynb), instead of a `Flatten`. Its learning rate falls to 0 along half a cosine
# wave, as in [chapter 9](09_shakenet.ipynb). (The `momentum` of batch normalisation says how slowly what it has stored
# follows the batches; it has nothing to do with that of SGD in chapter 7.)


# %%
def small_network(steps, size=SMALL):
    training.reproducible(seed=5)
    x = inputs = keras.Input((size, size, 3), name="photos")
    x = layers.Rescaling(1 / 255, name="rescaling")(x)
    for number, filters in enumerate((16, 32, 64, 64), start=1):
        if number > 1:
            x = layers.MaxPooling2D(2, name=f"pool{number - 1}")(x)
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"bn{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    outputs = layers.Dense(2, activation="softmax", name="predictions")(x)
    model = keras.Model(inputs, outputs, name="small_network")
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, steps))
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


scratch = small_network(steps=EPOCHS * len(small_train))
print(f"{scratch.count_params():,} parameters")

# %% tags=["nbval-ignore-output"]
history = scratch.fit(small_train, epochs=EPOCHS, verbose=0)

# %%
print("it learns:", history.history["loss"][-1] < 0.5 * history.history["loss"][0])

# %% [markdown]
# The other one stands on VGG16, at sample scale the one of an eighth of the width that comes with the package. First a
# head learns on what the base makes of the photos, then the last block is freed, with a small learning rate.

# %%
training.reproducible(seed=5)
base = models.vgg16_base(WEIGHTS, (SIZE, SIZE, 3))
head = models.classification_head(base, train.class_names)
tuned = models.with_head(base, head)
features = training.transfer.as_features(models.pooled(base), train)
head.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
training.transfer.unfreeze_top(base, 4)

# %% tags=["nbval-ignore-output"]
history = head.fit(features, epochs=20, verbose=0)
tuned.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy")
history = tuned.fit(train, epochs=3, verbose=0)

# %% [markdown]
# **What do you expect?** Which of the two is right more often, and is the other one any good?

# %%
networks = {"from scratch": (scratch, small_test), "fine-tuned": (tuned, test)}
probabilities = {name: evaluation.predict(*each) for name, each in networks.items()}
accuracy = {
    name: evaluation.report(test.labels, rows, test.class_names).accuracy
    for name, rows in probabilities.items()
}
print("from scratch, clearly better than guessing:", accuracy["from scratch"] > 0.65)
print("fine-tuned, better than that:", accuracy["fine-tuned"] > accuracy["from scratch"])

# %% tags=["nbval-ignore-output"]
for name, share in accuracy.items():
    print(f"{name:12} test accuracy {share:.3f}")

# %% [markdown]
# These figures are of one run (seed 5; at sample scale, 600 test photos), and so are all others of this chapter; the
# ratios of section 4 and all of section 6 are over 100 photos. By the rule of chapter 1 they are examples, not
# results.
#
# ## 2. The same photo through growing depth
#
# A **feature map** is what a filter makes of a picture. In [chapter 1](01_convolution.ipynb) you looked at those of
# one layer. `explain.feature_maps` returns those of any layers, also of layers within a base.
#
# **What do you expect?** Can you still see the animal after four blocks of VGG16? And what is dark in the last maps?

# %%
right = [
    number
    for number, label in enumerate(test.labels)
    if all(rows[number].argmax() == label for rows in probabilities.values())
]
number = right[1]
photo, small_photo = (
    data.load_images([test.file_paths[number]], (side, side))[0] for side in (SIZE, SMALL)
)
names = [f"block{block}_conv2" for block in (1, 2, 3, 4)] + ["block5_conv3"]
maps = explain.feature_maps(tuned, photo, names)
plots.layer_by_layer(photo / 255, list(maps.values()), names)

# %% [markdown]
# *Figure 10.1. A test photo on its way through the fine-tuned network: of each layer, the feature maps with the
# strongest responses. Dark is strong.*

# %%
small_names = ["relu1", "relu2", "relu3", "relu4"]
small_maps = explain.feature_maps(scratch, small_photo, small_names)
plots.layer_by_layer(small_photo / 255, list(small_maps.values()), small_names)

# %% [markdown]
# *Figure 10.2. The same photo in the network from scratch, which sees it smaller and has four convolutions.*

# %%
for name, each in maps.items():
    print(f"{name:13} {each.shape!s:15} {each.size:7,} numbers")
silent = [np.mean(each == 0) for each in maps.values()]
print("in each, a third to four fifths are 0:", min(silent) > 1 / 3 and max(silent) < 4 / 5)

# %% [markdown]
# The first layers keep nearly everything: edges, colours, the outline. With depth, the maps become coarse. A dark spot
# there no longer says "here is an edge" but "here is something that I know". In each layer between a third and four
# fifths of the numbers are 0; what changes with depth is what the others stand for. Information about *what* grows while information about
# *where* and *how it looked* gets lost. So you would recognise a photo from the first layers, and a class from the
# last.
#
# ## 3. What filters look for
#
# The **kernels** of the first layer see pixels, so you can look at them as they are:

# %%
plots.kernels(scratch.get_layer("conv1").get_weights()[0], columns=16, size=0.5)

# %% [markdown]
# *Figure 10.3. The 3×3 kernels of the first layer from scratch: rows of red, green and blue, a
# column for each of the 16 filters.*
#
# Nine numbers a colour, some of which look like edges. Later layers see maps of maps, and their kernels say nothing to
# you. Ask differently: which *picture* would excite a filter most? Begin with grey noise, compute how the response of
# the filter changes with each pixel, and change the pixels in that direction. It is training turned round. The weights
# stand still and the picture learns, by **gradient ascent** (경사 상승법).
#
# **What do you expect?** What does a filter of block 1 look for, and what one of block 5?

# %%
layers_asked = ["block1_conv2", "block3_conv3", "block5_conv3"]
patterns = {name: explain.filter_patterns(tuned, name, 7, steps=25) for name in layers_asked}
plots.picture_rows(patterns, size=1.05)

# %% [markdown]
# *Figure 10.4. The patterns that excite the first seven filters of three layers of the fine-tuned network.*
#
# Block 1 looks for plain colours and their borders, block 3 for textures and dots, block 5 for parts: dark round
# things with a rim, arches, rows of them. Nobody asked for filters like these; training on faces led to them.

# %%
again = patterns["block3_conv3"][0]
response = explain.feature_maps(tuned, 255 * again, "block3_conv3")["block3_conv3"]
noise = np.random.default_rng(5).normal(0.5, 0.15, photo.shape).clip(0, 1)
to_noise = explain.feature_maps(tuned, 255 * noise, "block3_conv3")["block3_conv3"]
print("filter 0 responds more to its pattern than to noise of the same contrast:")
print(response[..., 0].mean() > 2 * to_noise[..., 0].mean())

# %% [markdown]
# ## 4. Where the network looks
#
# The last feature maps $A_k$ still know, coarsely, where things are. Which of them speak for a class? Those by which
# its score $y_c$ rises. **Grad-CAM** (Selvaraju et al., 2017) takes the gradient of the score with respect to each map,
# averages it over the map to a weight, and adds up the maps:
#
# $$w_k = \frac{1}{hw} \sum_{i,j} \frac{\partial y_c}{\partial A_{kij}} \qquad
# L_c = \max\Big(0, \sum_k w_k A_k\Big)$$
#
# What is negative speaks for other classes and is left out. The score is the one *before* the softmax. A network
# that is sure has a probability of 1.000, and no small change of a map changes that.
#
# The small network ends in the means of its maps and one dense layer.
#
# **What do you expect?** What are its weights $w_k$ then?

# %%
label = test.labels[number]
small_heat = explain.grad_cam(scratch, small_photo, class_index=label, layer="relu4")
dense = scratch.get_layer("predictions").get_weights()[0]  # (maps, classes)
by_hand = np.maximum((small_maps["relu4"] * dense[:, label]).sum(axis=-1), 0)
enlarged = keras.ops.image.resize(by_hand[..., np.newaxis], (SMALL, SMALL))
enlarged = keras.ops.convert_to_numpy(enlarged)[..., 0]
print("by hand the same:", np.allclose(small_heat * enlarged.max(), enlarged, atol=1e-3))

# %% [markdown]
# The score is a weighted sum of the means of the maps, so its gradients are the weights of the dense layer (over $hw$,
# which falls away when the heat is scaled to 1). That is the **class activation map** (클래스 활성화 맵) of Zhou et al.
# (2016), for which a network has to end like this. Grad-CAM takes any network, at any layer.
#
# ### Right answers

# %%
size = {"from scratch": SMALL, "fine-tuned": SIZE}
chosen = np.flatnonzero(test.labels == 0)[:50].tolist() + np.flatnonzero(test.labels)[:50].tolist()
shown = np.array([n for n in chosen if n in right])[[0, 1, 2, -3, -2, -1]]
pictures = data.load_images([test.file_paths[n] for n in shown], (SIZE, SIZE))
titles = [test.class_names[test.labels[n]] for n in shown]
plots.heat_overlays(pictures, explain.grad_cam(tuned, pictures), titles)

# %% [markdown]
# *Figure 10.5. Photos that the fine-tuned network classifies rightly, and in orange where it sees the evidence.*

# %%
small_pictures = data.load_images([test.file_paths[n] for n in shown], (SMALL, SMALL))
plots.heat_overlays(small_pictures, explain.grad_cam(scratch, small_pictures), titles)

# %% [markdown]
# *Figure 10.6. The same photos and the network from scratch.*
#
# Pictures like these convince quickly, and six pictures prove nothing. So measure. For drawn animals you know the
# **bounding box** (경계 상자) of each face. Which share of the heat lies in it? Heat that is spread
# evenly would have as large a share there as the box has of the picture. So divide one share by the other: 1 means
# spread evenly, and more means on the face.
#
# **What do you expect?** Which ratio has a network whose weights are random?


# %%
def face_ratio(model, paths, side):
    """Over these photos: mean share of the heat in the box by mean share of the box."""
    photos = data.load_images(paths, (side, side))
    boxes = data.drawings.face_boxes(paths, (side, side))
    return explain.focus(explain.grad_cam(model, photos), boxes).ratio


paths = [test.file_paths[n] for n in chosen]
if SCALE == "sample":
    ratios = {name: face_ratio(model, paths, size[name]) for name, (model, _) in networks.items()}
    ratios["untrained"] = face_ratio(small_network(steps=1), paths, SMALL)
    print(f"over {len(paths)} test photos")
    print("fine-tuned, at least twice as much heat on the face:", ratios["fine-tuned"] >= 2)
    print("from scratch, more than untrained:", ratios["from scratch"] > ratios["untrained"])

# %% tags=["nbval-ignore-output"]
if SCALE == "sample":
    for name, ratio in ratios.items():
        print(f"{name:12} {ratio:.2f} times as much heat on the face as anywhere")

# %% [markdown]
# Look at the third line, *untrained*: the small network with *random* weights is above 1 as well. Faces are brighter
# than their backgrounds and have more edges, and any filter responds to that. So compare a ratio with that of the same
# network untrained, not with 1 alone, and over several seeds before you call it a result: this is one run, over 100
# photos.
#
# ### The worst mistakes
#
# **What do you expect?** Where does the network look when it is wrong: elsewhere, or at the same place?

# %%
wrong = evaluation.worst_mistakes(test.labels, probabilities["fine-tuned"], count=6)
pictures = data.load_images([test.file_paths[n] for n in wrong], (SIZE, SIZE))
rows = probabilities["fine-tuned"][wrong]
titles = [
    f"{test.class_names[row.argmax()]}? ({row.max():.0%})\nis {test.class_names[test.labels[n]]}"
    for n, row in zip(wrong, rows, strict=True)
]
plots.heat_overlays(pictures, explain.grad_cam(tuned, pictures), titles)

# %% [markdown]
# *Figure 10.7. The mistakes that the fine-tuned network was surest of, and the evidence for what it took them for.*
#
# Mostly it looks at the face and misreads it: an ear that is folded, an eye behind grass, a muzzle that the light
# swallows. Such a mistake asks for more photos of that kind. If the heat lay beside the face, it would ask for another
# data set.
#
# ## 5. What the network finds alike
#
# In [chapter 5](05_feature_extraction.ipynb) you projected features onto their first two principal components.
# **t-SNE** (van der Maaten and Hinton, 2008) does not project. It puts points into the plane so that those that are
# neighbours among the features stay neighbours. Groups show better that way, but distances between groups mean little,
# and neither do axes.
#
# **What do you expect?** You see test photos as the pixels have them, as the network from scratch has them, and as the
# fine-tuned one has them. Where are cats and dogs apart?

# %%
some = [n for n in range(len(test.labels)) if n % {"sample": 3, "full": 10}[SCALE] == 0]
paths = [test.file_paths[n] for n in some]
photos = {side: data.load_images(paths, (side, side)) for side in (SMALL, SIZE)}
inner = keras.Model(scratch.input, scratch.get_layer("average").output)
features = {
    "pixels": photos[SMALL] / 255,
    "from scratch": inner.predict(photos[SMALL], verbose=0),
    "fine-tuned": models.pooled(base).predict(photos[SIZE], verbose=0),
}


def embed(vectors):
    rows = vectors.reshape(len(vectors), -1)
    rows = PCA(min(50, *rows.shape), random_state=5).fit_transform(rows)
    return TSNE(method="exact", random_state=5).fit_transform(rows)


plane = {name: embed(each) for name, each in features.items()}
plots.point_maps(plane, test.labels[some], test.class_names)

# %% [markdown]
# *Figure 10.8. Two hundred test photos of the sample in the plane, by t-SNE. Near means alike.*
# <!-- alt: Three clouds of points. By pixels, cats and dogs are mixed. By the features of the network from scratch they
# form a band with dogs at one end and cats at the other, and some between. Fine-tuned, they are two groups apart. -->

# %%
labels = test.labels[some]
for name, points in plane.items():
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    same = np.mean(labels[distances.argmin(axis=1)] == labels)
    print(f"{name:12} nearest point of the same class, for over two thirds: {same > 2 / 3}")

# %% [markdown]
# ## 6. A network that cheats
#
# Now a data set with a flaw. All cats were photographed in front of one wall, all dogs in front of another:
# `background="species"` gives each species a background of its own hue. In the **repaired** set the same animals are in
# the same places, and the background says nothing.

# %%
directory = Path(tempfile.mkdtemp())
sets = {}
for name, background in (("flawed", "species"), ("repaired", "neutral")):
    for part, seed, count in (("train", 10, 200), ("test", 11, 50)):
        path = directory / name / part
        data.drawings.write(path, ["cat", "dog"], count, seed, size=SMALL, background=background)
        options = {"shuffle": part == "train", "seed": 5}
        sets[name, part] = data.image_folder(path, (SMALL, SMALL), batch_size=16, **options)
first = {
    name: data.load_images(sets[name, "test"].file_paths[46:54], (SMALL, SMALL)) / 255
    for name in ("flawed", "repaired")
}
plots.picture_rows(first)

# %% [markdown]
# *Figure 10.9. Four cats and four dogs of the flawed set, and of the repaired one.*
#
# **What do you expect?** You train the small network on each, and test it on photos of the same kind. Which one is
# better?

# %%
epochs = {"flawed": 5, "repaired": 15}
classifiers = {name: small_network(n * len(sets[name, "train"])) for name, n in epochs.items()}

# %% tags=["nbval-ignore-output"]
for name, model in classifiers.items():
    model.fit(sets[name, "train"], epochs=epochs[name], verbose=0)


# %%
def share_right(model, photos):
    return float(np.mean(evaluation.predict(model, photos).argmax(axis=1) == photos.labels))


own = {name: share_right(model, sets[name, "test"]) for name, model in classifiers.items()}
print("trained on the flawed set, at least 0.98 on its test photos:", own["flawed"] >= 0.98)
print("trained on the repaired one, at least 0.65 on its own:", own["repaired"] >= 0.65)

# %% [markdown]
# A perfect result after five epochs, where the other one takes fifteen for less. In a report it would look
# convincing. The test photos cannot tell, since they have the same flaw. Look inside:

# %%
paths = sets["flawed", "test"].file_paths
ratios = {
    name: face_ratio(model, sets[name, "test"].file_paths, SMALL)
    for name, model in classifiers.items()
}
ratios["untrained"] = face_ratio(small_network(steps=1), sets["repaired", "test"].file_paths, SMALL)
print(f"over {len(paths)} test photos each")
print("flawed: no more heat on the face than anywhere:", ratios["flawed"] <= 1)
print("repaired: more than untrained:", ratios["repaired"] > ratios["untrained"])

# %% tags=["nbval-ignore-output"]
for name, ratio in ratios.items():
    accuracy = f"test accuracy {own[name]:.2f}, " if name in own else ""
    print(f"{name:9} {accuracy}heat on the face {ratio:.2f} times anywhere")

# %%
shown = [0, 1, 2, -3, -2, -1]
views = []
for name, model in classifiers.items():
    chosen = [sets[name, "test"].file_paths[n] for n in shown]
    pictures = data.load_images(chosen, (SMALL, SMALL))
    views.append((pictures, explain.grad_cam(model, pictures)))
boxes = data.drawings.face_boxes(chosen, (SMALL, SMALL))
pictures, heat = (np.concatenate(each) for each in zip(*views, strict=True))
titles = [f"{name} set" for name in classifiers for _ in shown]
plots.heat_overlays(pictures, heat, titles, np.tile(boxes, (2, 1)))

# %% [markdown]
# *Figure 10.10. Above, the network that learned from the flawed set looks past the faces, which are framed in blue.
# Below, the one from the repaired set.*
#
# The proof is a photo without the flaw:

# %%
elsewhere = share_right(classifiers["flawed"], sets["repaired", "test"])
print("the cheating network on the repaired photos is as good as guessing:", elsewhere < 0.65)

# %% [markdown]
# It has never learned what a cat is. Nobody told it to; the hue was easier. It is called **shortcut learning** (지름길
# 학습), and it is the rule rather than the exception: X-ray classifiers that read the hospital's mark, skin classifiers
# that look for rulers. Grad-CAM finds such a thing before your users do, if you look, and if you know where the
# evidence should be.
#
# Two cautions. A map that looks plausible is no proof that the network is right for the right reason: Adebayo et al.
# (2018) compare methods by what they show for random weights, and some show the same as before (Grad-CAM does not). And
# a map is as coarse as its layer: 8 by 8 here, enlarged.
#
# ## Exercises
#
# 1. Compute Grad-CAM of the fine-tuned network for the class that a photo is *not*. What does it show?
# 2. What is the ratio for "heat" that is nothing but the brightness of the photo?
# 3. Train a head on VGG16's features of the *flawed* set. Does it cheat as well? Why?
# 4. Compute Grad-CAM at `block3_conv3` and at `block5_conv3`. Which one is sharper, and which one is more on the face?
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - R. R. Selvaraju et al., *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization*, ICCV
#   2017; B. Zhou et al., *Learning Deep Features for Discriminative Localization*, CVPR 2016.
# - D. Erhan, Y. Bengio, A. Courville and P. Vincent, *Visualizing Higher-Layer Features of a Deep Network*, 2009.
# - F. Chollet, *Deep Learning with Python*, 2nd edition, section 9.4: feature maps, filters and Grad-CAM in Keras.
# - L. van der Maaten and G. Hinton, *Visualizing Data using t-SNE*, JMLR 9, 2008.
# - J. Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018; R. Geirhos et al., *Shortcut Learning in Deep
#   Neural Networks*, Nature Machine Intelligence 2, 2020.
#
# **Next:** [chapter 11, beyond one machine](11_beyond_one_machine.ipynb).
#
# ## Solutions
#
# **1.** What little in the photo speaks for the other class: a corner, an edge, and sometimes nothing at all. Each map
# is scaled to its own maximum, so that faint evidence looks as strong as real evidence.

# %%
photo = data.load_images([test.file_paths[0]], (SIZE, SIZE))[0]
both = [explain.grad_cam(tuned, photo, class_index=number) for number in (0, 1)]
plots.heat_overlays([photo, photo], both, test.class_names)

# %% [markdown]
# *Figure 10.11. The evidence for either class in one photo.*
#
# **2.** Between 1 and 2, without any network: these faces are brighter than what is behind them.

# %%
paths = sets["repaired", "test"].file_paths
brightness = data.load_images(paths, (SMALL, SMALL)).mean(axis=-1)
boxes = data.drawings.face_boxes(paths, (SMALL, SMALL))
print("between 1 and 2:", 1 < explain.focus(brightness, boxes).ratio < 2)

# %% [markdown]
# **3.** Hardly, at sample scale. The base was trained on other animals whose backgrounds said nothing, so that the hue
# of a background has little place among its last features; and the head sees nothing else.

# %% tags=["nbval-ignore-output"]
fresh = models.vgg16_base(WEIGHTS, (SIZE, SIZE, 3))
other = models.classification_head(fresh, ["cat", "dog"])
other.compile(keras.optimizers.Adam(5e-3), "sparse_categorical_crossentropy")
flawed = data.image_folder(directory / "flawed" / "train", (SIZE, SIZE), batch_size=16)
flawed_features = training.transfer.as_features(models.pooled(fresh), flawed)
history = other.fit(flawed_features, epochs=20, verbose=0)

# %%
repaired = data.image_folder(directory / "repaired" / "test", (SIZE, SIZE))
share = share_right(models.with_head(fresh, other), repaired)
print("right on the repaired photos, far better than guessing:", share > 0.75)

# %% [markdown]
# **4.** An earlier layer has larger maps, so it is sharper, but it knows edges and dots, not yet animals.

# %%
depths = ["block3_conv3", "block5_conv3"]
heats = [explain.grad_cam(tuned, photo, layer=name) for name in depths]
plots.heat_overlays([photo, photo], heats, depths)

# %% [markdown]
# *Figure 10.12. The evidence in one photo at two layers.*

# %%
if SCALE == "sample":
    paths = test.file_paths[:50]
    photos = data.load_images(paths, (SIZE, SIZE))
    boxes = data.drawings.face_boxes(paths, (SIZE, SIZE))
    found = {
        name: explain.focus(explain.grad_cam(tuned, photos, layer=name), boxes).ratio
        for name in depths
    }
    print("the later one is more on the face:", found["block5_conv3"] > found["block3_conv3"])
