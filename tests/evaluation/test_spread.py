import importlib

from cnnkit import evaluation

import numpy as np
import pytest

MODULE = importlib.import_module("cnnkit.evaluation.spread")
FIGURES = (0.97, 0.98, 0.96, 0.99, 0.975)


def test_mean_and_deviation_are_numpys():
    spread = evaluation.Spread(FIGURES, test_size=180)
    assert spread.mean == pytest.approx(np.mean(FIGURES))
    assert spread.deviation == pytest.approx(np.std(FIGURES, ddof=1))
    assert str(spread) == "0.975 ± 0.011 (5 seeds, 180 test pictures)"


def test_bounds_are_three_deviations_of_seeds_and_pictures():
    spread = evaluation.Spread(FIGURES, test_size=180)
    margin = 3 * np.sqrt(np.var(FIGURES, ddof=1) + 0.975 * 0.025 / 180)
    assert spread.bounds == pytest.approx((0.975 - margin, 1.0))
    assert 0.975 - 0.99 * margin in spread
    assert 0.975 - 1.01 * margin not in spread


def test_a_spread_is_read_from_the_recorded_results(tmp_path, monkeypatch):
    rows = ["digits,0,0.9722,180,32,k", "mnist,0,0.5,180,9,k", "digits,1,0.9889,180,32,k"]
    header = "experiment,seed,figure,test_size,seconds,versions"
    (tmp_path / "sample.csv").write_text("\n".join([header, *rows]))
    monkeypatch.setattr(MODULE, "_CHECKOUT", tmp_path)
    assert evaluation.spread("digits", "sample") == evaluation.Spread((0.9722, 0.9889), 180)
    with pytest.raises(ValueError, match="python -m benchmarks results mnist --scale sample"):
        evaluation.spread("mnist", "sample")
    with pytest.raises(ValueError, match="scale is 'ful'"):
        evaluation.spread("digits", "ful")
