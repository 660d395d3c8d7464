"""Faults of a rule of person-time: its steps and its worked examples, at the ends of the plan."""

from dataclasses import replace
from math import inf

import pytest

from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan
from services.safety_rules.domain.stopping.person_time_rule import (
    compares_as_stop,
    design_person_time_rule,
    find_person_time_faults,
)
from services.vocabulary.protocol import Curve, WorkedExample
from tests.helpers.person_time import time_rule

STEPS, PLANNED, N = ((2, 60.0), (3, 200.0), (4, 1000.0)), 1000.0, 40
STOP = WorkedExample(2, 0, "stop", 60.0)


def find_faults(*examples, steps=STEPS, **fields):
    rule = time_rule(steps, PLANNED, n=N, **fields)
    return list(find_person_time_faults(replace(rule, worked_examples=(STOP, *examples))))


EXAMPLES = {  # events, person-days, the answer; the fault of the example, empty: none
    "nothing yet": (0, 0, "continue", ""),
    "just beyond a limit": (2, 60.01, "continue", ""),
    "the end of the plan": (3, 1000, "continue", ""),
    "beyond the end of the plan": (
        3, 1000.01, "continue", "3 events by 1000.01 cannot be, with n = 40 and planned 1000",
    ),
    "before the beginning": (
        3, -0.01, "continue", "3 events by -0.01 cannot be, with n = 40 and planned 1000",
    ),
    "everybody": (40, 1000, "continue", "40 events by 1000 is 'stop', not 'continue'"),
    "more than everybody": (
        41, 1000, "continue", "41 events by 1000 cannot be, with n = 40 and planned 1000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("events", "time", "answer", "fault"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_lies_within_the_plan(events, time, answer, fault):
    faults = find_faults(WorkedExample(events, 0, answer, time))
    assert faults == ([("worked_examples.1", fault)] if fault else [])


WRONG_STEPS = {  # the steps; the field and fault of the first
    "none": ((), "stop_when.boundary", "is empty: the rule can never stop"),
    "no events": (((0, 60.0),), "stop_when.boundary.0.events", "is not above 0"),
    "as many events": (((2, 60.0), (2, 90.0)), "stop_when.boundary.1.events", "is not above 2"),
    "the same end": (((2, 60.0), (3, 60.0)), "stop_when.boundary.1", "ends at 60, not above 60"),
    "no time": (((2, 0.0),), "stop_when.boundary.0", "ends at 0, not above 0"),
    "no end": (((2, inf),), "stop_when.boundary.0", "ends at inf, not above 0"),
}


@pytest.mark.parametrize(("steps", "field", "problem"), WRONG_STEPS.values(), ids=WRONG_STEPS)
def test_steps_rise_in_events_and_in_time(steps, field, problem):
    assert find_faults(steps=steps)[0] == (field, problem)


@pytest.mark.parametrize(
    ("risk", "is_fault"), [(0.0494, True), (0.0496, False), (0.0504, False), (0.0506, True)]
)
def test_a_curve_gives_p0_to_half_a_thousandth(risk, is_fault):
    curve = Curve("risk", points=((40, risk),))
    steps = ((2, 0.5), (3, 2.0))
    rule = time_rule(steps, 2.0, unit="expected_events", curve=curve, p0=0.05)
    fields = [field for field, _ in find_person_time_faults(rule)]
    assert ("stop_when.p0" in fields) is is_fault


@pytest.mark.parametrize(("p1", "is_allowed"), [(0.05, False), (0.06, True), (1, False)])
def test_a_p1_lies_between_p0_and_1(p1, is_allowed):
    rule = time_rule(STEPS, PLANNED, p0=0.05, parameters={"p1": (p1,)})
    rule = replace(rule, stop_when=replace(rule.stop_when, method="poisson-sprt", alpha=0.1))
    if is_allowed:
        assert design_person_time_rule(rule).attained_alpha <= 0.1
    else:
        with pytest.raises(ValueError, match=r"p1 must be above p0 = 0\.05 and below 1"):
            design_person_time_rule(rule)


def test_a_table_may_have_just_the_error_of_its_alpha():
    rule = time_rule(STEPS, PLANNED, n=N)
    attained_alpha = design_person_time_rule(rule).attained_alpha
    for alpha, is_fault in ((attained_alpha, False), (attained_alpha - 1e-12, True)):
        tight = replace(rule, stop_when=replace(rule.stop_when, alpha=alpha))
        fields = [field for field, _ in find_person_time_faults(tight)]
        assert ("stop_when.boundary" in fields) is is_fault


EACH_EVENT, FROM_30 = PersonTimePlan(1000.0), PersonTimePlan(1000.0, delayed_start=30.0)
AT_LOOKS = PersonTimePlan(1000.0, looks=(50.0, 60.0, 1000.0))
COMPARED = {  # the plan, events by person-days; do they stop, compared then?
    "at a limit": (EACH_EVENT, 2, 60.0, True),
    "beyond it": (EACH_EVENT, 2, 60.1, False),
    "one fewer": (EACH_EVENT, 1, 60.0, False),
    "after every limit": (EACH_EVENT, 40, 1000.1, False),
    "before the start": (FROM_30, 2, 29.9, False),
    "at the start": (FROM_30, 2, 30.0, True),
    "at a look": (AT_LOOKS, 2, 50.0, True),
    "between looks": (AT_LOOKS, 2, 55.0, False),
}


@pytest.mark.parametrize(("plan", "events", "time", "stops"), COMPARED.values(), ids=COMPARED)
def test_events_stop_where_they_are_compared(plan, events, time, stops):
    assert compares_as_stop((0.0, 60.0, 200.0, 1000.0), plan, events, time) is stops
