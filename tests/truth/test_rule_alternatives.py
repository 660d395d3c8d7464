"""A rule beside what it could have been, and the rules of a protocol together."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.safety_rules.adapters.study_rules import load_rules
from services.safety_rules.domain.stopping.design import make_design
from services.safety_rules.domain.stopping.trial_plan import TrialPlan
from services.safety_rules.domain.stopping.window_length import find_window_days
from services.safety_rules.reports.protocol_simulation import ANY_RULE, rehearse_protocol
from services.safety_rules.reports.rule_alternatives import search_designs, tabulate_sensitivity
from services.safety_rules.reports.shared_alpha import share_alpha
from services.vocabulary.protocol import Curve, Window, WindowEdge

RULES = load_rules(Path(__file__).parents[2] / "studies" / "blina-hsct").rules.protocol.rules
S1, S4 = RULES[0], RULES[3]
COURSE = TrialPlan(365.0, (10, 40), S1.curve)
SHORT = TrialPlan(365.0, (0.01, 0.01), Curve("uniform"))  # everybody is complete at once
SIZE = {"trials": 2000, "seed": 7}


def errors_of(p, trials=2000):
    return 4 * math.sqrt(p * (1 - p) / trials)


def test_every_prior_stands_beside_every_onset_and_the_rule_s_own_row_is_marked():
    rows = tabulate_sensitivity(S1, COURSE, rates=(0.05,), trials=200, seed=7)
    assert len({(row.prior, row.onset) for row in rows}) == len(rows) == 4 * 4
    (own_row,) = [row for row in rows if row.is_own]
    assert own_row.prior == (0.1, 1.9)
    assert own_row.onset == "as the rule counts"
    assert own_row.attained_alpha == pytest.approx(0.04803, abs=1e-5)


def test_a_boundary_is_calibrated_anew_with_each_prior():
    rows = tabulate_sensitivity(S1, SHORT, rates=(0.05, 0.15), **SIZE)
    for row in rows:
        design = make_design("beta-binomial", 0.05, 0.05, 40, prior=row.prior, rates=(0.05, 0.15))
        assert row.attained_alpha == design.attained_alpha
        for share, exact in zip(row.shares, design.characteristics, strict=True):
            assert share.p_stop == pytest.approx(exact.p_stop, abs=errors_of(exact.p_stop))


def test_an_onset_that_was_asked_for_comes_first():
    late = replace(COURSE, onset=Curve("weibull", scale_days=20, weibull_shape=3))
    rows = tabulate_sensitivity(S1, late, rates=(0.05,), trials=100, seed=7)
    assert rows[0].onset == "as asked"
    assert not rows[0].is_own


def test_a_family_without_a_prior_has_one_row_for_each_onset():
    pocock = replace(S1, stop_when=replace(S1.stop_when, method="pocock", parameters={}))
    rows = tabulate_sensitivity(pocock, COURSE, rates=(0.05,), trials=100, seed=7)
    assert [row.prior for row in rows] == [None] * 4
    assert sum(row.is_own for row in rows) == 1


@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_the_plan_that_is_found_is_the_smallest_with_that_power(alpha):
    plans = search_designs(S1, SHORT, 0.2, 0.8, alphas=(alpha,), **SIZE)
    for sized_design in plans:
        n = sized_design.design.n
        power = sized_design.design.characteristics[0].p_stop
        assert power >= 0.8 or sized_design.at_p1.p_stop >= 0.8
        assert sized_design.at_p1.p_stop == pytest.approx(power, abs=errors_of(power))
        assert sized_design.design.attained_alpha <= alpha
        smaller_plans = [
            make_design("beta-binomial", 0.05, alpha, size, prior=sized_design.prior, rates=(0.2,))
            for size in range(n - 3, n)
        ]
        # smaller ones have less power, exactly or in the simulated trials
        assert min(plan.characteristics[0].p_stop for plan in smaller_plans) < 0.8 + 0.03


def test_late_reports_ask_for_more_participants():
    slow = replace(COURSE, accrual_days=120.0, report_delay_days=60.0, dropout_rate=0.3)
    at_once, late = (
        search_designs(S1, course, 0.2, 0.8, alphas=(0.05,), trials=500, seed=7)[0]
        for course in (COURSE, slow)
    )
    assert late.design.n > at_once.design.n


def test_a_power_that_no_plan_has_is_said_so():
    (sized, *_) = search_designs(S1, COURSE, 0.051, 0.99, alphas=(0.01,), trials=100, seed=7)
    assert sized.design is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"p1": 0.05}, "p1 must be above p0 = 0.05 and below 1, not 0.05"),
        ({"power": 1.0}, "target must be a power above 0 and below 1, not 1"),
        ({"alphas": (0.0,)}, "alphas must be above 0 and below 1, not 0"),
        ({"trials": 1}, "trials must be from 100"),
        ({"course": replace(COURSE, sites=0)}, "sites must be from 1"),
    ],
)
def test_a_search_out_of_range_is_named(changes, problem):
    arguments = {"course": COURSE, "p1": 0.2, "power": 0.8, "trials": 100, "seed": 7} | changes
    with pytest.raises(ValueError, match=problem):
        search_designs(S1, **arguments)


def test_a_table_cannot_be_calibrated_anew():
    table = replace(S1, stop_when=replace(S1.stop_when, method="table"))
    with pytest.raises(ValueError, match="is a table: it has no family to calibrate anew"):
        search_designs(table, COURSE, 0.2, 0.8, trials=100, seed=7)
    with pytest.raises(ValueError, match="is a table"):
        share_alpha([table], 0.1, 0.0)


@pytest.mark.parametrize(
    ("end", "dose_days", "days"),
    [
        (WindowEdge("transplant", 100), (60, 90), (11, 41)),
        (WindowEdge("transplant", 100), (0, 100), (1, 101)),
        (WindowEdge("first_infusion", 100), (60, 90), (101, 101)),
        (WindowEdge("each_course", 30), (60, 90), (31, 31)),
    ],
)
def test_a_window_to_a_transplant_day_is_the_shorter_the_later_the_dose(end, dose_days, days):
    lengths = find_window_days(Window(WindowEdge("first_infusion"), end), np.array(dose_days))
    assert tuple(sorted(lengths.tolist())) == days


def test_a_first_dose_after_the_window_is_refused():
    window = Window(WindowEdge("first_infusion"), WindowEdge("transplant", 100))
    with pytest.raises(ValueError, match="dose-days must be before the window ends on day 100"):
        find_window_days(window, np.array([60, 101]))


def rehearse_rules(rules=RULES, course=COURSE, **options):
    ask = {"dose_days": (60, 90), "factors": (1.0,), "trials": 2000, "seed": 7} | options
    rows = rehearse_protocol(rules, course, **ask).rows
    return {(row.rule, row.factor): row for row in rows}


def test_any_rule_stops_as_often_as_independent_ones_do_together():
    rules = [rule for rule in RULES if not rule.watch_only]
    rows = rehearse_rules(rules, trials=4000)
    shares = [rows[rule.id, 1.0].p_stop for rule in rules]
    expected = 1 - math.prod(1 - share for share in shares)
    assert rows[ANY_RULE, 1.0].p_stop == pytest.approx(expected, abs=errors_of(0.15, 4000))


def test_rules_that_only_watch_stop_nothing():
    watch_rules = [rule for rule in RULES if rule.watch_only]
    rows = rehearse_rules(watch_rules, factors=(3.0,), trials=200)
    assert rows[ANY_RULE, 3.0].p_stop == 0.0
    assert rows[watch_rules[0].id, 3.0].p_stop > 0


def test_twins_that_are_fully_correlated_are_one_rule():
    """Two rules of one p0, curve and window: the same participants have both events."""
    twin = replace(S1, id="TWIN", curve=S1.curve)
    rows = rehearse_rules([S1, twin], correlation=1.0, factors=(2.0,), trials=1000)
    independent_rows = rehearse_rules([S1, twin], correlation=0.0, factors=(2.0,), trials=1000)
    assert rows[ANY_RULE, 2.0].p_stop < independent_rows[ANY_RULE, 2.0].p_stop - 0.1
    assert rows[ANY_RULE, 2.0].p_stop == pytest.approx(rows[S1.id, 2.0].p_stop, abs=0.06)


def test_the_rates_are_multiples_of_each_p0_and_at_most_1():
    rows = rehearse_rules(factors=(0.0, 3.33333), trials=100)
    assert rows[S1.id, 3.33333].rate == pytest.approx(0.1666665)
    assert rows["BLINA-HSCT.S3", 3.33333].rate == pytest.approx(1.0, abs=1e-5)
    assert rows[ANY_RULE, 0.0].p_stop == 0.0
    assert rows[ANY_RULE, 3.33333].p_stop == 1.0


@pytest.mark.parametrize(
    ("p0", "largest"), [(0.05, 2.0), (0.5, 2.0), (0.6, 1.66667), (0.9, 1.11111)]
)
def test_without_factors_the_second_rate_is_twice_p0_or_1(p0, largest):
    rule = replace(S1, stop_when=replace(S1.stop_when, p0=p0))
    rows = rehearse_rules([rule], factors=(), trials=100)
    assert rows[rule.id, 1.0].rate == p0
    assert rows[rule.id, largest].rate == pytest.approx(min(2 * p0, 1.0), abs=1e-5)


def test_a_smaller_rule_counts_the_first_to_enter():
    small = replace(S4, id="SMALL", stop_when=make_small(S4))
    rows = rehearse_rules([S1, small], factors=(0.0,), trials=100)
    assert rows["SMALL", 0.0].mean_enrolled == 10
    assert rows[S1.id, 0.0].mean_enrolled == 40


def make_small(rule):
    design = make_design("beta-binomial", 0.05, 0.05, 10, prior=(0.1, 1.9))
    return replace(rule.stop_when, n=10, boundary=design.steps)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"factors": (-1.0,)}, "factors must be numbers from 0 to 3.33333"),
        ({"factors": (1.0, 3.33334)}, "event rate of BLINA-HSCT.S3 is 1, not 1,3.33334"),
        ({"factors": (math.inf,)}, "factors must be numbers from 0 to 3.33333"),
        ({"factors": (math.nan,)}, "factors must be numbers from 0 to 3.33333"),
        ({"correlation": 1.1}, "correlation must be from 0 to 1, not 1.1"),
        ({"dose_days": (90, 60)}, "dose-days must be days from 0, the earliest first"),
        ({"trials": 1}, "trials must be from 100"),
    ],
)
def test_a_rehearsal_out_of_range_is_named(options, problem):
    with pytest.raises(ValueError, match=problem):
        rehearse_rules(**options)


def test_a_shared_error_is_kept_and_not_wasted():
    rules = [rule for rule in RULES if not rule.watch_only]
    allocation = share_alpha(rules, 0.1, 0.0)
    independent = 1 - np.prod([1 - design.attained_alpha for _, design in allocation.designs])
    assert allocation.familywise_error <= 0.1 < allocation.nominal_familywise_error
    assert independent == pytest.approx(0.1, abs=0.01)
    assert {design.alpha / 0.05 for _, design in allocation.designs} == {allocation.factor}
    assert share_alpha(rules, 0.1, 0.9).factor > allocation.factor


def make_coin_rule(n, alpha):
    """A Pocock rule of p0 .5: at an error below .5^n it can never stop."""
    return replace(
        S1,
        stop_when=replace(S1.stop_when, method="pocock", p0=0.5, alpha=alpha, n=n, parameters={}),
    )


def test_an_error_is_shared_although_at_a_smaller_one_some_rule_could_never_stop():
    """Of 4 participants .0625 is the least error; of 5, .03125 and .0625 are the first two."""
    rules = [make_coin_rule(5, 0.0625), make_coin_rule(4, 0.1)]
    allocation = share_alpha(rules, 0.11, 0.0)
    assert [design.attained_alpha for _, design in allocation.designs] == [0.03125, 0.0625]
    assert 0.625 <= allocation.factor < 1
    assert allocation.familywise_error == pytest.approx(1 - 0.96875 * 0.9375, abs=0.009)
    with pytest.raises(ValueError, match="at an error so small some rule could never stop"):
        share_alpha(rules, 0.08, 0.0)


def test_errors_that_are_kept_already_stay():
    rules = [rule for rule in RULES if not rule.watch_only]
    allocation = share_alpha(rules, 0.5, 0.0)
    assert allocation.factor == 1.0
    assert allocation.familywise_error == allocation.nominal_familywise_error


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((RULES[:1], 0.0, 0.0), "share-alpha must be above 0 and below 1, not 0"),
        ((RULES[:1], 0.1, -0.1), "correlation must be from 0 to 1, not -0.1"),
        (((), 0.1, 0.0), "no rule of the protocol may stop the trial"),
        ((RULES[:1], 1e-9, 0.0), "at an error so small some rule could never stop"),
    ],
)
def test_an_error_that_cannot_be_shared_is_refused(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        share_alpha(*arguments)
