"""Laws of every boundary and of every count, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.safety_rules.domain.stopping.calibrate import calibrate_boundary
from services.safety_rules.domain.stopping.characteristics import (
    compute_characteristics,
    compute_crossing_probability,
    compute_enrolment,
)
from services.safety_rules.domain.stopping.families import compute_statistics
from services.safety_rules.domain.stopping.outcome_weights import count_outcomes
from services.safety_rules.domain.stopping.pending import (
    find_table_row,
    weigh_follow_up,
)
from services.safety_rules.domain.stopping.steps import (
    compress_boundary,
    expand_steps,
    find_step_faults,
)
from services.vocabulary.protocol import Curve

RATES = st.floats(0.02, 0.6)


@st.composite
def designs(draw):
    p0 = draw(RATES)
    p1 = draw(st.floats(p0 + 0.05, 0.95))
    prior = (draw(st.floats(0.05, 3)), draw(st.floats(0.05, 5)))
    family, parameters = draw(
        st.sampled_from(
            [
                ("pocock", {}),
                ("obrien-fleming", {}),
                ("wang-tsiatis", {"delta": (0.25,)}),
                ("beta-binomial", {"prior": prior}),
                ("chen-chaloner", {"prior": prior, "p1": (p1,), "nu": (0.5,)}),
                ("sprt", {"p1": (p1,)}),
                ("maxsprt", {}),
            ]
        )
    )
    return family, draw(st.integers(1, 40)), p0, parameters


@given(designs(), st.floats(0.005, 0.3))
def test_the_type_1_error_never_exceeds_alpha(design, alpha):
    family, n, p0, parameters = design
    assert calibrate_boundary(family, n, p0, alpha, parameters).attained_alpha <= alpha


@given(designs(), st.floats(0.005, 0.3))
def test_the_statistics_above_the_constant_stop_and_no_others(design, alpha):
    family, n, p0, parameters = design
    calibration = calibrate_boundary(family, n, p0, alpha, parameters)
    assume(calibration.constant is not None)
    continues = compute_statistics(family, n, p0, parameters) <= calibration.constant
    first_stops = np.maximum(continues.sum(axis=1), 1).tolist()
    assert tuple(first_stops) == calibration.boundary


@given(designs(), st.floats(0.005, 0.3), RATES)
def test_wald_events_are_rate_times_evaluated(design, alpha, rate):
    family, n, p0, parameters = design
    boundary = np.array(calibrate_boundary(family, n, p0, alpha, parameters).boundary)
    (row,) = compute_characteristics(boundary, (rate,))
    assert row.e_events == pytest.approx(rate * row.e_evaluated, abs=1e-10)
    assert row.p_stop == pytest.approx(compute_crossing_probability(boundary, rate), abs=1e-12)


@given(designs(), st.floats(0.005, 0.3))
def test_a_higher_rate_stops_more_often(design, alpha):
    family, n, p0, parameters = design
    boundary = np.array(calibrate_boundary(family, n, p0, alpha, parameters).boundary)
    stops = [at.p_stop for at in compute_characteristics(boundary, (0.05, 0.2, 0.4, 0.7))]
    assert stops == sorted(stops)


@given(designs(), st.floats(0.005, 0.1), st.floats(0.0, 0.2))
def test_a_larger_alpha_never_makes_a_stricter_table(design, alpha, increase):
    family, n, p0, parameters = design
    stricter = calibrate_boundary(family, n, p0, alpha, parameters).boundary
    bolder = calibrate_boundary(family, n, p0, alpha + increase, parameters).boundary
    assert all(b <= a for a, b in zip(stricter, bolder, strict=True))


@given(designs())
def test_every_statistic_grows_with_the_events(design):
    family, n, p0, parameters = design
    table = compute_statistics(family, n, p0, parameters)
    rows = [table[x, : x + 1] for x in range(1, n + 1)]
    assert all((row[1:] >= row[:-1]).all() for row in rows)


@given(designs(), st.floats(0.01, 0.3))
def test_steps_and_boundary_are_one_table(design, alpha):
    family, n, p0, parameters = design
    boundary = calibrate_boundary(family, n, p0, alpha, parameters).boundary
    assert expand_steps(compress_boundary(boundary), n) == boundary


@given(designs(), st.floats(0.01, 0.3))
def test_a_boundary_that_grows_has_no_fault_as_steps(design, alpha):
    family, n, p0, parameters = design
    boundary = calibrate_boundary(family, n, p0, alpha, parameters).boundary
    steps = compress_boundary(boundary)
    if steps and boundary[n] <= n:
        assert list(find_step_faults(steps, n)) == []


CURVES = st.sampled_from(
    [
        Curve("uniform"),
        Curve("exponential", mean_days=5),
        Curve("weibull", scale_days=9, weibull_shape=0.7),
        Curve("table", points=((3, 0.4), (10, 0.9), (40, 1.0))),
    ]
)
POLICIES = st.sampled_from(["onset_weighted", "complete", "linear", "everyone_treated"])


@given(POLICIES, CURVES, st.floats(0.5, 200), st.floats(0, 1), st.floats(0, 1))
def test_follow_up_never_counts_less_when_it_grows(policy, curve, span, first_share, second_share):
    days = np.array(sorted((first_share, second_share))) * span
    shorter, longer = weigh_follow_up(policy, curve, days, np.array([span, span]))
    assert 0 <= shorter <= longer <= 1
    assert weigh_follow_up(policy, curve, np.array([span]), np.array([span]))[0] == 1.0


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0, 1))
def test_events_of_those_pending_are_a_distribution_with_the_mean_of_their_risks(weights, p):
    chances = count_outcomes(tuple(weights)).compute_chances(p)
    risks = [p * (1 - w) / (1 - p * w) if w < 1 else 0.0 for w in weights]
    assert chances.sum() == pytest.approx(1)
    assert chances @ np.arange(len(chances)) == pytest.approx(sum(risks), abs=1e-9)


@given(st.floats(0, 1000))
def test_a_fractional_size_is_looked_up_at_the_next_whole_one(size):
    assert size - 1e-6 <= find_table_row(size) < size + 1


@given(st.floats(1, 1000), st.floats(0, 2000), RATES)
def test_enrolled_lie_between_evaluated_and_planned(accrual, window, rate):
    boundary = np.array(calibrate_boundary("pocock", 20, 0.2, 0.1, {}).boundary)
    (row,) = compute_characteristics(boundary, (rate,))
    enrolled, days = compute_enrolment(row, accrual, window)
    assert row.e_evaluated - 1e-9 <= enrolled <= 20 + 1e-9
    assert window <= days <= window + accrual
