"""Brent's method here returns to the last bit what that of SciPy does."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special

from services.safety_rules.domain.stopping.root import find_root

SIZES = st.floats(0.05, 60)
BETAS = st.lists(st.tuples(SIZES, SIZES, st.floats(0.01, 1)), min_size=1, max_size=6)
TAILS = st.one_of(st.sampled_from([0.025, 0.975]), st.floats(1e-6, 1 - 1e-6))
TOLERANCES = st.sampled_from([1e-12, 1e-9, 1e-3])


@given(BETAS, TAILS, TOLERANCES)
def test_the_quantile_of_a_mixture(betas, tail, tolerance):
    a, b, weights = np.array(betas).T
    share = weights / weights.sum()

    def compute_excess(x):
        return float(share @ special.betainc(a, b, x)) - tail

    expected = optimize.brentq(compute_excess, 0, 1, xtol=tolerance)
    assert find_root(compute_excess, 0.0, 1.0, tolerance) == expected


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=7), st.floats(-6, 6), st.floats(0.01, 9))
def test_a_polynomial_or_no_root(roots, low, width):
    def compute(x):
        return math.prod(x - one for one in roots)

    high = low + width
    try:
        expected = optimize.brentq(compute, low, high, xtol=1e-12)
    except (ValueError, RuntimeError):  # no root, or one that takes too long
        with pytest.raises((ValueError, ArithmeticError)):
            find_root(compute, low, high, 1e-12)
    else:
        assert find_root(compute, low, high, 1e-12) == expected


WHOLE = st.integers(-4, 4)


@given(st.lists(WHOLE, min_size=1, max_size=5), WHOLE, st.integers(1, 8), st.integers(0, 12))
def test_whole_numbers_of_which_many_are_alike(roots, low, width, digits):
    def compute(x):
        return math.prod(x - one / 2 for one in roots)

    high, tolerance = low + width, 0.5**digits
    if compute(low) * compute(high) <= 0:
        expected = optimize.brentq(compute, low, high, xtol=tolerance)
        assert find_root(compute, low, high, tolerance) == expected


@given(st.floats(0, 1), st.booleans())
def test_a_step_is_found_within_the_tolerance(place, is_rising):
    def compute(x):
        return 1.0 if (x > place) is is_rising else -1.0

    if (compute(0.0) < 0) is (compute(1.0) < 0):
        return
    assert find_root(compute, 0.0, 1.0, 1e-9) == optimize.brentq(compute, 0, 1, xtol=1e-9)
