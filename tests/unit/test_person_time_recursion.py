"""Intervals between the comparisons of a rule of person-time: their ends, and where one is cut."""

from math import exp, inf, nan

import pytest

from services.safety_rules.domain.stopping.person_time_recursion import (
    PersonTimeCharacteristics,
    WatchInterval,
    compute_person_time_characteristics,
    compute_stop_chance,
    cut_intervals,
    follow_states,
    list_intervals,
    list_look_intervals,
)

INTERVALS = {  # limits of 1, 2, ... events, the start; the intervals up to 1 expected event
    "one limit": ([0.4], 0.0, [(0.4, 1, 1), (1.0, 0, 0)]),
    "a limit at the end": ([0.4, 1.0], 0.0, [(0.4, 1, 1), (1.0, 2, 2)]),
    "a number that never stops": ([0.0, 0.4], 0.0, [(0.4, 2, 2), (1.0, 0, 0)]),
    "two limits at once": ([0.4, 0.4, 1.0], 0.0, [(0.4, 1, 1), (1.0, 3, 3)]),
    "a start before the first limit": ([0.4, 1.0], 0.3, [(0.3, 0, 1), (0.4, 1, 1), (1.0, 2, 2)]),
    "a start at the first limit": ([0.4, 1.0], 0.4, [(0.4, 0, 1), (1.0, 2, 2)]),
    "a start after the first limit": ([0.4, 1.0], 0.5, [(0.5, 0, 2), (1.0, 2, 2)]),
    "a start at the end": ([0.4, 1.0], 1.0, [(1.0, 0, 2)]),
    "a start after every limit": ([0.4], 0.5, [(1.0, 0, 0)]),
}


@pytest.mark.parametrize(("limits", "start", "intervals"), INTERVALS.values(), ids=INTERVALS)
def test_each_limit_from_the_start_on_ends_an_interval(limits, start, intervals):
    assert list_intervals(limits, 1.0, start) == intervals


@pytest.mark.parametrize(
    ("looks", "intervals"),
    [
        ([], [(1.0, 0, 0)]),
        ([(0.4, 2)], [(0.4, 0, 2), (1.0, 0, 0)]),
        ([(0.4, 2), (1.0, 3)], [(0.4, 0, 2), (1.0, 0, 3)]),
    ],
)
def test_each_look_ends_an_interval_and_so_does_the_plan(looks, intervals):
    assert list_look_intervals(looks, 1.0) == intervals


AT_EVENTS = [WatchInterval(0.4, 2, 2), WatchInterval(1.0, 3, 3)]
AT_LOOKS = [WatchInterval(0.4, 0, 2), WatchInterval(1.0, 0, 3)]
CUTS = {  # intervals, the end, events that can be; the part up to that end
    "within the first": (AT_EVENTS, 0.3, 9, [(0.3, 2, 2)]),
    "at the end of the first": (AT_EVENTS, 0.4, 9, [(0.4, 2, 2), (0.4, 3, 3)]),
    "within the second": (AT_EVENTS, 0.5, 9, [(0.4, 2, 2), (0.5, 3, 3)]),
    "at the end of the plan": (AT_EVENTS, 1.0, 9, AT_EVENTS),
    "with as many events as stop": (AT_EVENTS, 1.0, 3, AT_EVENTS),
    "with fewer": (AT_EVENTS, 1.0, 2, AT_EVENTS[:1]),
    "before a look": (AT_LOOKS, 0.3, 9, [(0.3, 0, 0)]),
    "at a look": (AT_LOOKS, 0.4, 9, [(0.4, 0, 2), (0.4, 0, 0)]),
    "between looks": (AT_LOOKS, 0.5, 9, [(0.4, 0, 2), (0.5, 0, 0)]),
    "at the last look": (AT_LOOKS, 1.0, 9, AT_LOOKS),
}


@pytest.mark.parametrize(("intervals", "end", "events", "expected"), CUTS.values(), ids=CUTS)
def test_what_is_cut_keeps_every_comparison_up_to_its_end(intervals, end, events, expected):
    assert cut_intervals(intervals, end, events) == expected


STOPS = {  # events and expected events so far; the chance that the next event stops by 0.4
    "from the beginning": (0, 0.0, 1 - exp(-0.4) * (1 + 0.4)),
    "after one event": (1, 0.1, 1 - exp(-0.3)),
    "at the limit": (1, 0.4, 0.0),
    "after the limit": (1, 0.5, 0.0),
}


@pytest.mark.parametrize(("events", "started_at", "chance"), STOPS.values(), ids=STOPS)
def test_an_interval_counts_until_its_end(events, started_at, chance):
    intervals = [WatchInterval(0.4, 2, 2), WatchInterval(1.0, 0, 0)]
    states = follow_states(intervals, events, started_at)
    assert compute_stop_chance(states, 1.0) == pytest.approx(chance, abs=1e-15)
    assert states[0].start == started_at
    assert states[-1].elapsed_time == pytest.approx(max(0.4 - started_at, 0.0))


RULES = {  # a rule; half of the trials that stop have stopped by then
    "none stops": ([WatchInterval(1.0, 0, 0)], None),
    "at a look": ([WatchInterval(0.4, 0, 1), WatchInterval(1.0, 0, 0)], 0.4),
    "at the second of two looks": ([WatchInterval(0.1, 0, 1), WatchInterval(1.0, 0, 1)], 1.0),
    "at a look that half of them reach": ([WatchInterval(0.4, 0, 1)], 0.4),
}


@pytest.mark.parametrize(("intervals", "median"), RULES.values(), ids=RULES)
def test_the_median_of_looks_is_a_look(intervals, median):
    characteristics = compute_person_time_characteristics(follow_states(intervals), 1.0)
    assert characteristics.median_stop == median
    assert (characteristics.p_stop > 0) is (median is not None)


@pytest.mark.parametrize("ratio", [-0.1, inf, nan])
def test_a_ratio_is_a_number_from_0_on(ratio):
    with pytest.raises(ValueError, match="ratios must be 0 or more"):
        compute_person_time_characteristics(follow_states(AT_EVENTS), ratio)


def test_without_a_hazard_nothing_stops():
    assert compute_person_time_characteristics(follow_states(AT_EVENTS), 0.0) == (
        PersonTimeCharacteristics(ratio=0.0, p_stop=0.0, e_time=1.0, e_events=0.0, median_stop=None)
    )
