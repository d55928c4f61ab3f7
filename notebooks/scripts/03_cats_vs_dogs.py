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
# # Chapter 3. Cats and dogs, on little data
#
# MNIST has 60,000 training pictures. For your own task, you will have a few hundred photos, because each one costs time and
# money. Can a network learn from so few?
#
# By the end of this chapter you will be able to
#
# - split photos into training, validation and test sets, and find broken files before you train;
# - feed a network from folders with `image_dataset_from_directory`, and say what such a pipeline does;
# - train for too long and keep the best **checkpoint** (체크포인트), and decide beforehand what "best" means;
# - recognise **overfitting** in the learning curves, and say about where it begins.
#
# You need [chapter 2](02_mnist.ipynb). At sample scale the chapter takes about a minute.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# At the `"full"` scale you train on 2,000 real photos of cats and dogs (고양이와 개). At the `"sample"` scale you train on 400
# *drawings*, which a program of this course makes. They look simple, but they are made to be difficult: fur, light and
# background say nothing about the animal, heads are tilted by up to 90 degrees, and grass hides parts of the face. Results
# on drawings are not comparable with results on photos.

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
import shutil
import tempfile
from pathlib import Path

from cnnkit import data, evaluation, models, plots, training

import keras
import numpy as np
from skimage.data import chelsea

SIZE = {"sample": 80, "full": 180}[SCALE]
EPOCHS = 30
training.reproducible(seed=5)
plots.image_grid([chelsea()], size=4)

# %% [markdown]
# *Figure 3.1. A cat. You know it at once, from ears, eyes and whiskers. A network sees three numbers for each pixel.*
#
# ## 1. Data set: photos in folders
#
# The photos come from Kaggle's competition *Dogs vs. Cats*, in an archive of 812 MB. `data.cats_vs_dogs` copies 5,000 of
# them into three folders. If the archive is missing, the error says how to get it. The drawings come in the same layout.

# %% tags=["nbval-ignore-output"]
folder = data.cats_vs_dogs(SCALE)

# %%
for part in ("train", "validation", "test"):
    kinds = sorted((folder / part).glob("*/"))
    print(f"{part:11}", {kind.name: len(list(kind.glob("*.jpg"))) for kind in kinds})

# %% [markdown]
# You need three sets because you will make choices:
#
# - The network learns from the **training set**.
# - You choose by the **validation set**: when to stop, which version to keep.
# - You use the **test set** once, at the end. A score that guided your choice is too optimistic, so it no longer tells you
#   how well the network will do on new photos.
#
# **Check the photos first.** A broken file can stop a training in the middle of the night, and a stray folder may become a
# class. Here is a folder as one finds them in real life:

# %% jupyter={"source_hidden": true} tags=["nbval-ignore-output"]
mess = Path(tempfile.mkdtemp()) / "photos"
for kind in ("cat", "dog"):
    (mess / kind).mkdir(parents=True)
    for photo in sorted((folder / "train" / kind).glob("*.jpg"))[:3]:
        shutil.copy(photo, mess / kind)
(mess / "dog" / "half.jpg").write_bytes((mess / "cat" / "cat.0.jpg").read_bytes()[:2000])
(mess / "cat" / "cat.1.jpg").rename(mess / "cat" / "cat.1.png")
(mess / "cat" / "Thumbs.db").touch()
(mess / ".ipynb_checkpoints").mkdir()
for path in sorted(mess.rglob("*")):
    size = f"{path.stat().st_size:6} bytes" if path.is_file() else "a folder"
    print(f"{path.relative_to(mess).as_posix():20} {size}")

# %% [markdown]
# **What do you expect?** Four things are wrong. Which of them would you see in a file browser?

# %%
for path, reason in data.check_images(mess):
    print(f"{path.relative_to(mess).as_posix()}: {reason.partition(' (')[0]}")  # without details

# %% [markdown]
# In a file browser, you would perhaps notice the one `.png` among `.jpg` files. Windows hides `Thumbs.db`, macOS and Linux
# hide `.ipynb_checkpoints`, and a broken photo looks like any other file.
#
# ### From files to batches
#
# Keras reads such folders with one function. It returns a *pipeline*: for each batch, it decodes 32 files, resizes them,
# and stacks them, while the network is still busy with the batch before (*prefetching*). The names of the folders become
# the classes, in alphabetical order: cat is 0, and dog is 1. `shuffle=True` puts the photos into a new order in every epoch.

# %%
pipeline = keras.utils.image_dataset_from_directory(
    folder / "train", image_size=(SIZE, SIZE), batch_size=32, shuffle=True, seed=5, verbose=False
)
images, labels = next(iter(pipeline))
print("classes:", pipeline.class_names)
print("a batch:", images.shape, "labels:", labels.shape)

# %% [markdown]
# `data.image_folder` does the same, and adds three things. It checks all files at the start and names the damaged ones, while
# Keras's function stops in the middle of an epoch. It decodes every photo only once. And the order of an epoch depends on
# the seed and the number of the epoch alone. Without shuffling, both give the same photos in the same order:

# %%
train = data.image_folder(folder / "train", (SIZE, SIZE), batch_size=32, shuffle=True, seed=5)
validation = data.image_folder(folder / "validation", (SIZE, SIZE))
test = data.image_folder(folder / "test", (SIZE, SIZE))
by_keras = keras.utils.image_dataset_from_directory(
    folder / "test", image_size=(SIZE, SIZE), shuffle=False, verbose=False
)
difference = np.abs(next(iter(by_keras))[0] - np.asarray(next(iter(test))[0])).mean()
print(f"mean difference between their pixels: {difference:.1f} of 255")

# %% tags=["check"] jupyter={"source_hidden": true}
again = data.image_folder(folder / "test", (SIZE, SIZE))
assert np.array_equal(again.labels, np.concatenate([labels for _, labels in by_keras]))
assert by_keras.file_paths == [str(path) for path in again.file_paths]
assert difference < 4 and train.class_names == pipeline.class_names

# %% [markdown]
# The pixels differ a little because these photos are shrunk: `data.image_folder` averages neighbouring pixels, and Keras's
# function leaves some out.

# %% tags=["photos"]
shown, kinds = next(iter(train))
plots.image_grid(
    np.asarray(shown)[:16], [train.class_names[kind] for kind in kinds[:16]], columns=8
)

# %% [markdown]
# *Figure 3.2. Sixteen training drawings with their classes. The bars across the faces are grass.*
#
# ## 2. Learning model: five convolutions and one unit
#
# The network is that of chapter 2 with five convolutions instead of three, because the pictures are larger and the task is
# harder. Two things are new:
#
# - `Rescaling(1 / 255)` brings the pixels from 0…255 to 0…1 *inside* the model, so that nobody can forget it.
# - Two classes need only one output. A **sigmoid** (시그모이드), $1 / (1 + e^{-x})$, makes it the probability of "dog". The
#   probability of "cat" is one minus that.

# %%
inputs = keras.Input((SIZE, SIZE, 3), name="photos")  # 180 pixels a side, or 80
x = keras.layers.Rescaling(1 / 255, name="rescaling")(inputs)
x = keras.layers.Conv2D(32, 3, activation="relu", name="conv1")(x)  # 178, or 78
x = keras.layers.MaxPooling2D(2, name="pool1")(x)  # 89, or 39
x = keras.layers.Conv2D(64, 3, activation="relu", name="conv2")(x)  # 87, or 37
x = keras.layers.MaxPooling2D(2, name="pool2")(x)  # 43, or 18
x = keras.layers.Conv2D(128, 3, activation="relu", name="conv3")(x)  # 41, or 16
x = keras.layers.MaxPooling2D(2, name="pool3")(x)  # 20, or 8
x = keras.layers.Conv2D(256, 3, activation="relu", name="conv4")(x)  # 18, or 6
x = keras.layers.MaxPooling2D(2, name="pool4")(x)  # 9, or 3
x = keras.layers.Conv2D(256, 3, activation="relu", name="conv5")(x)  # 7, or 1
x = keras.layers.Flatten(name="flatten")(x)
outputs = keras.layers.Dense(1, activation="sigmoid", name="predictions")(x)
model = keras.Model(inputs, outputs, name="cats_vs_dogs_cnn")

# %% [markdown]
# **What do you expect?** For photos of 180×180, how many numbers does `Flatten` return, and how many parameters does the last
# layer have? And for drawings of 80×80?
#
# <details><summary>Answer</summary>
#
# The last map of a photo is 7×7×256, so `Flatten` returns 12,544 numbers. The last layer has a weight for each and one bias,
# 12,545. For a drawing, the last map is 1×1×256, and the last layer has 257 parameters. A convolution has the same
# parameters for every size, because it shares its weights.
#
# </details>
#
# `models.cats_vs_dogs_cnn` builds this network, for photos of any size from 78×78.

# %%
print(f"{model.count_params():,} parameters, {model.layers[-1].count_params():,} in the last layer")
for side in (80, 180):
    built = models.cats_vs_dogs_cnn((side, side, 3))
    print(f"models.cats_vs_dogs_cnn(({side}, {side}, 3)): {built.count_params():,}")

# %% tags=["check"] jupyter={"source_hidden": true}
pairs = zip(model.layers, models.cats_vs_dogs_cnn((SIZE, SIZE, 3)).layers, strict=True)
assert all((a.name, a.output.shape) == (b.name, b.output.shape) for a, b in pairs)

# %% [markdown]
# ## 3. Learning algorithm: RMSprop, and the best checkpoint
#
# For a probability $p$ and a label $y$ of 0 or 1, the loss is the **binary cross-entropy** (이진 교차 엔트로피),
# $-y \log p - (1 - y) \log (1 - p)$. A network that knows nothing says $p = 0.5$ and pays $\log 2 = 0.693$ per photo. A
# validation loss above 0.693 is worse than that, even if most answers are right.
#
# Accuracy is a fair measure here because there are as many cats as dogs. If 95 of 100 photos were cats, a network that
# always says "cat" would have an accuracy of 0.95. Then you would report the recall of each class instead.
#
# You do not know beforehand how long to train. So train for too long, and let `ModelCheckpoint` save the network after each
# epoch whose validation loss (`monitor`) is lower than all before. It is a *callback*: `fit` calls it after each epoch.

# %%
model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
checkpoint = Path(tempfile.mkdtemp()) / "best.keras"
keep_best = keras.callbacks.ModelCheckpoint(checkpoint, monitor="val_loss", save_best_only=True)

# %% [markdown]
# **What do you expect?** A few hundred pictures and almost a million parameters: how high will the training accuracy get?
# And the validation accuracy?

# %% tags=["nbval-ignore-output"]
history = model.fit(
    train, validation_data=validation, epochs=EPOCHS, callbacks=[keep_best], verbose=0
)
curves = history.history
best_epoch = int(np.argmin(curves["val_loss"])) + 1
print("epoch   training loss, accuracy   validation loss, accuracy")
for epoch in sorted({1, best_epoch, 20, EPOCHS}):
    numbers = [curves[key][epoch - 1] for key in ("loss", "accuracy", "val_loss", "val_accuracy")]
    print(
        f"{epoch:5}   {numbers[0]:10.3f} {numbers[1]:12.3f}   {numbers[2]:12.3f} {numbers[3]:12.3f}"
    )

# %% tags=["nbval-ignore-output"]
figure = plots.learning_curves(history)
loss_axis = figure.axes[0]
loss_axis.axhline(np.log(2), color="0.5", ls="--")
loss_axis.axvline(best_epoch, color="0.5", ls=":")
loss_axis.text(EPOCHS, np.log(2), "chance", va="bottom", ha="right")
figure

# %% tags=["check"] jupyter={"source_hidden": true}
assert max(curves["accuracy"][-5:]) > 0.95 and np.mean(curves["val_loss"][-5:]) > np.log(2)

# %% [markdown]
# *Figure 3.3. Loss and accuracy per epoch. Dashed: the loss of chance. Dotted: the epoch with the lowest validation loss.*
# <!-- alt: Training loss falls to 0 and training accuracy rises to 1. Validation loss is lowest near epoch 10, a little
# below the dashed line of chance, and then climbs far above it; validation accuracy stops at about 0.7. -->
#
# Read the two pictures together. For some epochs, nothing seems to happen: both losses stay near 0.693. Then both fall a
# little, because the network finds something that is true of all cats and dogs. Soon they part. The training loss falls
# towards zero, because the network memorises *these* pictures. The validation loss climbs above chance, because the network
# becomes more and more confident, including when it is wrong. This is **overfitting**. It begins about where the validation
# loss stops falling. The curve is jagged, so the exact epoch is partly luck.
#
# But look at the validation *accuracy*: it still creeps up.
#
# ## 4. Performance evaluation: which checkpoint?
#
# **What do you expect?** You have kept two networks: the checkpoint with the lowest validation loss, and the last epoch.
# Which has the better test accuracy?

# %% tags=["nbval-ignore-output"]
best = keras.models.load_model(checkpoint)
for name, network in (("lowest validation loss", best), ("last epoch", model)):
    loss, accuracy = network.evaluate(test, verbose=0)
    print(f"{name:23} test loss {loss:.3f}, test accuracy {accuracy:.3f}")

# %% [markdown]
# The last epoch has a far higher loss, and yet the *better* accuracy. How can that be?
#
# <details><summary>Answer</summary>
#
# The loss asks how confident the network is. If it gives the wrong class a probability of 0.5, the loss is 0.69. If it gives
# it 0.999, the loss is 6.9. The accuracy asks only on which side of one half the answer is. So a network can learn to
# answer more photos right, and at the same time be punished more and more for the wrong ones.
#
# </details>
#
# So decide *before* you train what you need. If the probabilities matter, as for a doctor who weighs a risk, monitor
# `val_loss`. If only the answer counts, monitor `val_accuracy`. Or train for a fixed number of epochs, and keep the last.
# Here are five recorded seeds of these three ways:

# %%
rows = {
    "lowest validation loss": "cats_vs_dogs",
    "highest validation accuracy": "cats_vs_dogs_by_accuracy",
    "last epoch": "cats_vs_dogs_last",
}
spreads = {title: evaluation.spread(name, "sample") for title, name in rows.items()}
for title, spread in spreads.items():
    print(f"{title:28} {spread}")
plots.spreads({title: spread.figures for title, spread in spreads.items()})

# %% [markdown]
# *Figure 3.4. Test accuracy of five seeds at sample scale, for three ways to choose the epoch.*
#
# In all five seeds, the last epoch is more accurate than the lowest validation loss, by three to nine points. It also beats
# the highest validation accuracy in four of five. One reason is that 200 validation pictures are few: chance alone moves
# their accuracy by six points or so.
#
# You may *not* conclude "so I keep the last epoch, and report 0.745": then the test set would have chosen. On 2,000 real
# photos, the published accuracy of this network is about 0.70.
#
# **What do you expect?** Here are the most confident mistakes of the checkpoint. Would you get them right?

# %% tags=["nbval-ignore-output"]
probabilities = evaluation.predict(best, test)
worst = evaluation.worst_mistakes(test.labels, probabilities, count=12)
pictures = data.load_images([test.file_paths[n] for n in worst], (SIZE, SIZE)) / 255
print(evaluation.report(test.labels, probabilities, test.class_names))
plots.mistakes(pictures, test.labels[worst], probabilities[worst], test.class_names)

# %% tags=["check"] jupyter={"source_hidden": true}
report = evaluation.report(test.labels, probabilities, test.class_names)
assert SCALE == "full" or report.accuracy in spreads["lowest validation loss"]
pairs = zip(spreads["lowest validation loss"].figures, spreads["last epoch"].figures, strict=True)
assert all(last > lowest for lowest, last in pairs)

# %% [markdown]
# *Figure 3.5. The most confident mistakes of the checkpoint with the lowest validation loss: what it says, how sure it is,
# and what it is.*
#
# You see these drawings for the first time, as the network does, and still you get nearly all of them. You know what
# matters: the ears, the muzzle, the whiskers. The network has seen too few examples to find that out. In the stored run,
# most of these are cats taken for dogs, and the table above says the same: the recall of cats is lower.
#
# More pictures would help, but we have none. The next chapter gets more out of the ones we have.
#
# ## What you have learned
#
# - Split into three sets: learn, choose, and judge once. Check the files first.
# - `image_dataset_from_directory` decodes, resizes, shuffles, batches and prefetches.
# - Two classes: one sigmoid unit and binary cross-entropy. Chance costs log 2.
# - With few pictures, a network soon memorises. The losses part, and overfitting has begun.
# - Loss and accuracy can disagree. Decide beforehand which of them chooses the checkpoint.
#
# ## Quiz
#
# **1.** Validation loss 0.9, validation accuracy 0.72. What do you know?
# (a) worse than chance in every way (b) often right, but too confident (c) the labels are wrong (d) it needs more epochs
#
# <details><summary>Answer</summary>
#
# (b). An accuracy of 0.72 is better than chance, so (a) is wrong. The high loss comes from confident mistakes. Nothing hints
# at (c). More epochs (d) would raise the loss further.
#
# </details>
#
# **2.** You try ten networks and report the test accuracy of the one with the best test accuracy. The report is
# (a) right (b) too low (c) too high (d) right if all used the same seed
#
# <details><summary>Answer</summary>
#
# (c): the best of ten is partly the luckiest of ten, also with one seed (d). So it is neither right (a) nor too low (b).
# Choose by the validation set, then report the test accuracy.
#
# </details>
#
# **3.** 900 photos of cats, 100 of dogs. Accuracy 0.90. Is the network good?
# (a) yes, 0.90 is high (b) no, it always says "cat" (c) one cannot say
#
# <details><summary>Answer</summary>
#
# (c): a network that always says "cat" has 0.90, so (a) is too hasty. But another one may have it as well, so (b) is too hasty,
# too. Look at the recall of each class.
#
# </details>
#
# **4.** What does `shuffle=True` do?
# (a) it shuffles once, at the start (b) it shuffles before every epoch (c) it shuffles within each batch
#
# <details><summary>Answer</summary>
#
# (b). With (a) or (c), every epoch would hold the same batches, and the network could get used to them.
#
# </details>
#
# ## Exercises
#
# **1.** Which is the smallest side that this network takes, and why?
#
# <details><summary>Solution</summary>
#
# Go backwards from one cell: conv5 needs 3, pool4 6, conv4 8, pool3 16, conv3 18, pool2 36, conv2 38, pool1 76, conv1 78.
#
# </details>
#
# **2.** Halve the training set: copy the folder, and delete every second photo. How do the learning curves and the test
# accuracy change? Compare after as many *steps*, too.
#
# <details><summary>Solution</summary>
#
# An epoch now has half as many steps, so the flat beginning may take more epochs. The network reaches a training accuracy of
# 1 all the same, because fewer pictures are easier to memorise. Expect a lower test accuracy, and train three seeds before
# you believe a difference of two points.
#
# </details>
#
# **3.** You chose the epoch with the highest validation accuracy, 0.75. Is 0.75 an honest estimate of its test accuracy?
#
# <details><summary>Solution</summary>
#
# No, it tends to be too high, because you took the epoch that was luckiest on these pictures. With 200 pictures, the accuracy
# lies within 6 points of the true one in 19 of 20 cases, and you have looked at 30 epochs.
#
# </details>
#
# **4.** A colleague has no validation set, chooses the best epoch by the test accuracy, and reports it. What do you ask?
#
# <details><summary>Solution</summary>
#
# Ask for the accuracy of the last epoch, or for a run with a validation set.
#
# </details>
#
# ## Further reading
#
# - [Keras on loading images from folders](https://keras.io/api/data_loading/image/).
# - A. Ng, *Machine Learning Yearning*, chapters 5 to 7: how large validation and test sets should be.
# - F. Chollet, *Deep Learning with Python*, chapter 5: overfitting and how to evaluate.
#
# ## Where this differs from its sources
#
# <details><summary>What comes from where</summary>
#
# - The photos, the network, its training and about 0.70 are those of *9. 합성곱 신경망* (Convolutional neural networks), after
#   F. Chollet, *Deep Learning with Python*, 2nd edition, Manning 2021, section 8.2. The comparison of checkpoints is ours.
# - The photos are from J. Elson, J. Douceur, J. Howell and J. Saul, *Asirra*, CCS 2007. Chelsea is S. van der Walt's (CC0).
#
# </details>
#
# **Next:** [chapter 4, data augmentation](04_augmentation.ipynb).
