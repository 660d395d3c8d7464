"""The quantiles of a mixture of Beta densities are where its tails end."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from services.safety_rules.domain.stopping.beta_mixture import find_quantiles

SHAPES = st.one_of(st.floats(0.02, 2), st.floats(0.5, 800))
SHARES = st.lists(st.one_of(st.just(1e-15), st.floats(0.001, 1)), min_size=1, max_size=40)


def check_tails(a, b, weights):
    share, k = np.array(weights) / sum(weights), np.arange(len(weights))
    low, high = find_quantiles(a, b, share, (0.025, 0.975))
    assert 0 <= low <= high <= 1
    for point, tail in ((low, 0.025), (high, 0.975)):
        # at an end the distribution may rise so fast that 1e-12 of the argument is much of it
        lower_share, upper_share = (
            share @ special.betainc(a + k, b - k, min(max(end, 0.0), 1.0))
            for end in (point - 2e-12, point + 2e-12)
        )
        assert lower_share - 1e-9 <= tail <= upper_share + 1e-9


@settings(deadline=None)
@given(SHAPES, SHAPES, SHARES)
def test_below_each_quantile_lies_its_share(a, last_b, weights):
    check_tails(a, last_b + len(weights) - 1, weights)


@pytest.mark.parametrize("densities", [2, 700, 3000])
def test_two_densities_far_apart_with_nothing_between_them(densities):
    check_tails(0.5, densities + 0.5, [1.0, *[0.0] * (densities - 2), 2.0])
