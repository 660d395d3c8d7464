"""Boundaries and exact characteristics, against figures that independent implementations agree on.

Source: docs of each family in `services.safety_rules.domain.stopping.families`; the figures were
computed three times, by forward recursion, by enumeration of paths and in exact fractions.
"""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from services.safety_rules.domain.stopping.calibrate import calibrate_boundary
from services.safety_rules.domain.stopping.design import NeverStopsError, make_design
from services.safety_rules.domain.stopping.families import compute_statistics
from services.safety_rules.domain.stopping.steps import compress_boundary, format_steps

RULE_1 = {"family": "beta-binomial", "p0": 0.2, "alpha": 0.1, "n": 30, "prior": (0.6, 2.4)}


def test_rule_1_has_the_published_table_and_characteristics():
    design = make_design(**RULE_1, rates=(0.2, 0.25, 0.3, 0.35, 0.4))
    table = "2 3 3 3 4 4 5 5 5 5 6 6 6 7 7 7 7 8 8 8 9 9 9 9 10 10 10 10 11 11"
    assert design.boundary == tuple(map(int, table.split()))
    assert [at.p_stop for at in design.characteristics] == pytest.approx(
        [0.09957367, 0.23832301, 0.43615256, 0.64555222, 0.81491087], abs=5e-9
    )
    assert design.characteristics[0].e_evaluated == pytest.approx(28.25598, abs=5e-6)
    assert design.attained_alpha == pytest.approx(0.09957367, abs=5e-9)


@pytest.mark.parametrize(
    ("arguments", "attained_alpha", "rate", "p_stop"),
    [
        ({"family": "pocock", "p0": 0.2, "alpha": 0.1, "n": 50}, 0.0997725, 0.3, 0.5397402),
        (
            {"family": "sprt", "p0": 0.1, "alpha": 0.05, "n": 100, "p1": 0.3},
            0.0496453,
            0.2,
            0.6867235,
        ),
    ],
)
def test_a_family_attains_what_was_computed_elsewhere(arguments, attained_alpha, rate, p_stop):
    design = make_design(**arguments, rates=(rate,))
    assert design.attained_alpha == pytest.approx(attained_alpha, abs=5e-8)
    assert design.characteristics[0].p_stop == pytest.approx(p_stop, abs=5e-8)


def test_ties_stay_ties_where_software_that_bisects_exceeds_alpha():
    calibration = calibrate_boundary("wang-tsiatis", 20, 0.05, 0.05, {"delta": (0.4,)})
    assert calibration.attained_alpha == pytest.approx(0.027298, abs=5e-7)


PRIOR = (0.2, 1.8)
POSTERIOR = stats.beta(0.2 + 3, 1.8 + 7)
STATISTICS = {  # family, parameters; the statistic at 3 of 10, n 20, p0 .1
    "pocock": ("pocock", {}, 0.9**10 + 10 * 0.1 * 0.9**9 + 45 * 0.1**2 * 0.9**8),
    "obrien-fleming": ("obrien-fleming", {}, (3 - 1) / math.sqrt(20 * 0.1 * 0.9)),
    "wang-tsiatis": (
        "wang-tsiatis", {"delta": (0.1,)}, (3 - 1) / (0.5**-0.4 * math.sqrt(10 * 0.1 * 0.9)),
    ),
    "beta-binomial": ("beta-binomial", {"prior": PRIOR}, POSTERIOR.sf(0.1)),
    "chen-chaloner": (
        "chen-chaloner", {"prior": PRIOR, "p1": (0.2,), "nu": (0.5,)}, POSTERIOR.sf(0.1),
    ),
    "chen-chaloner, nu too large": (
        "chen-chaloner", {"prior": PRIOR, "p1": (0.2,), "nu": (0.9,)}, -math.inf,
    ),
    "chen-chaloner, at nu itself": (
        "chen-chaloner",
        {"prior": PRIOR, "p1": (0.2,), "nu": (round(POSTERIOR.sf(0.2), 10),)},
        -math.inf,
    ),
    "sprt": ("sprt", {"p1": (0.3,)}, 3 * math.log(3) + 7 * math.log(0.7 / 0.9)),
    "maxsprt": ("maxsprt", {}, 3 * math.log(0.3 / 0.1) + 7 * math.log(0.7 / 0.9)),
    "posterior": ("posterior", {"prior": PRIOR, "theta": (0.9,)}, POSTERIOR.sf(0.1)),
    "posterior, of another rate": (
        "posterior", {"prior": PRIOR, "theta": (0.9,), "limit": (0.2,)}, POSTERIOR.sf(0.2),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("family", "parameters", "value"), STATISTICS.values(), ids=STATISTICS)
def test_a_statistic_is_that_of_the_published_formula(family, parameters, value):
    statistics = compute_statistics(family, 20, 0.1, parameters)
    assert statistics[10, 3] == pytest.approx(value, abs=1e-9)
    assert statistics[10, 3] == round(statistics[10, 3], 10)
    assert (statistics[0, 0], statistics[10, 11]) == (-math.inf, math.inf)


def test_the_ratio_of_maxsprt_is_of_a_rate_above_p0():
    statistics = compute_statistics("maxsprt", 20, 0.1, {})
    assert statistics[10, :2].tolist() == [0.0, 0.0]
    assert statistics[10, 2] == pytest.approx(2 * math.log(2) + 8 * math.log(8 / 9))
    assert statistics[10, 10] == pytest.approx(10 * math.log(10))
    assert compute_statistics("pocock", 20, 0.1, {})[10, 0] == 0.0


def test_the_table_has_every_size_and_stops_only_at_looks():
    design = make_design("table", 0.5, 0.9, 4, looks=(2, 4), boundary=(2, 3))
    assert design.table.tolist() == [1, 2, 2, 4, 3]


def test_an_uncalibrated_sprt_has_the_bounds_of_wald():
    """Source: gsDesign, binomialSPRT with p0 .04, p1 .10, alpha .04, beta .20."""
    statistics = compute_statistics("sprt", 75, 0.04, {"p1": (0.10,)})
    table = [int(np.argmax(row >= math.log(0.80 / 0.04))) for row in statistics]
    assert format_steps(compress_boundary(table)) == "4@4-14 5@15-29 6@30-44 7@45-59 8@60-75"


CRS = "2@2-4 3@5-11 4@12-21 5@22-32 6@33-40"
NEUROTOXICITY = "2@2 3@3-5 4@6-10 5@11-15 6@16-21 7@22-27 8@28-33 9@34-40"
ADVERSE_EVENT = (
    "4@4 5@5-6 6@7-8 7@9-10 8@11-12 9@13-14 10@15-17 11@18-19 12@20-21 13@22-24 14@25-26 "
    "15@27-29 16@30-31 17@32-34 18@35-37 19@38-39 20@40"
)


@pytest.mark.parametrize(
    ("p0", "attained_alpha", "table", "p_stop"),
    [
        (0.05, 0.04803, CRS, {0.15: 0.659, 0.20: 0.882}),
        (0.10, 0.04956, NEUROTOXICITY, {0.25: 0.762, 0.30: 0.916}),
        (0.30, 0.04921, ADVERSE_EVENT, {0.50: 0.726}),
    ],
)
def test_the_tables_of_the_trial(p0, attained_alpha, table, p_stop):
    prior = (2 * p0, 2 * (1 - p0))
    design = make_design("beta-binomial", p0, 0.05, 40, rates=tuple(p_stop), prior=prior)
    assert format_steps(compress_boundary((1, *design.boundary))) == table
    assert design.attained_alpha == pytest.approx(attained_alpha, abs=6e-6)
    assert [at.p_stop for at in design.characteristics] == pytest.approx(
        list(p_stop.values()), abs=5e-4
    )


def _exact_characteristics(boundary, p):
    """P(stop), E[evaluated] and E[events] in exact fractions: a second, slower implementation."""
    open_chances, stop, mean_evaluated, mean_events = (
        {0: Fraction(1)},
        Fraction(0),
        Fraction(0),
        Fraction(0),
    )
    for x in range(1, len(boundary)):
        chances = {}
        for y, chance in open_chances.items():
            chances[y] = chances.get(y, 0) + chance * (1 - p)
            chances[y + 1] = chances.get(y + 1, 0) + chance * p
        open_chances = {y: chance for y, chance in chances.items() if y < boundary[x]}
        for y in chances.keys() - open_chances.keys():
            stop, mean_evaluated, mean_events = (
                stop + chances[y],
                mean_evaluated + x * chances[y],
                mean_events + y * chances[y],
            )
    n = len(boundary) - 1
    continuing_chance = sum(open_chances.values())
    mean_events += sum(y * chance for y, chance in open_chances.items())
    return stop, mean_evaluated + n * continuing_chance, mean_events


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("pocock", {}),
        ("obrien-fleming", {}),
        ("wang-tsiatis", {"delta": 0.25}),
        ("beta-binomial", {"prior": (0.3, 2.7)}),
        ("chen-chaloner", {"prior": (0.3, 2.7), "p1": 0.2, "nu": 0.6}),
        ("sprt", {"p1": 0.25}),
        ("maxsprt", {}),
        ("posterior", {"prior": (0.3, 2.7), "theta": 0.95}),
        ("posterior", {"prior": (1, 1), "theta": 0.95, "limit": 0.2, "strictly": 1}),
    ],
)
def test_recursion_equals_exact_fractions(family, parameters):
    design = make_design(family, 0.1, 0.05, 25, rates=(0.1, 0.3), **parameters)
    for row, rate in zip(design.characteristics, (Fraction(1, 10), Fraction(3, 10)), strict=True):
        expected = [float(value) for value in _exact_characteristics((1, *design.boundary), rate)]
        assert [row.p_stop, row.e_evaluated, row.e_events] == pytest.approx(expected, abs=1e-12)
    assert design.attained_alpha == pytest.approx(design.characteristics[0].p_stop, abs=1e-12)


def test_the_next_smaller_constant_would_exceed_alpha():
    """The table is the least strict one of its family: one more stop anywhere is too much."""
    alpha = 0.05
    for family, parameters in (("pocock", {}), ("maxsprt", {}), ("obrien-fleming", {})):
        tables = {
            calibrate_boundary(family, 20, 0.1, level / 1000, parameters) for level in range(5, 150)
        }
        attained_alphas = sorted(calibration.attained_alpha for calibration in tables)
        largest_alpha, next_alpha = next((a, b) for a, b in pairwise(attained_alphas) if b > alpha)
        calibration = calibrate_boundary(family, 20, 0.1, alpha, parameters)
        assert calibration.attained_alpha == largest_alpha <= alpha < next_alpha


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.15, 0.3])
def test_one_event_of_one_may_stop_where_its_chance_is_alpha_itself(alpha):
    calibration = calibrate_boundary("pocock", 1, alpha, alpha, {})
    assert calibration.boundary == (1, 1)
    assert calibration.attained_alpha <= alpha
    design = make_design("table", alpha, alpha, 1, boundary=(1,))
    assert design.attained_alpha <= alpha


def test_a_rule_that_can_never_stop_is_refused():
    calibration = calibrate_boundary("pocock", 2, 0.5, 0.05, {})
    assert calibration.boundary == (1, 2, 3)
    assert calibration.attained_alpha == 0.0
    with pytest.raises(NeverStopsError, match=r"alpha is 0\.05"):
        make_design("pocock", 0.5, 0.05, 2)


def test_grouped_looks_compare_nowhere_else():
    design = make_design("pocock", 0.2, 0.1, 30, looks=(10, 20, 30), rates=(0.2,))
    assert design.looks == (10, 20, 30)
    assert design.attained_alpha <= 0.1
    stops = design.characteristics[0].p_stop_at
    assert {x for x, chance in enumerate(stops) if chance > 0} <= {10, 20, 30}
    assert design.attained_alpha == pytest.approx(sum(stops), abs=1e-12)


def test_expected_enrolment_and_time_are_those_of_simulated_trials():
    """Two of two stop a plan of four: entry times drawn, each evaluated 30 days after entry."""
    design = make_design("table", 0.3, 0.2, 4, boundary=(2, 2, 4, 5), rates=(0.3,))
    chance = np.random.default_rng(5)
    entry_days = np.sort(chance.uniform(0, 100, (200_000, 4)), axis=1)
    event = chance.random((200_000, 4)) < 0.3
    stops = np.where(event[:, :2].all(axis=1), 2, 4)
    stop_days = np.take_along_axis(entry_days, stops[:, None] - 1, axis=1)[:, 0] + 30
    ((people, days),) = design.compute_enrolment(100, 30)
    assert people == pytest.approx((entry_days <= stop_days[:, None]).sum(axis=1).mean(), abs=0.01)
    assert days == pytest.approx(stop_days.mean(), abs=0.3)


@pytest.mark.parametrize(("rate", "median"), [(0.0, None), (0.2, 2), (1.0, 2)])
def test_the_stopping_time_is_distributed_over_the_looks(rate, median):
    """2 of 2, or 3 of 3: two ways at the second look, none that is left at the third."""
    (row,) = make_design("table", 0.2, 0.2, 3, boundary=(2, 2, 3), rates=(rate,)).characteristics
    assert row.p_stop_at == pytest.approx((0, 0, rate**2, 0))
    assert row.median_stop == median


def test_a_size_that_cannot_be_computed_is_refused_and_not_taken_for_a_boundary():
    with pytest.raises(ValueError, match="p1 must be of a size that can be computed with"):
        calibrate_boundary("sprt", 10, 1e-320, 0.1, {"p1": (0.5,)})
