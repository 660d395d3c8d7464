"""A rule before its trial: the published table of counting policies, by the live monitor's path.

Rule: Beta(0.6, 2.4), p0 .2, alpha .10, n 30; window 100 days, accrual over a year. The figures are
of 60,000 trials; here are fewer, so each may be off by what chance does to both.
"""

import math
from dataclasses import replace

import numpy as np
import pytest

from services.safety_rules.domain.stopping.cohort import (
    DAY_S,
    NEVER,
    Cohort,
    Outcomes,
    apply_policy,
)
from services.safety_rules.domain.stopping.design import make_design
from services.safety_rules.domain.stopping.path import SignedLimits, list_path_points
from services.safety_rules.domain.stopping.pending import compute_onset_fraction
from services.safety_rules.domain.stopping.simulated_stops import (
    COUNTING_METHODS,
    find_stop_instants,
)
from services.safety_rules.domain.stopping.simulated_trials import make_trials
from services.safety_rules.domain.stopping.steps import compress_boundary
from services.safety_rules.domain.stopping.trial_plan import TrialPlan, draw_trials, find_onset_day
from services.safety_rules.reports.rule_simulation import rehearse
from services.vocabulary.protocol import Curve, StopWhen
from services.vocabulary.standing import Standing
from tests.helpers.protocols import rule

TABLE = (1, *make_design("beta-binomial", 0.2, 0.1, 30, prior=(0.6, 2.4)).boundary)
UNIFORM, EARLY = Curve("uniform"), Curve("exponential", mean_days=5)
MEMBERS = tuple(Standing(f"P-{number}", "TRIAL.1") for number in range(30))
TRIALS, PUBLISHED_TRIALS = 10_000, 60_000
ROUNDING = 0.0005


def plan(onset, window_days, **course):
    """A year's accrual."""
    return TrialPlan(365.0, window_days, onset, **course)


def rule_1(curve):
    when = StopWhen("beta-binomial", 0.2, 0.1, 30, compress_boundary(TABLE), {"prior": (0.6, 2.4)})
    return replace(rule("1", curve=curve), stop_when=when)


@pytest.fixture(scope="module")
def simulations():
    """By onset curve, the simulated row of each way of counting and rate."""
    return {
        name: {
            (row.counting, row.rate): row
            for row in rehearse(
                rule_1(curve), plan(curve, (100, 100)), rates=(0.2, 0.4), trials=TRIALS, seed=7
            ).rows
        }
        for name, curve in (("uniform", UNIFORM), ("early", EARLY))
    }


def chance_of(p):
    """Four standard errors of the difference of two simulations."""
    return 4 * math.sqrt(p * (1 - p) * (1 / TRIALS + 1 / PUBLISHED_TRIALS)) + ROUNDING


TYPE_1 = [
    ("complete", 0.100, 0.099),
    ("naive", 0.240, 0.418),
    ("everyone_treated", 0.041, 0.090),
    ("linear", 0.074, 0.172),
    ("onset_weighted", 0.074, 0.091),
]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "uniform", "early"), TYPE_1)
def test_the_type_1_error_of_each_way_of_counting(simulations, method, uniform, early):
    for name, published_error in (("uniform", uniform), ("early", early)):
        simulated_error = simulations[name][method, 0.2].p_stop
        assert simulated_error == pytest.approx(published_error, abs=chance_of(published_error))


ENROLLED = [
    ("complete", 22.0), ("naive", 9.5), ("everyone_treated", 16.7), ("linear", 13.6),
    ("onset_weighted", 16.6),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("method", "enrolled"), ENROLLED)
def test_how_many_have_entered_when_a_rate_of_40_percent_stops_it(simulations, method, enrolled):
    # the number enrolled has a standard deviation below 10: 4 x 10 x sqrt(1/10,000 + 1/60,000)
    assert simulations["early"][method, 0.4].mean_enrolled == pytest.approx(enrolled, abs=0.45)


def test_complete_windows_stop_as_often_as_computed_exactly():
    simulation = rehearse(rule_1(EARLY), plan(EARLY, (1, 1)), rates=(0.2,), trials=2000)
    exact = 0.09957367
    assert simulation.exact == ((0.2, pytest.approx(exact, abs=5e-9)),)
    by_counting = {row.counting: row for row in simulation.rows}
    four_errors = 4 * math.sqrt(exact * (1 - exact) / 2000)
    assert by_counting["complete"].p_stop == pytest.approx(exact, abs=four_errors)
    assert by_counting["complete"].standard_error == pytest.approx(0.0067, abs=0.0005)


CURVES = [
    UNIFORM,
    EARLY,
    Curve("weibull", scale_days=9, weibull_shape=0.7),
    Curve("table", points=((2, 0.5), (7, 1.0))),
    Curve("table", points=((50, 0.0), (60, 1.0))),
]


@pytest.mark.parametrize(("looks", "trials"), [((), 40), ((3, 8, 15, 30), 8)])
@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("method", COUNTING_METHODS)
def test_many_trials_at_once_stop_as_each_does_on_its_own_path(method, curve, looks, trials):
    limit = SignedLimits(TABLE, looks)
    course = TrialPlan(60, (10, 40), curve)  # crowded: dates with several events
    simulated_trials = draw_trials(course, 0.35, 30, trials, np.random.default_rng(11))
    policy = "complete" if method == "naive" else method
    expected = []
    for entry_times, ends, event in zip(
        simulated_trials.entered_at,
        simulated_trials.window_ends_at,
        simulated_trials.event_at,
        strict=True,
    ):
        cohort = Cohort(
            MEMBERS,
            entry_times,
            ends,
            ends,
            np.zeros(30, bool),
            simulated_trials.window_ends_at.max(),
            0,
            0,
            None,
        )
        outcomes = Outcomes(event, event)
        if method != "naive":
            outcomes = apply_policy(cohort, outcomes, policy)
        points = list_path_points(cohort, outcomes, policy, curve, limit)
        expected.append(min((p.at.timestamp() for p in points if p.crossed), default=NEVER))
    assert find_stop_instants(simulated_trials, method, curve, limit).tolist() == pytest.approx(
        expected, abs=1e-5
    )
    assert np.isfinite(expected).any()


def test_weights_that_sum_to_a_whole_number_are_one_whatever_their_rounding():
    entry_times = np.array([[0.0, 0.0, 3.0, 8.0, 9.0]]) * DAY_S
    event = np.array([[10.0, 10.0, NEVER, NEVER, NEVER]]) * DAY_S
    window = np.array([[20.0, 20.0, 10.0, 10.0, 10.0]]) * DAY_S
    simulated_trials = make_trials(entry_times, entry_times + window, event)
    assert sum([1, 1, 0.7, 0.2, 0.1]) > 3  # two events and 0.7 + 0.2 + 0.1, as a machine adds
    limit = SignedLimits((1, 2, 2, 2, 3, 3), ())  # 2 of 3 stop, 2 of 4 do not
    assert find_stop_instants(simulated_trials, "linear", UNIFORM, limit).tolist() == [10 * DAY_S]


@pytest.mark.parametrize("curve", CURVES)
def test_onsets_follow_the_curve_within_the_window(curve):
    part, span = np.linspace(0.05, 0.95, 19), np.full(19, 30.0)
    days = find_onset_day(curve, part, span)
    assert (days > 0).all()
    assert (days <= 30).all()
    at_end = compute_onset_fraction(curve, span, span)
    expected = part * at_end if at_end[0] > 0 else np.zeros(19)
    assert compute_onset_fraction(curve, days, span) == pytest.approx(expected)


def test_onsets_are_spread_over_a_window_in_which_the_curve_expects_none():
    curve = Curve("table", points=((50, 0.0), (60, 1.0)))
    days = find_onset_day(curve, np.array([0.25, 0.5]), np.array([40.0, 40.0]))
    assert days.tolist() == [10.0, 20.0]


def test_the_same_seed_gives_the_same_numbers_and_another_one_does_not():
    ask = {"course": plan(EARLY, (10, 40)), "rates": (0.3,), "trials": 200}
    first = rehearse(rule_1(EARLY), seed=1, **ask)
    assert rehearse(rule_1(EARLY), seed=1, **ask) == first
    assert rehearse(rule_1(EARLY), seed=2, **ask).rows != first.rows


@pytest.mark.parametrize(("rate", "p_stop", "enrolled"), [(0.0, 0.0, 30.0), (1.0, 1.0, None)])
def test_without_events_it_never_stops_and_with_nothing_but_events_always(rate, p_stop, enrolled):
    simulation = rehearse(rule_1(EARLY), plan(EARLY, (30, 30)), rates=(rate,), trials=100)
    assert {row.p_stop for row in simulation.rows} == {p_stop}
    if enrolled is not None:
        assert {row.mean_enrolled for row in simulation.rows} == {enrolled}


OUT_OF_RANGE = [
    ({"rates": ()}, "rates must be one or more numbers from 0 to 1"),
    ({"rates": (1.2,)}, "rates must be one or more numbers from 0 to 1"),
    ({"rates": (math.nan,)}, "rates must be one or more numbers from 0 to 1"),
    ({"trials": 99}, "trials must be from 100 to 1000000, not 99"),
    ({"seed": -1}, "seed must be 0 or more, not -1"),
    ({"accrual_days": 0}, "accrual-days must be above 0 and up to 3650 days, not 0"),
    ({"report_delay_days": -1}, "report-delay-days must be from 0 up to 3650 days, not -1"),
    ({"false_report_days": 0}, "false-report-days must be above 0 and up to 3650 days, not 0"),
    ({"competing_rate": 1.1}, "competing must be from 0 to 1, not 1.1"),
    ({"dropout_rate": math.nan}, "dropout must be from 0 to 1, not nan"),
    ({"false_report_rate": -0.1}, "false-reports must be from 0 to 1, not -0.1"),
    ({"sites": 0}, "sites must be from 1 to 1000, not 0"),
    ({"sites": 3, "site_gap_days": 182.5}, "the accrual ends on day 365, not on day 365"),
    ({"accrual": Curve("weibull")}, "accrual: scale_days must be finite and above 0"),
    ({"competing_onset": Curve("table")}, "competing-onset: points must rise"),
    ({"accrual_days": math.inf}, "accrual-days must be above 0"),
    (
        {"window_days": (40, 10)},
        "window-days must be days above 0 and up to 3650, the shortest first",
    ),
    ({"window_days": (0, 10)}, "not 0-10"),
    ({"onset": Curve("exponential", mean_days=0)}, "onset: mean_days must be finite and above 0"),
]


@pytest.mark.parametrize(("wrong", "problem"), OUT_OF_RANGE)
def test_what_is_out_of_range_is_named(wrong, problem):
    ask = {"rates": (0.3,), "trials": 100}
    course = {name: wrong[name] for name in wrong.keys() - {"rates", "trials", "seed"}}
    with pytest.raises(ValueError, match=problem):
        rehearse(
            rule_1(EARLY),
            replace(plan(EARLY, (10, 40)), **course),
            **(ask | {name: wrong[name] for name in wrong.keys() - course.keys()}),
        )
