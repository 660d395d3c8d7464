"""Laws of rules of person-time: what they count, and what may and may not change it."""

from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.person_time_design import make_person_time_design
from services.safety_rules.domain.stopping.person_time_families import PERSON_TIME_FAMILIES
from services.safety_rules.domain.stopping.person_time_plan import PersonTimePlan
from tests.helpers.person_time import time_rule
from tests.helpers.protocols import PROTOCOL
from tests.truth.test_stopping_monitor import WINDOW, day, observe

STEPS = ((1, 10.0), (2, 60.0), (3, 200.0), (4, 400.0))
RULES = [
    time_rule(STEPS, 400.0),
    time_rule(STEPS[1:], 400.0, delayed_start=30.0),
    time_rule(STEPS, 400.0, looks=(10.0, 60.0, 200.0, 400.0)),
]
HALF_DAYS = st.integers(0, 2 * WINDOW - 1).map(lambda halves: halves / 2 + 0.5)


@st.composite
def participants(draw):
    """From none to 12, by entry, follow-up, event and competing event, in half days."""
    members = []
    for number in range(draw(st.integers(0, 12))):
        entry = draw(st.integers(0, 60)) / 2
        event = draw(st.none() | HALF_DAYS)
        competing = draw(st.none() | HALF_DAYS)
        follow_up = draw(HALF_DAYS)
        last = max(follow_up, event or 0, competing or 0)
        members.append((f"P-{number:02}", entry, event, competing, last))
    return members


def decide(members, rule, as_of=100):
    return decide_rule(PROTOCOL, rule, [to_standing(*one) for one in members], day(as_of))


def to_standing(name, entry, event, competing, last):
    return observe(
        entry,
        entry + last,
        None if event is None else entry + event,
        name=name,
        competing_day=None if competing is None else entry + competing,
    )


def count_time(members, instant):
    """Return events and person-days by *instant*, participant by participant."""
    events, time = 0, 0.0
    for _, entry, event, competing, last in members:
        has_event = event is not None and event <= (inf if competing is None else competing)
        end = event if has_event else last if competing is None else competing
        events += has_event and entry + event <= instant
        time += max(min(instant, entry + min(end, WINDOW)) - entry, 0.0)
    return events, time


@given(participants())
def test_events_and_person_time_are_those_that_are_counted_one_by_one(members):
    decision = decide(members, RULES[0])
    events, time = count_time(members, 100)
    assert decision.events == events
    assert decision.ess == pytest.approx(time, abs=1e-9)
    crossing_days = []
    instants = [entry + event for _, entry, event, _, _ in members if event is not None]
    last_of_date = {day(instant).date(): instant for instant in sorted(instants)}
    for instant in last_of_date.values():
        count, time = count_time(members, instant)
        boundary = next((k for k, end in STEPS if time <= end + 1e-9), inf)
        if count >= boundary:
            crossing_days.append(instant)
    assert (decision.crossed_since is not None) == bool(crossing_days)


@given(participants(), st.sampled_from(RULES))
def test_those_pending_never_cross_more_likely_than_anybody_ever(members, rule):
    decision = decide(members, rule)
    assert decision.p_cross_p0 <= decision.conditional_p0 + 1e-12
    assert 0 <= decision.predictive <= 1
    low, high = decision.posterior[1:]
    assert 0 < low < decision.posterior[0] < high < 1
    if decision.crossed_since is None:  # later time may undo the count, never the crossing
        assert decision.possible >= (decision.p_cross_p0 > 1e-9)


@given(participants(), st.sampled_from(RULES), st.randoms())
def test_the_order_of_participants_changes_nothing(members, rule, random):
    shuffled = random.sample(members, len(members))
    assert decide(shuffled, rule) == decide(members, rule)


@given(participants(), st.sampled_from(RULES))
def test_time_alone_changes_nothing(members, rule):
    later = decide(members, rule, 400)
    assert replace(later, as_of=day(100)) == decide(members, rule)


@given(participants(), st.sampled_from(RULES))
def test_follow_up_after_the_last_event_takes_no_crossing_back(members, rule):
    event_free = (name := "Q", 80, None, None, WINDOW)
    assert name not in {one[0] for one in members}
    first, second = decide(members, rule, 200), decide([*members, event_free], rule, 200)
    if first.crossed_since is not None:
        assert second.crossed_since == first.crossed_since
    elif not rule.stop_when.person_time.looks and not rule.stop_when.person_time.delayed_start:
        assert second.crossed_since is None
    assert second.ess == pytest.approx(first.ess + WINDOW)


@given(participants(), st.sampled_from(RULES), st.integers(1, 3))
def test_another_year_changes_nothing(members, rule, years):
    later_members = [(name, entry + 365 * years, *rest) for name, entry, *rest in members]
    first, second = decide(members, rule, 2000), decide(later_members, rule, 2000)
    assert second.ess == pytest.approx(first.ess, abs=1e-9)
    if first.crossed_since is not None:
        assert second.crossed_since == first.crossed_since + timedelta(days=365 * years)


@given(
    st.sampled_from([name for name, one in PERSON_TIME_FAMILIES.items() if not one.needs]),
    st.floats(0.001, 0.5),
    st.floats(0.1, 40),
    st.integers(1, 3),
    st.floats(0, 0.99),
)
def test_alpha_is_never_exceeded_and_limits_rise(family, alpha, planned, min_events, start):
    plan = PersonTimePlan(planned, 1.0, (), min_events, start * planned)
    try:
        design = make_person_time_design(family, alpha, plan, ratios=(0.5, 1.0, 2.0))
    except ValueError as error:
        assert "min_events must be from 1" in str(error)  # noqa: PT017 (one of two outcomes)
        return
    assert design.attained_alpha <= alpha
    limits = [end for end in design.limits if end]
    assert limits == sorted(set(limits))
    chances = [at.p_stop for at in design.characteristics]
    assert chances == sorted(chances)
    times = [at.e_time for at in design.characteristics]
    assert times == sorted(times, reverse=True)


@given(st.floats(0.001, 0.5), st.floats(0.5, 20), st.floats(1e-4, 0.1))
def test_days_are_expected_events_in_another_unit(alpha, planned, hazard):
    first = make_person_time_design("poisson-maxsprt", alpha, PersonTimePlan(planned))
    days = make_person_time_design(
        "poisson-maxsprt", alpha, PersonTimePlan(planned / hazard, hazard)
    )
    assert days.constant == pytest.approx(first.constant, abs=1e-8)
    assert [end * hazard for end in days.limits] == pytest.approx(first.limits, rel=2e-5)
