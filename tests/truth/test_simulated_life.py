"""Trials as in life: each is stopped when the live monitor would have said so, at no other time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.safety_rules.domain.stopping.cohort import DAY_S
from services.safety_rules.domain.stopping.monitor import find_crossing_date
from services.safety_rules.domain.stopping.path import read_limits
from services.safety_rules.domain.stopping.simulated_stops import find_stop_instants
from services.safety_rules.domain.stopping.simulated_trials import make_trials
from services.safety_rules.domain.stopping.trial_plan import TrialPlan, draw_trials
from services.vocabulary.protocol import BoundaryStep, Curve, StopWhen
from services.vocabulary.standing import CompetingEvent, CountedEvent, ObservedStanding, Standing
from tests.helpers.person_time import time_rule
from tests.helpers.protocols import rule

DAY_0 = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
EARLY = Curve("exponential", mean_days=5)
STEPS = (BoundaryStep(2, 2, 4), BoundaryStep(3, 5, 8), BoundaryStep(4, 9, 12))
LIFE = {
    "nothing": {},
    "delay": {"report_delay_days": 12.0},
    "competing, late": {"competing_rate": 0.5, "report_delay_days": 20.0},
    "dropout": {"dropout_rate": 0.5},
    "false reports": {"false_report_rate": 0.5, "false_report_days": 4.0},
    "all": {
        "report_delay_days": 6.0,
        "competing_rate": 0.3,
        "competing_onset": EARLY,
        "dropout_rate": 0.2,
        "false_report_rate": 0.3,
        "false_report_days": 9.0,
        "sites": 3,
        "site_gap_days": 15.0,
        "accrual": Curve("weibull", scale_days=40, weibull_shape=2),
    },
}


def small_rule(policy, curve, looks):
    when = StopWhen("table", 0.2, 0.3, 12, STEPS, {})
    return replace(rule("1", curve=curve), policy=policy, looks=looks, stop_when=when)


def to_instant(seconds):
    return DAY_0 + timedelta(seconds=float(seconds)) if np.isfinite(seconds) else None


def observe(trials, row, cut):
    """Return the standings of one trial as they are known at *cut*."""
    standings = []
    for k in range(trials.entered_at.shape[1]):
        at = {name: to_instant(getattr(trials, name)[row, k]) for name in trials.__slots__}
        event = at["event_at"] if at["event_known_at"] and at["event_known_at"] <= cut else None
        if at["false_known_at"] and at["false_known_at"] <= cut < at["corrected_at"]:
            event = at["false_at"]
        is_known = at["competing_known_at"] and at["competing_known_at"] <= cut
        standing = Standing(
            f"P-{k:02}",
            "TRIAL.1",
            exposed_at=at["entered_at"],
            window_ends_at=at["window_ends_at"],
            frozen_at=at["left_at"],
            event=event and CountedEvent(event, "one", 3, confirmed=False),
            competing=CompetingEvent(at["competing_at"], "death") if is_known else None,
        )
        standings.append(ObservedStanding(standing, cut))
    return standings


def is_crossed(watched_rule, trials, row, cut):
    return find_crossing_date(watched_rule, observe(trials, row, cut), cut) is not None


@pytest.mark.parametrize("life", LIFE.values(), ids=LIFE)
@pytest.mark.parametrize("looks", [(), (4, 8, 12)])
@pytest.mark.parametrize("policy", ["onset_weighted", "complete", "linear", "everyone_treated"])
def test_a_trial_stops_when_the_monitor_first_says_so(policy, looks, life):
    assert_stops_with_the_monitor(small_rule(policy, EARLY, looks), life)


TIME_STEPS = ((2, 40.0), (3, 130.0), (4, 400.0))
TIME_RULES = {
    "events": {},
    "delayed start": {"delayed_start": 60.0},
    "looks": {"looks": (50.0, 120.0, 250.0)},
    "expected events": {
        "unit": "expected_events",
        "curve": Curve("risk", points=((10, 0.1), (40, 0.2))),
        "steps": ((2, 0.2), (3, 0.7), (4, 2.0)),
        "planned": 2.0,
    },
}


@pytest.mark.parametrize("life", LIFE.values(), ids=LIFE)
@pytest.mark.parametrize("plan", TIME_RULES.values(), ids=TIME_RULES)
def test_a_trial_with_a_rule_of_person_time_does_too(plan, life):
    arguments = {"steps": TIME_STEPS, "planned": 400.0} | plan
    assert_stops_with_the_monitor(replace(time_rule(**arguments), id="TRIAL.1"), life)


def assert_stops_with_the_monitor(watched_rule, life):
    course = TrialPlan(90.0, (10, 40), EARLY, **life)
    trials = draw_trials(course, 0.3, 12, 10, np.random.default_rng(3))
    limit, curve = read_limits(watched_rule), watched_rule.curve
    stops = find_stop_instants(trials, watched_rule.policy, curve, limit)
    ends_at = DAY_0 + timedelta(days=400)

    def is_before(cut, stop_at):
        """Events that are known at once count together by date, at the last of them."""
        is_known_at_once = np.array_equal(trials.event_at, trials.event_known_at)
        return cut.date() < stop_at.date() if is_known_at_once else cut < stop_at - SECOND

    for row, stop in enumerate(stops.tolist()):
        stop_at = to_instant(stop)
        reports = [to_instant(report) for report in trials.list_reports()[row]]
        windows = [to_instant(end) for end in trials.window_ends_at[row]]
        cuts = {cut for cut in [*reports, *windows] if cut is not None}
        if stop_at is None:
            assert not is_crossed(watched_rule, trials, row, ends_at)
        else:
            assert is_crossed(watched_rule, trials, row, stop_at + SECOND)
        for cut in cuts:
            if stop_at is None or is_before(cut, stop_at):
                assert not is_crossed(watched_rule, trials, row, cut)


def test_some_of_those_trials_stop_and_some_do_not():
    course = TrialPlan(90.0, (10, 40), EARLY, **LIFE["all"])
    trials = draw_trials(course, 0.3, 12, 200, np.random.default_rng(3))
    limit = read_limits(small_rule("onset_weighted", EARLY, ()))
    share = np.isfinite(find_stop_instants(trials, "onset_weighted", EARLY, limit)).mean()
    assert 0.1 < share < 0.9


def days(*numbers):
    return np.array([[float(number) for number in numbers]]) * DAY_S


NEVER = float("inf")
SIX = {"entered_at": days(0, 1, 2, 3, 4, 5), "window_ends_at": days(30, 31, 32, 33, 34, 35)}


@pytest.mark.parametrize(
    ("reported_on", "stops_on"),
    [((10, 12), 12), ((12, 10), 12), ((10, 200), 200), ((10, NEVER), NEVER)],
)
def test_an_event_counts_from_its_report_on_at_its_own_date(reported_on, stops_on):
    """Two events on day 9 of four who had entered by then: the boundary is reached once both are
    known, also long after the windows are over.
    """
    first, second = reported_on
    trials = make_trials(
        days(0, 1, 2, 3), days(30, 31, 32, 33), days(9, 9, NEVER, NEVER),
        event_known_at=days(first, second, NEVER, NEVER),
    )  # fmt: skip
    limit = read_limits(small_rule("everyone_treated", EARLY, ()))
    (stop,) = find_stop_instants(trials, "everyone_treated", EARLY, limit)
    assert stop == pytest.approx(stops_on * DAY_S)


@pytest.mark.parametrize(
    ("corrected_on", "stops_on"), [(20, NEVER), (20.5, 20.5 - 0.25), (25, 20.25), (20.25, NEVER)]
)
def test_a_false_report_stops_a_trial_while_it_is_believed(corrected_on, stops_on):
    """One event, known at once on day 20 and a quarter; one false report of day 10."""
    trials = make_trials(
        days(0, 1, 2, 3), days(30, 31, 32, 33), days(NEVER, 20.25, NEVER, NEVER),
        false_at=days(10, NEVER, NEVER, NEVER),
        corrected_at=days(corrected_on, NEVER, NEVER, NEVER),
    )  # fmt: skip
    limit = read_limits(small_rule("everyone_treated", EARLY, ()))
    (stop,) = find_stop_instants(trials, "everyone_treated", EARLY, limit)
    assert stop == pytest.approx(stops_on * DAY_S)


def test_a_competing_event_and_the_end_of_follow_up_take_events_away():
    course = TrialPlan(90.0, (30, 30), Curve("uniform"))
    rates = []
    for life in ({}, {"competing_rate": 1.0}, {"dropout_rate": 1.0}):
        trials = draw_trials(replace(course, **life), 1.0, 20, 500, np.random.default_rng(1))
        rates.append(np.isfinite(trials.event_at).mean())
    assert rates[0] == 1.0
    assert rates[1:] == pytest.approx([0.5, 0.5], abs=0.02)  # of two uniform times


def test_sites_that_open_later_enrol_later_and_an_accrual_may_speed_up():
    even = TrialPlan(100.0, (30, 30), EARLY)
    speeding = replace(even, accrual=Curve("table", points=((50, 0.2), (100, 1.0))))
    staggered = replace(even, sites=2, site_gap_days=60.0)
    shares = []
    for course in (even, speeding, staggered):
        trials = draw_trials(course, 0.0, 40, 500, np.random.default_rng(1))
        assert (np.diff(trials.entered_at, axis=1) >= 0).all()
        assert trials.entered_at.max() <= 100 * DAY_S
        shares.append((trials.entered_at < 50 * DAY_S).mean())
    assert shares == pytest.approx([0.5, 0.2, 0.25], abs=0.02)
