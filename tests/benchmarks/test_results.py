import dataclasses
import statistics

from benchmarks.__main__ import app
from benchmarks.experiments import (
    EXPERIMENTS,
    Experiment,
    alexnet,
    on_vgg16,
    pages,
    recording,
    scratch,
)
from cnnkit import data, evaluation, training
from cnnkit.evaluation import recorded

import numpy as np
import pytest
from typer.testing import CliRunner


def tiny(run):
    """An experiment of which a book says 0.9 on photos."""
    data = {"sample": "a few", "full": "many"}
    return Experiment(3, "a tiny network", data, run, "a book", 0.9, "photos")


def test_a_run_records_each_seed(monkeypatch):
    experiment = tiny(lambda scale, seed: (0.9 + seed / 100, 180))
    monkeypatch.setitem(EXPERIMENTS, "tiny", experiment)
    rows = list(recording.run("tiny", "sample", range(3)))
    assert [(row["seed"], row["figure"]) for row in rows] == [
        ("0", "0.9000"),
        ("1", "0.9100"),
        ("2", "0.9200"),
    ]
    assert all(tuple(row) == recording.COLUMNS for row in rows)
    assert "keras 3." in rows[0]["versions"]
    assert "cores" in rows[0]["machine"]


def test_new_rows_take_the_place_of_the_same_experiments(tmp_path):
    def row(experiment, seed, figure):
        values = (experiment, seed, figure, "180", "1", "keras 3", "a laptop")
        return dict(zip(recording.COLUMNS, values, strict=True))

    path = tmp_path / "sample.csv"
    recording.write([row("retired", "0", "0.9"), row("mnist", "0", "0.1")], path)
    recording.write([row("mnist", "0", "0.2"), row("mnist", "1", "0.3")], path)
    recording.write([row("digits", "0", "0.4")], path)
    recording.write([row("mnist", "0", "0.5")], path)
    assert [(kept["experiment"], kept["figure"]) for kept in recorded.read(path)] == [
        ("digits", "0.4"),
        ("mnist", "0.5"),
        ("retired", "0.9"),
    ]
    assert [file.name for file in tmp_path.iterdir()] == ["sample.csv"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_recorded_at_sample_scale_with_five_seeds(name):
    rows = [
        row for row in recorded.read(recorded.RESULTS / "sample.csv") if row["experiment"] == name
    ]
    assert [row["seed"] for row in rows] == ["0", "1", "2", "3", "4"]


def test_the_recorded_figures_keep_what_the_course_promises():
    assert evaluation.spread("digits", "sample").mean >= 0.970
    assert evaluation.spread("mnist", "full").mean >= 0.990
    assert evaluation.spread("mnist", "full").test_size == 10_000
    scratch = evaluation.spread("cats_vs_dogs", "sample")
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


def test_an_unknown_experiment_is_named_with_the_known_ones():
    answer = CliRunner().invoke(app, ["results", "mnits"])
    assert answer.exit_code == 2
    assert "mnits" in answer.output
    assert "digits" in answer.output


def test_the_command_records_the_asked_experiment_scale_and_seeds(tmp_path, monkeypatch):
    def run(scale, seed):
        return {"sample": 0.5, "full": 0.7}[scale] + seed / 100, 180

    monkeypatch.setitem(EXPERIMENTS, "tiny", tiny(run))
    monkeypatch.setattr(recorded, "RESULTS", tmp_path)
    written = []
    monkeypatch.setattr(pages, "write", lambda: written.append(pages.page()))
    answer = CliRunner().invoke(app, ["results", "tiny", "--scale", "full", "--seeds", "3"])
    assert answer.exit_code == 0, answer.output
    assert (
        "tiny: 0.710 ± 0.010 (3 seeds, 180 test pictures); published: 0.900 on photos"
        in answer.output
    )
    assert [file.name for file in tmp_path.iterdir()] == ["full.csv"]
    figures = [row["figure"] for row in recorded.read(tmp_path / "full.csv")]
    assert figures == ["0.7000", "0.7100", "0.7200"]
    ((page),) = written
    sample, full = (
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.splitlines()
        if "a tiny network" in line
    )
    assert sample[2:6] == ["not run", "", "a few", ""]
    assert full[:5] == ["3. a tiny network", full[1], "0.710 ± 0.010 (3 seeds)", "180", "many"]
    assert full[6] == "`python -m benchmarks results tiny --scale full`"
    source = full[1].removeprefix("0.900 on photos [").removesuffix("]")
    assert f"\n{source}. a book\n" in page


def test_the_pages_are_those_of_the_recorded_figures(tmp_path):
    readme = (pages.ROOT / "README.md").read_text(encoding="utf-8")
    (tmp_path / "README.md").write_text(readme, encoding="utf-8")
    pages.write(tmp_path)
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == readme
    page = (tmp_path / "RESULTS.md").read_text(encoding="utf-8")
    assert (pages.ROOT / "RESULTS.md").read_text(encoding="utf-8") == page


def test_the_digits_experiment_learns_the_split_of_its_seed(monkeypatch):
    seeds = []
    short = dataclasses.replace(training.recipes.DIGITS, epochs=60)
    load = data.digits
    monkeypatch.setattr(training.recipes, "DIGITS", short)
    monkeypatch.setattr(data, "digits", lambda seed: seeds.append(seed) or load(seed))
    accuracy, test_size = scratch.digits("sample", seed=3)
    assert 0.7 < accuracy < 0.97
    assert (test_size, seeds) == (180, [3])


def test_the_mnist_experiment_trains_for_the_epochs_of_its_scale(monkeypatch):
    monkeypatch.setitem(scratch.MNIST_EPOCHS, "sample", 3)
    accuracy, test_size = scratch.mnist("sample", seed=0)
    assert 0.6 < accuracy < 0.97
    assert test_size == 180


@pytest.mark.parametrize(
    "name", ["cats_vs_dogs_augmented", "features_augmented", "fine_tuning", "alexnet"]
)
def test_a_figure_follows_from_its_seed_alone(monkeypatch, name):
    """Augmentation draws its seed when it is made, which has to be after the run's seed is set."""
    calls = []

    def make(*arguments):
        calls.append("augmentation")
        raise InterruptedError

    for module in (scratch, on_vgg16, alexnet):
        monkeypatch.setattr(module, "photos", lambda *_: (Photos(), None, None))
    monkeypatch.setattr(training, "reproducible", lambda seed: calls.append(seed))
    monkeypatch.setattr(data.augment, "flip_rotate_zoom", make)
    monkeypatch.setattr(data.augment, "crop_and_flip", make)
    with pytest.raises(InterruptedError):
        EXPERIMENTS[name].run("sample", 3)
    assert calls == [3, "augmentation"]


class Photos:
    """A data set as far as AlexNet's experiment looks at it before it builds the network."""

    def map(self, function):
        return np.zeros((4, 130, 130, 3), "float32")
