from cnnkit import plots

import matplotlib.pyplot as plt
import numpy as np
import pytest

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.random((12, 8, 8, 1))
PROBABILITIES = RANDOM.dirichlet(np.ones(10), size=12)
CURVES = {"loss": [2.0, 1.0, 0.5], "accuracy": [0.1, 0.6, 0.9], "val_loss": [2.1, 1.2, 1.3]}

DRAWINGS = {
    "confusion": lambda: plots.confusion(np.diag([3, 4]), ["cat", "dog"]),
    "convolution_step": lambda: plots.convolution_step(
        np.arange(25).reshape(5, 5), np.ones((3, 3)), np.full((3, 3), 54.0), 0, 0
    ),
    "feature_maps": lambda: plots.feature_maps(RANDOM.normal(size=(6, 6, 5))),
    "heatmap": lambda: plots.heatmap(np.eye(4), "column", "row"),
    "image_grid": lambda: plots.image_grid(PICTURES),
    "kernels": lambda: plots.kernels(RANDOM.normal(size=(3, 3, 1, 32))),
    "layer_by_layer": lambda: plots.layer_by_layer(
        PICTURES[0], [RANDOM.random((8, 8, 32)), np.ones(300), PROBABILITIES[0]], ["a", "b", "c"]
    ),
    "learning_curves": lambda: plots.learning_curves(CURVES),
    "mistakes": lambda: plots.mistakes(PICTURES, np.zeros(12, int), PROBABILITIES),
    "number_grids": lambda: plots.number_grids([np.eye(4), -np.eye(2)], ["a", "b"]),
    "sliding_windows": lambda: plots.sliding_windows([(5, 3, 0, 1), (5, 3, 1, 2)]),
    "spread": lambda: plots.spread([0.97, 0.98], live=0.975, published=0.983),
}


def visible(figure):
    return [ax for ax in figure.axes if ax.images]


def test_every_drawing_is_tested():
    assert set(DRAWINGS) == set(plots.__all__)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_a_closed_figure_that_can_be_kept(name, tmp_path):
    figure = DRAWINGS[name]()
    assert not plt.get_fignums()
    figure.savefig(tmp_path / "figure.png")
    pixels = plt.imread(tmp_path / "figure.png")[..., :3]
    assert pixels.std() > 0.01


def test_the_house_style_ends_with_the_drawing():
    before = dict(plt.rcParams)
    plots.image_grid(PICTURES)
    assert dict(plt.rcParams) == before


def test_an_image_grid_has_a_panel_a_picture():
    figure = plots.image_grid(PICTURES, [str(n) for n in range(12)], columns=5)
    assert [ax.get_title() for ax in visible(figure)] == [str(n) for n in range(12)]
    np.testing.assert_array_equal(visible(figure)[7].images[0].get_array(), PICTURES[7, ..., 0])


def test_feature_maps_share_one_scale_around_zero():
    maps = np.zeros((4, 4, 2))
    maps[0, 0] = [-3, 1]
    limits = {ax.images[0].get_clim() for ax in visible(plots.feature_maps(maps))}
    assert limits == {(-3, 3)}


def test_kernels_of_every_channel_and_filter_are_shown():
    assert len(visible(plots.kernels(np.ones((3, 3, 3, 6))))) == 18


def test_a_convolution_step_spells_out_its_sum():
    image = np.array([[0, 0, 75, 80], [0, 75, 80, 80], [0, 75, 80, 80], [0, 0, 0, 0]])
    sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    figure = plots.convolution_step(image, sobel, np.array([[155.0, 0], [0, 0]]), 0, 0)
    assert figure.get_supxlabel() == "75·(-1) + 75·(2) + 80·(1) = 155"


def test_number_grids_write_each_number_into_its_cell():
    ax, _ = plots.number_grids([np.array([[1, 2.5], [0, 4]]), np.eye(3)], ["a", "b"]).axes
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "1", (1, 0): "2.5", (0, 1): "0", (1, 1): "4"}


def test_a_network_is_shown_by_its_strongest_maps():
    maps = np.zeros((8, 8, 32))
    maps[0, 0] = np.arange(32)
    figure = plots.layer_by_layer(PICTURES[0], [maps, PROBABILITIES[0]], ["conv1", "predictions"])
    shown = [ax.images[0].get_array().max() for ax in visible(figure)[1:]]
    assert shown == [31, 30, 29, 28, 27, 26]


def test_sliding_windows_have_a_dot_for_each_output():
    figure = plots.sliding_windows([(5, 3, 1, 2), (5, 4, 2, 1)])
    assert [len(ax.lines[0].get_xdata()) for ax in figure.axes] == [9, 36]
    assert "→ 3 × 3" in figure.axes[0].get_title()


def test_learning_curves_show_what_the_history_holds():
    figure = plots.learning_curves(CURVES)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["training", "validation"]
    assert [line.get_label() for line in accuracy.lines] == ["training"]
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), CURVES["val_loss"])


def test_mistakes_say_what_was_taken_for_what():
    probabilities = np.array([[0.1, 0.9], [0.8, 0.2]])
    figure = plots.mistakes(PICTURES[:2], np.array([0, 1]), probabilities, ["cat", "dog"])
    titles = [ax.get_title() for ax in visible(figure)]
    assert titles == ["dog? (90.0%)\nis cat", "cat? (80.0%)\nis dog"]


def test_nothing_to_show_is_an_error():
    with pytest.raises(ValueError, match="no picture"):
        plots.image_grid(PICTURES[:0])
