"""Turns, tables and ratios against small ones done by hand."""

import math

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
    ("bounds", "expected"),
    [
        ({}, "time: 1.20"),
        ({"at_most": 1.3}, "time: 1.20, promised at most 1.3: holds"),
        ({"at_most": 1.1}, "time: 1.20, promised at most 1.1: DOES NOT HOLD"),
        ({"at_least": 12}, "time: 1.20, promised at least 12: DOES NOT HOLD"),
    ],
)
def test_a_ratio_says_whether_it_keeps_its_promise(bounds, expected):
    ratio = Ratio("time", 1.2, **bounds)
    assert str(ratio) == expected
    assert ratio.holds == ("NOT" not in expected)


def test_a_ratio_that_is_no_number_keeps_no_promise():
    assert not Ratio("time", math.nan, at_most=1).holds


def test_sides_take_turns_and_their_medians_count(monkeypatch):
    """By a clock that only the steps move; the first two turns are far slower."""
    now, calls = [0.0], []
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: now[0])
    durations = {"ours": [90, 80, 2, 1, 3, 2, 50], "theirs": [70, 60, 4, 5, 3, 4, 4]}

    def step(name):
        calls.append(name)
        now[0] += durations[name][calls.count(name) - 1]

    steps = {name: (lambda name=name: step(name)) for name in durations}
    assert measuring.in_turns(steps, seconds=0, least=5) == {"ours": 2, "theirs": 4}
    assert calls == ["ours", "theirs"] * 7


def test_more_turns_are_taken_while_there_is_time(monkeypatch):
    now, calls = [0.0], []
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: now[0])

    def step():
        calls.append(1)
        now[0] += 1

    measuring.in_turns({"ours": step}, seconds=20)
    assert len(calls) == 2 + 20
    measuring.in_turns({"ours": step}, seconds=1e9)
    assert len(calls) == 2 + 20 + 2 + 50


@pytest.mark.parametrize("theirs", [[0.5, 0.6], [0.5, math.nan]])
def test_sides_that_disagree_are_not_timed(theirs):
    measuring.agree("probabilities", [0.5, 0.5], [0.5, 0.50001])
    with pytest.raises(RuntimeError, match="probabilities of the two sides differ"):
        measuring.agree("probabilities", [0.5, 0.5], theirs)
    with pytest.raises(RuntimeError, match=r"shapes \(2,\) and \(2, 1\)"):
        measuring.agree("probabilities", [0.5, 0.5], [[0.5], [0.5]])


def test_the_machine_is_described():
    text = measuring.machine()
    assert "cores" in text
    assert "GiB" in text
    assert "keras 3." in text


def test_every_benchmark_is_a_module_and_a_command():
    for name in BENCHMARKS:
        assert callable(measuring.importlib.import_module(f"benchmarks.{name}").measure)
        answer = CliRunner().invoke(app, [name, "--help"])
        assert answer.exit_code == 0
        assert "--save" in answer.output


def fail(name):
    raise OSError("no room")


def test_all_are_run_and_broken_promises_are_told(monkeypatch, tmp_path):
    from benchmarks import __main__ as command

    broken = Measured("x", ("side", "s"), [("ours", "9.0")], [Ratio("steps", 2.0, at_most=1)])
    monkeypatch.setattr(command, "in_a_process_of_its_own", lambda name: MEASURED)
    monkeypatch.setattr(command, "PAGES", tmp_path / "measured")
    answer = CliRunner().invoke(app, [])
    assert (answer.exit_code, answer.output.count("time: 0.50")) == (0, len(BENCHMARKS))
    assert answer.output.endswith("All promises hold.\n")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(command, "in_a_process_of_its_own", lambda name: broken)
    answer = CliRunner().invoke(app, ["--save"])
    assert answer.exit_code == 1
    assert answer.output.count(", steps: 2.00, promised at most 1: DOES NOT HOLD") == len(
        BENCHMARKS
    )
    monkeypatch.setattr(command, "in_a_process_of_its_own", fail)
    answer = CliRunner().invoke(app, ["startup"])
    assert (answer.exit_code, answer.output.splitlines()[-1]) == (1, "- startup failed: no room")
    pages = sorted(path.name for path in (tmp_path / "measured").iterdir())
    assert pages == sorted(f"{name}.md" for name in BENCHMARKS)
