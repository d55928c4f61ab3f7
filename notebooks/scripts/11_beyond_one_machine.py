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
# # Chapter 11. Beyond one machine
#
# At the end of this chapter you can
#
# - run the same network on TensorFlow, JAX and PyTorch, and say what changes and what does not;
# - say what mixed precision saves, what it risks, and where it pays;
# - let several processes train one network, and get the losses of a single one;
# - compute from the parameters, the speed of the cable and the batch size whether more machines would help.
#
# You need [chapter 2](02_mnist.ipynb) for the network and [chapter 7](07_alexnet.ipynb) for runs that go on. At sample
# scale the chapter takes about a minute.

# %% jupyter={"source_hidden": true} tags=["install"]
# @title Install cnnkit in Colab: upload cnnkit-*.whl first
None if "google.colab" not in str(get_ipython()) else get_ipython().run_line_magic("pip", "install -q cnnkit-*.whl")  # fmt: skip

# %% [markdown]
# Everything so far ran on one machine, in one process. A network that takes a week asks for more. There are three ways
# to go faster without touching the network: another **backend** (백엔드), which computes the same with other code;
# numbers of half the size, **mixed precision** (혼합 정밀도); and more workers, **data parallelism** (데이터 병렬화).
# All three change *how* the learning algorithm is computed. What it computes should stay the same, and that you can
# measure. *The sources* of this chapter are Keras's guides and three papers (see Sources).

# %% tags=["parameters"]
SCALE = "sample"  # @param ["sample", "full"]

# %%
EPOCHS = 2

# %%
import importlib.util
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from cnnkit import backend, data, models, plots

import keras
import numpy as np

# %% [markdown]
# ## 1. Three backends
#
# Keras is a front. The numbers are computed by TensorFlow, JAX or PyTorch, whichever the environment variable
# `KERAS_BACKEND` names when Keras is imported. That is the line to change, and it needs a new process. Here is a
# program that trains the network of chapter 2 and reports its losses. Its weights are drawn by NumPy, since each
# backend would draw others, and it learns by plain gradient descent in small steps: RMSprop divides by small numbers,
# and large steps amplify, both of which make the last digits jump.

# %%
program = """\
import dataclasses, json, sys, time
from cnnkit import data, models, training
import keras, numpy as np

scale, epochs, directory = sys.argv[1], int(sys.argv[2]), sys.argv[3]
plain = {"optimizer": "sgd", "learning_rate": 0.02, "epochs": epochs}
recipe = dataclasses.replace(training.recipes.MNIST, **plain)
(x, y), _ = data.mnist(scale)
count, random, times = len(x) // 64 * 64, np.random.default_rng(5), []
clock = keras.callbacks.LambdaCallback(
    on_train_batch_end=lambda batch, logs: times.append(time.perf_counter())
)
with training.distributed() as processes:
    model = models.mnist_cnn()
    shapes = [weight.shape for weight in model.get_weights()]
    kernels = [random.normal(0, np.prod(s[:-1]) ** -0.5, s) * (len(s) > 1) for s in shapes]
    model.set_weights(kernels)  # and biases of 0
    train = data.batches(x[:count], y[:count], 64, shuffle=True, seed=5)
    history = training.fit(model, recipe, train, None, directory, callbacks=clock, verbose=0)
    rate = (count - 64) / (times[-1] - times[-len(train)])
    print(json.dumps({"loss": history.history["loss"], "rate": rate}))
"""

# %%
directory = Path(tempfile.mkdtemp())
worker = directory / "worker.py"
worker.write_text(program)
print(worker.name, "has", len(program.splitlines()), "lines")

# %% [markdown]
# It reports the pictures a second of the last epoch, since in the first one the backend also
# translates the network into machine code. `training.distributed` will matter
# in section 3; for one process on one device, it does nothing.


# %%
def run(name, count=1, **environment):
    "Start the program in one or several processes, and return what each reports."
    pipe = subprocess.PIPE
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    with socket.socket() as probe:  # any free port
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder, jobs = tempfile.mkdtemp(prefix=name, dir=directory), []
    for index in range(count):
        address = {
            "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}",
            "KERAS_DISTRIBUTION_NUM_PROCESSES": str(count),
            "KERAS_DISTRIBUTION_PROCESS_ID": str(index),
        }
        values = os.environ | environment | address
        command = [sys.executable, worker, SCALE, str(EPOCHS), folder]
        jobs.append(subprocess.Popen(command, env=values, stdout=pipe, stderr=pipe, text=True))
        if cores:  # one for each, where the system lets us say so
            os.sched_setaffinity(jobs[-1].pid, {cores[index % len(cores)]})
    outputs = [job.communicate() for job in jobs]
    assert all(job.returncode == 0 for job in jobs), outputs
    return [json.loads(out.splitlines()[-1]) for out, _ in outputs]


# %% [markdown]
# **What do you expect?** The same weights, pictures and order. Will the losses agree in all digits, in five, or not
# at all? (PyTorch takes part where it is installed: `pip install torch`. The stored output is of a machine without
# it.)

# %%
names = ["tensorflow", "jax", "torch"]
installed = [name for name in names if importlib.util.find_spec(name)]
found = {name: run(name, KERAS_BACKEND=name)[0] for name in installed}
losses = np.array([each["loss"] for each in found.values()])
print("at least two backends:", len(installed) >= 2)
print("all losses agree to 0.001:", np.ptp(losses, axis=0).max() < 1e-3)
print("in all digits:", np.ptp(losses, axis=0).max() == 0)

# %% tags=["nbval-ignore-output"]
for name, each in found.items():
    print(f"{name:10} losses {np.round(each['loss'], 5)}, {each['rate']:6,.0f} pictures a second")

# %% [markdown]
# They agree in four or five digits and not in all. Sums of many numbers depend on their order, each library has its
# own, and each step builds on the last: over a long training, the difference tends to grow. The *figures* of an
# experiment do not change by it, the bits do. Whoever reports a result names the backend all the same.
#
# What changes is the speed, here on one core each. On a GPU the order may well be another one, and on other networks
# too; measure yours. Also different: TensorFlow reads photos (`tf.data`) and serves models, JAX compiles the whole step
# and knows several processes in Keras, PyTorch has the most code to borrow from.
#
# ## 2. Mixed precision
#
# A weight takes 4 bytes, as float32. Two formats take half of that. In each of the three, one more bit holds the sign:
#
# | | bits for size | bits for digits | largest | smallest above 0 | next to 1 |
# | --- | --- | --- | --- | --- | --- |
# | float32 | 8 | 23 | 3·10³⁸ | 10⁻⁴⁵ | 1.0000001 |
# | float16 | 5 | 10 | 65,504 | 6·10⁻⁸ | 1.001 |
# | bfloat16 | 8 | 7 | 3·10³⁸ | 9·10⁻⁴¹ | 1.008 |
#
# **What do you expect?** A weight of 1 gets a thousand steps of 0.0001 each. What is it afterwards, in float32 and in
# float16?

# %%
for kind in (np.float32, np.float16):
    weight = kind(1)
    for _ in range(1000):
        weight = kind(weight + kind(1e-4))
    print(f"{kind.__name__:8} the weight is {weight:.2f}; a gradient of 1e-8 is {kind(1e-8):g}")

# %% [markdown]
# Small steps get lost beside a large weight, and small gradients altogether. So precision is *mixed*: the weights stay
# float32, and each layer computes in 16 bits with a copy of them. Against lost gradients, the loss is multiplied by a
# large number before the gradient is taken, and the gradient divided by it afterwards. In Keras it is one line, a
# **dtype policy**, before the model is built.

# %%
built = {}
for policy in ("float32", "mixed_float16"):
    keras.config.set_dtype_policy(policy)
    built[policy] = models.vgg16_base(None, (96, 96, 3), width=1 / 8)
keras.config.set_dtype_policy("float32")
built["mixed_float16"].set_weights(built["float32"].get_weights())
photos = np.random.default_rng(5).uniform(0, 255, (2, 96, 96, 3)).astype("float32")
outputs = {name: model.predict(photos, verbose=0) for name, model in built.items()}
for name, model in built.items():
    layer = model.get_layer("block1_conv1")
    size = sum(int(np.prod(each.output.shape[1:])) for each in model.layers)
    size *= {"float32": 4, "float16": 2}[layer.compute_dtype]
    print(f"{name:14} weights {layer.variable_dtype}, computes in {layer.compute_dtype}, ", end="")
    print(f"feature maps of a photo {size / 1e6:.2f} MB")
difference = np.abs(outputs["mixed_float16"] - outputs["float32"]).max()
print("largest difference below 1 % of the largest:", difference < 0.01 * outputs["float32"].max())

# %% [markdown]
# Half the memory for feature maps, which are what fills a GPU in training. Speed is another matter. A GPU with tensor
# cores multiplies 16-bit matrices several times as fast. A CPU without such units converts back and forth and may be
# *slower*. No speed is to be gained here, and the course stays with float32. Let the last layer compute in float32
# (`dtype="float32"`), since a softmax in 16 bits loses small probabilities; and where you can choose, bfloat16 has
# float32's range and needs no scaling of the loss.
#
# ## 3. Data parallelism
#
# Each process has the whole network and takes a part of each batch. After the gradients, they all exchange them, take
# the mean and make the same step.

# %%
plots.data_parallel()

# %% [markdown]
# *Figure 11.1. A step of two processes. All-reduce: everybody gives a gradient, and everybody gets the mean.*
#
# **What do you expect?** Is the mean of the gradients of two halves exactly the gradient of the whole batch?

# %%
(x, y), _ = data.digits()
x, y = x[:64], y[:64]
keras.utils.set_random_seed(5)
model = models.digits_cnn()
start = model.get_layer("predictions").get_weights()[0]
cross_entropy = keras.losses.SparseCategoricalCrossentropy()
before = keras.Model(model.input, model.layers[-2].output)(x, training=False)
numbers = keras.ops.convert_to_numpy(before)


def gradient(rows):
    def loss(weights):
        scores = keras.ops.matmul(numbers[rows], weights)
        return cross_entropy(y[rows], keras.ops.softmax(scores))

    return backend.gradients(loss, start)[0]


whole, first, second = gradient(slice(64)), gradient(slice(32)), gradient(slice(32, 64))
print("the mean of the halves is the whole:", np.allclose((first + second) / 2, whole, atol=1e-7))
print("but the halves differ:", not np.allclose(first, second, atol=1e-3))

# %% [markdown]
# On paper it is, for halves of the same size and a loss that is a mean; in float32, up to rounding. So two processes do
# not train *another* network; they compute the same steps in another place. (Batch normalisation would be an exception
# if each half had its own mean. In Keras on JAX it is the mean of the whole batch.)
#
# Keras does this by its **distribution** API, for distributed training (분산 학습), on JAX:
# `keras.distribution.initialize()` lets the processes find one another, and `keras.distribution.DataParallel` says how
# variables and batches are laid out. `training.distributed()` of this package calls both, and `training.fit` within it
# lets each process read its share of every batch, and the first one alone write the run's directory. Every process runs
# the same program. Three environment variables say who it is: see `run` above.
#
# Start two of them, on this machine:

# %%
alone = run("alone", 1, KERAS_BACKEND="jax")[0]
together = run("together", 2, KERAS_BACKEND="jax")
apart = np.abs(np.subtract(alone["loss"], together[0]["loss"])).max()
print("both report the same losses:", together[0]["loss"] == together[1]["loss"])
print(f"as one process does, over {EPOCHS} epochs, to 0.0001:", apart < 1e-4)

# %% tags=["nbval-ignore-output"]
print("one process  ", np.round(alone["loss"], 6))
print("two processes", np.round(together[0]["loss"], 6))
one, two = alone["rate"], min(each["rate"] for each in together)
print(f"{one:,.0f} pictures a second on one core, {two:,.0f} on two: {two / one:.2f} times as many")

# %% [markdown]
# Two cores are not twice as fast, and on some machines hardly faster at all: the processes wait for one another after
# each step, the system needs a core now and then, and the network is so small that the exchange weighs.
#
# **When one of them dies**, the others cannot go on, because they would wait for its gradients. JAX notices, at once
# where a process ends and after a minute and a half where a machine or a cable is gone, and ends them with an error.
# Start all of them again: a run in a directory resumes after its last whole epoch (chapter 7), so that is all there
# is to it. On a large cluster
# something fails every day, and checkpoints are what makes it bearable.
#
# From the command line, on two machines that see the same folder, it is the `cnnkit train` of chapter 8:
#
# ```sh
# export KERAS_BACKEND=jax KERAS_DISTRIBUTION_JOB_ADDRESSES=10.0.0.1:1234 KERAS_DISTRIBUTION_NUM_PROCESSES=2
# KERAS_DISTRIBUTION_PROCESS_ID=0 cnnkit train --distribute run.yml    # on the machine 10.0.0.1
# KERAS_DISTRIBUTION_PROCESS_ID=1 cnnkit train --distribute run.yml    # on the other one
# ```
#
# ## 4. What it costs, and when it pays
#
# Past the cores of this machine you compute on paper. In every step, the gradients of all $P$ parameters go over the
# cable, 4 bytes each. In a *ring*, each of $n$ workers sends and receives $2 (n-1)/n$ times as many bytes, which is
# less than twice as many, however many workers there are:
#
# $$t_{\text{all-reduce}} = \frac{2 (n - 1)}{n} \cdot \frac{4 P}{\text{bandwidth}} \qquad
# \text{efficiency} = \frac{t_{\text{compute}}}{t_{\text{compute}} + t_{\text{all-reduce}}}$$
#
# with $t_{\text{compute}}$ = pictures of a worker's share / its pictures a second. (It leaves out the delay of each
# message and that good implementations begin to exchange while they still compute.)
#
# **What do you expect?** VGG16 has 14.7 million parameters without its dense layers (below, *no top*), and 138
# million with them. How long does one exchange between 8 workers take on an ordinary network cable, 1 Gbit a second?


# %%
def trained(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


networks = {
    "MNIST CNN": trained(models.mnist_cnn()),
    "DenseNet-121, no top": trained(models.densenet_base(None, (224, 224, 3))),
    "VGG16, no top": trained(models.vgg16_base(None, (224, 224, 3))),
    "VGG16": 138_357_544,
}
links = {"1 Gbit/s": 125e6, "10 Gbit/s": 1.25e9, "100 Gbit/s": 12.5e9}  # bytes a second


def exchange(parameters, workers, bandwidth):
    return 2 * (workers - 1) / workers * 4 * parameters / bandwidth


print("milliseconds a step, 8 workers     ", "".join(f"{link:>12}" for link in links))
for name, parameters in networks.items():
    times = [1e3 * exchange(parameters, 8, bandwidth) for bandwidth in links.values()]
    print(f"{name:21} {4 * parameters / 1e6:9.1f} MB ", "".join(f"{t:12,.1f}" for t in times))


# %% [markdown]
# Against it stands the time to compute. Let a worker manage 500 pictures a second, as a GPU may on a network of this
# kind (an assumption; put yours in). How large must its share of the batch be for an efficiency of 80 %?

# %%
RATE = 500  # pictures a second and worker


def efficiency(parameters, workers, share, bandwidth):
    computing = share / RATE
    return computing / (computing + exchange(parameters, workers, bandwidth))


def share_that_pays(parameters, workers, bandwidth, floor=0.8):
    return floor / (1 - floor) * exchange(parameters, workers, bandwidth) * RATE


print("pictures a worker for 80 %    ", "".join(f"{link:>12}" for link in links))
for name, parameters in networks.items():
    shares = [np.ceil(share_that_pays(parameters, 8, width)) for width in links.values()]
    print(f"{name:30}", "".join(f"{share:12,.0f}" for share in shares))

# %%
workers = [1, 2, 4, 8, 16, 32, 64]
plots.curves(
    {
        f"{name}, {link}": [efficiency(networks[name], n, 32, links[link]) for n in workers]
        for name, link in (
            ("DenseNet-121, no top", "100 Gbit/s"),
            ("DenseNet-121, no top", "10 Gbit/s"),
            ("VGG16", "100 Gbit/s"),
            ("VGG16, no top", "10 Gbit/s"),
            ("VGG16", "10 Gbit/s"),
        )
    },
    [str(number) for number in workers],
    xlabel="workers",
    ylabel="efficiency",
    ylim=(0, 1.05),
)

# %% [markdown]
# *Figure 11.2. Computed, not measured: efficiency with 32 pictures a worker, at 500 pictures a second.*
# <!-- alt: Five lines over 1 to 64 workers, all beginning at 1. DenseNet without its top stays above 0.9 at 100
# gigabits a second and falls to 0.6 at 10. VGG16 falls to 0.4 at 100, to 0.4 without its top at 10, and at once to
# 0.1 with its top at 10. -->
#
# The second worker costs most: from there on, the exchange takes at most twice as long, however many there are. Few
# parameters and much computing, as in DenseNet, travel best. The 124 million parameters of VGG16's dense layers compute
# little and cost most of its exchange; later networks have none of that kind.
#
# The other cost is not on this page. More workers with the same share make a larger batch, and so fewer steps an
# epoch. Up to a point you make up for it with a larger learning rate, in proportion to the batch, after a slow
# beginning (Goyal et al., 2017, did so up to 8,192 pictures). Beyond it, a larger batch takes more epochs, and the
# gain is gone. So the order is: first use one accelerator well, then several in one machine, then several machines.
#
# ## 5. Where you go next
#
# - **Several accelerators in one machine**: the same `training.distributed()`, without any variable.
# - **A network that does not fit one accelerator**: `keras.distribution.ModelParallel` splits the weights, too.
# - **A cluster**: Slurm or Kubernetes start the processes and set the variables; JAX and PyTorch
#   (`DistributedDataParallel`) have guides for each.
# - **Reading the data** soon is what limits: shards of many photos in one file, decoded by many processes.
# - **Larger batches, fewer bytes**: the literature on LARS and LAMB, and on compressed gradients.
#
# ## Exercises
#
# 1. How many gigabytes does each of eight workers send in an epoch of VGG16 on ImageNet (1,281,167 photos, batches of
#    256 in all)?
# 2. AlexNet's recipe has batches of 256 and a learning rate of 0.01. You go from one worker to four with 256 photos
#    each. What learning rate does the rule in proportion give, and how many steps has an epoch of 20,000 photos,
#    before and after?
# 3. Four workers have shares of 20, 20, 20 and 4 pictures of a batch of 64. Why is the mean of their gradients not
#    the gradient of the batch, and what would be?
# 4. Which bandwidth lets 16 workers train DenseNet-121 at 90 %, with 32 pictures each?
#
# The solutions are at the end of the page.
#
# ## Sources
#
# - Keras's guides *Distributed training with JAX* and *Mixed precision*; the distribution API of Keras 3.
# - P. Micikevicius et al., *Mixed Precision Training*, ICLR 2018.
# - P. Patarasuk and X. Yuan, *Bandwidth Optimal All-reduce Algorithms for Clusters of Workstations*, 2009: the ring.
# - P. Goyal et al., *Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour*, arXiv:1706.02677, 2017.
#
# **Next:** this was the last chapter. Take what you have learned to [your own photos](08_own_photos.ipynb).
#
# ## Solutions
#
# **1.** About 4.8 terabytes: 5,005 steps, in each 7/4 of all gradients.

# %%
steps = -(-1_281_167 // 256)
sent = 2 * 7 / 8 * 4 * networks["VGG16"] * steps
print(f"{steps:,} steps, {sent / 1e9:,.0f} GB")

# %% [markdown]
# **2.** Four times the batch, four times the learning rate, a quarter of the steps:

# %%
print("learning rate", 0.01, "→", 0.01 * 4)
print("steps an epoch", -(-20_000 // 256), "→", -(-20_000 // 1024))

# %% [markdown]
# **3.** The four pictures of the last one would count five times as much as the others. Each gradient has to be
# weighted by its number of pictures:

# %%
ends = np.cumsum([0, 20, 20, 20, 4])
parts = [slice(start, end) for start, end in itertools.pairwise(ends)]
gradients = np.array([gradient(part) for part in parts])
print("plain mean:", np.allclose(gradients.mean(axis=0), whole, atol=1e-6))
weighted = np.average(gradients, axis=0, weights=np.diff(ends))
print("weighted mean:", np.allclose(weighted, whole, atol=1e-6))

# %% [markdown]
# **4.** The exchange may take a ninth of the time to compute:

# %%
needed = exchange(networks["DenseNet-121, no top"], 16, 1) / (32 / RATE / 9)
print(f"{needed * 8 / 1e9:.1f} Gbit/s")
