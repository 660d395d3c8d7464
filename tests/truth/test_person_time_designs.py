"""Boundaries in person-time, against published figures, simulation and counts by hand.

Source: Kulldorff et al. 2011, Sequential Analysis 30:58-78 and the critical values of the R
package Sequential, for MaxSPRT; the R package stoppingrule for n 46, p0 .15, alpha .10, a window of
100 days and 6.9 expected events. That one bisects until alpha is met to some millionths: its
constants lie up to 2e-5 on the safe side of the exact ones.
"""

import math

import numpy as np
import pytest

from services.safety_rules.domain.stopping.calibrate import calibrate_boundary
from services.safety_rules.domain.stopping.families import compute_statistics
from services.safety_rules.domain.stopping.person_time_design import (
    find_stopping_count,
    make_intervals,
    make_person_time_design,
    round_down,
)
from services.safety_rules.domain.stopping.person_time_families import PERSON_TIME_FAMILIES
from services.safety_rules.domain.stopping.person_time_plan import (
    PersonTimePlan,
    compute_hazard,
    compute_ratio,
)

ALPHA = 0.10
HAZARD = compute_hazard(0.15, 100)
PLAN = PersonTimePlan(6.9 / HAZARD, HAZARD)
PRIOR = (11.5 * 100 * HAZARD, 11.5 * 100)
PARAMETERS = {
    "poisson-wang-tsiatis": {"delta": 0.25},
    "poisson-sprt": {"ratio": compute_ratio(0.15, 0.3418071)},
    "gamma-poisson": {"prior": PRIOR},
}


@pytest.mark.parametrize(
    ("alpha", "planned", "min_events", "constant"),
    [
        (0.05, 1, 1, 2.853937),
        (0.05, 2, 1, 3.046977),
        (0.05, 5, 1, 3.297183),
        (0.05, 10, 1, 3.467952),
        (0.05, 20, 1, 3.628123),
        (0.05, 50, 1, 3.819903),
        (0.01, 1, 1, 4.670429),
        (0.01, 2, 1, 4.862223),
        (0.01, 5, 1, 5.091907),
        (0.01, 10, 1, 5.260513),
        (0.01, 20, 1, 5.41477),
        (0.01, 50, 1, 5.605972),
        (0.05, 10, 2, 3.238009),
        (0.05, 10, 3, 3.064248),
        (0.05, 10, 4, 2.921561),
    ],
)
def test_maxsprt_has_the_published_critical_values(alpha, planned, min_events, constant):
    plan = PersonTimePlan(planned, min_events=min_events)
    design = make_person_time_design("poisson-maxsprt", alpha, plan)
    assert design.constant == pytest.approx(constant, abs=1.5e-6)
    assert alpha - 1e-6 < design.attained_alpha <= alpha
    assert not any(design.limits[: min_events - 1])


@pytest.mark.parametrize(
    ("family", "constant", "first", "limits"),
    [
        ("poisson-wang-tsiatis", 2.0089093, 1, (5.289, 69.44, 248.64, 530.64, 883.52, 1284.0)),
        ("poisson-sprt", 1.9079143, 3, tuple(362.868 + 369.637 * k for k in range(4))),
        ("gamma-poisson", 0.93540756, 3, (104.818,)),
    ],
)
def test_a_family_has_the_published_limits(family, constant, first, limits):
    design = make_person_time_design(family, ALPHA, PLAN, **PARAMETERS[family])
    assert design.constant == pytest.approx(constant, abs=2e-5)
    assert not any(design.limits[: first - 1])
    assert design.limits[first - 1 : first - 1 + len(limits)] == pytest.approx(limits, rel=1e-4)


def test_binomial_maxsprt_has_the_published_critical_value():
    """8 of 9 reach 3.09884 and do not stop: what does lies above it."""
    statistics = compute_statistics("maxsprt", 20, 0.5, {})
    calibration = calibrate_boundary("maxsprt", 20, 0.5, 0.05, {})
    reached_statistics = [statistics[x, b] for x, b in enumerate(calibration.boundary) if b <= x]
    assert calibration.attained_alpha == pytest.approx(0.04613686, abs=5e-9)
    assert calibration.constant == statistics[9, 8] == pytest.approx(3.09884, abs=5e-6)
    assert min(reached_statistics) > statistics[9, 8]
    assert calibration.boundary[9] == 9


@pytest.mark.parametrize("family", PERSON_TIME_FAMILIES)
@pytest.mark.parametrize("looks", [(), (1000.0, 2000.0, 4000.0)])
def test_alpha_is_met_and_never_exceeded(family, looks):
    plan = PersonTimePlan(PLAN.planned, HAZARD, looks)
    design = make_person_time_design(
        family, ALPHA, plan, ratios=(1.0,), **PARAMETERS.get(family, {})
    )
    assert (0.06 if looks else 0.09999) < design.attained_alpha <= ALPHA
    assert design.characteristics[0].p_stop == pytest.approx(design.attained_alpha, abs=1e-12)
    assert list(design.limits) == sorted(design.limits)


@pytest.mark.parametrize("family", PERSON_TIME_FAMILIES)
def test_a_limit_is_where_the_statistic_reaches_the_constant(family):
    parameters = {name: np.atleast_1d(v) for name, v in PARAMETERS.get(family, {}).items()}
    if family == "gamma-poisson":
        parameters = {"prior": (PRIOR[0], PRIOR[1] * HAZARD)}
    design = make_person_time_design(family, ALPHA, PLAN, **PARAMETERS.get(family, {}))
    count = len(design.limits) - 1  # the last is the end of the plan
    k = np.arange(1.0, count + 1)
    limits = PERSON_TIME_FAMILIES[family].find_limits(design.constant, k, 6.9, parameters)
    is_reached = limits > 0
    statistic = PERSON_TIME_FAMILIES[family].statistic(
        k[is_reached], limits[is_reached], 6.9, parameters
    )
    assert statistic == pytest.approx(design.constant, rel=1e-9)
    assert design.limits[:count] == pytest.approx(
        np.where(is_reached, limits, 0) / HAZARD, rel=1.1e-5
    )


def test_one_event_that_stops_is_a_waiting_time():
    """One event up to 0.5, two up to 1: counted by hand."""
    design = make_person_time_design(
        "poisson-table", 0.5, PersonTimePlan(1.0), limits=(0.5, 1.0), ratios=(2.0,)
    )
    survives = math.exp(-1) + math.exp(-0.5) * 0.5 * math.exp(-0.5)
    assert design.attained_alpha == pytest.approx(1 - survives, abs=1e-14)
    (at,) = design.characteristics
    alive = math.exp(-1)  # at 0.5, of hazard 2
    assert at.p_stop == pytest.approx(1 - alive * (math.exp(-1) + math.exp(-1)), abs=1e-14)
    waits = (1 - math.exp(-1)) / 2 + alive * ((1 - math.exp(-1)) / 2 + (1 - 2 * math.exp(-1)) / 2)
    assert at.e_time == pytest.approx(waits, abs=1e-14)
    assert at.e_events == pytest.approx(2 * waits, abs=1e-14)
    assert 1 - math.exp(-2 * at.median_stop) == pytest.approx(at.p_stop / 2, abs=1e-8)


def _simulate(design, ratio, trials=40_000):
    """Return the share that stops, mean time and mean events, by another way: event by event."""
    generator = np.random.default_rng(8)
    scale = 1 / (ratio * design.plan.hazard)
    arrivals = generator.exponential(scale, (trials, len(design.limits))).cumsum(axis=1)
    limits, plan = np.array(design.limits), design.plan
    if plan.looks:
        counts = (arrivals[:, :, None] <= np.array(plan.looks)).sum(axis=1)
        boundary = np.array([sum(limits < look) + 1 for look in plan.looks])
        stops = np.where(counts >= boundary, plan.looks, np.inf).min(axis=1)
    else:
        stops = np.where(arrivals <= limits, np.maximum(arrivals, plan.delayed_start), np.inf)
        stops = stops.min(axis=1)
    time = np.minimum(stops, plan.planned)
    return np.isfinite(stops).mean(), time.mean(), time.std() / trials**0.5


@pytest.mark.parametrize("family", PERSON_TIME_FAMILIES)
@pytest.mark.parametrize(
    "plan",
    [
        PLAN,
        PersonTimePlan(PLAN.planned, HAZARD, min_events=3, delayed_start=500.0),
        PersonTimePlan(PLAN.planned, HAZARD, looks=(800.0, 1900.0, 3100.0)),
    ],
)
def test_characteristics_are_those_of_simulated_trials(family, plan):
    ratios = (0.5, 1.0, 2.5)
    design = make_person_time_design(
        family, ALPHA, plan, ratios=ratios, **PARAMETERS.get(family, {})
    )
    for at in design.characteristics:
        p_stop, time, error = _simulate(design, at.ratio)
        assert p_stop == pytest.approx(at.p_stop, abs=4 * (at.p_stop / 40_000) ** 0.5 + 1e-4)
        assert time == pytest.approx(at.e_time, abs=4 * error + 1e-9)
        assert at.e_events == pytest.approx(at.ratio * HAZARD * at.e_time)


def test_a_delayed_start_compares_all_that_came_before_it():
    design = make_person_time_design(
        "poisson-table", 0.9, PersonTimePlan(2.0, delayed_start=1.0), limits=(0, 1.0, 2.0)
    )
    chances = {k: math.exp(-1) / math.factorial(k) for k in (0, 1)}
    survives = chances[0] * (chances[0] + chances[1] + math.exp(-1) / 2) + chances[1] * (
        chances[0] + chances[1]
    )
    assert design.attained_alpha == pytest.approx(1 - survives, abs=1e-14)


def test_a_start_at_the_end_of_the_plan_is_one_test():
    """Kept at .05: 4 events or more of 1 expected come with .0190, 3 with .0803."""
    plan = PersonTimePlan(1, delayed_start=1)
    design = make_person_time_design("poisson-maxsprt", 0.05, plan)
    assert design.boundary_text == "4@1"
    assert design.attained_alpha == pytest.approx(0.0189882, abs=5e-8)


@pytest.mark.parametrize("delayed_start", [0.5, 1, 3, 6, 9.5])
def test_a_constant_beside_the_one_of_a_delayed_start_exceeds_alpha_or_stops_less(delayed_start):
    """A limit that passes the start takes its chance away at once: alpha is not always met."""
    plan = PersonTimePlan(10, delayed_start=delayed_start)
    design = make_person_time_design("poisson-maxsprt", 0.05, plan)
    family = PERSON_TIME_FAMILIES["poisson-maxsprt"]
    k = np.arange(1.0, len(design.limits) + 1)
    smaller = np.minimum(family.find_limits(design.constant - 1e-6, k, 10.0, {}), 10.0)
    looser = make_person_time_design(
        "poisson-table", 0.05, plan, limits=np.where(smaller < delayed_start, 0, smaller).tolist()
    )
    assert design.attained_alpha <= 0.05 < looser.attained_alpha + 1e-9


@pytest.mark.parametrize(
    ("family", "plan", "alpha", "parameters", "problem"),
    [
        ("poisson", PersonTimePlan(1), 0.05, {}, "family 'poisson' is unknown"),
        ("poisson-sprt", PersonTimePlan(1), 0.05, {}, "ratio is missing"),
        ("poisson-sprt", PersonTimePlan(1), 0.05, {"ratio": 1.0}, "ratio must be above 1"),
        ("poisson-sprt", PersonTimePlan(1), 0.05, {"ratio": 2e6}, "ratio must be above 1"),
        ("poisson-sprt", PersonTimePlan(1), 0.05, {"ratio": math.nan}, "ratio must be above 1"),
        ("poisson-pocock", PersonTimePlan(1), 0.05, {"ratio": 2}, "ratio is no parameter"),
        ("poisson-wang-tsiatis", PersonTimePlan(1), 0.05, {"delta": 1.1}, "delta must be from 0"),
        ("gamma-poisson", PersonTimePlan(1), 0.05, {"prior": 1}, "prior must be 2 number"),
        ("poisson-wang-tsiatis", PersonTimePlan(1), 0.05, {"delta": -0.1}, "delta must be from 0"),
        ("gamma-poisson", PersonTimePlan(1), 0.05, {"prior": (0, 1)}, "prior must be above 0"),
        ("gamma-poisson", PersonTimePlan(1), 0.05, {"prior": (1, 2e6)}, "prior must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(1), 0.0, {}, "alpha must be above 0 and below 1"),
        ("poisson-maxsprt", PersonTimePlan(1), 1.0, {}, "alpha must be above 0 and below 1"),
        ("poisson-maxsprt", PersonTimePlan(1), math.nan, {}, "alpha must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(0), 0.05, {}, "planned must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(-1), 0.05, {}, "planned must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(1001), 0.05, {}, "at most 1000 expected events, not"),
        ("poisson-maxsprt", PersonTimePlan(math.inf), 0.05, {}, "planned must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(1, 0.0), 0.05, {}, "hazard must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(1, -0.1), 0.05, {}, "hazard must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(1, math.nan), 0.05, {}, "hazard must be above 0"),
        ("poisson-maxsprt", PersonTimePlan(9, looks=(2, 1)), 0.05, {}, "looks must rise"),
        ("poisson-maxsprt", PersonTimePlan(9, looks=(2, 2)), 0.05, {}, "looks must rise"),
        ("poisson-maxsprt", PersonTimePlan(9, looks=(0, 2)), 0.05, {}, "looks must rise"),
        ("poisson-maxsprt", PersonTimePlan(9, looks=(2, 10)), 0.05, {}, "looks must rise"),
        ("poisson-maxsprt", PersonTimePlan(9, looks=(math.nan,)), 0.05, {}, "looks must rise"),
        ("poisson-maxsprt", PersonTimePlan(9, min_events=0), 0.05, {}, "min_events must be"),
        ("poisson-maxsprt", PersonTimePlan(9, min_events=1.5), 0.05, {}, "whole number from 1"),
        ("poisson-maxsprt", PersonTimePlan(1, min_events=4), 0.05, {}, "from 1 to 3, not 4"),
        ("poisson-maxsprt", PersonTimePlan(1, delayed_start=1.01), 0.05, {}, "delayed_start must"),
        ("poisson-maxsprt", PersonTimePlan(1, delayed_start=-1), 0.05, {}, "delayed_start must be"),
        ("poisson-table", PersonTimePlan(9), 0.05, {}, "limits is what a poisson-table needs"),
        ("poisson-table", PersonTimePlan(9), 0.05, {"limits": (2, 1)}, "limits must rise"),
        ("poisson-table", PersonTimePlan(9), 0.05, {"limits": (2, 10)}, "limits must rise"),
        ("poisson-table", PersonTimePlan(9), 0.05, {"limits": (math.nan,)}, "limits must rise"),
        ("poisson-table", PersonTimePlan(9), 0.05, {"limits": (0, 0)}, "no count of events would"),
        ("poisson-table", PersonTimePlan(9), 0.05, {"limits": [9] * 2001}, "at most 2000, not"),
        ("poisson-table", PersonTimePlan(9), 0.05, {"limits": (-1, 2)}, "limits must rise"),
        ("poisson-table", PersonTimePlan(9, delayed_start=3), 0.05, {"limits": (2, 9)}, "before"),
        ("poisson-table", PersonTimePlan(9, looks=(3,)), 0.05, {"limits": (2,)}, "among the looks"),
        ("poisson-table", PersonTimePlan(9, min_events=2), 0.05, {"limits": (1, 2)}, "fewer than"),
    ],
)  # fmt: skip
def test_an_argument_out_of_range_is_named(family, plan, alpha, parameters, problem):
    with pytest.raises(ValueError, match=problem):
        make_person_time_design(family, alpha, plan, **parameters)


PLAN_OF_9 = PersonTimePlan(9)
LIMITS_OF_ARGUMENTS = {  # family, plan, alpha and parameters at an end of their range
    "the longest plan": ("poisson-maxsprt", PersonTimePlan(1000), 0.05, {}),
    "a delta of 0": ("poisson-wang-tsiatis", PLAN_OF_9, 0.05, {"delta": 0}),
    "a delta of 1": ("poisson-wang-tsiatis", PLAN_OF_9, 0.05, {"delta": 1}),
    "the largest ratio": ("poisson-sprt", PLAN_OF_9, 0.05, {"ratio": 1e6}),
    "the largest prior": ("gamma-poisson", PLAN_OF_9, 0.05, {"prior": (1e6, 1e6)}),
    "a small prior": ("gamma-poisson", PLAN_OF_9, 0.05, {"prior": (1e-3, 1e-3)}),
    "a large alpha": ("poisson-maxsprt", PLAN_OF_9, 0.999, {}),
    "a look at the end": ("poisson-maxsprt", PersonTimePlan(9, looks=(9,)), 0.05, {}),
    "a first look at once": ("poisson-maxsprt", PersonTimePlan(9, looks=(1e-9, 9)), 0.05, {}),
    "a start at the end": ("poisson-maxsprt", PersonTimePlan(9, delayed_start=9), 0.05, {}),
    "limits at the ends": ("poisson-table", PLAN_OF_9, 0.05, {"limits": (0, 9)}),
    "the same limit twice": ("poisson-table", PLAN_OF_9, 0.05, {"limits": (0, 2, 2)}),
    "the most limits": ("poisson-table", PLAN_OF_9, 0.05, {"limits": (0, *[9] * 1999)}),
    "a limit at the start": (
        "poisson-table", PersonTimePlan(9, delayed_start=3), 0.05, {"limits": (0, 3, 9)},
    ),
    "limits at looks": (
        "poisson-table", PersonTimePlan(9, looks=(3, 9)), 0.05, {"limits": (0, 3, 9)},
    ),
    "as many as min_events": (
        "poisson-table", PersonTimePlan(9, min_events=2), 0.05, {"limits": (0, 1)},
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "plan", "alpha", "parameters"),
    LIMITS_OF_ARGUMENTS.values(),
    ids=LIMITS_OF_ARGUMENTS,
)
def test_an_argument_at_the_end_of_its_range_makes_a_design(family, plan, alpha, parameters):
    design = make_person_time_design(family, alpha, plan, **parameters)
    assert 0 < design.attained_alpha < 1
    assert family == "poisson-table" or design.attained_alpha <= alpha


STARTS = {  # delayed start; the looks from it on, with the events that stop there
    "before the first look": (9.0, [(10.0, 0, 1), (20.0, 0, 2), (30.0, 0, 0)]),
    "at the first look": (10.0, [(10.0, 0, 1), (20.0, 0, 2), (30.0, 0, 0)]),
    "after the first look": (11.0, [(20.0, 0, 2), (30.0, 0, 0)]),
    "at the second look": (20.0, [(20.0, 0, 2), (30.0, 0, 0)]),
}


@pytest.mark.parametrize(("delayed_start", "intervals"), STARTS.values(), ids=STARTS)
def test_looks_are_compared_from_the_start_on(delayed_start, intervals):
    plan = PersonTimePlan(30.0, looks=(10.0, 20.0, 30.0), delayed_start=delayed_start)
    assert make_intervals((10.0, 20.0), plan) == intervals


def test_a_start_at_a_look_is_one_before_it_and_a_start_after_it_leaves_it_out():
    limits = {
        delayed_start: make_person_time_design(
            "poisson-maxsprt", 0.1, PersonTimePlan(9, looks=(3, 6, 9), delayed_start=delayed_start)
        ).limits
        for delayed_start in (0, 2, 3, 3.1)
    }
    assert limits[0] == limits[2] == limits[3] != limits[3.1]
    assert 3 in limits[3]
    assert 3 not in limits[3.1]


COUNTS = [(0.0, 2), (0.3, 2), (0.4, 2), (0.41, 3), (1.0, 3), (1.01, 0)]


@pytest.mark.parametrize(("time", "events"), COUNTS)
def test_the_events_that_stop_at_a_time_are_those_of_the_next_limit(time, events):
    assert find_stopping_count([0.0, 0.4, 1.0], time) == events


@pytest.mark.parametrize("min_events", [1, 2, 3])
def test_the_largest_minimum_that_the_plan_allows_is_accepted(min_events):
    """3 events come with .0803 in a plan of 1, 4 with .0190: at alpha .05, 3 is the last."""
    plan = PersonTimePlan(1, min_events=min_events)
    assert make_person_time_design("poisson-maxsprt", 0.05, plan).attained_alpha <= 0.05


@pytest.mark.parametrize(
    ("p0", "days", "problem"),
    [(0, 100, "p0"), (1, 100, "p0"), (0.1, 0, "window_days"), (0.1, -1, "window_days")],
)
def test_a_hazard_needs_a_rate_and_a_window(p0, days, problem):
    with pytest.raises(ValueError, match=f"{problem} must be above 0"):
        compute_hazard(p0, days)


@pytest.mark.parametrize("p0", [-0.1, 0, 1, 1.1])
def test_a_ratio_is_of_a_rate_that_has_a_hazard(p0):
    with pytest.raises(ValueError, match="p0 must be above 0 and below 1"):
        compute_ratio(p0, 0.2)


@pytest.mark.parametrize(("rate", "ratio"), [(0, 0), (0.15, 1), (1 - 0.85**2, 2)])
def test_a_ratio_is_that_of_two_hazards(rate, ratio):
    assert compute_ratio(0.15, rate) == pytest.approx(ratio)


@pytest.mark.parametrize("rate", [-0.1, 1.0, math.nan])
def test_a_rate_that_has_no_hazard_is_named(rate):
    with pytest.raises(ValueError, match="a rate must be from 0 to below 1"):
        compute_ratio(0.15, rate)


@pytest.mark.parametrize(("value", "text"), [(883.51961459, 883.519), (0.99999999, 0.999999)])
def test_a_limit_is_written_with_six_digits_and_never_rounded_up(value, text):
    assert round_down(value) == text


def test_an_alpha_that_the_family_cannot_spend_leaves_its_constant_at_0():
    design = make_person_time_design("poisson-maxsprt", 0.9, PersonTimePlan(1))
    assert design.constant == 0
    assert design.limits == (1.0,)
    assert design.attained_alpha == pytest.approx(1 - math.exp(-1))
