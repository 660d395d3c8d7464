"""The two bounds of Chen-Chaloner rules, count by count from the Beta distribution of SciPy."""

import pytest
from scipy import stats

from services.safety_rules.domain.stopping.binding_bound import find_sizes_bound_by_nu
from services.safety_rules.domain.stopping.design import NeverStopsError, make_design

RULES = {  # n, looks, p0, p1, prior, nu, alpha
    "nu lets all": (40, (), 0.05, 0.2, (0.1, 1.9), 0.05, 0.05),
    "nu binds late": (40, (), 0.05, 0.2, (0.1, 1.9), 0.3, 0.05),
    "nu binds nearly everywhere": (40, (), 0.05, 0.2, (0.1, 1.9), 0.6, 0.05),
    "nu binds everywhere": (40, (), 0.05, 0.2, (0.1, 1.9), 0.9, 0.05),
    "looks": (30, (5, 10, 20, 30), 0.2, 0.4, (0.6, 2.4), 0.4, 0.1),
    "a strong prior": (12, (), 0.1, 0.3, (8, 2), 0.5, 0.2),
    "an alpha that one event does not spend": (5, (), 0.001, 0.5, (0.1, 1.9), 0.5, 0.05),
}


def compute_above(limit, events, size, prior):
    return round(stats.beta.sf(limit, prior[0] + events, prior[1] + size - events), 10)


def design_chen_chaloner(*arguments):
    n, looks, p0, p1, prior, nu, alpha = arguments
    parameters = {"prior": prior, "p1": (p1,), "nu": (nu,)}
    return make_design("chen-chaloner", p0, alpha, n, looks=looks, **parameters), parameters


@pytest.mark.parametrize("arguments", RULES.values(), ids=RULES)
def test_no_count_stops_that_nu_does_not_let(arguments):
    design, _ = design_chen_chaloner(*arguments)
    _, _, _, p1, prior, nu, _ = arguments
    for x, events in zip(design.looks, design.boundary, strict=True):
        assert events > x or compute_above(p1, events, x, prior) > nu


@pytest.mark.parametrize("arguments", RULES.values(), ids=RULES)
def test_nu_binds_where_the_calibrated_bound_would_stop_earlier(arguments):
    """One event fewer is forbidden by nu, and tells more than all that the other bound forbids."""
    design, parameters = design_chen_chaloner(*arguments)
    _, _, p0, p1, prior, nu, _ = arguments
    going_on = [
        (x, y)
        for x, events in zip(design.looks, design.boundary, strict=True)
        for y in range(1, min(events, x + 1))
    ]
    is_let = {(x, y): compute_above(p1, y, x, prior) > nu for x, y in going_on}
    held_back = [compute_above(p0, y, x, prior) for (x, y), lets in is_let.items() if lets]
    expected = sorted(
        {
            x
            for (x, y), lets in is_let.items()
            if not lets and compute_above(p0, y, x, prior) > max(held_back, default=-1)
        }
    )
    assert find_sizes_bound_by_nu(design, parameters) == expected


def test_where_nu_binds_nowhere_the_boundary_is_that_of_beta_binomial():
    design, parameters = design_chen_chaloner(*RULES["nu lets all"])
    assert find_sizes_bound_by_nu(design, parameters) == []
    assert (
        design.boundary == make_design("beta-binomial", 0.05, 0.05, 40, prior=(0.1, 1.9)).boundary
    )


def test_where_nu_lets_nothing_the_rule_can_never_stop():
    with pytest.raises(NeverStopsError, match="nu smaller"):
        design_chen_chaloner(2, (), 0.05, 0.9, (0.1, 1.9), 0.9, 0.3)
