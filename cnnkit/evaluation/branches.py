"""Whether the two branches of a block compute the same: their correlation, in one pass."""

from typing import Any, NamedTuple

from cnnkit import checks
from cnnkit.batches import read

import keras
import numpy as np

BATCH = 64  # images that go through the model together, whatever the batches are


class BranchCorrelation(NamedTuple):
    """How alike the outputs of branches are, from −1 to 1.

    `names` are those of the k layers that mix, one in each block. Row i and column j of `matrix`,
    (k, k), are branch 1 of block i and branch 2 of block j; NaN where their shapes differ, as
    between two stages, or where one is the same everywhere. `blocks`, (k,), is its diagonal.
    """

    names: list[str]
    blocks: np.ndarray
    matrix: np.ndarray


def branch_correlation(model: keras.Model, dataset: Any) -> BranchCorrelation:
    """Correlate the outputs of the branches that `models.ShakeShake` mixes.

    Pearson's correlation over all values of all images: the outputs of a branch are laid out as
    one long vector. Less correlation means that the branches have learned different things.

    Parameters
    ----------
    model : keras.Model
        With a `models.ShakeShake` for each block, such as `models.shakenet` builds.
    dataset : ndarray, (n, height, width, channels), or data set
        Images in the form the model takes, or batches of them, with or without labels.

    References
    ----------
    X. Gastaldi, "Shake-Shake regularization", arXiv:1705.07485, 2017, section 3.
    """
    mixes = [layer for layer in model.layers if getattr(layer, "mixes_branches", False)]
    if not mixes:
        raise ValueError(f"The model {model.name!r} has no layer models.ShakeShake.")
    branches = keras.Model(model.input, [layer.input[n] for layer in mixes for n in (0, 1)])
    stages: dict[tuple, list[int]] = {}  # numbers of the blocks whose outputs have the same shape
    for number, layer in enumerate(mixes):
        stages.setdefault(tuple(layer.output.shape), []).append(number)
    sums: dict[tuple, Any] = dict.fromkeys(stages, 0.0)
    start: dict[tuple, np.ndarray] = {}
    for images, _ in read([dataset] if isinstance(dataset, tuple | np.ndarray) else dataset):
        checks.images(model, images)
        for first in range(0, len(images), BATCH):
            outputs = branches.predict_on_batch(images[first : first + BATCH])
            for shape, blocks in stages.items():
                values = np.array([outputs[2 * n + m].ravel() for m in (0, 1) for n in blocks])
                values = values.astype("float64")
                values -= start.setdefault(shape, values[:, :1].copy())  # so that sums stay small
                values = np.vstack([np.ones_like(values[:1]), values])
                sums[shape] += values @ values.T  # the count, Σx and Σxy
    matrix = np.full((len(mixes), len(mixes)), np.nan)
    for shape, blocks in stages.items():
        means = sums[shape] / sums[shape][0, 0]
        covariance = (means - np.outer(means[0], means[0]))[1:, 1:]
        scale = np.sqrt(np.outer(*np.split(covariance.diagonal(), 2)))
        across, nan = covariance[: len(blocks), len(blocks) :], np.full_like(scale, np.nan)
        matrix[np.ix_(blocks, blocks)] = np.divide(across, scale, out=nan, where=scale > 0)
    return BranchCorrelation([layer.name for layer in mixes], matrix.diagonal().copy(), matrix)
