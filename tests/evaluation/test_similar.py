"""Similar images: against scipy's cosine distance and a plain loop."""

import io

from cnnkit import evaluation

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.distance import cosine


@pytest.fixture
def collection():
    features = np.random.default_rng(0).random((40, 12)).astype("float32")
    return evaluation.SimilarImages(features, [f"photos/{n % 4}/{n}.jpg" for n in range(40)])


def test_the_nearest_are_those_of_a_plain_loop(collection):
    query = np.random.default_rng(1).random(12)
    distances = [cosine(query, row) for row in collection.features]
    expected = np.argsort(distances)[:7]
    found = collection.nearest(query, k=7)
    assert collection.nearest(query, k=100)[:7] == found
    assert [n.path for n in found] == [collection.file_paths[n] for n in expected]
    np.testing.assert_allclose([n.distance for n in found], np.sort(distances)[:7], atol=1e-6)


def test_it_shows_the_picture_upright_and_those_found(tmp_path):
    pixels = np.zeros((20, 40, 3), "uint8")
    pixels[:, :10] = 255
    phone, exif = tmp_path / "phone.png", Image.Exif()
    exif[0x0112] = 6  # turn it clockwise to see it
    Image.fromarray(np.rot90(pixels)).save(phone, exif=exif)
    collection = evaluation.SimilarImages(np.eye(3), [phone] * 3)
    found = collection.nearest([1, 0.5, 0], k=2)
    for picture in (phone, pixels):
        figure = collection.show(picture, found)
        titles = [ax.get_title() for ax in figure.axes]
        assert titles[1] == f"{tmp_path.name}\n{found[0].distance:.3f}"
        assert len(titles) == 3
        shown = np.asarray(figure.axes[0].images[0].get_array())
        assert shown[:, : shown.shape[1] // 4].mean() > 0.9
        assert shown[:, shown.shape[1] // 2 :].mean() < 0.1
    figure.savefig(io.BytesIO())


@pytest.mark.parametrize(
    ("features", "paths", "cure"),
    [
        (np.ones(3), ["a", "b", "c"], r"shape \(3,\) and 3 paths"),
        (np.ones((2, 5, 5, 3)), ["a", "b"], r"of models\.pooled"),
        (np.ones((2, 3)), ["a"], r"shape \(2, 3\) and 1 paths"),
        (np.full((2, 3), np.nan), ["a", "b"], "contains NaN"),
    ],
)
def test_what_is_no_collection_is_refused(features, paths, cure):
    with pytest.raises(ValueError, match=cure):
        evaluation.SimilarImages(features, paths)


@pytest.mark.parametrize("features", [np.ones(5), np.ones((2, 12)), np.full(12, np.inf)])
def test_what_cannot_be_searched_by_is_refused(collection, features):
    with pytest.raises(ValueError, match=r"features|infinity"):
        collection.nearest(features)
