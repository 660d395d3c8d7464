"""Two arms beside each other, against another implementation and the definition of the interval."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import integrate, stats

from services.safety_rules.domain.stopping.arm_contrasts import Arm
from services.safety_rules.domain.stopping.two_arms import (
    compare_arms,
    compute_p_harm,
    compute_p_value,
    find_harm_bound,
)

TABLES = [
    (Arm(7, 12), Arm(8, 13)),
    (Arm(5, 30), Arm(2, 31)),
    (Arm(3, 20), Arm(0, 20)),
    (Arm(20, 20), Arm(5, 20)),
    (Arm(12, 15), Arm(2, 14)),
]


@pytest.mark.parametrize(("treated", "control"), TABLES)
def test_the_test_of_no_difference_is_that_of_scipy(treated, control):
    """Barnard's test with the pooled statistic is the score test of a difference of 0.

    SciPy looks for the least favourable rate at fewer points: its p may be a little smaller.
    """
    table = [
        [treated.events, control.events],
        [treated.participants - treated.events, control.participants - control.events],
    ]
    expected = stats.barnard_exact(table, alternative="greater", pooled=True, n=128).pvalue
    assert compute_p_value(treated, control) == pytest.approx(expected, rel=2e-3)


def score(treated_events, control_events, treated, control, difference):
    """Return the score statistic, its constrained estimate by brute force over the rates."""
    n, m = treated.participants, control.participants
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    rates = np.linspace(low, high, 100_001)

    def add(count, rate):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(count == 0, 0.0, count * np.log(np.clip(rate, 0, 1)))

    likelihood = (
        add(treated_events, rates + difference)
        + add(n - treated_events, 1 - rates - difference)
        + add(control_events, rates)
        + add(m - control_events, 1 - rates)
    )
    q = rates[np.argmax(likelihood)]
    p = q + difference
    variance = max(p * (1 - p) / n + q * (1 - q) / m, 0.0)
    excess = treated_events / n - control_events / m - difference
    if abs(excess) < 1e-9:
        return 0.0
    return excess / math.sqrt(variance) if variance > 1e-12 else math.copysign(math.inf, excess)


def compute_tails(treated, control, difference):
    """Return the upper and the lower tail of the observed table, from the definition."""
    n, m = treated.participants, control.participants
    observed = score(treated.events, control.events, treated, control, difference)
    statistics = {
        (y, z): score(y, z, treated, control, difference)
        for y, z in product(range(n + 1), range(m + 1))
    }
    rates = np.linspace(max(0.0, -difference), min(1.0, 1.0 - difference), 1001)
    tails = []
    for sign in (1, -1):
        chance = np.zeros(len(rates))
        for (y, z), statistic in statistics.items():
            if sign * (statistic - observed) >= -1e-5 or statistic == observed:
                chance += stats.binom.pmf(y, n, np.clip(rates + difference, 0, 1)) * (
                    stats.binom.pmf(z, m, rates)
                )
        tails.append(chance.max())
    return tails


@pytest.mark.parametrize(
    ("treated", "control"),
    [(Arm(4, 6), Arm(1, 5)), (Arm(0, 5), Arm(0, 6)), (Arm(5, 5), Arm(2, 6))],
)
def test_the_ends_of_the_interval_are_where_a_one_sided_test_rejects(treated, control):
    estimate = compare_arms(treated, control, confidence=0.9).difference
    for end, tail, sign in ((estimate.low, 0, -1), (estimate.high, 1, 1)):
        if abs(end) < 1:
            just_inside, just_outside = end - sign * 1e-3, end + sign * 1e-3
            assert compute_tails(treated, control, just_inside)[tail] > 0.05 - 1e-3
            assert compute_tails(treated, control, just_outside)[tail] < 0.05 + 1e-3


def test_an_exact_interval_misses_no_more_often_than_it_says():
    """Over all tables of 2 against 3: each difference is covered with at least 90 %."""
    intervals = {
        (y, z): compare_arms(Arm(y, 2), Arm(z, 3), confidence=0.9)
        for y, z in product(range(3), range(4))
    }
    for p, q in product((0.02, 0.2, 0.5, 0.8, 0.97), repeat=2):
        difference = ratio = 0.0
        for (y, z), interval in intervals.items():
            chance = stats.binom.pmf(y, 2, p) * stats.binom.pmf(z, 3, q)
            difference += chance * (interval.difference.low <= p - q <= interval.difference.high)
            high = math.inf if interval.ratio.high is None else interval.ratio.high
            ratio += chance * (interval.ratio.low <= p / q <= high)
        assert difference >= 0.9 - 1e-9
        assert ratio >= 0.9 - 1e-9


def test_arms_that_change_places_turn_the_intervals_round():
    comparison = compare_arms(Arm(3, 8), Arm(1, 6))
    swapped = compare_arms(Arm(1, 6), Arm(3, 8))
    assert comparison.difference.low == pytest.approx(-swapped.difference.high, abs=1e-6)
    assert comparison.difference.high == pytest.approx(-swapped.difference.low, abs=1e-6)
    assert comparison.ratio.low == pytest.approx(1 / swapped.ratio.high, rel=1e-5)
    assert comparison.ratio.high == pytest.approx(1 / swapped.ratio.low, rel=1e-5)
    assert comparison.p_harm == pytest.approx(1 - swapped.p_harm, abs=2e-7)


def test_the_ratio_of_no_event_to_many_is_surely_below_1():
    treated, control = Arm(0, 8), Arm(7, 8)
    ratio = compare_arms(treated, control).ratio
    swapped = compare_arms(control, treated).ratio
    assert (ratio.low, swapped.high) == (0.0, None)
    assert 0 < ratio.high < 1
    assert swapped.low == pytest.approx(1 / ratio.high, rel=1e-5)


def test_without_an_event_in_the_control_no_ratio_is_too_large():
    ratio = compare_arms(Arm(3, 20), Arm(0, 20)).ratio
    assert ratio.value is None
    assert ratio.high is None
    assert 0 < ratio.low < 1
    empty = compare_arms(Arm(0, 20), Arm(0, 20))
    assert (empty.ratio.value, empty.ratio.low, empty.ratio.high) == (None, 0.0, None)
    assert empty.difference.low == pytest.approx(-empty.difference.high, abs=1e-6)


@pytest.mark.parametrize(("treated", "control"), TABLES)
@pytest.mark.parametrize("prior", [(0.5, 0.5), (1.0, 1.0), (0.1, 1.9)])
def test_the_probability_of_harm_is_the_integral_over_both_posteriors(treated, control, prior):
    first, second = (
        stats.beta(prior[0] + arm.events, prior[1] + arm.participants - arm.events)
        for arm in (treated, control)
    )
    expected, _ = integrate.quad(
        lambda p: first.pdf(p) * second.cdf(p), 0, 1, limit=500, epsabs=1e-11
    )
    assert compute_p_harm(treated, control, prior) == pytest.approx(expected, abs=1e-6)


def test_the_harm_bound_is_the_fewest_events_that_reach_theta():
    control, prior = Arm(2, 31), (0.5, 0.5)
    bound = find_harm_bound(30, control, prior, 0.95)
    assert compute_p_harm(Arm(bound, 30), control, prior) >= 0.95
    assert compute_p_harm(Arm(bound - 1, 30), control, prior) < 0.95
    assert find_harm_bound(2, Arm(10, 10), prior, 0.99) is None
    for participants in (1, 2, 9):
        p_harm = compute_p_harm(Arm(participants, participants), control, prior)
        assert find_harm_bound(participants, control, prior, p_harm) == participants
        assert find_harm_bound(participants, control, prior, p_harm + 1e-9) is None
    p_harm = compute_p_harm(Arm(bound, 30), control, prior)
    assert find_harm_bound(30, control, prior, p_harm) == bound


@pytest.mark.parametrize(
    ("events", "participants", "problem"),
    [
        (0, 0, "participants of an arm must be from 1 to 1000, not 0"),
        (0, 1001, "participants of an arm must be from 1 to 1000, not 1001"),
        (4, 3, "events of an arm must be from 0 to its 3 participants, not 4"),
        (-1, 3, "events of an arm must be from 0 to its 3 participants, not -1"),
    ],
)
def test_an_arm_that_cannot_be_is_refused(events, participants, problem):
    with pytest.raises(ValueError, match=problem):
        Arm(events, participants)


@pytest.mark.parametrize(("events", "participants"), [(0, 1), (1, 1), (0, 1000), (1000, 1000)])
def test_the_smallest_and_the_largest_arm_have_a_rate(events, participants):
    assert Arm(events, participants).rate == min(events, 1)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"confidence": 0.0}, "confidence must be above 0 and below 1"),
        ({"confidence": 1.0}, "confidence must be above 0 and below 1"),
        ({"theta": 0.0}, "theta must be above 0 and below 1"),
        ({"theta": 1.0}, "theta must be above 0 and below 1"),
        ({"prior": (0.0, 1.0)}, "prior must be two numbers above 0"),
        ({"prior": (1.0, 0.0)}, "prior must be two numbers above 0"),
        ({"prior": (1.0, math.inf)}, "prior must be two numbers above 0"),
        ({"prior": (math.nan, 1.0)}, "prior must be two numbers above 0"),
    ],
)
def test_options_out_of_range_are_named(options, problem):
    with pytest.raises(ValueError, match=problem):
        compare_arms(Arm(1, 3), Arm(1, 3), **options)
