from cnnkit import evaluation, files
from cnnkit.evaluation import recorded

import numpy as np
import pytest

FIGURES = (0.97, 0.98, 0.96, 0.99, 0.975)


def test_mean_and_deviation_are_numpys_and_bounds_students_prediction_interval():
    spread = evaluation.Spread(FIGURES, test_size=1800)
    assert spread.mean == pytest.approx(np.mean(FIGURES))
    assert spread.deviation == pytest.approx(np.std(FIGURES, ddof=1))
    assert str(spread) == "0.975 ± 0.011 (5 seeds, 1,800 test pictures)"
    margin = 4.6041 * spread.deviation * np.sqrt(6 / 5)  # t table: 99 %, 4 degrees of freedom
    low, high = spread.bounds
    assert low == pytest.approx(0.975 - margin, abs=1e-5)
    assert high == 1
    assert 0.975 - 0.99 * margin in spread
    assert 0.975 - 1.01 * margin not in spread


def test_bounds_allow_for_few_pictures_where_all_seeds_agree():
    low, _ = evaluation.Spread((0.9,) * 5, test_size=100).bounds
    assert low == pytest.approx(0.9 - 4.6041 * 0.03 * np.sqrt(6 / 5), abs=1e-5)
    assert evaluation.Spread((1.0, 1.0), test_size=100).bounds == pytest.approx((0.99, 1))


def test_a_spread_is_read_from_the_recorded_results(tmp_path, monkeypatch):
    """By column, whichever others there are, and in spite of the mark that spreadsheets like."""
    columns = ("experiment", "seed", "figure", "test_size", "data")
    rows = [
        ("digits", 0, 0.9722, 180, "8×8"),
        ("mnist", 0, 0.5, 180, ""),
        ("digits", 1, 0.9889, 180, "8×8"),
    ]
    files.write_table(tmp_path / "sample.csv", [columns, *rows])
    monkeypatch.setattr(recorded, "RESULTS", tmp_path)
    assert evaluation.spread("digits", "sample") == evaluation.Spread((0.9722, 0.9889), 180)
    with pytest.raises(ValueError, match="python -m benchmarks results mnist --scale sample"):
        evaluation.spread("mnist", "sample")
    with pytest.raises(ValueError, match="scale is 'ful'"):
        evaluation.spread("digits", "ful")


def test_a_history_is_that_of_its_seed(tmp_path, monkeypatch):
    rows = [(0, 1, 0.7), (0, 2, 0.5), (3, 1, 0.6), (3, 2, 0.25)]
    path = tmp_path / "histories/digits-sample.csv"
    files.write_table(path, [("seed", "epoch", "loss"), *rows])
    monkeypatch.setattr(recorded, "RESULTS", tmp_path)
    assert evaluation.history("digits", "sample") == {"loss": [0.7, 0.5]}
    assert evaluation.history("digits", "sample", seed=3) == {"loss": [0.6, 0.25]}
    with pytest.raises(ValueError, match="seed 1 of 'digits' at sample scale"):
        evaluation.history("digits", "sample", seed=1)
