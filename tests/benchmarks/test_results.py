import dataclasses
import statistics

from benchmarks import experiments, results
from benchmarks.__main__ import app
from benchmarks.experiments import EXPERIMENTS, Experiment
from cnnkit import data, evaluation, training
from cnnkit.evaluation import recorded

import pytest
from typer.testing import CliRunner


def test_a_run_records_each_seed():
    experiment = Experiment("digits", 0.9, "a book", lambda scale, seed: (0.9 + seed / 100, 180))
    rows = list(results.run(experiment, "sample", range(3)))
    assert [(row["seed"], row["figure"]) for row in rows] == [
        ("0", "0.9000"),
        ("1", "0.9100"),
        ("2", "0.9200"),
    ]
    assert all(tuple(row) == results.COLUMNS for row in rows)
    assert "keras 3." in rows[0]["versions"]


def test_new_rows_take_the_place_of_the_same_experiments(tmp_path):
    def row(experiment, seed, figure):
        values = (experiment, seed, figure, "180", "1", "keras 3")
        return dict(zip(results.COLUMNS, values, strict=True))

    path = tmp_path / "sample.csv"
    results.write([row("retired", "0", "0.9"), row("mnist", "0", "0.1")], path)
    results.write([row("mnist", "0", "0.2"), row("mnist", "1", "0.3")], path)
    results.write([row("digits", "0", "0.4")], path)
    results.write([row("mnist", "0", "0.5")], path)
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

    monkeypatch.setitem(EXPERIMENTS, "tiny", Experiment("tiny", 0.9, "a book", run))
    monkeypatch.setattr(recorded, "RESULTS", tmp_path)
    answer = CliRunner().invoke(app, ["results", "tiny", "--scale", "full", "--seeds", "3"])
    assert answer.exit_code == 0, answer.output
    assert (
        "tiny: 0.710 ± 0.010 (3 seeds, 180 test pictures); published: 0.900 in a book"
        in answer.output
    )
    assert [file.name for file in tmp_path.iterdir()] == ["full.csv"]
    figures = [row["figure"] for row in recorded.read(tmp_path / "full.csv")]
    assert figures == ["0.7000", "0.7100", "0.7200"]


def test_the_digits_experiment_learns_the_split_of_its_seed(monkeypatch):
    seeds = []
    short = dataclasses.replace(training.recipes.DIGITS, epochs=60)
    load = data.digits
    monkeypatch.setattr(training.recipes, "DIGITS", short)
    monkeypatch.setattr(data, "digits", lambda seed: seeds.append(seed) or load(seed))
    accuracy, test_size = experiments.digits("sample", seed=3)
    assert 0.7 < accuracy < 0.97
    assert (test_size, seeds) == (180, [3])


def test_the_mnist_experiment_trains_for_the_epochs_of_its_scale(monkeypatch):
    monkeypatch.setitem(experiments.MNIST_EPOCHS, "sample", 3)
    accuracy, test_size = experiments.mnist("sample", seed=0)
    assert 0.6 < accuracy < 0.97
    assert test_size == 180
