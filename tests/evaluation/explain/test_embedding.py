"""Features laid out in a plane: what is alike lies together."""

from cnnkit.evaluation import explain

import numpy as np

RANDOM = np.random.default_rng(0)


def test_alike_features_lie_together():
    groups = np.arange(60) % 3
    features = 10 * np.eye(3)[groups][:, :, np.newaxis] + RANDOM.normal(size=(60, 3, 8))
    points = explain.embed(features, seed=1)
    assert points.shape == (60, 2)
    distances = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.fill_diagonal(distances, np.inf)
    assert (groups[distances.argmin(axis=1)] == groups).all()
    np.testing.assert_array_equal(points, explain.embed(features, seed=1))


def test_few_pictures_can_be_laid_out():
    assert explain.embed(RANDOM.normal(size=(3, 2))).shape == (3, 2)
