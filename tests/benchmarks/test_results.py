"""The recorded rows and histories, and how experiments come to be recorded."""

import statistics
from types import SimpleNamespace

from benchmarks.__main__ import app
from benchmarks.experiments import EXPERIMENTS, alexnet, on_vgg16, pages, recording, scratch
from benchmarks.experiments.experiment import Data, Experiment, Outcome
from cnnkit import data, evaluation, training
from cnnkit.evaluation import recorded

import numpy as np
import pytest
from typer.testing import CliRunner

HISTORY = "histories/tiny-sample.csv"


class Tiny:
    """An experiment that takes no time, in folders of its own; it raises for broken seeds."""

    def __init__(self, monkeypatch, tmp_path):
        self.ran, self.broken, self.pages = [], set(), []
        self.reported, self.trials = tmp_path / "reported", tmp_path / "trials"
        monkeypatch.setattr(recorded, "RESULTS", self.reported)
        monkeypatch.setattr(recording, "TRIALS", self.trials)
        monkeypatch.setattr(pages, "write", lambda: self.pages.append(pages.page()))
        self.data = {"sample": Data("a few v1", "a few"), "full": Data("all", "many")}
        tiny = Experiment(3, "a tiny network", self.data, self.run, "a book", 0.9, "photos")
        monkeypatch.setitem(EXPERIMENTS, "tiny", tiny)

    def run(self, scale, seed):
        if seed in self.broken:
            raise InterruptedError
        self.ran.append(seed)
        loss = [1.0, 1 / 3, 1e-5 / 3]
        return Outcome({"sample": 0.5, "full": 0.7}[scale] + seed / 100, 180, {"loss": loss})

    def record(self, arguments=""):
        answer = CliRunner().invoke(app, ["results", "tiny", *arguments.split()])
        assert answer.exit_code == bool(self.broken), answer.output
        return answer.output


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    return Tiny(monkeypatch, tmp_path)


def seeds(folder, name="sample.csv"):
    return "".join(row["seed"] for row in recorded.read(folder / name))


def test_a_row_and_a_history_say_what_a_seed_gave(tiny):
    tiny.record("--seed 2")
    (row,) = recorded.read(tiny.reported / "sample.csv")
    assert tuple(row) == recording.COLUMNS
    assert [*row.values()][:5] == ["tiny", "2", "0.5200", "180", "a few v1"]
    assert "keras 3." in row["versions"]
    assert "cores" in row["machine"]
    text = (tiny.reported / HISTORY).read_text(encoding="utf-8")
    assert text == "seed,epoch,loss\n2,1,1\n2,2,0.33333\n2,3,3.3333e-06\n"


def test_an_interrupted_recording_keeps_whole_seeds_and_runs_only_the_others_later(tiny):
    tiny.broken = {2}
    tiny.record()
    assert (seeds(tiny.reported), seeds(tiny.reported, HISTORY)) == ("01", "000111")
    assert "| seeds so far: 2 " in tiny.pages[-1]
    tiny.broken = set()
    assert "tiny, seed 1: is recorded; --again" in tiny.record()
    assert tiny.ran == [0, 1, 2, 3, 4]
    tiny.record("--again --first-seed 3 --seeds 2")
    assert tiny.ran == [0, 1, 2, 3, 4, 3, 4]
    assert (seeds(tiny.reported), seeds(tiny.reported, HISTORY)) == ("01234", "000111222333444")


def test_other_seeds_are_trials_that_no_spread_reads_and_run_each_time(tiny):
    tiny.record("--seeds 3")
    answer = tiny.record("--seed 7 --seed 11")
    tiny.record("--seed 7")
    assert tiny.ran == [0, 1, 2, 7, 11, 7]
    assert "tiny, seed 11: 0.6100 in 0 s, a trial in " in answer
    assert "tiny: 0.590 ± 0.028 (2 seeds, 180 test pictures)" in answer
    assert (seeds(tiny.trials), seeds(tiny.trials, HISTORY)) == ("711", "777111111")
    assert "0.510 ± 0.010 (3 seeds)" in tiny.pages[-1]
    assert evaluation.spread("tiny", "sample").figures == (0.5, 0.51, 0.52)


def test_rows_of_other_data_count_for_nothing_and_go(tiny):
    tiny.record()
    tiny.data["sample"] = Data("a few v2", "a few")
    tiny.record("--seed 1")
    assert tiny.ran == [0, 1, 2, 3, 4, 1]
    assert "| seeds so far: 1 " in tiny.pages[-1]
    assert (seeds(tiny.reported), seeds(tiny.reported, HISTORY)) == ("1", "111")


@pytest.mark.parametrize("scale", ["sample", "full"])
def test_recorded_rows_are_of_reported_seeds_and_of_the_data_that_the_scale_has(scale):
    rows = recorded.read(recorded.RESULTS / f"{scale}.csv")
    for name, seed, of in ((row["experiment"], row["seed"], row["data"]) for row in rows):
        assert of == EXPERIMENTS[name].data[scale].name, (name, seed)
        assert int(seed) in recording.REPORTED, name


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_recorded_at_sample_scale_with_five_seeds(name):
    assert [row["seed"] for row in recording.rows(name, "sample")] == [*"01234"]


def test_the_recorded_figures_keep_what_the_course_promises():
    assert evaluation.spread("digits", "sample").mean >= 0.970
    assert evaluation.spread("mnist", "full").mean >= 0.990
    assert evaluation.spread("mnist", "full").test_size == 10_000
    dense, convolutional = (
        evaluation.spread(f"{name}_moved", "sample") for name in ("mnist_dense", "mnist")
    )
    assert min(convolutional.figures) >= max(dense.figures) + 0.1
    scratch = evaluation.spread("cats_vs_dogs", "sample")
    assert evaluation.spread("cats_vs_dogs_last", "sample").mean >= scratch.mean + 0.03
    neither, augmentation = (
        evaluation.spread(f"cats_vs_dogs_{name}", "sample") for name in ("neither", "augmentation")
    )
    assert min(augmentation.figures) >= max(neither.figures)
    moved, half_turns, none = (
        evaluation.spread(f"mnist_trained_{name}", "sample")
        for name in ("moved_moved", "half_turns_6_9", "none_6_9")
    )
    assert min(moved.figures) >= max(convolutional.figures)
    assert max(half_turns.figures) < min(none.figures)
    assert all(0.60 <= figure <= 0.75 for figure in scratch.figures)
    assert evaluation.spread("cats_vs_dogs_augmented", "sample").mean >= scratch.mean + 0.08
    assert evaluation.spread("own_photos_head", "sample").mean >= 0.85
    names = "features", "features_augmented", "fine_tuning"
    features, augmented, tuned = (evaluation.spread(name, "sample") for name in names)
    assert features.mean >= 0.92
    assert augmented.mean >= features.mean - 0.01
    assert tuned.mean >= features.mean
    assert {spread.test_size for spread in (features, augmented, tuned)} == {600}
    ten_crop, center = (evaluation.spread(n, "sample") for n in ("alexnet", "alexnet_center"))
    assert statistics.mean(ten_crop.figures[:3]) >= 0.90
    assert statistics.mean(ten_crop.figures[:3]) >= statistics.mean(center.figures[:3]) - 0.005


def test_digits_are_moved_by_up_to_three_whole_pixels_and_turned_by_a_half():
    dots = np.zeros((64, 28, 28, 1), "float32")
    dots[:, 14, 10] = 1
    moved = np.asarray(scratch.translation(seed=0)(dots, training=True))
    places = np.argwhere(moved == 1)[:, 1:3] - (14, 10)
    assert (len(places), moved.sum(), np.abs(places).max()) == (64, 64, 3)
    turned = np.asarray(scratch.HalfTurns()(dots, training=True))
    assert 16 < turned[:, 14, 10].sum() < 48
    np.testing.assert_array_equal(turned[:, 14, 10] + turned[:, 13, 17], 1)
    np.testing.assert_array_equal(scratch.HalfTurns()(dots), dots)


def test_the_pages_are_those_of_the_recorded_figures(tmp_path):
    readme = (pages.ROOT / "README.md").read_text(encoding="utf-8")
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    pages.write(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert (pages.ROOT / "RESULTS.md").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    "name", ["cats_vs_dogs_augmented", "features_augmented", "fine_tuning", "alexnet"]
)
def test_a_figure_follows_from_its_seed_alone(monkeypatch, name):
    """Augmentation draws its seed when it is made, which has to be after the run's seed is set."""
    calls = []

    def make(*arguments):
        calls.append("augmentation")
        raise InterruptedError

    pixels = np.zeros((4, 130, 130, 3), "float32")
    photos = SimpleNamespace(map=lambda function: pixels)  # so far as AlexNet looks at them before
    for module in (scratch, on_vgg16, alexnet):
        monkeypatch.setattr(module, "photos", lambda *_: (photos, None, None))
    monkeypatch.setattr(training, "reproducible", lambda seed: calls.append(seed))
    monkeypatch.setattr(data.augment, "flip_rotate_zoom", make)
    monkeypatch.setattr(data.augment, "crop_and_flip", make)
    with pytest.raises(InterruptedError):
        EXPERIMENTS[name].run("sample", 3)
    assert calls == [3, "augmentation"]
