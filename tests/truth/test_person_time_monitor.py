"""Decisions of rules of person-time, worked out by hand for a few participants.

The rule: 2 events stop up to 60 person-days, 3 up to 200, 4 up to 1000, the end of its plan. Days
are counted from ``START``, and every window is of 40 days.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp, inf, log

import numpy as np
import pytest
from scipy import integrate, stats

from services.charts.boundary import draw_boundary_chart
from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.safety_rules.domain.stopping.look_back import find_crossings, list_knowledge_changes
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.safety_rules.domain.stopping.person_time import (
    compute_expected_risk,
    find_hazard_faults,
    measure_person_time,
)
from services.safety_rules.domain.stopping.person_time_design import make_intervals
from services.safety_rules.domain.stopping.person_time_limits import read_time_limits
from services.safety_rules.domain.stopping.person_time_recursion import (
    compute_stop_chance,
    follow_states,
)
from services.safety_rules.reports.rule_simulation import TrialPlan, choose_onset, rehearse
from services.vocabulary.decision import Signal
from services.vocabulary.protocol import Curve
from tests.helpers.person_time import time_rule
from tests.helpers.protocols import PROTOCOL
from tests.truth.test_stopping_monitor import day, observe

STEPS = ((2, 60.0), (3, 200.0), (4, 1000.0))
RULE = time_rule(STEPS, 1000.0)
SECOND = 1 / 86_400
HAZARD = -log(0.95) / 40


def decide(as_of, *observed, rule=RULE):
    return decide_rule(PROTOCOL, rule, observed, day(as_of))


@pytest.mark.parametrize(
    ("second_event", "signal"),
    [(30, Signal.BOUNDARY_REACHED), (30 + SECOND, Signal.CONTINUE)],
)
def test_an_event_at_the_limit_stops_and_a_second_later_does_not(second_event, signal):
    rule = replace(RULE, warn_at=1.0)
    decision = decide(35, observe(0, 35, 30), observe(0, 35, second_event, name="P-2"), rule=rule)
    assert decision.signal is signal
    assert decision.ess == pytest.approx(60 + (second_event - 30))
    assert decision.boundary == (2 if second_event == 30 else 3)
    assert [point.boundary for point in decision.path][-1] == decision.boundary


@pytest.mark.parametrize(
    ("participant", "person_days"),
    [
        (observe(0, 25), 25),  # observed until day 25, whatever the clock says
        (observe(0, 90), 40),  # to the end of the window
        (observe(0, 90, 12), 12),  # to the event
        (observe(0, 90, competing_day=7), 7),  # to the competing event
        (observe(0, 90, withdrawal_day=15), 15),
        (observe(0, 0), 0),
        (observe(40, 45), 5),
    ],
)
def test_a_participant_counts_for_the_days_at_risk(participant, person_days):
    assert decide(60, participant).ess == pytest.approx(person_days)


def test_follow_up_after_the_data_cut_is_not_known():
    assert decide(10, observe(0, 90)).ess == pytest.approx(10)
    assert decide(10, observe(0, 90, 12)).events == 0


def test_time_that_passes_takes_no_crossing_back():
    early = observe(0, 30, 10), observe(0, 30, 10, name="P-2")
    later = [observe(entry, 300, name=f"Q-{entry}") for entry in range(20, 40)]
    for as_of in (10, 30, 60, 300):
        decision = decide(as_of, *early, *later)
        assert decision.crossed_since == day(10)
        assert (decision.predictive, decision.p_cross_p0) == (1.0, 1.0)
    assert decision.boundary == 4
    assert not decision.certain  # an event-free completion of the others took the count below
    assert not decision.possible  # nobody is pending who could bring it back
    assert decide(30, *early, *later).possible


COMPLETIONS = {  # days of two events, of the pending so far; is the crossing certain?
    "up to the limit, 10 + 10 + 40": (10, 10, [10], True),
    "a second beyond the limit": (10, 10 + SECOND, [10], False),
    "nobody pending": (10, 10, [], True),
    "two pending, 10 + 10 + 80": (10, 10, [10, 10], False),
}


@pytest.mark.parametrize(
    ("first", "second", "pending", "certain"), COMPLETIONS.values(), ids=COMPLETIONS
)
def test_a_crossing_is_certain_when_the_others_complete_within_its_limit(
    first, second, pending, certain
):
    events = observe(0, 15, first), observe(0, 15, second, name="P-2")
    others = [observe(0, until, name=f"Q-{k}") for k, until in enumerate(pending)]
    decision = decide(15, *events, *others)
    assert decision.signal is Signal.BOUNDARY_REACHED
    assert decision.certain is certain


POSSIBLE = {  # days of one event, of the pending so far; can these bring the second in time?
    "one pending": (10, [10], True),
    "one pending, at the limit": (30, [30], True),
    "one pending, a second beyond the limit": (30, [30 + SECOND], False),
    "two pending beyond the limit: 3 stop": (30, [31, 31], True),
    "nobody pending": (10, [], False),
}


@pytest.mark.parametrize(("event", "pending", "possible"), POSSIBLE.values(), ids=POSSIBLE)
def test_a_crossing_is_possible_when_those_pending_are_enough_now(event, pending, possible):
    others = [observe(0, until, name=f"Q-{k}") for k, until in enumerate(pending)]
    decision = decide(35, observe(0, 35, event), *others)
    assert decision.signal is not Signal.BOUNDARY_REACHED
    assert decision.possible is possible


def test_what_is_known_later_of_the_days_before_an_event_can_take_it_back():
    events = observe(0, 30, 29), observe(0, 30, 29, name="P-2")
    silent, observed_later = observe(0, 0, name="Q"), observe(0, 29, name="Q")
    assert decide(30, *events, silent).crossed_since == day(29)
    assert decide(30, *events, observed_later).crossed_since is None


def test_events_after_the_end_of_the_plan_are_not_compared():
    event_free = [observe(entry, 400, name=f"Q-{entry}") for entry in range(30)]
    events = [observe(100, 400, 101 + k, name=f"P-{k}") for k in range(6)]
    decision = decide(400, *event_free, *events)
    assert decision.events == 6
    assert decision.ess > 1000
    assert decision.crossed_since is None
    assert decision.boundary > decision.n  # out of reach
    assert (decision.predictive, decision.possible, decision.p_cross_p0) == (0.0, False, 0.0)


def test_events_before_the_delayed_start_are_compared_when_it_is_reached():
    rule = time_rule(STEPS, 1000.0, delayed_start=50.0)
    events = observe(0, 40, 5), observe(0, 40, 6, name="P-2")
    silent = observe(0, 38, name="Q")
    assert decide(40, *events, silent, rule=rule).crossed_since is None
    observed_later = observe(0, 40, name="Q")  # 11 + 39 = 50 person-days on day 39
    assert decide(40, *events, observed_later, rule=rule).crossed_since == day(39)


def test_looks_are_compared_when_the_person_time_reaches_them():
    rule = time_rule(((2, 60.0), (3, 120.0)), 200.0, looks=(60.0, 120.0))
    first = observe(0, 100, 5), observe(0, 100, 6, name="P-2")
    event_free = observe(0, 100, name="Q-1"), observe(0, 100, name="Q-2")
    # 11 + 2 t = 60 at day 24.5
    assert decide(24, *first, *event_free, rule=rule).crossed_since is None
    decision = decide(25, *first, *event_free, rule=rule)
    assert decision.crossed_since == day(24.5)
    assert [point.crossed for point in decision.path] == [False, False, True]
    # one event by the first look, two by the second: 3 would have to be there
    late = observe(0, 100, 5), observe(0, 100, 30, name="P-2")
    assert (
        decide(100, *late, *event_free, observe(0, 100, name="Q-3"), rule=rule).crossed_since
        is None
    )


def test_expected_events_follow_the_curve_of_the_protocol():
    curve = Curve("hazard", points=((10, 0.01), (40, 0.001)))
    rule = time_rule(((1, 0.105), (2, 1.0)), 1.0, unit="expected_events", curve=curve, p0=0.1219)
    assert decide(60, observe(0, 60), rule=rule).ess == pytest.approx(0.1 + 0.03)
    assert decide(60, observe(0, 60, 15), rule=rule).crossed_since == day(15)  # 0.105: at the limit
    later = observe(0, 60, 15 + 1 / 24)
    assert decide(60, later, rule=rule).crossed_since is None


@pytest.mark.parametrize(
    ("curve", "days", "expected"),
    [
        (Curve("uniform"), 12.5, 12.5),
        (Curve("hazard", points=((10, 0.01), (40, 0.001))), 5, 0.05),
        (Curve("hazard", points=((10, 0.01), (40, 0.001))), 10, 0.1),
        (Curve("hazard", points=((10, 0.01), (40, 0.001))), 50, 0.14),  # goes on beyond
        (Curve("hazard", points=((10, 0.01),)), 20, 0.2),
        (Curve("risk", points=((30, 0.02), (183, 0.08))), 30, -log(0.98)),
        (Curve("risk", points=((30, 0.02), (183, 0.08))), 183, -log(0.92)),
        (Curve("risk", points=((30, 0.02), (183, 0.08))), 0, 0.0),
    ],
)
def test_person_time_of_a_curve(curve, days, expected):
    assert measure_person_time(curve, np.array([days]))[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("curve", "problem"),
    [
        (Curve("exponential", mean_days=5), "exponential is no curve of person_time"),
        (Curve("hazard"), "hazard must have 1 to 100 points"),
        (Curve("hazard", points=((1, 0.1),) * 101), "hazard must have 1 to 100 points"),
        (Curve("hazard", points=((10, 0.0),)), "hazard must be above 0 events per day"),
        (Curve("hazard", points=((10, -0.1),)), "hazard must be above 0 events per day"),
        (Curve("hazard", points=((10, inf),)), "hazard must be above 0 events per day"),
        (Curve("hazard", points=((10, 0.1), (5, 0.1))), "must have days that rise from above 0"),
        (Curve("hazard", points=((0, 0.1),)), "must have days that rise from above 0"),
        (Curve("risk", points=((10, 0.2), (20, 0.1))), "above 0 and below 1, not fall"),
        (Curve("risk", points=((10, 0.2), (20, 0.2))), "not fall to 0.2 by day 20"),
        (Curve("risk", points=((10, 1.0),)), "not 1.0 by day 10"),
        (Curve("risk", points=((10, 0.0),)), "not fall to 0.0 by day 10"),
    ],
)  # fmt: skip
def test_a_curve_of_hazards_that_cannot_be_used_is_named(curve, problem):
    (fault,) = find_hazard_faults(curve)
    assert problem in fault


@pytest.mark.parametrize("points", [1, 100])
def test_a_curve_has_up_to_100_points(points):
    assert find_hazard_faults(Curve("hazard", points=[(k + 1, 0.1) for k in range(points)])) == []


def test_a_curve_gives_the_risk_that_it_stands_for():
    assert compute_expected_risk(Curve("hazard", points=((183, -log(0.92) / 183),)), 183) == 0.08


def test_the_chance_that_those_pending_cross_is_a_poisson_chance():
    """One event at 30.5 person-days, one pending for 10 more: one more event stops up to 60."""
    decision = decide(30, observe(0, 30), observe(0, 30, 0.5, name="P-2"))
    assert decision.p_cross_p0 == pytest.approx(1 - exp(-HAZARD * 10))
    assert decision.conditional_p0 > decision.p_cross_p0
    assert decision.possible
    assert decision.events_left == 1
    assert decision.free_until_rise == 30  # 29.5, in whole person-days


def test_the_posterior_is_gamma_and_its_prior_worth_two_participants():
    weight = -2 * log(0.95)
    decision = decide(30, observe(0, 30), observe(0, 30, 0.5, name="P-2"))
    posterior = stats.gamma(weight + 1, scale=1 / (weight + 30.5 * HAZARD))
    mean = integrate.quad(lambda r: posterior.pdf(r) * (1 - 0.95**r), 0, np.inf)[0]
    low, high = (1 - 0.95 ** posterior.ppf(tail) for tail in (0.025, 0.975))
    assert decision.posterior == pytest.approx((mean, low, high), abs=1e-8)


@pytest.mark.parametrize("plan", [{}, {"delayed_start": 100.0}, {"looks": (60.0, 200.0, 1000.0)}])
def test_the_predictive_chance_is_the_mean_of_the_conditional_one(plan):
    rule = time_rule(STEPS, 1000.0, parameters={"prior": (0.7, 500.0)}, **plan)
    decision = decide(30, observe(0, 30), observe(0, 30, 0.5, name="P-2"), rule=rule)
    limit = read_time_limits(rule)
    states = follow_states(make_intervals(limit.limits, limit.plan), 1, 30.5 * HAZARD)
    posterior = stats.gamma(0.7 + 1, scale=1 / ((500 + 30.5) * HAZARD))
    mean, _ = integrate.quad(
        lambda r: posterior.pdf(r) * compute_stop_chance(states, r), 0, 40, limit=200
    )
    assert decision.predictive == pytest.approx(mean, abs=1e-6)
    assert decision.conditional_p0 == pytest.approx(compute_stop_chance(states, 1.0))


def test_the_chances_are_those_of_simulated_events():
    """Event by event from 1 event at 30.5 person-days on."""
    decision = decide(30, observe(0, 30), observe(0, 30, 0.5, name="P-2"))
    generator = np.random.default_rng(3)
    times = 30.5 + generator.exponential(1 / HAZARD, (200_000, 3)).cumsum(axis=1)
    share = (times <= np.array([60.0, 200.0, 1000.0])).any(axis=1).mean()
    assert decision.conditional_p0 == pytest.approx(share, abs=0.004)


def test_crossings_are_found_at_every_state_of_knowledge():
    """Follow-up alone brings the rule to its delayed start, on the day on which it is known."""
    rule = time_rule(STEPS, 1000.0, delayed_start=50.0)
    members = [observe(0, 0, 5), observe(0, 0, 6, name="P-2"), observe(0, 0, name="Q")]
    standings = [(day(7), one.standing) for one in members]
    observations = [
        (day(7), "P-000", day(5)), (day(7), "P-2", day(6)), (day(20), "Q", day(20)),
        (day(42), "Q", day(40)),
    ]  # fmt: skip
    changes = list_knowledge_changes(standings, observations)
    (crossing,) = find_crossings([rule], changes, day(60))[rule.id]
    assert crossing.crossed_at == day(42)


PLANS = [{}, {"delayed_start": 50.0}, {"looks": (60.0, 200.0, 1000.0)}]


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_simulated_trials_stop_as_often_as_the_design_says(plan, rate):
    """90 participants of 40 days bring more than the plan of 1000 days nearly always.

    The onset is that of one hazard at p0: at other rates nearly so.
    """
    rule = time_rule(STEPS, 1000.0, n=90, **plan)
    course = TrialPlan(365, (40, 40), choose_onset(rule))
    rehearsal = rehearse(rule, course, rates=(rate,), trials=4000)
    ((_, exact),) = rehearsal.exact
    (row,) = rehearsal.rows
    assert (row.counting, row.is_own) == ("person_time", True)
    assert row.p_stop == pytest.approx(exact, abs=4 * row.standard_error + 0.005)


def test_simulated_trials_follow_a_curve_of_hazards():
    curve = Curve("hazard", points=((10, 0.01), (40, 0.001)))
    steps = ((2, 0.2), (3, 0.7), (5, 3.0))
    rule = time_rule(steps, 3.0, unit="expected_events", curve=curve, n=60, p0=1 - exp(-0.13))
    course = TrialPlan(365, (40, 40), choose_onset(rule))
    rehearsal = rehearse(rule, course, rates=(rule.stop_when.p0, 0.2), trials=4000)
    for (_, exact), row in zip(rehearsal.exact, rehearsal.rows, strict=True):
        assert row.p_stop == pytest.approx(exact, abs=4 * row.standard_error + 0.005)


def test_a_rate_of_1_has_no_hazard_to_simulate():
    with pytest.raises(ValueError, match="a rate must be from 0 to below 1"):
        rehearse(RULE, TrialPlan(365, (40, 40), choose_onset(RULE)), rates=(1.0,), trials=100)


@pytest.mark.parametrize("plan", PLANS)
def test_a_decision_is_read_as_it_was_written(plan):
    decision = decide(35, observe(0, 35, 30), observe(0, 35), rule=time_rule(STEPS, 1000.0, **plan))
    text = write_canonical(decision)
    assert wire.read_decision(text) == decision
    assert write_canonical(wire.read_decision(text)) == text


def test_a_chart_of_person_time_names_its_axis():
    picture = draw_boundary_chart(
        decide(35, observe(0, 35, 30), observe(0, 35, 30, name="P-2")), "svg"
    ).decode()
    assert "Person-time of follow-up (days)" in picture
    assert "60 person-days" in picture


def test_the_instant_is_utc():
    assert decide(35, observe(0, 35, 30)).path[0].at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert day(1) - day(0) == timedelta(days=1)
