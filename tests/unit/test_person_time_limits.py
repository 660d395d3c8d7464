"""Lookups in the signed boundary of person-time: both sides of each limit, look and start."""

import numpy as np
import pytest

from services.safety_rules.domain.stopping.person_time_limits import PersonTimeLimits
from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan

# 2 events stop up to 10 days, 4 up to 20, 5 up to 30; 99 is a number that no trial has
LIMITS, NEVER = (0.0, 10.0, 10.0, 20.0, 30.0), 99


def make_limits(*, looks=(), delayed_start=0.0, unit="person_days"):
    plan = PersonTimePlan(40.0, looks=looks, delayed_start=delayed_start)
    return PersonTimeLimits(LIMITS, plan, unit, NEVER)


EACH_EVENT = make_limits()
FROM_15 = make_limits(delayed_start=15.0)
AT_LOOKS = make_limits(looks=(10.0, 20.0, 30.0))
LATE_LOOKS = make_limits(looks=(10.0, 20.0, 30.0), delayed_start=20.0)
HAIR = 1e-12  # less than the rounding of a sum

# person-days; events that stop: at each event, from 15 days on, at looks, at looks from 20 days on
SIZES = {
    "nothing": (0, 2, 4, 2, 4),
    "before the first limit": (9.9, 2, 4, 2, 4),
    "the first limit": (10, 2, 4, 2, 4),
    "the first limit but for rounding": (10 + HAIR, 2, 4, 2, 4),
    "beyond the first limit": (10.1, 4, 4, 4, 4),
    "the start": (15, 4, 4, 4, 4),
    "the second look": (20, 4, 4, 4, 4),
    "beyond it": (20.1, 5, 5, 5, 5),
    "the last look": (30, 5, 5, 5, 5),
    "beyond the last limit": (30.1, NEVER, NEVER, NEVER, NEVER),
}


@pytest.mark.parametrize(("size", *"abcd"), SIZES.values(), ids=SIZES)
def test_the_events_that_stop_are_those_of_the_next_comparison(size, a, b, c, d):
    rules = (EACH_EVENT, FROM_15, AT_LOOKS, LATE_LOOKS)
    assert [one.find_boundary_at(size) for one in rules] == [a, b, c, d]
    assert EACH_EVENT.find_boundaries(np.array([[size]])).tolist() == [[a]]


def test_the_fewest_events_are_those_of_the_first_limit():
    assert EACH_EVENT.fewest_events == 2


COMPARED = {  # a rule; the person-times that are compared when they are reached
    "each event": (EACH_EVENT, ()),
    "each event from a start on": (FROM_15, (15.0,)),
    "looks": (AT_LOOKS, (10.0, 20.0, 30.0)),
    "looks from one of them on": (LATE_LOOKS, (20.0, 30.0)),
}


@pytest.mark.parametrize(("limits", "sizes"), COMPARED.values(), ids=COMPARED)
def test_looks_are_compared_from_the_start_on(limits, sizes):
    assert limits.compared_sizes == sizes


STARTS = {  # person-days; is an event compared at once, from 15 days on?
    "before the start": (14.9, False),
    "the start but for rounding": (15 - HAIR, True),
    "the start": (15, True),
    "after it": (15.1, True),
}


@pytest.mark.parametrize(("size", "is_compared"), STARTS.values(), ids=STARTS)
def test_an_event_is_compared_at_once_from_the_start_on(size, is_compared):
    rules = {FROM_15: is_compared, EACH_EVENT: True, AT_LOOKS: False}
    for limits, expected in rules.items():
        assert limits.is_compared_at(size) is expected
        assert limits.are_compared_at(np.array([[size]])).tolist() == [[expected]]


RISES = {  # person-days; whole days without event until the boundary rises
    "nothing": (0, 10),
    "half a day": (9.5, 1),
    "the limit": (10, 0),
    "the next limit ahead": (10.5, 10),
    "the last limit": (29, None),
}


@pytest.mark.parametrize(("size", "days"), RISES.values(), ids=RISES)
def test_the_boundary_rises_after_so_many_days(size, days):
    assert EACH_EVENT.count_free_until_rise(size) == days
    assert make_limits(unit="expected_events").count_free_until_rise(size) is None


FROM_NEW = {  # events, newcomers; events that are missing at 5 days, None: more than can come
    "none yet": (0, 2, 2),
    "none yet, too few to come": (0, 1, None),
    "at the boundary": (2, 0, 0),
    "beyond it": (3, 0, 0),
}


@pytest.mark.parametrize(("events", "newcomers", "missing"), FROM_NEW.values(), ids=FROM_NEW)
def test_new_participants_may_bring_the_missing_events(events, newcomers, missing):
    assert EACH_EVENT.count_events_from_new(5, events, newcomers) == missing
