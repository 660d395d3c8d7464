"""The quantiles of a mixture of Beta densities are where its tails end."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from services.safety_rules.domain.stopping.beta_mixture import find_quantiles

SHAPES = st.one_of(st.floats(0.02, 2), st.floats(0.5, 800))
COMPONENTS = st.lists(st.tuples(SHAPES, SHAPES, st.floats(0.001, 1)), min_size=1, max_size=8)


@settings(deadline=None)
@given(COMPONENTS)
def test_below_each_quantile_lies_its_share(components):
    a, b, weights = (np.array(column) for column in zip(*components, strict=True))
    share = weights / weights.sum()
    low, high = find_quantiles(a, b, share, (0.025, 0.975))
    assert 0 <= low <= high <= 1
    for point, tail in ((low, 0.025), (high, 0.975)):
        # at an end the distribution may rise so fast that 1e-12 of the argument is much of it
        lower_share, upper_share = (
            share @ special.betainc(a, b, min(max(end, 0.0), 1.0))
            for end in (point - 2e-12, point + 2e-12)
        )
        assert lower_share - 1e-9 <= tail <= upper_share + 1e-9
