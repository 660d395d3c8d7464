"""Lookups in a signed boundary: both sides of each size, and of the rounding of a sum."""

import numpy as np
import pytest

from services.safety_rules.domain.stopping.path import SignedLimits

# 2 events of 2 or 3 stop, 3 of 4 to 6; compared at each event, or at 3 and 6
TABLE = (1, 2, 2, 2, 3, 3, 3)
EACH_EVENT, AT_LOOKS = SignedLimits(TABLE, ()), SignedLimits(TABLE, (3, 6))
HAIR = 1e-12  # less than the rounding of a sum

FEWEST = {  # the table; the fewest events that stop anywhere
    "as many as participants": ((1, 1, 1), 1),
    "one event of two": ((1, 2, 1), 1),
    "both of two": ((1, 2, 2), 2),
    "none stops": ((1, 2, 3), 3),
    "two, then three": (TABLE, 2),
}


@pytest.mark.parametrize(("table", "events"), FEWEST.values(), ids=FEWEST)
def test_the_fewest_events_that_stop_are_those_that_can_be_reached(table, events):
    assert SignedLimits(table, ()).fewest_events == events


SIZES = {  # effective size; the boundary at each event, and that of the next look
    "nobody": (0, 1, 2),
    "a part of one": (0.1, 2, 2),
    "the size of a look but for rounding": (3 + HAIR, 2, 2),
    "a look": (3, 2, 2),
    "just above a look": (3.001, 3, 3),
    "between looks": (4, 3, 3),
    "the last look": (6, 3, 3),
}


@pytest.mark.parametrize(("size", "at_event", "at_look"), SIZES.values(), ids=SIZES)
def test_a_size_is_rounded_up_to_a_row_or_to_the_next_look(size, at_event, at_look):
    assert EACH_EVENT.find_boundary_at(size) == at_event
    assert EACH_EVENT.find_boundaries(np.array([size])).tolist() == [at_event]
    assert AT_LOOKS.find_boundary_at(size) == at_look


def test_after_the_last_look_the_last_one_counts():
    assert SignedLimits(TABLE, (3,)).find_boundary(6) == TABLE[3]


PASSED = {  # from one size to another; the boundary of the first look on the way, None: no look
    "up to a look": (2, 3, 2),
    "up to a look but for rounding": (2, 3 - HAIR, 2),
    "short of a look": (2, 2.999, None),
    "on from a look": (3, 4, None),
    "on from a look but for rounding": (3 - HAIR, 4, None),
    "over a look": (2.999, 4, 2),
    "over both": (0, 6, 2),
    "up to the second": (3, 6, 3),
    "nowhere": (3, 3, None),
}


@pytest.mark.parametrize(("previous", "size", "boundary"), PASSED.values(), ids=PASSED)
def test_the_boundary_on_the_way_is_that_of_the_first_look_that_is_passed(previous, size, boundary):
    assert AT_LOOKS.find_compared_boundary(previous, size) == boundary
    assert EACH_EVENT.find_compared_boundary(previous, size) == EACH_EVENT.find_boundary_at(size)


RISES = {  # effective size; participants without event until the boundary rises, None: never
    "two of them": (2, 2),
    "the last before it rises": (3, 1),
    "after it rose": (4, None),
    "the end": (6, None),
}


@pytest.mark.parametrize(("size", "participants"), RISES.values(), ids=RISES)
def test_the_boundary_rises_after_so_many_without_an_event(size, participants):
    assert EACH_EVENT.count_free_until_rise(size) == participants


FROM_NEW = {  # size, events, newcomers; events that are missing, each of a new participant
    "none yet": (0, 0, 6, 2),
    "as many as are to come": (0, 0, 2, 2),
    "more than are to come": (0, 0, 1, None),
    "at the boundary already": (2, 2, 4, 0),
    "beyond it": (3, 3, 3, 0),
}


@pytest.mark.parametrize(
    ("size", "events", "newcomers", "missing"), FROM_NEW.values(), ids=FROM_NEW
)
def test_new_participants_may_bring_the_missing_events(size, events, newcomers, missing):
    assert EACH_EVENT.count_events_from_new(size, events, newcomers) == missing
