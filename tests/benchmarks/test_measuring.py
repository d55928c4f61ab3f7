"""Turns, tables and ratios against small ones done by hand."""

import math
from functools import partial

from benchmarks import measuring
from benchmarks.__main__ import BENCHMARKS, app
from benchmarks.measuring import Measured, Ratio

import pytest
from typer.testing import CliRunner

MEASURED = Measured("Two", ("side", "s"), [("ours", "1.0")], [Ratio("time", 0.5, at_most=1)])


def test_a_table_lines_up_and_is_markdown():
    lines = measuring.table(("side", "seconds"), [("ours", "1.0"), ("PyTorch", "12.0")], right={1})
    assert lines.splitlines() == [
        "| side    | seconds |",
        "| ------- | ------: |",
        "| ours    |     1.0 |",
        "| PyTorch |    12.0 |",
    ]


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (1.2, {}, "time: 1.20"),
        (1.2, {"at_most": 1.3}, "time: 1.20, promised at most 1.3: holds"),
        (1.2, {"at_most": 1.1}, "time: 1.20, promised at most 1.1: DOES NOT HOLD"),
        (1.2, {"at_least": 12}, "time: 1.20, promised at least 12: DOES NOT HOLD"),
        (math.nan, {"at_most": 1}, "time: nan, promised at most 1: DOES NOT HOLD"),
    ],
)
def test_a_ratio_says_whether_it_keeps_its_promise(value, bounds, expected):
    ratio = Ratio("time", value, **bounds)
    assert str(ratio) == expected
    assert ratio.holds == ("NOT" not in expected)


def test_sides_take_turns_while_there_is_time_and_their_medians_count(monkeypatch):
    """By a clock that only the steps move; the first two turns are far slower."""
    now, calls = [0.0], []
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: now[0])
    durations = {"ours": [90, 80, 2, 1, 3, 2, 50], "theirs": [70, 60, 4, 5, 3, 4, 4]}

    def step(name, durations):
        calls.append(name)
        now[0] += durations[calls.count(name) - 1]

    steps = {name: partial(step, name, times) for name, times in durations.items()}
    assert measuring.in_turns(steps, seconds=0, least=5) == {"ours": 2, "theirs": 4}
    assert calls == ["ours", "theirs"] * 7
    for seconds, turns in ((20, 20), (1e9, 50)):
        calls.clear()
        measuring.in_turns({"alone": partial(step, "alone", [1] * 60)}, seconds)
        assert len(calls) == 2 + turns


@pytest.mark.parametrize("theirs", [[0.5, 0.6], [0.5, math.nan]])
def test_sides_that_disagree_are_not_timed(theirs):
    measuring.agree("probabilities", [0.5, 0.5], [0.5, 0.50001])
    with pytest.raises(RuntimeError, match="probabilities of the two sides differ"):
        measuring.agree("probabilities", [0.5, 0.5], theirs)
    with pytest.raises(RuntimeError, match=r"shapes \(2,\) and \(2, 1\)"):
        measuring.agree("probabilities", [0.5, 0.5], [[0.5], [0.5]])


def test_every_benchmark_is_a_module_and_a_command():
    for name in BENCHMARKS:
        assert callable(measuring.importlib.import_module(f"benchmarks.{name}").measure)
        answer = CliRunner().invoke(app, [name, "--help"])
        assert answer.exit_code == 0
        assert "--save" in answer.output
