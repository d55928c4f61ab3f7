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
# # Chapter 1. Convolution
#
# How can a computer see a cat, when all it gets is a table of numbers? The answer of this course is one operation,
# **convolution** (합성곱), repeated in layers. In this chapter you compute it by hand, and at the end you train the
# network in figure 1.1.
#
# By the end of this chapter you will be able to
#
# - compute a convolution by hand, in NumPy and in Keras, and get the same numbers;
# - predict the size of a **feature map** (특성맵) from kernel, **padding** (패딩) and **stride** (보폭);
# - explain why a convolution needs few parameters, and what ReLU and pooling are for;
# - let gradient descent learn a kernel, and then a whole network for handwritten digits.
#
# You need Python and a little NumPy, but no machine learning.
#
# ![A handwritten five passes through a small network: input, feature maps, pooled maps, two layers of numbers, and
# the probabilities of the ten digits](cover.png)
#
# *Figure 1.1. The network that you will train: a handwritten digit goes in at the left, and ten probabilities come out at
# the right.*

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# Every chapter begins with one choice. The `"sample"` scale runs on your laptop in a minute, without the internet. The
# `"full"` scale is the published experiment. Here, both use the same data, and the full scale trains longer.

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
from cnnkit import data, evaluation, models, plots, training

import keras
import numpy as np
from matplotlib.figure import Figure
from skimage.data import chelsea

EPOCHS = {"sample": 600, "full": 2000}[SCALE]
photo = chelsea()[:, 60:360] / 255  # a cat, 300 × 300 pixels, each channel from 0 to 1

# %% [markdown]
# ## 1. Why not a dense layer?
#
# The simplest layer of a neural network is the **dense layer** (밀집층). For each of its outputs, it multiplies every input
# by a learned number, a **weight** (가중치), adds the products up, and adds one more learned number, the **bias** (편향). All
# learned numbers together are the **parameters** (파라미터) of the layer.
#
# **What do you expect?** A grey photo has 1,000 × 1,000 pixels. How many weights does a dense layer with 1,000 outputs
# have?

# %%
print(f"dense:       1000 · 1000 inputs × 1000 outputs = {1000 * 1000 * 1000:,} weights")
print(f"convolution: 3 · 3 pixels × 1000 maps          = {3 * 3 * 1000:,} weights")
plots.image_grid([photo], size=4)

# %% [markdown]
# *Figure 1.2. Chelsea, the cat of this chapter. Her eye is an eye wherever it is in the photo.*
#
# A billion weights are too many to learn. A photo suggests how to save them:
#
# - **Look locally** (*local connectivity*). Compare a pixel with its neighbours only, because they belong together.
# - **Share the weights** (*weight sharing*). Use the same small detector everywhere, because an eye looks the same in every
#   corner.
# - **Stack.** Edges form an eye, and eyes form a face. So let the next layer look for patterns in what this layer finds.
#
# A convolution is the layer that does the first two.
#
# ## 2. One step of a convolution
#
# Here is a tiny grey picture, from 0 (black) to 80 (bright). A **kernel** (커널) is a smaller table. Lay the kernel on the
# upper left corner of the picture. Multiply each number of the kernel by the pixel that it covers, and add up the nine
# products. The sum is large if that spot of the picture matches the kernel.
#
# This kernel is Sobel's. Its upper row is negative and its lower row positive, so it responds to a place that is dark
# above and bright below: a horizontal edge.

# %%
picture = np.array(
    [
        [0, 0, 75, 80, 80],
        [0, 75, 80, 80, 80],
        [0, 75, 80, 80, 80],
        [0, 75, 80, 80, 80],
        [0, 0, 0, 0, 0],
    ]
)
sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])

# %% [markdown]
# **What do you expect?** Six of the nine products in the upper left corner are zero. Compute the sum of the other three
# on paper.

# %%
corner = picture[0:3, 0:3]
print(corner * sobel)
print("sum:", (corner * sobel).sum())

# %% [markdown]
# ## 3. Slide the kernel across the picture
#
# Move the kernel to every place where it fits. Each place gives one number. Together these numbers form a feature map; the
# map of one chosen kernel is also called its **response map** (출력맵). That is all a convolution does. In code it is two
# loops:


# %%
def convolve(picture, kernel):
    """Slide a square kernel over a grey picture; every position gives one number."""
    size = len(kernel)
    rows, columns = picture.shape[0] - size + 1, picture.shape[1] - size + 1
    response = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = picture[row : row + size, column : column + size]
            response[row, column] = (window * kernel).sum()
    return response


# %% [markdown]
# **What do you expect?** How large is the response map of the 5×5 picture? Where is it negative, and why?
#
# <details><summary>Answer</summary>
#
# It is 3×3, because a 3×3 kernel fits in only three positions per row. The last row is negative: there, the picture is
# bright above and dark below, so the edge runs the other way.
#
# </details>

# %%
response = convolve(picture, sobel)
print(response)
plots.convolution_step(picture, sobel, response, row=0, column=0)

# %% [markdown]
# *Figure 1.3. The first of nine steps. The framed window, times the kernel, summed, gives the framed number of the response
# map. Run the next cell to move the kernel by two sliders.*

# %% tags=["nbval-ignore-output"]
from ipywidgets import interact

sliders = interact(
    lambda row, column: plots.convolution_step(picture, sobel, response, row, column),
    row=(0, 2),
    column=(0, 2),
)

# %% [markdown]
# Keras has the same operation. Its input has four axes, (picture, row, column, channel), and so have its kernels, (row,
# column, input channel, output map). We have one picture, one channel and one kernel, so we add axes of length 1. `valid`
# means that the kernel goes only where it fits.


# %%
def convolve_with_keras(picture, kernel):
    pictures = picture[np.newaxis, :, :, np.newaxis].astype("float32")
    kernels = kernel[:, :, np.newaxis, np.newaxis].astype("float32")
    maps = keras.ops.conv(pictures, kernels, padding="valid")
    return keras.ops.convert_to_numpy(maps)[0, :, :, 0]


print(convolve_with_keras(picture, sobel))

# %% [markdown]
# <details><summary>For later: convolution or cross-correlation?</summary>
#
# In signal processing, a convolution turns the kernel by half a turn before it slides, and what you just computed is
# called *cross-correlation*. A network learns its kernels, so it does not matter which way round they are stored. That is
# why every deep-learning library leaves out the turn and still says convolution. SciPy has both:
#
# ```python
# from scipy.signal import convolve2d, correlate2d
#
# correlate2d(picture, sobel, "valid")               # equals our response map
# convolve2d(picture, np.rot90(sobel, 2), "valid")   # equals it as well: the kernel is turned twice
# ```
#
# </details>
#
# ## 4. Several kernels, several maps
#
# A convolutional layer slides several kernels over the same input, and each gives its own map. Here are four. The numbers
# in each add up to zero, so a uniform area gives zero.

# %%
names = ["horizontal edges", "vertical edges", "diagonals", "spots"]
four = np.stack(
    [
        sobel,
        sobel.T,
        np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2]]),
        np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]),
    ],
    axis=-1,
)
grey = photo.mean(axis=-1)
maps = np.stack([convolve(grey, four[..., number]) for number in range(4)], axis=-1)
print("photo", grey.shape, "→ response maps", maps.shape)
plots.feature_maps(np.clip(maps, -1, 1), names, columns=2, size=3.4)

# %% [markdown]
# *Figure 1.4. The responses of Chelsea to the four kernels, cut off at ±1: orange where the pattern is, purple where its
# opposite is, white where there is neither. The third kernel finds diagonals of one direction only.*
#
# ## 5. Colour: a filter is as deep as its input
#
# A colour photo is three tables of numbers, its **channels** (채널): red, green and blue. A **filter** (필터) then has three
# kernels, one for each channel, and adds up all 27 products into *one* number. So a filter gives one map, however many
# channels come in. In a network, each filter also has a bias, which is added to its whole map.
#
# **What do you expect?** Six filters of shape (3, 3, 3) slide over a picture of shape (8, 8, 3). What is the shape of the
# result: (6, 6, 6) or (6, 6, 18)?


# %%
def convolve_colour(picture, filters):
    """Slide filters (k, k, channels, count) over a picture (h, w, channels)."""
    size, _, _, count = filters.shape
    rows, columns = picture.shape[0] - size + 1, picture.shape[1] - size + 1
    response = np.zeros((rows, columns, count))
    for row in range(rows):
        for column in range(columns):
            window = picture[row : row + size, column : column + size]
            for number in range(count):
                response[row, column, number] = (window * filters[..., number]).sum()
    return response


miniature = photo[::38, ::38]
filters = np.random.default_rng(0).normal(size=(3, 3, 3, 6))
colour_response = convolve_colour(miniature, filters)
print(miniature.shape, "with filters", filters.shape, "→", colour_response.shape)

# %% tags=["check"] jupyter={"source_hidden": true}
assert np.allclose(convolve_with_keras(picture, sobel), response)
in_keras = keras.ops.conv(miniature[np.newaxis].astype("float32"), filters.astype("float32"))
assert np.allclose(in_keras[0], colour_response, atol=1e-4)

# %%
red, green, blue = np.moveaxis(photo, -1, 0)
plots.image_grid([photo, red, green, blue], ["photo", "red", "green", "blue"], size=2)

# %% [markdown]
# *Figure 1.5. Chelsea and her three channels: a channel is bright where there is much of its colour. Orange fur is bright
# in red and dark in blue.*
#
# ## 6. How large is the map?
#
# A 3×3 kernel fits into a 5×5 input in only three positions per row, so the map shrinks. Two settings change that.
# **Padding** surrounds the input with zeros. A **stride** larger than 1 lets the kernel jump. For an input of size $i$, a
# kernel of size $f$, $p$ zeros on each side and a stride of $s$, the output has the size
#
# $$o = \left\lfloor \frac{i + 2p - f}{s} \right\rfloor + 1$$
#
# because the kernel can move by $i + 2p - f$ cells in steps of $s$, and its first position counts too. Rows and columns
# follow the same rule.


# %%
def output_size(i, f, p=0, s=1):
    return (i + 2 * p - f) // s + 1


# %% [markdown]
# **What do you expect?** The input is 5×5 and the kernel 3×3. Write down four output sizes: without padding and with a
# padding of 1, each with a stride of 1 and of 2.

# %%
cases = [(5, 3, 0, 1), (5, 3, 0, 2), (5, 3, 1, 1), (5, 3, 1, 2)]
for i, f, p, s in cases:
    print(f"padding {p}, stride {s}: {output_size(i, f, p, s)} × {output_size(i, f, p, s)}")
plots.sliding_windows(cases)

# %% [markdown]
# *Figure 1.6. The four cases: dark input, light padding, first window orange, last window green, and a dot at the centre of
# each window.*

# %% tags=["check"] jupyter={"source_hidden": true}
for i, f, p, s in [(i, f, p, s) for i in (5, 8) for f in (2, 3, 4) for p in (0, 2) for s in (1, 3)]:
    row = np.pad(np.ones(i, "float32"), p)[np.newaxis, :, np.newaxis]
    assert keras.ops.conv(row, np.ones((f, 1, 1), "float32"), s).shape[1] == output_size(i, f, p, s)

# %% [markdown]
# In Keras you write `padding="valid"` for no padding. With `padding="same"`, the output is as large as the input if the
# stride is 1, and half as large, rounded up, if it is 2: `Conv2D(32, 3, strides=2, padding="same")` makes 32 maps with 3×3 kernels.
#
# <details><summary>For later: half padding, and why it is not quite "same"</summary>
#
# With a stride of 1, which padding keeps the size? Set $o = i$ in the formula: $i + 2p - f + 1 = i$, so $p = (f - 1) / 2$.
#
# - If $f$ is odd, $p = (f - 1) / 2 = \lfloor f / 2 \rfloor$ is a whole number. This is *half padding*.
# - If $f$ is even, no whole $p$ fits: $p = f / 2$ on both sides gives a map that is one larger.
#
# Keras's `same` guarantees an output of size $\lceil i / s \rceil$ and adds exactly as many zeros as that needs. If their
# number is odd, the extra zero goes on the right or at the bottom. With a stride of 2, a kernel of 3 and an even input, it
# needs one zero, and half padding adds two. The sizes agree, but every window is shifted by a pixel. Remember this when
# you copy weights from one library into another: no error message will tell you.
#
# </details>
#
# ## 7. Local, shared, and the same anywhere
#
# In a dense layer, every output has its own weight for every input. In a convolution, an output sees a few neighbours only,
# and all outputs share their weights.

# %% jupyter={"source_hidden": true}
figure = Figure(figsize=(9, 2.6))
inputs_x, outputs_x = np.arange(9), np.arange(1, 8)
reaches = {"dense layer": 9, "convolution": 1}
for ax, (title, reach) in zip(figure.subplots(1, 2), reaches.items(), strict=True):
    for output in outputs_x:
        for source in inputs_x[abs(inputs_x - output) <= reach]:
            color = f"C{source - output + 1}" if reach == 1 else "0.7"
            ax.plot([source, output], [0, 1], color=color, lw=1.6 if reach == 1 else 0.8)
    ax.plot(inputs_x, 0 * inputs_x, "ko", outputs_x, 0 * outputs_x + 1, "ko", ms=9)
    ax.set(title=title, yticks=(0, 1), yticklabels=("inputs", "outputs"), ylim=(-0.2, 1.2))
    ax.set_xticks([])
    ax.spines[:].set_visible(False)
figure

# %% [markdown]
# *Figure 1.7. The same nine inputs and seven outputs. At the left, each of the 63 lines has its own weight. At the right,
# there are only three: lines of one colour share one weight.*
#
# Because the weights are shared, a pattern gets the same response wherever it lies, and the place of the response moves
# along. This is called **translation equivariance**. To see it, use Chelsea's eye as a kernel (minus its mean), and
# look for it in a scene with two copies:

# %%
eye = grey[84:150, 74:148] - grey[84:150, 74:148].mean()
scene = np.zeros((160, 320))
scene[5:71, 10:84] = eye
scene[85:151, 230:304] = eye
found = convolve_with_keras(scene, eye)
print(f"response at the first eye: {found[5, 10]:.1f}, at the second: {found[85, 230]:.1f}")
pictures = [scene - scene.min(), np.maximum(found, 0) / found.max()]
plots.image_grid(pictures, ["scene", "response map"], columns=2, size=3.5)

# %% [markdown]
# *Figure 1.8. A scene with two eyes, and the positive part of its response map. Each eye gives the same bright spot, where
# the upper left corner of its window is.*

# %% [markdown]
# <details><summary>For later: a convolution is a dense layer with a special matrix</summary>
#
# A dense layer computes $Wx + b$. So does a convolution: each row of its matrix $W$ holds the same nine weights, at the places
# of another window, and zeros everywhere else. For our 5×5 picture and Sobel's kernel, $W$ has 9 × 25 numbers, of which only
# four are different from one another and from zero (−2, −1, 1 and 2). Whatever a convolution computes, a dense layer could
# compute as well. The convolution is not more powerful. It is a better guess about pictures, and it has far less to learn.
#
# </details>
#
# ## 8. Two layers see further than one
#
# The second convolution of a stack works on the maps of the first. On how many pixels does *one* of its numbers depend?
# Change one pixel at a time, and see when the number in row 1, column 1 changes (both count from 0).
#
# **What do you expect?** Both layers have 3×3 kernels. Is the region 3×3, 5×5 or 6×6?

# %%
keras.utils.set_random_seed(0)
stack = keras.Sequential(
    [keras.Input((8, 8, 3)), keras.layers.Conv2D(12, 3), keras.layers.Conv2D(7, 3)]
)
nudged = np.repeat(miniature[np.newaxis], 65, axis=0)
for k in range(64):
    nudged[k, k // 8, k % 8] += 1  # picture k differs in pixel k, and the last one in none
answers = stack.predict(nudged, verbose=0)[:, 1, 1]
seen = (np.abs(answers[:64] - answers[64]).max(axis=-1) > 1e-3).reshape(8, 8)
plots.number_grids([seen.astype(int)], ["pixels that row 1, column 1 of the second layer sees"])

# %% tags=["check"] jupyter={"source_hidden": true}
assert np.argwhere(seen).tolist() == [
    [row, column] for row in range(1, 6) for column in range(1, 6)
]

# %% [markdown]
# *Figure 1.9. The **receptive field** (수용 영역) of one number after two 3×3 convolutions is 5×5 pixels.*
#
# A number of the second layer depends on 3×3 numbers of the first, and each of these on 3×3 pixels. Their windows overlap,
# and together they cover 3 + 2 = 5 pixels a side. Each further 3×3 layer adds two pixels. Strides and pooling
# (section 10) widen the region faster. So later layers can respond to larger patterns, such as an eye or a face.
#
# ## 9. ReLU: why not only convolutions?
#
# A stack of convolutions alone would be no stronger than a single convolution with a larger kernel: two 3×3 convolutions
# in a row equal one 5×5 convolution. So each convolution is followed by an *activation* (활성화 함수), a nonlinear function
# of each number. The usual one is **ReLU** (렐루), $\max(0, x)$. Where a window matches the kernel, the response is positive,
# and ReLU keeps it. Where the window shows the opposite, the response is negative, and ReLU makes it 0.

# %%
x = np.linspace(-3, 3, 121)
functions = {"ReLU": np.maximum(0, x), "sigmoid": 1 / (1 + np.exp(-x))}
plots.curves(functions, x, xlabel="input", ylabel="output")

# %% [markdown]
# *Figure 1.10. ReLU and the older sigmoid. Learning follows slopes, as section 11 shows. The sigmoid is nearly flat on both
# sides, so a network learns slowly there. ReLU has the same slope for all positive numbers.*
#
# ## 10. Pooling: a smaller map
#
# **Pooling** (풀링) also slides a window over each map, but it has no weights. It keeps the largest number of each window
# (max pooling) or the mean (average pooling). The windows usually do not overlap.
#
# **What do you expect?** Look at the 4×4 map in the next cell. Which four numbers does 2×2 max pooling give?


# %%
def pool(response, size, summary):
    """Summarise each size × size window of a map; the windows do not overlap."""
    rows, columns = response.shape[0] // size, response.shape[1] // size
    pooled = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = response[row * size : (row + 1) * size, column * size : (column + 1) * size]
            pooled[row, column] = summary(window)
    return pooled


numbers = np.array([[1, 3, 2, 0], [5, 2, 1, 1], [0, 0, 4, 2], [8, 0, 2, 4]])
grids = [numbers, pool(numbers, 2, np.max), pool(numbers, 2, np.mean)]
plots.number_grids(grids, ["map", "max pooling", "average pooling"])

# %% [markdown]
# *Figure 1.11. 2×2 pooling with a stride of 2: each quarter of the map becomes one number. In Keras, these are
# `MaxPooling2D(2)` and `AveragePooling2D(2)`.*
#
# Why throw away three numbers of four?
#
# - **A wider view.** After pooling, a step of one cell is a step of two pixels, so later kernels see twice as far.
# - **Tolerance.** If a pattern moves by a pixel, the largest number of its window often stays the same.
# - **Fewer parameters.** The dense layer at the end has a weight per input and output, and pooling cuts its inputs to
#   a quarter.
#
# ## 11. How does a network learn?
#
# So far, we chose the kernels. A network finds them itself:
#
# 1. **Loss** (손실). Measure by one number how wrong the network is.
# 2. **Gradient** (기울기). Calculus says for every parameter how fast the loss rises if we increase it.
# 3. **Step.** Change every parameter a little so that the loss falls. How little is the **learning rate** (학습률).
# 4. **Repeat.** This is **gradient descent** (경사 하강법).
#
# Here is the smallest example: one weight $w$, a loss of $(w - 3)^2$, and a gradient of $2(w - 3)$.

# %%
w, rate, path = 0.0, 0.3, [0.0]
for _ in range(5):
    gradient = 2 * (w - 3)
    w = w - rate * gradient
    path.append(w)
print("w:", np.round(path, 2))

# %% jupyter={"source_hidden": true}
grid, path = np.linspace(-0.5, 6.5, 101), np.array(path)
figure = plots.curves({"loss": (grid - 3) ** 2}, grid, xlabel="weight w", ylabel="loss")
figure.axes[0].plot(path, (path - 3) ** 2, "o", ms=8)
figure

# %% [markdown]
# *Figure 1.12. Five steps downhill. The steps become smaller by themselves, because the slope does.*
#
# ### A kernel learned from data
#
# Here is a picture of random dots, and the map that Sobel's kernel makes of it. A `Conv2D` layer begins with random numbers.
# Its loss is the mean squared difference (`mse`) between its map and the right one, and `SGD` is Keras's gradient descent.
# One call of `fit` is one step here.
#
# **What do you expect?** In the example above, each step multiplied the error of the weight by 0.4. Now there are nine
# weights. Will they need ten steps, a hundred, or a thousand?

# %% tags=["nbval-ignore-output"]
keras.utils.set_random_seed(0)
dots = np.random.default_rng(0).normal(size=(64, 64))
before, after = (
    dots[np.newaxis, ..., np.newaxis],
    convolve(dots, sobel)[np.newaxis, ..., np.newaxis],
)
layer = keras.Sequential([keras.Input((64, 64, 1)), keras.layers.Conv2D(1, 3, use_bias=False)])
layer.compile(keras.optimizers.SGD(learning_rate=0.2), loss="mse")
learned, losses = [layer.get_weights()[0]], []
for _ in range(10):
    history = layer.fit(before, after, verbose=0)
    learned.append(layer.get_weights()[0])
    losses += history.history["loss"]
print("loss:", *(f"{loss:.3f}" for loss in losses))

# %% tags=["nbval-ignore-output"]
grids = [np.round(learned[step][:, :, 0, 0], 1) for step in (0, 2, 5, 10)]
plots.number_grids([*grids, sobel], ["at first", "2 steps", "5 steps", "10 steps", "Sobel"])

# %% tags=["check"] jupyter={"source_hidden": true}
assert np.abs(learned[10][:, :, 0, 0] - sobel).max() < 0.1

# %% [markdown]
# *Figure 1.13. Ten steps of gradient descent turn random numbers into Sobel's kernel, to one decimal.*
#
# That is a convolutional network: training finds the kernels that make the loss small.
#
# ## 12. Data set: handwriting, eight pixels wide
#
# Every image classifier has four parts: a **data set** (데이터셋), a **learning model** (러닝 모델), a **learning algorithm**
# (러닝 알고리즘) and a **performance evaluation** (성능 평가). The next four sections carry these names.
#
# The data set is scikit-learn's 1,797 handwritten digits, divided by 16. The network learns from 1,617 of them. The other
# 180, chosen at random, are for testing: the network does not see them while it learns.

# %%
(x_train, y_train), (x_test, y_test) = data.digits(seed=5)
print("training", x_train.shape, "test", x_test.shape, "values", x_train.min(), "to", x_train.max())
plots.image_grid(x_train[:20], y_train[:20])

# %% [markdown]
# *Figure 1.14. Twenty training pictures with their labels. At eight pixels, some are hard for you too.*
#
# ## 13. Learning model: one convolution, then two dense layers
#
# The last layer ends in a **softmax** (소프트맥스). It divides $e^{x_i}$ by the sum of all ten $e^{x_j}$, and so turns ten
# numbers into ten probabilities that add up to 1.
#
# **What do you expect?** Write down the shape after each layer and its number of parameters.

# %%
training.reproducible(seed=5)  # sets all seeds
network = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(32, 3, padding="same", activation="relu", name="conv1"),
        keras.layers.MaxPooling2D(2, name="pool1"),
        keras.layers.Flatten(name="flatten"),
        keras.layers.Dense(300, activation="relu", name="dense1"),
        keras.layers.Dense(10, activation="softmax", name="predictions"),
    ],
    name="digits",
)
network.summary()

# %% [markdown]
# <details><summary>Answer</summary>
#
# - `conv1`: 3 × 3 × 1 weights and a bias for each of 32 filters, 32 × (9 + 1) = 320. `same` keeps 8×8.
# - `pool1`: half of each side, 4×4, and no parameters.
# - `flatten`: 4 × 4 × 32 = 512 numbers in a row.
# - `dense1`: (512 + 1) × 300 = 153,900. Nearly all parameters are here.
# - `predictions`: (300 + 1) × 10 = 3,010.
#
# </details>
#
# In the table, `None` is the number of pictures, which may be any. `models.digits_cnn()` builds the same network. It draws
# the first weights as the published experiment did, so we train this one.

# %%
training.reproducible(seed=5)
model = models.digits_cnn()
print(f"{network.count_params():,} parameters, and models.digits_cnn(): {model.count_params():,}")

# %% tags=["check"] jupyter={"source_hidden": true}
shapes = [layer.output.shape for layer in models.digits_cnn().layers if layer.name != "digits"]
assert [layer.output.shape for layer in network.layers] == shapes

# %% [markdown]
# ## 14. Learning algorithm: gradient descent
#
# The loss of a picture is its **cross-entropy** (교차 엔트로피), $-\log p$, where $p$ is the probability of the right digit
# and $\log$ the natural logarithm. If the network is certain and right, $p = 1$ and the loss is 0. If it guesses, $p = 0.1$
# and the loss is 2.3. If it is certain of a wrong digit, $p$ is near 0 and the loss is large. Each step uses all 1,617
# pictures at once, and the loss is their *sum*. **Accuracy** (정확도) is the share of right answers.

# %%
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=1e-4),
    loss=keras.losses.SparseCategoricalCrossentropy(reduction="sum"),
    metrics=["accuracy"],
)

# %% tags=["nbval-ignore-output"]
history = model.fit(x_train, y_train, batch_size=len(x_train), epochs=EPOCHS, verbose=0)
loss = np.array(history.history["loss"]) / len(x_train)
print("step   loss per picture   training accuracy")
for step in (0, 10, 100, EPOCHS // 2, EPOCHS - 1):
    print(f"{step:4}   {loss[step]:16.4f}   {history.history['accuracy'][step]:17.4f}")

# %% tags=["nbval-ignore-output"]
plots.curves(
    {"training": loss[::10]}, range(0, EPOCHS, 10), xlabel="step", ylabel="loss per picture"
)

# %% [markdown]
# *Figure 1.15. The loss per picture falls from that of guessing, 2.3, to nearly 0. It may rise for a moment, when a step was
# too large.*
#
# <details><summary>The published run of 2,000 steps</summary>
#
# | step | loss per picture | training accuracy |
# | --: | --: | --: |
# | 0 | 2.308 | 0.11 |
# | 1,900 | 0.0033 | 1.00 |
#
# At step 0, your accuracy may lie anywhere between 0 and 0.2, because the answers of an untrained network are luck.
#
# </details>
#
# ## 15. Performance evaluation: is 98.3 % a lot?
#
# The published test accuracy is **0.983**, from one random split. That is 3 mistakes in 180.
#
# **What do you expect?** How far off may your result be before you suspect an error in your code?

# %% tags=["nbval-ignore-output"]
probabilities = model.predict(x_test, verbose=0)
predicted = probabilities.argmax(axis=1)
accuracy = (predicted == y_test).mean()
recorded = evaluation.spread("digits", SCALE)
print(f"this run: {accuracy:.3f}")
print("five recorded runs:", recorded)
plots.spreads({"digits": recorded.figures}, {"digits": accuracy}, {"digits": 0.983})

# %% tags=["check"] jupyter={"source_hidden": true}
assert accuracy in recorded
assert evaluation.report(y_test, probabilities).accuracy == accuracy

# %% [markdown]
# *Figure 1.16. Test accuracy of this run, of five recorded runs with other **seeds** (시드, the numbers from which all random
# choices follow), and the published one.*
#
# **A single result is luck.** The same code gives any of these points, depending only on the seed, which also splits the
# digits. One mistake moves a point by 0.0056. So this course reports several seeds, their mean ± standard deviation, and
# the size of the test set.
#
# ## 16. The forward pass by hand
#
# Is there any magic in `model.predict`? Take the trained weights, and compute the answers yourself. First pad, so that the
# size stays 8×8. Then follow the five layers.

# %% tags=["nbval-ignore-output"]
w1, b1, w2, b2, w3, b3 = model.get_weights()
pictures = x_test[:20]
padded = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)))
feature_maps = np.stack([convolve_colour(picture, w1) + b1 for picture in padded])
print("convolution and bias:", feature_maps.shape)
feature_maps = np.maximum(0, feature_maps)
pooled = feature_maps.reshape(20, 4, 2, 4, 2, 32).max(axis=(2, 4))  # of windows of 2×2
print("ReLU and pooling:    ", pooled.shape)
flat = pooled.reshape(20, -1)
hidden = np.maximum(0, flat @ w2 + b2)
print("flatten, dense, ReLU:", flat.shape, "→", hidden.shape)
scores = hidden @ w3 + b3
by_hand = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
print("dense and softmax:   ", by_hand.shape)
print(f"largest difference from Keras: {np.abs(by_hand - probabilities[:20]).max():.0e}")

# %% tags=["check"] jupyter={"source_hidden": true}
assert np.allclose(by_hand, probabilities[:20], atol=1e-5)

# %% [markdown]
# These lines are a whole convolutional network. For the training pictures, the shapes are 1617×8×8×32 → 1617×4×4×32 →
# 1617×512 → 1617×300 → 1617×10. Make it a habit to follow the shapes.

# %% tags=["cover", "nbval-ignore-output"]
names = ["conv1", "pool1", "flatten", "dense1", "predictions"]
stages = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
through = [output[0] for output in stages.predict(x_test[3:4], verbose=0)]
plots.layer_by_layer(x_test[3], through, names)

# %% [markdown]
# *Figure 1.17. A test digit, a 5, on its way through the layers. Of the 32 maps, the six with the largest numbers are
# shown. The longest bar is the network's answer.*
#
# ## What you have learned
#
# - A convolution looks locally and shares its weights, so it finds a pattern wherever it is.
# - The output has $\lfloor (i + 2p - f) / s \rfloor + 1$ cells a side. A filter has f × f weights per channel, and a bias.
# - Stacked layers see larger regions. ReLU makes a stack stronger than one layer, and pooling makes maps smaller.
# - Gradient descent finds the kernels: loss, gradient, step, repeat.
# - One result of one seed is luck.
#
# ## Quiz
#
# **1.** A `Conv2D(16, 5)` layer gets 8 channels. How many parameters does it have?
# (a) 400 (b) 416 (c) 3,200 (d) 3,216
#
# <details><summary>Answer</summary>
#
# (d): 5 · 5 · 8 · 16 = 3,200 weights and 16 biases. (c) forgets the biases. (a) and (b) forget that each filter is as deep
# as its input.
#
# </details>
#
# **2.** A 7×7 convolution with stride 2 and padding 3 gets 224×224 pixels. How large is the map?
# (a) 109 (b) 112 (c) 113 (d) 218
#
# <details><summary>Answer</summary>
#
# (b): ⌊(224 + 6 − 7) / 2⌋ + 1 = 112. (a) leaves out the padding, (c) rounds up, and (d) leaves out padding and stride.
#
# </details>
#
# **3.** You move a cat in a photo by ten pixels to the right. What happens to the map of a convolution?
# (a) nothing (b) the response moves along (c) the response disappears (d) the weights change
#
# <details><summary>Answer</summary>
#
# (b): translation equivariance. (a) would be invariance, which pooling brings for small shifts. (c) would be true of a dense
# layer that knows the cat only in one place. (d) weights change only in training.
#
# </details>
#
# **4.** Two 3×3 convolutions follow one another *without* an activation. Which single layer could replace them?
# (a) a 3×3 convolution (b) a 5×5 convolution (c) a 6×6 convolution (d) none
#
# <details><summary>Answer</summary>
#
# (b): the receptive field is 5×5, and without an activation everything stays linear. (a) is too small, (c) adds the sizes.
# (d) would be right with a ReLU in between.
#
# </details>
#
# ## Exercises
#
# **1.** Give `convolve` an argument `stride`, and test it against `keras.ops.conv` with a stride of 2.
#
# <details><summary>Solution</summary>
#
# The window starts at `row * stride`, and the formula gives the number of rows:
#
# ```python
# def convolve_strided(picture, kernel, stride=1):
#     size = len(kernel)
#     rows, columns = (output_size(length, size, s=stride) for length in picture.shape)
#     response = np.zeros((rows, columns))
#     for row in range(rows):
#         for column in range(columns):
#             top, left = row * stride, column * stride
#             response[row, column] = (picture[top : top + size, left : left + size] * kernel).sum()
#     return response
# ```
#
# </details>
#
# **2.** What does the kernel `[[0, 0, 0], [0, 0, 1], [0, 0, 0]]` do to a picture? Predict first, then run it.
#
# <details><summary>Solution</summary>
#
# It takes the pixel to the right of the centre, so it moves the picture one step to the left:
# `convolve(picture, kernel)` equals `picture[1:-1, 2:]`.
#
# </details>
#
# **3.** Replace the dots of figure 1.13 by Chelsea (`grey`, with an input of 300×300). The loss falls, and the kernel stays
# wrong. Why?
#
# <details><summary>Solution</summary>
#
# Neighbouring pixels of a photo are nearly equal. So many kernels give almost the same map, and the loss cannot tell them
# apart. Random dots differ from their neighbours, so each of the nine numbers shows in the map.
#
# </details>
#
# ## Further reading
#
# - [A convolution to play with](../docs/convolution.md), in the web book of this course.
# - V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, arXiv:1603.07285.
# - A. Zhang and others, *Dive into Deep Learning*, chapter 7: why convolutions.
# - G. Sanderson (3Blue1Brown), *But what is a convolution?* (a video).
#
# ## Where this differs from its sources
#
# <details><summary>What comes from where</summary>
#
# - The worked example, colour, padding and stride follow *9. 합성곱 신경망* (Convolutional neural networks), after F. Chollet,
#   *Deep Learning with Python*, 2nd edition, Manning 2021. Its photos are others.
# - The network, its 2,000 steps and 0.983 are those of *해커에게 전해들은 머신러닝 #4* (Machine learning as told by a hacker, part
#   4). The sample scale takes 600 steps. That text calls half padding `SAME`; section 6 says why it is not.
# - The photo of Chelsea is S. van der Walt's (CC0), from scikit-image. The digits are E. Alpaydin and C. Kaynak's.
#
# </details>
#
# **Next:** [chapter 2, MNIST](02_mnist.ipynb).
