"""Designs with an upper and a lower limit, against published figures and plain enumeration."""

from itertools import product
from math import prod

import pytest

from services.safety_rules.domain.stopping.two_sided import (
    make_wald_limits,
    read_two_sided_limits,
)

LOOKS = range(4, 76)
WALD = make_wald_limits(75, 0.04, 0.10, alpha=0.04, beta=0.2, looks=LOOKS)


@pytest.mark.parametrize(
    ("events", "first", "last"), [(4, 4, 14), (5, 15, 29), (6, 30, 44), (7, 45, 59), (8, 60, 75)]
)
def test_the_upper_limit_of_the_design_in_gsdesign(events, first, last):
    """p0 .04, p1 .10, alpha .04, beta .2, first look at 4, n 75 (binomialSPRT of gsDesign)."""
    sizes = [look for look, limit in zip(WALD.looks, WALD.upper, strict=True) if limit == events]
    assert (sizes[0], sizes[-1], len(sizes)) == (first, last, last - first + 1)


def test_the_lower_limit_begins_where_the_likelihood_allows():
    first_sizes = {}
    for look, limit in zip(WALD.looks, WALD.lower, strict=True):
        first_sizes.setdefault(limit, look)
    assert first_sizes == {-1: 4, 0: 25, 1: 40, 2: 55, 3: 70}


def test_the_errors_of_the_design_with_its_lower_limit():
    at_p0, at_p1 = WALD.compute_characteristics((0.04, 0.10))
    assert round(at_p0.p_upper, 4) == 0.0189
    assert round(at_p1.p_upper, 4) == 0.5157
    for row in (at_p0, at_p1):
        assert row.p_upper + row.p_lower + row.p_neither == pytest.approx(1, abs=1e-12)


def enumerate_paths(limits, rate):
    """Return chances of upper, lower and neither, and the expected size, over every sequence."""
    chances, size = {"upper": 0.0, "lower": 0.0, "neither": 0.0}, 0.0
    at_look = dict(zip(limits.looks, zip(limits.upper, limits.lower, strict=True), strict=True))
    for path in product((0, 1), repeat=limits.n):
        chance = prod(rate if event else 1 - rate for event in path)
        end, x = "neither", limits.n
        for look, (upper, lower) in at_look.items():
            events = sum(path[:look])
            if events >= upper or events <= lower:
                end, x = ("upper" if events >= upper else "lower"), look
                break
        chances[end] += chance
        size += chance * x
    return chances, size


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
@pytest.mark.parametrize(
    ("upper", "lower", "looks"),
    [
        ((2, 2, 2, 3, 3, 4, 4, 5), (-1, -1, 0, 0, 1, 1, 2, 2), ()),
        ((2, 4), (0, 2), (3, 8)),
        ((9, 9, 9), (-1, -1, -1), (1, 4, 7)),
    ],
)
def test_the_recursion_is_the_sum_over_all_sequences(upper, lower, looks, rate):
    limits = read_two_sided_limits(8, upper, lower, looks)
    (row,) = limits.compute_characteristics((rate,))
    chances, size = enumerate_paths(limits, rate)
    assert (row.p_upper, row.p_lower, row.p_neither) == pytest.approx(tuple(chances.values()))
    assert row.e_evaluated == pytest.approx(size)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((4, (2, 2, 3), (-1, -1, 0)), "boundary must be 4 numbers"),
        ((3, (2, 2, 3), (-1, 0)), "lower must be 3 numbers"),
        ((3, (2, 2, 3), (-1, -1, 0.5)), "lower must be whole numbers"),
        ((3, (2, float("inf"), 3), (-1, -1, 0)), "boundary must be whole numbers"),
        ((3, (3, 2, 3), (-1, -1, 0)), "boundary must not fall"),
        ((3, (2, 2, 3), (0, -1, 0)), "lower must not fall"),
        ((3, (2, 2, 3), (-1, 2, 2)), "lower must be below boundary; at 2 it is 2 of 2"),
        ((0, (), ()), "n must be a whole number from 1 to 1000"),
    ],
)
def test_limits_that_cannot_be_are_refused(arguments, problem):
    with pytest.raises(ValueError, match=problem):
        read_two_sided_limits(*arguments)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"p0": 0}, "p0 must be above 0"),
        ({"p0": 1}, "p0 must be above 0 and below 1, not 1"),
        ({"p0": 1.5, "p1": 1.6}, "p0 must be above 0 and below 1, not 1.5"),
        ({"p1": 0.04}, "p1 must be above p0 = 0.04 and below 1"),
        ({"p1": 1}, "p1 must be above p0 = 0.04 and below 1"),
        ({"alpha": 0}, "alpha and beta must be above 0"),
        ({"beta": 0}, "alpha and beta must be above 0"),
        ({"beta": -0.1}, "alpha and beta must be above 0"),
        ({"alpha": 0.5, "beta": 0.5}, "together below 1"),
        ({"n": 1001}, "n must be a whole number"),
        ({"looks": (4, 76)}, "looks must be whole"),
    ],
)
def test_arguments_of_wald_s_test_out_of_range_are_named(changes, problem):
    arguments = {"n": 75, "p0": 0.04, "p1": 0.1, "alpha": 0.04, "beta": 0.2} | changes
    with pytest.raises(ValueError, match=problem):
        make_wald_limits(**arguments)


def test_a_rate_outside_is_refused():
    with pytest.raises(ValueError, match="rates must be from 0 to 1"):
        WALD.compute_characteristics((1.1,))
