"""Laws of every boundary and of every count, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.safety_rules.domain.stopping.calibrate import calibrate_boundary
from services.safety_rules.domain.stopping.characteristics import (
    compute_characteristics,
    compute_crossing_probability,
    compute_enrolment,
)
from services.safety_rules.domain.stopping.families import compute_statistics
from services.safety_rules.domain.stopping.pending import (
    compute_poisson_binomial,
    compute_residual_risk,
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
    above = draw(st.floats(p0 + 0.05, 0.95))
    prior = (draw(st.floats(0.05, 3)), draw(st.floats(0.05, 5)))
    family, parameters = draw(
        st.sampled_from(
            [
                ("pocock", {}),
                ("obrien-fleming", {}),
                ("wang-tsiatis", {"delta": (0.25,)}),
                ("beta-binomial", {"prior": prior}),
                ("chen-chaloner", {"prior": prior, "p1": (above,), "nu": (0.5,)}),
                ("sprt", {"p1": (above,)}),
                ("maxsprt", {}),
            ]
        )
    )
    return family, draw(st.integers(1, 40)), p0, parameters


@given(designs(), st.floats(0.005, 0.3))
def test_the_type_1_error_never_exceeds_alpha(chosen, alpha):
    family, n, p0, parameters = chosen
    assert calibrate_boundary(family, n, p0, alpha, parameters).attained_alpha <= alpha


@given(designs(), st.floats(0.005, 0.3), RATES)
def test_wald_events_are_rate_times_evaluated(chosen, alpha, rate):
    family, n, p0, parameters = chosen
    boundary = np.array(calibrate_boundary(family, n, p0, alpha, parameters).boundary)
    (at,) = compute_characteristics(boundary, (rate,))
    assert at.e_events == pytest.approx(rate * at.e_evaluated, abs=1e-10)
    assert at.p_stop == pytest.approx(compute_crossing_probability(boundary, rate), abs=1e-12)


@given(designs(), st.floats(0.005, 0.3))
def test_a_higher_rate_stops_more_often(chosen, alpha):
    family, n, p0, parameters = chosen
    boundary = np.array(calibrate_boundary(family, n, p0, alpha, parameters).boundary)
    stops = [at.p_stop for at in compute_characteristics(boundary, (0.05, 0.2, 0.4, 0.7))]
    assert stops == sorted(stops)


@given(designs(), st.floats(0.005, 0.1), st.floats(0.0, 0.2))
def test_a_larger_alpha_never_makes_a_stricter_table(chosen, alpha, more):
    family, n, p0, parameters = chosen
    less = calibrate_boundary(family, n, p0, alpha, parameters).boundary
    bolder = calibrate_boundary(family, n, p0, alpha + more, parameters).boundary
    assert all(b <= a for a, b in zip(less, bolder, strict=True))


@given(designs())
def test_every_statistic_grows_with_the_events(chosen):
    family, n, p0, parameters = chosen
    table = compute_statistics(family, n, p0, parameters)
    rows = [table[x, : x + 1] for x in range(1, n + 1)]
    assert all((row[1:] >= row[:-1]).all() for row in rows)


@given(designs(), st.floats(0.01, 0.3))
def test_steps_and_boundary_are_one_table(chosen, alpha):
    family, n, p0, parameters = chosen
    boundary = calibrate_boundary(family, n, p0, alpha, parameters).boundary
    assert expand_steps(compress_boundary(boundary), n) == boundary


@given(designs(), st.floats(0.01, 0.3))
def test_a_boundary_that_grows_has_no_fault_as_steps(chosen, alpha):
    family, n, p0, parameters = chosen
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
def test_follow_up_never_counts_less_when_it_grows(policy, curve, span, one, other):
    days = np.array(sorted((one, other))) * span
    less, more = weigh_follow_up(policy, curve, days, np.array([span, span]))
    assert 0 <= less <= more <= 1
    assert weigh_follow_up(policy, curve, np.array([span]), np.array([span]))[0] == 1.0


@given(st.lists(st.floats(0, 1), max_size=12))
def test_poisson_binomial_is_a_distribution_with_the_mean_of_its_risks(risks):
    chances = compute_poisson_binomial(risks)
    assert chances.sum() == pytest.approx(1)
    assert chances @ np.arange(len(chances)) == pytest.approx(sum(risks), abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 1))
def test_residual_risk_is_a_chance_that_follow_up_lowers(p, weight):
    left = float(compute_residual_risk(p, np.array([weight]))[0])
    assert 0 <= left <= p + 1e-12


@given(st.floats(0, 1000))
def test_a_fractional_size_is_looked_up_at_the_next_whole_one(size):
    assert size - 1e-6 <= find_table_row(size) < size + 1


@given(st.floats(1, 1000), st.floats(0, 2000), RATES)
def test_enrolled_lie_between_evaluated_and_planned(accrual, window, rate):
    boundary = np.array(calibrate_boundary("pocock", 20, 0.2, 0.1, {}).boundary)
    (at,) = compute_characteristics(boundary, (rate,))
    enrolled, days = compute_enrolment(at, accrual, window)
    assert at.e_evaluated - 1e-9 <= enrolled <= 20 + 1e-9
    assert window <= days <= window + accrual
