"""A signed boundary: its steps and their faults, and the row that counts for an effective size."""

from dataclasses import replace

import numpy as np
import pytest

from services.safety_rules.domain.stopping.path import RulePath, SignedLimits, Timeline
from services.safety_rules.domain.stopping.pending import SLACK, find_table_row
from services.safety_rules.domain.stopping.rule_faults import find_rule_faults
from services.safety_rules.domain.stopping.steps import (
    compress_boundary,
    expand_steps,
    find_step_faults,
    format_steps,
)
from services.vocabulary.protocol import BoundaryStep, Curve, WorkedExample
from tests.helpers.protocols import CRS


def read_steps(text):
    """``2@2-4 3@5``: 2 events of 2 to 4, 3 of 5."""
    steps = []
    for word in text.split():
        events, sizes = word.split("@")
        first, _, last = sizes.partition("-")
        steps.append(BoundaryStep(int(events), int(first), int(last or first)))
    return steps


FAULTS = {  # steps, n, looks; the faults
    "the whole plan": ("2@2-4 3@5-9", 9, (), []),
    "one participant": ("1@1", 1, (), []),
    "as many events as participants": ("2@2-9", 9, (), []),
    "nothing": ("", 9, (), ["is empty: the rule can never stop"]),
    "no events": ("0@1-9", 9, (), ["1.events is not positive"]),
    "more events than participants": (
        "3@2-9", 9, (), ["1.events 3 events cannot be among 2"],
    ),
    "a step that ends before it starts": (
        "2@5-4 3@5-9", 9, (), ["1.of ends at 4, before it starts at 5"],
    ),
    "the same number of events twice": ("2@2-4 2@5-9", 9, (), ["2.events is not above 2"]),
    "events that fall": ("3@3-4 2@5-9", 9, (), ["2.events is not above 3"]),
    "an overlap": ("2@2-4 3@4-9", 9, (), ["2.of starts at 4, not at 5"]),
    "a gap": ("2@2-4 3@6-9", 9, (), ["2.of starts at 6, not at 5"]),
    "an end before n": ("2@2-4 3@5-8", 9, (), ["2.of ends at 8, not at n = 9"]),
    "an end after n": ("2@2-4 3@5-10", 9, (), ["2.of ends at 10, not at n = 9"]),
    "looks, each covered": ("2@3-5 3@8", 9, (3, 5, 8), []),
    "a last step up to n, after the last look": ("2@3-5 3@8-9", 9, (3, 5, 8), []),
    "steps that meet between looks": ("2@3-5 3@6-8", 9, (3, 5, 8), []),
    "an overlap between looks": ("2@3-6 3@6-8", 9, (3, 5, 8), ["2.of starts at 6, not at 7"]),
    "a look that no step covers": ("2@3-4 3@8", 9, (3, 5, 8), ["2.of starts at 8, not at 5"]),
    "two looks that no step covers": (
        "2@3 3@8", 9, (3, 4, 5, 8), ["2.of starts at 8, not at 4"],
    ),
    "an end before the last look": (
        "2@3-5 3@6-7", 9, (3, 5, 8), ["2.of ends at 7, not at the last look = 8"],
    ),
    "looks, and an end after n": (
        "2@3-5 3@6-10", 9, (3, 5, 8), ["2.of ends at 10, not at the last look = 8"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "n", "looks", "expected"), FAULTS.values(), ids=FAULTS)
def test_steps_cover_the_plan_or_its_looks_once_and_rise(text, n, looks, expected):
    faults = find_step_faults(read_steps(text), n, looks)
    assert [f"{field} {problem}".strip() for field, problem in faults] == expected


def test_a_boundary_compares_at_its_looks_alone():
    steps = read_steps("2@3-5 3@6-8")
    assert expand_steps(steps, 9, (3, 5, 8)) == (1, 2, 3, 2, 5, 2, 7, 8, 3, 10)
    assert compress_boundary((1, 2, 3, 2, 5, 2, 7, 8, 3, 10), (3, 5, 8)) == (
        BoundaryStep(2, 3, 5),
        BoundaryStep(3, 8, 8),
    )
    assert format_steps(read_steps("2@3-5 3@8")) == "2@3-5 3@8"
    assert expand_steps(read_steps("3@1-5"), 5) == (1, 2, 3, 3, 3, 3)


def example(events, size, answer):
    return WorkedExample(events, size, answer)


STOP, CONTINUE = example(2, 2, "stop"), example(2, 5, "continue")
NEED_BOTH = "worked_examples: need one on each side of the boundary"
EXAMPLES = {  # worked examples of CRS; their faults
    "one on each side": ((STOP, CONTINUE), []),
    "at the boundary, and one below it": (
        (example(3, 11, "stop"), example(3, 12, "continue")), [],
    ),
    "none": ((), [NEED_BOTH]),
    "only one side": ((STOP,), [NEED_BOTH]),
    "only the other side": ((CONTINUE,), [NEED_BOTH]),
    "a wrong answer at the boundary": (
        (STOP, CONTINUE, example(3, 11, "continue")),
        ["worked_examples.3: 3 of 11 is 'stop', not 'continue'"],
    ),
    "a wrong answer below the boundary": (
        (STOP, CONTINUE, example(3, 12, "stop")),
        ["worked_examples.3: 3 of 12 is 'continue', not 'stop'"],
    ),
    "everybody has the event": ((example(40, 40, "stop"), CONTINUE), []),
    "more events than participants": (
        (STOP, CONTINUE, example(6, 5, "stop")),
        ["worked_examples.3: 6 of 5 cannot be, with n = 40"],
    ),
    "more participants than planned": (
        (example(5, 41, "stop"), STOP, CONTINUE),
        ["worked_examples.1: 5 of 41 cannot be, with n = 40"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("examples", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_worked_examples_stand_on_both_sides_of_the_boundary(examples, expected):
    faults = find_rule_faults(replace(CRS, worked_examples=examples))
    assert [f"{field}: {problem}" for field, problem in faults] == expected


LIMITS = SignedLimits((1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4), ())
AT_LOOKS = replace(LIMITS, looks=(5, 10))
ROWS = [(0, 1, 3), (4, 2, 3), (5, 3, 3), (6, 3, 4), (10, 4, 4), (11, 4, 4), (12, 4, 4)]


@pytest.mark.parametrize(("size", "each", "at_looks"), ROWS)
def test_the_boundary_of_a_size_is_that_of_the_next_look_and_at_last_of_the_last(
    size, each, at_looks
):
    assert (LIMITS.find_boundary(size), AT_LOOKS.find_boundary(size)) == (each, at_looks)


GROWTH = [  # sizes before and after; the boundary at every size; that of a look on the way
    (0.0, 2.4, 2, None),
    (0.0, 4.0, 2, None),
    (4.0, 4.1, 3, None),
    (4.0, 5.0, 3, 3),
    (4.9, 5 - SLACK, 3, 3),
    (4.9, 5 - 2 * SLACK, 3, None),
    (5 - SLACK, 5.5, 3, None),
    (5 - 2 * SLACK, 5.5, 3, 3),
    (5.0, 9.5, 4, None),
    (4.0, 11.0, 4, 3),
    (5.0, 10.0, 4, 4),
    (10.0, 12.0, 4, None),
]


@pytest.mark.parametrize(("before", "after", "each", "at_look"), GROWTH)
def test_a_look_is_compared_once_as_the_size_grows_past_it(before, after, each, at_look):
    assert LIMITS.find_compared_boundary(before, after) == each
    assert AT_LOOKS.find_compared_boundary(before, after) == at_look


@pytest.mark.parametrize(
    ("size", "row"), [(4.0, 4), (4 + SLACK / 2, 4), (4 + 2 * SLACK, 5), (4.5, 5), (0.0, 0)]
)
def test_a_size_is_rounded_up_but_for_the_rounding_of_its_sum(size, row):
    assert find_table_row(size) == row


PATHS = {  # sizes and events at each date; is it crossed?
    "below": ([2.0, 5.0], [1, 2], False),
    "at the boundary": ([2.0], [2], True),
    "at it on a later date": ([2.0, 4.5], [1, 3], True),
    "at it but for rounding": ([4 + SLACK / 2], [2], True),
    "beyond the rounding": ([4 + 2 * SLACK], [2], False),
    "no date": ([], [], False),
}


@pytest.mark.parametrize(("sizes", "events", "is_crossed"), PATHS.values(), ids=PATHS)
def test_a_path_is_compared_at_the_dates_of_events(sizes, events, is_crossed):
    instants = np.arange(len(sizes), dtype=float)
    timeline = Timeline(None, None, instants, np.array(events), None)  # the rest is not compared
    path = RulePath(timeline, "complete", Curve("uniform"), np.array(sizes))
    assert path.crosses_boundary(LIMITS) is is_crossed
