from benchmarks import results
from benchmarks.__main__ import app
from benchmarks.experiments import EXPERIMENTS, Experiment
from cnnkit import evaluation

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

    results.write([row("mnist", "0", "0.1"), row("mnist", "1", "0.2")], "sample", tmp_path)
    results.write([row("digits", "0", "0.3")], "sample", tmp_path)
    path = results.write([row("mnist", "0", "0.4")], "sample", tmp_path)
    assert results.read(path) == [row("digits", "0", "0.3"), row("mnist", "0", "0.4")]
    assert [file.name for file in tmp_path.iterdir()] == ["sample.csv"]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_recorded_at_sample_scale_with_five_seeds(name):
    rows = [
        row for row in results.read(results.RESULTS / "sample.csv") if row["experiment"] == name
    ]
    assert [row["seed"] for row in rows] == ["0", "1", "2", "3", "4"]


def test_the_recorded_figures_keep_what_the_course_promises():
    assert evaluation.spread("digits", "sample").mean >= 0.970
    assert evaluation.spread("mnist", "full").mean >= 0.990
    assert evaluation.spread("mnist", "full").test_size == 10_000


def test_an_unknown_experiment_is_named_with_the_known_ones():
    answer = CliRunner().invoke(app, ["results", "mnits"])
    assert answer.exit_code == 2
    assert "mnits" in answer.output
    assert "digits" in answer.output
