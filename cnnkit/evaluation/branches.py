"""Whether the two branches of a block say the same: their correlation, in one pass."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cnnkit import checks
from cnnkit.evaluation.predict import without_labels

import keras
import numpy as np

BATCH = 64  # pictures that go through the model together, whatever the batches are


class BranchCorrelation(NamedTuple):
    """How alike the outputs of branches are, from −1 to 1.

    Parameters
    ----------
    names : list of str
        Of the layers that mix, one in each block, in the order of the network.
    blocks : ndarray, (k,)
        The correlation between the two branches of each block.
    matrix : ndarray, (k, k)
        Row i, column j: between branch 1 of block i and branch 2 of block j; its diagonal is
        `blocks`. NaN where their outputs differ in shape, as between two stages, and where a branch
        gives one and the same value everywhere.
    """

    names: list[str]
    blocks: np.ndarray
    matrix: np.ndarray


def branch_correlation(model: keras.Model, dataset: Any) -> BranchCorrelation:
    """Correlate the outputs of the branches that `models.ShakeShake` mixes.

    Pearson's correlation over all values of all pictures: the outputs of a branch are laid out as
    one long vector. It takes one pass, in inference, and keeps sums alone. Less correlation means
    that the branches have learned different things.

    Parameters
    ----------
    model : keras.Model
        Such as `models.shakenet` builds, with a `models.ShakeShake` of its own for each block.
    dataset : ndarray, (n, height, width, channels), or data set
        Pictures in the form the model takes, or batches of them, with or without labels.

    Returns
    -------
    BranchCorrelation

    Raises
    ------
    ValueError
        A model without a layer that mixes two branches, or pictures that do not fit it.

    References
    ----------
    X. Gastaldi, "Shake-Shake regularization", arXiv:1705.07485, 2017, section 3.
    """
    mixes = [layer for layer in model.layers if getattr(layer, "mixes_branches", False)]
    if not mixes:
        raise ValueError(
            f"The model {model.name!r} has no layer that mixes two branches; expected one with "
            "models.ShakeShake, such as models.shakenet(). Of a model within another, give the "
            "inner one."
        )
    first, second = ([layer.input[branch] for layer in mixes] for branch in (0, 1))
    branches = keras.Model(model.input, [*first, *second])
    shapes = [tuple(output.shape) for output in first]
    groups = [np.flatnonzero([shape == each for each in shapes]) for shape in dict.fromkeys(shapes)]
    sums = [_Sums(len(group)) for group in groups]
    for images in _batches(model, dataset):
        outputs = branches.predict_on_batch(images)
        ones, others = outputs[: len(mixes)], outputs[len(mixes) :]
        for group, each in zip(groups, sums, strict=True):
            each.add(*(np.stack([part[n].ravel() for n in group]) for part in (ones, others)))
    if not sums[0].count:
        raise ValueError("The data set holds no pictures.")
    matrix = np.full((len(mixes), len(mixes)), np.nan)
    for group, each in zip(groups, sums, strict=True):
        matrix[np.ix_(group, group)] = each.correlation()
    return BranchCorrelation([layer.name for layer in mixes], np.diag(matrix).copy(), matrix)


class _Sums:
    """What the correlations of k blocks of the same shape follow from."""

    def __init__(self, k: int) -> None:
        self.count = 0
        self.means = np.zeros((2, k))
        self.squares = np.zeros((2, k))  # of the distances from the mean, added up
        self.products = np.zeros((k, k))

    def add(self, first: np.ndarray, second: np.ndarray) -> None:
        """Add values (k, n) of the first and of the second branches, by the rule of Chan et al."""
        values = np.stack([first, second]).astype("float64")
        count = values.shape[2]
        means = values.mean(axis=2)
        values -= means[..., np.newaxis]
        moved, total = means - self.means, self.count + count
        weight = self.count * count / total
        self.squares += (values**2).sum(axis=2) + weight * moved**2
        self.products += values[0] @ values[1].T + weight * np.outer(*moved)
        self.means += moved * count / total
        self.count = total

    def correlation(self) -> np.ndarray:
        """Return the correlation of each first branch with each second one."""
        scale = np.sqrt(np.outer(*self.squares))
        return np.divide(self.products, scale, out=np.full(scale.shape, np.nan), where=scale > 0)


def _batches(model: keras.Model, dataset: Any) -> Iterator[np.ndarray]:
    """Yield batches of pictures that fit the model."""
    if isinstance(dataset, tuple):
        raise ValueError(
            "A tuple was given; expected the pictures alone, or batches of them, as data.batches "
            "makes of (images, labels)."
        )
    for part in [dataset] if hasattr(dataset, "shape") else without_labels(dataset):
        images = keras.ops.convert_to_numpy(part)
        checks.images(model, images)
        for start in range(0, len(images), BATCH):
            yield images[start : start + BATCH]
