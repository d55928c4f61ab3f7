import itertools

from cnnkit import models, plots
from cnnkit.plots.style import BLUE, VERMILION

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

RANDOM = np.random.default_rng(0)
PICTURES = RANDOM.random((12, 8, 8, 1))
HEAT = RANDOM.random((12, 8, 8))
BOXES = np.tile([1, 2, 5, 5], (12, 1))
PROBABILITIES = RANDOM.dirichlet(np.ones(10), size=12)
CURVES = {"loss": [2.0, 1.0, 0.5], "accuracy": [0.1, 0.6, 0.9], "val_loss": [2.1, 1.2, 1.3]}

STATES = [("conv", 100, False), ("dense", 400, True)]
CORRELATIONS = np.array([[0.5, np.nan], [np.nan, -0.2]])

DRAWINGS = {
    "curves": lambda: plots.curves({"a": [0.6, 0.9]}, ["b1", "b2"], xlabel="block"),
    "coefficients": lambda: plots.coefficients({"mode": (RANDOM.random(8), RANDOM.random(8))}),
    "confusion": lambda: plots.confusion(np.diag([3, 4]), ["cat", "dog"]),
    "convolution_step": lambda: plots.convolution_step(
        np.arange(25).reshape(5, 5), np.ones((3, 3)), np.full((3, 3), 54.0), 0, 0
    ),
    "correlations": lambda: plots.correlations({"one": CORRELATIONS}, ["1.1", "1.2"]),
    "data_parallel": lambda: plots.data_parallel(),
    "feature_maps": lambda: plots.feature_maps(RANDOM.normal(size=(6, 6, 5))),
    "heat_overlays": lambda: plots.heat_overlays(PICTURES[:3], HEAT[:3], None, BOXES[:3]),
    "image_grid": lambda: plots.image_grid(PICTURES[:4]),
    "kernels": lambda: plots.kernels(RANDOM.normal(size=(3, 3, 1, 4))),
    "layer_by_layer": lambda: plots.layer_by_layer(
        PICTURES[0], [RANDOM.random((8, 8, 32)), np.ones(300), PICTURES[1]], ["a", "b", "c"]
    ),
    "learning_curves": lambda: plots.learning_curves(CURVES),
    "mistakes": lambda: plots.mistakes(PICTURES, np.zeros(12, int), PROBABILITIES),
    "number_grids": lambda: plots.number_grids([np.eye(4), -np.eye(2)], ["a", "b"]),
    "picture_rows": lambda: plots.picture_rows({"one": PICTURES[:4], "other": PICTURES[4:8]}),
    "point_maps": lambda: plots.point_maps(
        {"pixels": RANDOM.normal(size=(9, 2))}, np.arange(9) % 2, ["cat", "dog"]
    ),
    "shake_block": lambda: plots.shake_block(),
    "shortcuts": lambda: plots.shortcuts(),
    "sliding_windows": lambda: plots.sliding_windows([(5, 3, 0, 1), (5, 3, 1, 2)]),
    "spreads": lambda: plots.spreads({"a": [0.7, 0.71], "b": [0.8]}, {"b": 0.79}, {"a": 0.69}),
    "trained_layers": lambda: plots.trained_layers({"head": STATES, "all": STATES}),
}


def visible(figure):
    return [ax for ax in figure.axes if ax.images]


def test_every_drawing_is_tested():
    assert set(DRAWINGS) == set(plots.__all__) - {"layer_states"}


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


def test_a_convolution_step_spells_out_its_sum():
    image = np.array([[0, 0, 75, 80], [0, 75, 80, 80], [0, 75, 80, 80], [0, 0, 0, 0]])
    sobel = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    figure = plots.convolution_step(image, sobel, np.array([[155.0, 0], [0, 0]]), 0, 0)
    assert figure.get_supxlabel() == "75·(−1) + 75·(2) + 80·(1) = 155"


def test_number_grids_write_each_number_into_its_cell():
    ax, _ = plots.number_grids([np.array([[1, 2.5], [0, 4]]), np.eye(3)], ["a", "b"]).axes
    cells = {text.get_position(): text.get_text() for text in ax.texts}
    assert cells == {(0, 0): "1", (1, 0): "2.5", (0, 1): "0", (1, 1): "4"}


def test_numbers_can_be_read_on_their_grey_and_have_a_minus():
    grey, less, signed = plots.number_grids([np.eye(1), np.eye(1) / 4, -np.eye(2)], "abc").axes
    for ax, color in ((grey, "black"), (less, "white"), (signed, "black")):
        assert {text.get_color() for text in ax.texts} == {color}
    assert [text.get_text() for text in signed.texts] == ["−1", "0", "0", "−1"]


@pytest.mark.parametrize("case", [(3, 5, 0, 1), (5, 3, 0, 0), (5, 0, 0, 1)])
def test_a_kernel_without_a_window_is_told(case):
    with pytest.raises(ValueError, match=f"A kernel of {case[1]} with stride {case[3]}"):
        plots.sliding_windows([case])


def test_sliding_windows_have_a_dot_for_each_output():
    figure = plots.sliding_windows([(5, 3, 1, 2), (5, 4, 2, 1)])
    assert [len(ax.lines[0].get_xdata()) for ax in figure.axes] == [9, 36]
    assert set(figure.axes[1].lines[0].get_xdata()) == {1.5, 2.5, 3.5, 4.5, 5.5, 6.5}  # even
    assert "→ 3 × 3" in figure.axes[0].get_title()


def test_learning_curves_show_what_the_history_holds():
    figure = plots.learning_curves(CURVES)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in accuracy.lines] == ["training"]
    assert lines(figure)["validation"] == [[1, 2.1], [2, 1.2], [3, 1.3]]
    by_step = plots.learning_curves({"loss": [3, 2]}, steps=[0, 100])
    assert lines(by_step) == {"training": [[0, 3], [100, 2]]}
    assert (loss.get_xlabel(), by_step.axes[0].get_xlabel()) == ("epoch", "step")


def test_mistakes_say_what_was_taken_for_what():
    probabilities = np.array([[0.1, 0.9], [0.8, 0.2]])
    figure = plots.mistakes(PICTURES[:2], np.array([0, 1]), probabilities, ["cat", "dog"])
    titles = [ax.get_title() for ax in visible(figure)]
    assert titles == ["dog? (90.0%)\nis cat", "cat? (80.0%)\nis dog"]


def test_no_mistakes_are_a_figure_that_says_so():
    figure = plots.mistakes(PICTURES[:0], np.array([], int), PROBABILITIES[:0])
    assert [text.get_text() for text in figure.texts] == ["There are no mistakes to show."]


@pytest.mark.parametrize(
    ("images", "titles", "cure"),
    [
        (PICTURES[:0], None, "0 pictures to show; expected 1 to 2,048"),
        (PICTURES[0, ..., 0], None, r"Put a single one into a list: \[image\]"),
        (np.zeros((40, 30, 3)), None, r"Put a single one into a list: \[image\]"),
        (PICTURES, ["a", "b"], "2 titles were given for 12 pictures"),
    ],
)
def test_an_image_grid_says_what_it_cannot_show(images, titles, cure):
    with pytest.raises(ValueError, match=cure):
        plots.image_grid(images, titles)


@pytest.mark.parametrize("ink", [np.ones((2, 8, 8)), np.full((2, 8, 8), 255, "uint8")])
def test_the_largest_number_of_a_picture_is_white_and_0_is_black(ink):
    shown = visible(plots.image_grid(ink))[0].images[0]
    for pixel, colour in ((ink.max(), (1, 1, 1)), (0, (0, 0, 0))):
        np.testing.assert_array_equal(shown.cmap(shown.norm(pixel / ink.max()))[:3], colour)


def test_a_confusion_matrix_in_per_cent_has_rows_of_a_hundred():
    matrix = np.array([[3, 1, 0], [0, 0, 0], [1, 1, 1]])
    ax = plots.confusion(matrix, ["cat", "dog", "owl"], percent=True).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["75", "25", "0", "–", "–", "–", "33", "33", "33"]
    counts = plots.confusion(matrix).axes[0].texts
    assert [text.get_text() for text in counts] == list("310000111")
    assert plots.confusion(matrix / 4).axes[0].texts[0].get_text() == "0.75"
    colors = [text.get_color() for text in ax.texts]
    assert colors == ["white" if text == "75" else "black" for text in texts]


LONG = "a very long name of a species, number {}"
SLOW = pytest.param(100, LONG, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("classes", "name"), [(2, LONG), (7, "{}"), (7, "species {}"), (7, LONG), SLOW]
)
def test_the_names_of_a_confusion_matrix_do_not_overlap(classes, name, recwarn):
    names = [name.format(number) for number in range(classes)]
    figure = plots.confusion(np.eye(classes, dtype=int), names, percent=True)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    ax = figure.axes[0]
    for labels in (ax.get_xticklabels(), ax.get_yticklabels()):
        assert [label.get_text().replace("\n", " ") for label in labels] == names
        boxes = [label.get_window_extent(canvas.get_renderer()) for label in labels]
        assert not any(one.overlaps(two) for one, two in itertools.pairwise(boxes))
        for box in boxes:
            assert min(box.x0, box.y0) >= 0
            assert box.x1 <= figure.bbox.x1
            assert box.y1 <= figure.bbox.y1
    cell = ax.get_window_extent().width / classes
    assert cell > 15  # pixels
    assert not recwarn.list


def test_kernels_are_the_right_way_round():
    weights = np.zeros((3, 3, 1, 2))
    weights[0, 2, 0, 1] = 5
    first, second = visible(plots.kernels(weights))[:2]
    assert not first.images[0].get_array().any()
    assert np.argwhere(second.images[0].get_array()).tolist() == [[0, 2]]


def test_the_frames_of_a_convolution_step_stand_at_row_and_column():
    figure = plots.convolution_step(np.ones((5, 5)), np.ones((3, 3)), np.ones((3, 3)), 0, 2)
    corners = [frame.get_xy() for ax in figure.axes for frame in ax.patches[1:]]  # not the edge
    assert corners == [(1.5, -0.5), (1.5, -0.5)]


def test_spreads_have_a_row_an_experiment():
    ax = plots.spreads({"a": [0.7, 0.71], "b": [0.8]}, {"b": 0.79}, {"a": 0.69}).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    points = [(list(line.get_xdata()), list(line.get_ydata())) for line in ax.lines]
    assert points == [([0.7, 0.71], [0, 0]), ([0.8], [1]), ([0.69], [0]), ([0.79], [1])]
    assert ax.get_ylim() == (1.5, -0.5)  # the first above


def test_rows_of_pictures_are_named_and_equally_long():
    figure = plots.picture_rows({"one": PICTURES[:4], "other": PICTURES[4:8]})
    assert len(visible(figure)) == 8
    assert [ax.texts[0].get_text() for ax in figure.axes if ax.texts] == ["one", "other"]
    for rows in ({"one": PICTURES[:2], "other": PICTURES[:3]}, {"one": []}, {}):
        with pytest.raises(ValueError, match="expected as many in each"):
            plots.picture_rows(rows)


@pytest.mark.parametrize("largest", [1.0, 255.0, 255])
def test_photos_may_come_in_bytes_or_shares(largest):
    photo = np.array([[[0.0, 0.5, 1.0]] * 2] * 2)
    photo = (photo * largest).astype(np.uint8 if isinstance(largest, int) else np.float32)
    shown = visible(plots.image_grid([photo]))[0].images[0].get_array()
    np.testing.assert_allclose(shown, [[[0.0, 0.5, 1.0]] * 2] * 2, atol=0.003)


def test_layers_of_a_nested_base_are_listed_with_their_state():
    base = models.vgg16_base(None, (32, 32, 3), width=1 / 16)
    base.trainable = False
    base.layers[-2].trainable = True
    states = plots.layer_states(models.transfer_classifier(base))
    assert [name for name, _, trained in states if trained] == [
        "block5_conv3", "dense", "predictions",
    ]  # fmt: skip
    assert len(states) == 15
    assert states[0] == ("block1_conv1", 3 * 9 * 4 + 4, False)


def test_trained_layers_are_drawn_in_another_colour_with_their_sum():
    ax = plots.trained_layers({"head": STATES}).axes[0]
    assert ax.get_title(loc="left") == "head: 400 of 500 parameters are trained"
    colors = [tuple(bar.get_facecolor()) for bar in ax.patches]
    assert colors == [tuple(plt.matplotlib.colors.to_rgba(c)) for c in (BLUE, VERMILION)]
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[1] / heights[0] == pytest.approx(2)


def test_correlations_are_drawn_where_there_are_any():
    single = plots.correlations({"one": CORRELATIONS, "other": -CORRELATIONS}, ["1.1", "2.1"])
    (lines,) = single.axes
    np.testing.assert_array_equal(lines.lines[0].get_ydata(), [0.5, -0.2])
    np.testing.assert_array_equal(lines.lines[1].get_ydata(), [-0.5, 0.2])
    full = np.array([[0.5, 0.1], [-0.3, -0.2]])
    figure = plots.correlations({"one": CORRELATIONS, "other": full}, ["1.1", "1.2"])
    _, *panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    assert [ax.get_title() for ax in panels] == ["one", "other"]
    np.testing.assert_array_equal(panels[1].images[0].get_array().filled(np.nan), full)


def test_heat_lies_over_its_picture_with_its_box():
    figure = plots.heat_overlays(PICTURES[:3], HEAT[:3], ["a", "b", "c"], BOXES[:3], columns=2)
    shown = visible(figure)
    assert [ax.get_title() for ax in shown] == ["a", "b", "", "", "c", ""]
    for place, number in ((2, 0), (3, 1), (5, 2)):
        picture, over = shown[place].images
        np.testing.assert_allclose(picture.get_array(), PICTURES[number].mean(axis=-1), rtol=1e-6)
        alpha = over.get_array()[..., 3]
        np.testing.assert_allclose(alpha / alpha.max(), HEAT[number] / HEAT[number].max())
        (frame,) = shown[place].patches
        assert frame.get_xy() == (0.5, 1.5)
        assert (frame.get_width(), frame.get_height()) == (4, 3)
    with pytest.raises(ValueError, match="shorter"):
        plots.heat_overlays(PICTURES[:3], HEAT[:2], boxes=BOXES[:3])


def lines(figure):
    return {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}


def test_lines_lie_where_they_belong():
    spread = plots.curves({"wide": [10.0, 1.0]}, ["a", "b"], yscale="log")
    assert (lines(spread), spread.axes[0].get_yscale()) == ({"wide": [[0, 10], [1, 1]]}, "log")
    assert lines(plots.curves({"a": [0.5, 0.75]})) == {"a": [[1, 0.5], [2, 0.75]]}
    shaken = lines(plots.coefficients({"mode": (np.array([0.1, 0.9]), np.array([0.4, 0.2]))}))
    assert shaken["α, forward"] == [[1, 0.1], [2, 0.9]]
    assert shaken["β, backward"] == [[1, 0.4], [2, 0.2]]
    points = RANDOM.normal(size=(9, 2))
    mapped = plots.point_maps({"map": points}, np.arange(9) % 2, ["cat", "dog"])
    assert lines(mapped)["dog"] == points[1::2].tolist()


@pytest.mark.parametrize(("channels", "units"), [(3, 50), (1, 53), (32, 512)])
def test_a_network_is_shown_by_its_strongest_maps_and_its_vectors(channels, units):
    maps = np.zeros((8, 8, channels))
    maps[0, 0] = np.arange(channels)
    outputs = [maps, np.ones(units), PROBABILITIES[0]]
    figure = plots.layer_by_layer(PICTURES[0], outputs, ["conv", "dense", "predictions"])
    _, *shown, vector = [ax.images[0].get_array() for ax in visible(figure)]
    assert [each.max() for each in shown] == list(range(channels))[::-1][:6]
    assert vector.size == units


NAMES = ["$5_x$", "_under", "\\alpha", "100%", "a$b$c"]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.confusion(np.eye(5, dtype=int), NAMES),
        lambda: plots.image_grid(PICTURES[:5], NAMES),
        lambda: plots.point_maps({"map": RANDOM.normal(size=(9, 2))}, np.arange(9) % 5, NAMES),
        lambda: plots.curves({name: [0.5, 0.6, 0.7, 0.8, 0.9] for name in NAMES}, NAMES),
        lambda: plots.spreads({name: [0.5, 0.6] for name in NAMES}),
    ],
)
def test_names_are_text_and_never_a_formula(draw):
    figure = draw()
    figure.draw_without_rendering()
    texts = [text for text in figure.findobj(plt.Text) if text.get_text() in NAMES]
    assert {text.get_text() for text in texts} == set(NAMES)
    assert not any(text.get_parse_math() for text in texts)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.confusion(np.eye(400, dtype=int)),
        lambda: plots.confusion(np.eye(1500, dtype=int), [f"class {n}" for n in range(1500)]),
        lambda: plots.number_grids([np.zeros((90, 90))], ["many"]),
        lambda: plots.spreads({str(n): [0.5] for n in range(200)}),
    ],
)
def test_a_figure_has_at_most_4000_pixels_a_side(draw):
    figure = draw()
    assert max(figure.get_size_inches()) * figure.dpi <= 4000.1
    assert len(figure.axes[0].texts) in (0, 90 * 90)  # no numbers upon so many classes


def test_what_no_page_can_hold_is_refused():
    with pytest.raises(ValueError, match=r"spreads would be .* inches a side; show less"):
        plots.spreads({str(n): [0.5] for n in range(900)})
    with pytest.raises(ValueError, match="3,000 pictures to show; expected 1 to 2,048"):
        plots.image_grid(np.zeros((3000, 2, 2, 1)))
