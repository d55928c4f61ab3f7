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
# # Chapter 9. Shake-shake: a layer of your own
#
# At the end of this chapter you can
#
# - write a Keras layer that does one thing on the way forward and another on the way back, and test it against its
#   formula;
# - build a residual network with two branches in each block, and account for its 2,923,162 parameters;
# - let a learning rate fall by a cosine, and say why the weight decay of a paper and that of an optimizer may differ;
# - measure whether a regularisation does what it promises: the gap between training and test, and what the branches
#   say.
#
# You need [chapter 7](07_alexnet.ipynb) for the four parts and the recipes, and [chapter 8](08_own_photos.ipynb) for
# skip connections. At sample scale the chapter takes about two minutes.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# **Data augmentation** changes the pictures in training, so that a network never sees the same one twice. Why only
# the pictures? A feature map is a picture too, seen by the next layer. **Shake-shake** (Gastaldi, 2017) augments
# these *inner representations* (내부 표현): two branches look at the same input, and what they found is mixed in a
# proportion that is drawn anew for every picture and every step. On the way back, the gradient is split in another
# proportion. Shake-shake is a **regularisation** (규제; the source says 정규화, as for normalisation), like dropout and
# weight decay: something that makes learning by heart harder. This chapter follows the paper, its author's code, and
# a tutorial in Korean with an implementation of its own, *the source* below.
#
# Shake-shake had forerunners. FractalNet's drop-path left out whole branches at random; shakeout and whiteout shook
# single weights or added noise to them, as dropout's relatives.
#
# | part | here |
# | --- | --- |
# | **data set** | small pictures of ten classes: CIFAR-10, or drawn animals in its form |
# | **learning model** | a residual network with two branches in each block, and the layer that mixes them |
# | **learning algorithm** | gradient descent with Nesterov's momentum, a cosine for the learning rate |
# | **performance evaluation** | accuracy, the gap between training and test, the correlation of branches |

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
PICTURES = {"sample": 300, "full": 45000}[SCALE]  # for training: few, so that a network overfits
VALIDATION = {"sample": 500, "full": 5000}[SCALE]
DEPTH = {"sample": 8, "full": 26}[SCALE]
WIDTH = {"sample": 16, "full": 32}[SCALE]
BATCH_SIZE = {"sample": 16, "full": 64}[SCALE]
EPOCHS = {"sample": 40, "full": 1800}[SCALE]
AUGMENT = {"sample": False, "full": True}[SCALE]  # 760 steps are too few for both

# %%
import dataclasses
import tempfile
from pathlib import Path

from cnnkit import backend, data, evaluation, models, plots, training
from cnnkit.data import augment

import keras
import numpy as np
from keras import layers, ops

# %% [markdown]
# ## 1. Data set: 32×32 pixels
#
# CIFAR-10 has 50,000 pictures for training and 10,000 for testing, of ten classes. The sample has 5,000 and 1,000, of
# ten species of drawn animals, in the same form.
#
# Some training pictures are kept for validation. The published figures use none: they are of the *last* epoch, and
# nothing was chosen. Whoever chooses needs pictures to choose by, and the test set is not for that.

# %% tags=["nbval-ignore-output"]
(x, y), test = data.cifar10(SCALE)

# %%
names = data.CIFAR10_CLASSES[SCALE]
train = x[:PICTURES], y[:PICTURES]
validation = x[PICTURES : PICTURES + VALIDATION], y[PICTURES : PICTURES + VALIDATION]
for part, (images, labels) in {"training": train, "validation": validation, "test": test}.items():
    print(f"{part:10} {images.shape}, {images.dtype}, {len(set(labels.tolist()))} classes")
first = [np.flatnonzero(train[1] == number)[:2] for number in range(10)]
shown = np.array(first).T.ravel()
plots.image_grid(train[0][shown], [names[n] for n in train[1][shown]], columns=10, size=0.85)

# %% [markdown]
# *Figure 9.1. Two training pictures of each class.*
#
# The usual augmentation for such pictures mirrors them and moves them: four rows of zeros on every side, and a window
# of 32×32 cut out of that. Shake-shake goes on where this ends. Take a picture, let two filters from [chapter
# 1](01_convolution.ipynb) look at it, and mix what they find:

# %%
move = augment.flip_pad_and_crop(seed=5)
picture = train[0][shown[0]]
moved = move(np.repeat(picture[np.newaxis], 9, axis=0), training=True)
gray = picture.mean(axis=2).astype("float32")[np.newaxis, ..., np.newaxis]
sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]], "float32")
box = np.full((5, 5), 1 / 25, "float32")
maps = [ops.conv(gray, kernel[..., None, None], padding="same") for kernel in (sobel, box)]
edges, blurred = (np.abs(ops.convert_to_numpy(found))[0, ..., 0] for found in maps)
alphas = np.linspace(0, 1, 9)
mixed = [a * edges / edges.max() + (1 - a) * blurred / blurred.max() for a in alphas]
rows = {"the picture": np.asarray(moved) / 255, "two features": mixed}
plots.picture_rows({name: list(row) for name, row in rows.items()})

# %% [markdown]
# *Figure 9.2. Above, the picture mirrored and moved. Below, a blurred and an edge feature map of it in nine mixtures:
# α of the edges and 1 − α of the blurred one, where α grows from 0 at the left to 1 at the right.*
#
# ## 2. Learning model: two branches and a mixture
#
# ### The layer in ten lines
#
# With branches $b_1$ and $b_2$ and a number α for each picture, the layer computes $α b_1 + (1 - α) b_2$. The
# gradient of that with respect to $b_1$ would be α times what comes back. Shake-shake wants β in its place. How do
# you get a gradient that is not the derivative? Write the result as a sum, of which one part is hidden from the
# gradient:
#
# $$α b_1 + (1 - α) b_2 = \underbrace{β b_1 + (1 - β) b_2}_{\text{seen by the gradient}} +
# \underbrace{(α - β)(b_1 - b_2)}_{\text{hidden: }\mathtt{stop\_gradient}}$$


# %%
class Shake(layers.Layer):
    def call(self, branches, training=False):
        first, second = branches
        if not training:
            return (first + second) / 2
        shape = (ops.shape(first)[0], 1, 1, 1)
        alpha, beta = keras.random.uniform(shape), keras.random.uniform(shape)
        difference = first - second
        hidden = ops.stop_gradient((alpha - beta) * difference)
        return second + beta * difference + hidden


# %% [markdown]
# That is all of it. In inference both are ½, as dropout uses all units. `models.ShakeShake` adds the other modes of
# the paper, seeds of its own, and a saved form.
#
# **What do you expect?** Feed the layer ones in branch 1 and zeros in branch 2. What comes out is α. And where would
# you find β? Which of the modes below have α = β?
#
# | | forward | backward |
# | --- | --- | --- |
# | **even** | α = ½ | β = ½ |
# | **shake** | α drawn from [0, 1] | β drawn from [0, 1], whatever α was |
# | **keep** | | β = α |
#
# The level says whether each picture of a batch draws its own numbers (*image*) or all share them (*batch*). The
# three together name a mode: forward-backward-level, such as shake-even-image.

# %%
ones = np.stack([np.ones((8, 2, 2, 1)), np.zeros((8, 2, 2, 1))]).astype("float32")


def measured(layer):
    alphas = []

    def forward(first, second):
        mixed = layer([first, second], training=True)
        alphas.append(ops.convert_to_numpy(mixed)[:, 0, 0, 0])
        return ops.sum(mixed)

    beta, _ = backend.gradients(forward, *ones)
    return alphas[0], beta[:, 0, 0, 0]


modes = {
    "even-even": models.ShakeShake("even", "even"),
    "shake-keep-image": models.ShakeShake("shake", "keep", seed=5),
    "shake-shake-image": models.ShakeShake("shake", "shake", seed=5),
    "shake-shake-batch": models.ShakeShake("shake", "shake", "batch", seed=5),
}
coefficients = {title: measured(layer) for title, layer in modes.items()}
plots.coefficients(coefficients)

# %% [markdown]
# *Figure 9.3. The coefficients of eight pictures, measured: α is what the layer returns for ones in branch 1 and
# zeros in branch 2, β is the gradient that reaches branch 1.*

# %%
mine = measured(Shake())
print("mine: α differs from picture to picture:", len(set(mine[0].tolist())) == 8)
print("mine: β is another number than α:", not np.isin(mine[0], mine[1]).any())
for title, (alpha, beta) in coefficients.items():
    alike = "one for all" if len(set(alpha.tolist())) == 1 else "each its own"
    print(f"{title:18} α {alike:12} β = α: {np.allclose(alpha, beta, atol=1e-6)}")

# %% [markdown]
# **Uniform, or only nearly?** Two numbers that are to add up to 1 can be made in several ways. The source draws two
# numbers and divides each by their sum, $α = u_1 / (u_1 + u_2)$, which also works for three branches. It looks the
# same. What is its distribution?

# %%
random = np.random.default_rng(5)
u = random.random((2, 20_000))
alpha = ops.convert_to_numpy(models.ShakeShake(seed=5).coefficients(20_000)[0])
found = {"drawn from [0, 1]": alpha, "u₁ / (u₁ + u₂)": u[0] / u.sum(axis=0)}
for title, values in found.items():
    print(f"{title:18} standard deviation {values.std():.2f}, uniform has {12**-0.5:.2f}")
plots.curves(
    {title: np.histogram(values, 25, (0, 1), density=True)[0] for title, values in found.items()},
    np.linspace(0.02, 0.98, 25),
    xlabel="α",
    ylabel="density",
    ylim=(0, 2.2),
)

# %% [markdown]
# *Figure 9.4. How often each value of α occurs in 20,000 draws: all values alike for a number from [0, 1], heaped around ½ for
# the quotient.*
#
# The quotient is around ½ more often, so it shakes less. Whether it matters for the result nobody has measured; but
# it is not what the paper describes, and no test that only looks at the sum would notice.
#
# ### The block
#
# A **residual block** (잔차 블록) adds what its branches found to its input, which skips them.

# %%
plots.shake_block()

# %% [markdown]
# *Figure 9.5. A block of ShakeNet: two branches, mixed by α forward, by β backward, by ½ in inference; the skip leads
# past both. BN is batch normalisation.*
#
# **What do you expect?** Each block adds its branches' outputs to the skip. How many layers with weights lie on the
# longest way from the picture to the prediction in "26 2×32d", which has three stages of four blocks?

# %%
training.reproducible(seed=5)
published = models.shakenet()


def trained(layers):
    weights = [weight for layer in layers for weight in layer.trainable_weights]
    return sum(int(np.prod(weight.shape)) for weight in weights)


for part in ("conv1", "bn1", "stage1", "stage2", "stage3", "predictions"):
    found = [layer for layer in published.layers if layer.name.startswith(part)]
    print(f"{part:11} gives {found[-1].output.shape[1:]!s:13} {trained(found):>9,} parameters")
print(f"in all {trained([published]):>39,}")

# %% [markdown]
# The running means and variances of batch normalisation are not trained, and not counted. 26 counts the layers with
# weights on the longest way: one convolution, three stages of four blocks of two convolutions, one dense layer.
# **2×32d**: two branches, of 32 channels in the first stage, then 64 and 128. Stages 2 and 3 begin with stride 2
# in the place of pooling.
#
# In the first block of each stage, the number of channels changes, and the input cannot be added as it is. Then the
# skip takes the pixels twice, every second one where the stride is 2: once as they are, and once moved by one pixel to
# the right and down, so that the two halves see different pixels. Each gives half of the channels. The source's code
# moves up and left, while its text says down and right. Its strided convolutions put their zeros to the right and below
# alone, as TensorFlow's `same` does; the author's have them on all sides. Neither stops a network from learning. A test against an independent PyTorch model finds both.


# %%
def skip_part(name):
    return published.get_layer(f"stage2_block1_skip_{name}")


numbered = np.arange(1, 37, dtype="float32").reshape(1, 6, 6, 1)
moved = skip_part("shift")(skip_part("pad")(numbered))
grids = [numbered, skip_part("pool1")(numbered), moved, skip_part("pool2")(moved)]
titles = ["feature map", "path 1", "moved", "path 2"]
plots.number_grids([ops.convert_to_numpy(grid)[0, ..., 0] for grid in grids], titles)

# %% [markdown]
# *Figure 9.6. What the two paths of a skip with stride 2 see of a feature map.*
#
# ## 3. Learning algorithm: one long cosine
#
# **What do you expect?** The learning rate falls from 0.1 to 0 along half a cosine wave, in every step a little.
# Compared with a straight line: where is it higher?

# %%
recipe = training.recipes.SHAKENET_SINGLE_GPU
print(f"{recipe.optimizer}, momentum {recipe.momentum}, Nesterov: {recipe.nesterov}")
print(f"learning rate {recipe.learning_rate}, weight decay {recipe.weight_decay}")
print(f"batches of {recipe.batch_size}, {recipe.epochs:,} epochs")
recipe = dataclasses.replace(recipe, batch_size=BATCH_SIZE, epochs=EPOCHS)
print(f"at this scale: batches of {recipe.batch_size}, {recipe.epochs:,} epochs")
STEPS = -(-PICTURES // BATCH_SIZE)
cosine = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, EPOCHS * STEPS)
restarts = keras.optimizers.schedules.CosineDecayRestarts(
    recipe.learning_rate, EPOCHS * STEPS // 7 + 1
)
steps = np.arange(0, EPOCHS * STEPS, max(1, EPOCHS * STEPS // 500))
rates = {
    "one wave": [float(cosine(step)) for step in steps],
    "with restarts": [float(restarts(step)) for step in steps],
    "a straight line": np.linspace(recipe.learning_rate, 0, len(steps)),
}
plots.curves(rates, steps / STEPS, ylabel="learning rate")

# %% [markdown]
# *Figure 9.7. The learning rate of the recipe, the one with restarts from which it was taken (each wave twice as long
# as the one before), and a straight line.*
#
# The wave lies above the straight line in the first half, falls fastest in the middle, and lies below it in
# the second. Restarts (Loshchilov and Hutter, 2017) fling the weights out of where they are, to find another
# place; shake-shake does without. In Keras this is a schedule that you hand to the optimizer:
#
# ```python
# rate = keras.optimizers.schedules.CosineDecay(0.1, epochs * steps_per_epoch)
# optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
# ```
#
# Nesterov's form of momentum takes the gradient where the momentum is about to lead, not where the weights are.
#
# **Weight decay** of $10^{-4}$ means, here as in chapter 7, that half the sum of the squares times $10^{-4}$ is part
# of the loss, and so passes through the momentum. `SGD(weight_decay=1e-4)` of Keras shrinks the weights directly,
# past the momentum. With a momentum of 0.9 it is about ten times weaker. Same name, another thing; the recipe has the
# published one.
#
# Two networks, the same but for the mode:


# %%
directory = {"sample": Path(tempfile.mkdtemp()), "full": Path("runs")}[SCALE]


def train_shakenet(title, **options):
    training.reproducible(seed=5)
    model = models.shakenet(DEPTH, WIDTH, augmentation=move if AUGMENT else None, **options)
    history = training.fit(
        model,
        recipe,
        data.batches(*train, BATCH_SIZE, shuffle=True, seed=5, class_names=names),
        data.batches(*validation, batch_size=100, class_names=names),
        directory / f"shakenet_{title}",
        verbose=0,
    )
    best = keras.models.load_model(directory / f"shakenet_{title}" / "best.keras")
    return best, history


# %% tags=["nbval-ignore-output"]
even, even_history = train_shakenet("even", forward="even", backward="even", level="batch")

# %%
print("epochs:", len(even_history.epoch))
print("the last learning rate is 0:", even_history.history["learning_rate"][-1] < 1e-6)
print("training accuracy above 0.95:", even_history.history["accuracy"][-1] > 0.95)

# %% tags=["nbval-ignore-output"]
shake, shake_history = train_shakenet("shake", forward="shake", backward="shake", level="image")

# %%
learned = shake_history.history["accuracy"]
print("shake-shake learns:", learned[-1] > 0.5)
print("later than even-even:", np.mean(learned) < np.mean(even_history.history["accuracy"]))
plots.curves(
    {
        "even-even, training": even_history.history["accuracy"],
        "even-even, validation": even_history.history["val_accuracy"],
        "shake-shake, training": shake_history.history["accuracy"],
        "shake-shake, validation": shake_history.history["val_accuracy"],
    },
    ylabel="accuracy",
)

# %% [markdown]
# *Figure 9.8. Accuracy while training. That of training is taken while the network shakes, and on weights that
# change.*
# <!-- alt: Four curves over forty epochs. Training accuracy of even-even reaches 1.0 at epoch 19; that of shake-shake
# rises more slowly, to 0.95. Both validation accuracies end near 0.56. -->
#
# ## 4. Performance evaluation
#
# ### The gap
#
# **What do you expect?** Both have seen the same pictures, as often. Which one is better on new ones? And how far
# apart are training and test for each?

# %%
live = {}
for title, model in (("even_even_batch", even), ("shake_shake_image", shake)):
    for part_name, (images, labels) in (("_on_training", train), ("", test)):
        report = evaluation.report(labels, evaluation.predict(model, images), names)
        live[f"shakenet_{title}{part_name}"] = report.accuracy
recorded = {name: evaluation.spread(name, "sample") for name in live}
for name, spread in recorded.items():
    print(f"{name:40} {spread}")
    if SCALE == "sample":
        low, high = spread.bounds
        print(f"  this run lies between {low:.3f} and {high:.3f}:", live[name] in spread)

# %%
titles = ["even-even, training", "even-even, test", "shake-shake, training", "shake-shake, test"]
titles = dict(zip(live, titles, strict=True))
plots.spreads(
    {titles[name]: spread.figures for name, spread in recorded.items()},
    live={titles[name]: figure for name, figure in live.items() if SCALE == "sample"},
    xlabel="accuracy",
)

# %% [markdown]
# *Figure 9.9. Accuracy on the sample's 300 training and 1,000 test pictures: the recorded seeds, and this run.*
# <!-- alt: Four rows of dots. On training pictures even-even is at 1.0 for every seed and shake-shake just below; on
# test pictures both lie between 0.54 and 0.61. -->
#
# Every line printed above the figure says *test pictures*; where its name ends in `_on_training`, the 300 are
# training pictures.

# %%
for mode in ("shakenet_even_even_batch", "shakenet_shake_shake_image"):
    gap = recorded[f"{mode}_on_training"].mean - recorded[mode].mean
    print(f"{mode:26} gap of the recorded seeds, on average: {gap:.3f}")

# %% [markdown]
# Both know their training pictures by heart, or nearly, and both are far from that on new ones. Shake-shake makes the
# **gap** (격차) smaller: by three points of 44 on average, of which two are gained on the test pictures. Two seeds
# differ by as much. A single pair of runs, such as this one, may well show the opposite, and it takes several of each
# to see it.
#
# It also takes longer: in figure 9.8, compare the two after 15 epochs. A network that is shaken has not learned its
# pictures yet when the other one has. That is why the published training takes 1,800 epochs where 200 or 300 were
# usual.
#
# ### What the branches say
#
# If two branches found the same, mixing them in any proportion would change nothing, and shaking would be idle.
# Shaken branches cannot rely on one another. Are they then *more* alike, since each has to do for both, or *less*?
# The paper measures it: the outputs of the two branches of a block, laid out as two long vectors over all test
# pictures, and their **correlation** (상관관계): 1 for the same, 0 for nothing in common.
#
# **What do you expect?** More alike, or less?

# %%
found = {
    "even-even": evaluation.branch_correlation(even, test[0]),
    "shake-shake": evaluation.branch_correlation(shake, test[0]),
}
blocks = [name[5] + "." + name[12] for name in found["even-even"].names]
plots.correlations({title: each.matrix for title, each in found.items()}, blocks)

# %% [markdown]
# *Figure 9.10. Correlation between the branches of each block ("2.1" is the first of stage 2), in this run.*
# <!-- alt: Two lines over three blocks. The correlation of even-even rises from 0.33 to 0.57. That of shake-shake
# begins alike and is about 0.1 lower in the second and third block. -->

# %%
for mode in ("shakenet_even_even_batch", "shakenet_shake_shake_image"):
    print(f"{mode:26} mean over the blocks: {evaluation.spread(f'{mode}_correlation', 'sample')}")
alike = np.concatenate([each.blocks for each in found.values()])
print(
    "the branches have something in common, and are not the same:",
    0 < alike.min() <= alike.max() < 1,
)
form = found["even-even"].matrix.shape
print("branch 1 of each block with branch 2 of each:", form)

# %% [markdown]
# Shaken branches are less alike on average, as the paper finds, if not in every block of every run. The paper takes it
# as the sign of the stronger regularisation: branches that cannot rely on one another learn different things. (The
# source has it the wrong way round in one sentence.) The last blocks are the most alike.
#
# `branch_correlation` looks for the layers `models.ShakeShake` in a network. It also compares branch 1 of each block
# with branch 2 of every other, where their feature maps have the same shape, that is within a stage. Here each stage
# has one block. At full scale there are four, and `plots.correlations` draws the matrix.
#
# ### The modes

# %%
modes = {
    "shakenet_even_even_batch": "even-even",
    "shakenet_shake_even_image": "shake-even-image",
    "shakenet_shake_keep_image": "shake-keep-image",
    "shakenet_shake_shake_image": "shake-shake-image",
    "shakenet_without_skip": "the same\nwithout skip",
    "shakenet_without_batch_norm": "the same\nwithout BN",
}
spreads = {name: evaluation.spread(name, "sample") for name in modes}
for name, spread in spreads.items():
    print(f"{name:34} {spread}")
plots.spreads(
    {modes[name]: spread.figures for name, spread in spreads.items()},
    live={modes[name]: live[name] for name in modes if name in live and SCALE == "sample"},
)

# %% [markdown]
# *Figure 9.11. Test accuracy on 1,000 drawings: the recorded seeds, and this run. Without BN, the learning rate is a
# tenth of the recipe's.*
# <!-- alt: Six rows of dots. Even-even and the three kinds of shaking lie between 0.54 and 0.62, shake-even and
# shake-keep to the right. Without skip connections the seeds are spread from 0.36 to 0.57, and without batch
# normalisation all lie near 0.17. -->
#
# Here, a random α gains five points with shake-even, and nearly as much with shake-keep, whose gradient takes the same
# α. A β that is drawn anew, as in shake-shake, loses three of these five points again in 40 epochs. The published figures are of another data set, over 150
# times as many pictures, and 45 times as many epochs. There, at width 32, shake-even leads as well, but shake-keep
# falls behind.
#
# **Ablations.** Without skip connections the paper loses about a point. Here it is 13 on average, and the five runs
# lie far apart. Without batch normalisation the paper's network may diverge. Here it does so with the recipe's
# learning rate; with a tenth of it, it hardly learns: 0.168, where guessing has 0.1.
#
# The published test errors on CIFAR-10 in per cent, means of three runs (five for 96d), from the author's repository:
#
# | forward-backward-level | 32d | 64d | 96d |
# | --- | --- | --- | --- |
# | even-even | 4.27 | 3.76 | 3.58 |
# | even-shake-batch | 4.44 | | |
# | shake-keep-batch | 4.11 | | |
# | shake-even-batch | **3.47** | 3.30 | |
# | shake-shake-batch | 3.67 | 3.07 | |
# | even-shake-image | 4.11 | | |
# | shake-keep-image | 4.09 | | |
# | shake-even-image | **3.47** | 3.20 | |
# | shake-shake-image | 3.55 | **2.98** | **2.86** |
#
# Shaking forward helps most, unless the way back repeats the same α (shake-keep). "Shake-shake-image is best", as
# the source says, holds from 64 channels on; at 32, shake-even is ahead by less than a tenth of a point. The
# wider the network, the more there is to regularise.
#
# **Where it stood.** With 26.2 million parameters, shake-shake's 2.86 % came after 3.8 % of a Wide ResNet (36.5
# million) and 3.46 % of a DenseNet (25.6 million); on CIFAR-100, with another network, 15.85 % after 18.3 % and
# 17.18 %, each as the paper quotes it.
#
# **A figure that cannot be compared.** The source trained shake-shake-image at 32d and reports an accuracy of 0.9633,
# a little less than the paper's 0.9645, and puts the difference down to chance. But its program hands the test
# pictures to the training as validation data, and keeps the checkpoint with the highest of 1,800 figures. The highest
# of many noisy figures lies above their mean, by an amount that says nothing about new pictures. The paper takes the
# last epoch, whatever it is. A fair comparison does the same, or chooses on pictures of its own, as this chapter
# does.
#
# **Full scale.** At the 25 to 70 pictures a second that two cores train, depending on how old they are, 1,800 epochs of 45,000 pictures
# take two to five weeks; another implementation, in PyTorch, reports 34 hours. The run may be stopped and goes on. This repeats the
# recorded runs of the sample, in figures 9.9 to 9.11:
#
# ```sh
# python -m benchmarks results --scale sample shakenet_even_even_batch shakenet_even_even_batch_on_training \
#     shakenet_shake_shake_image shakenet_shake_shake_image_on_training shakenet_shake_even_image \
#     shakenet_shake_keep_image shakenet_without_skip shakenet_without_batch_norm \
#     shakenet_even_even_batch_correlation shakenet_shake_shake_image_correlation
# ```
#
# ## Exercises
#
# 1. How many parameters has the first block of the first stage, skip included? Compute it by hand.
# 2. Change the layer `Shake` of this chapter so that all pictures of a batch share α, and share β.
# 3. The paper's second experiment places β with respect to α; `help(models.ShakeShake)` lists the rules. Where does β
#    lie, for α = 0.2 and α = 0.9, with the rule `"half_to_mirror"`?
# 4. With restarts, the first wave takes 10 epochs and each one twice as long as the one before. After which epochs
#    does the learning rate jump, in 300?
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - *Shake-Shake regularization*, on Sualab's research blog (in Korean): the idea, the network, the modes, and an
#   implementation.
# - X. Gastaldi, *Shake-Shake regularization*, arXiv:1705.07485, 2017, and the author's code: the published figures.
# - I. Loshchilov and F. Hutter, *SGDR: Stochastic Gradient Descent with Warm Restarts*, ICLR 2017: the cosine.
# - K. He, X. Zhang, S. Ren and J. Sun, *Deep Residual Learning for Image Recognition*, CVPR 2016: residual blocks.
# - G. Larsson, M. Maire and G. Shakhnarovich, *FractalNet*, ICLR 2017: drop-path.
# - A. Krizhevsky, *Learning Multiple Layers of Features from Tiny Images*, 2009: CIFAR-10.
#
# **Next:** [chapter 10, looking inside a network](10_looking_inside.ipynb).
#
# ## Solutions
#
# **1.** Two branches of two 3×3 convolutions, each with two numbers a channel for its normalisation, and the skip's
# two 1×1 convolutions with theirs (16 channels come in, 32 go out):

# %%
branch = 9 * 16 * 32 + 9 * 32 * 32 + 2 * (2 * 32)
by_hand = 2 * branch + 2 * 16 * 16 + 2 * 32
block = [layer for layer in published.layers if layer.name.startswith("stage1_block1")]
print(f"{by_hand:,} = {trained(block):,}")

# %% [markdown]
# **2.** One line, since numbers of the shape (1, 1, 1, 1) serve every picture:


# %%
class ShakeBatch(layers.Layer):
    def call(self, branches, training=False):
        first, second = branches
        if not training:
            return (first + second) / 2
        shape = (1, 1, 1, 1)
        alpha, beta = keras.random.uniform(shape), keras.random.uniform(shape)
        difference = first - second
        hidden = ops.stop_gradient((alpha - beta) * difference)
        return second + beta * difference + hidden


alpha, beta = measured(ShakeBatch())
print("different α:", len(set(alpha.tolist())), " different β:", len(set(beta.tolist())))

# %% [markdown]
# **3.** Between ½ and 1 − α: from 0.5 to 0.8 for α = 0.2, and from 0.1 to 0.5 for α = 0.9.

# %%
rule = models.ShakeShake("shake", "half_to_mirror", seed=5)
for alpha in (0.2, 0.9):
    beta = ops.convert_to_numpy(rule.coefficients(10_000, np.full(10_000, alpha))[1])
    print(f"α = {alpha}: β from {beta.min():.2f} to {beta.max():.2f}")

# %% [markdown]
# **4.** After 10, 10 + 20 and so on, which the recipe knows as `restart_after`:

# %%
with_restarts = dataclasses.replace(recipe, epochs=300, restart_after=10)
rate = with_restarts.schedule(steps=1)
rates = [float(rate(epoch)) for epoch in range(301)]
print([epoch for epoch in range(1, 301) if rates[epoch] > rates[epoch - 1]])
