"""A figure of the benchmarks beside its floor."""

import json

import pytest

from benchmarks.measuring import Measure, compare, per_second
from benchmarks.run import main


def make_side(calls, name, figures):
    """A round that gives the next of *figures*, and remembers that it was asked."""

    def give_next():
        calls.append(name)
        return float(figures.pop(0))

    return give_next


def test_a_ratio_is_of_two_figures_of_one_round():
    calls = []
    run_measured = make_side(calls, "run", [10, 40, 20])
    floor = make_side(calls, "floor", [100, 200, 400])
    comparison = compare(Measure("m", "things/s", run_measured, {"floor": floor}), rounds=3)
    assert [one.ratios for one in comparison] == [(0.1, 0.2, 0.05)]
    assert (comparison[0].figure, comparison[0].reference, comparison[0].ratio) == (20, 200, 0.1)
    assert comparison[0].relative_spread == (0.05, 0.2)


def test_the_sides_take_turns_in_going_first():
    calls = []
    sides = {name: make_side(calls, name, [1, 1]) for name in ("run", "a", "b")}
    compare(Measure("m", "s", sides.pop("run"), sides), rounds=2)
    assert calls == ["run", "a", "b", "b", "a", "run"]


def test_a_rate_is_of_what_was_done():
    calls = []
    assert per_second(1000, lambda: calls.append(1)) > 0
    assert calls == [1]


@pytest.mark.slow
def test_one_table_says_each_figure_beside_its_floor(tmp_path, capsys):
    words = ["--rounds=1", "--only=hl7", "--only=late", f"--folder={tmp_path}"]
    assert main(words) == 0
    output = capsys.readouterr().out
    assert output.count("floor: bytes split only") == 2
    assert output.count("floor: the same facts in order") == 2
    assert "SQLite 3." in output
    (folder,) = tmp_path.iterdir()
    rows = json.loads((folder / "bench.json").read_text())["rows"]
    assert [set(row) for row in rows] == [{"name", "value", "unit", "floor", "ratio"}] * len(rows)
    assert len(rows) == output.count("floor: bytes split only") + 2
