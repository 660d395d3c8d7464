"""A boundary that somebody brings, event by event, instead of one that is calibrated."""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from services.safety_rules.domain.stopping.calibrate import (
    ROUNDING,
    CalibratedBoundary,
    check_looks,
)
from services.safety_rules.domain.stopping.characteristics import compute_crossing_probability
from services.safety_rules.domain.stopping.families import LARGEST_N, check_plan_size
from services.vocabulary.spelled_numbers import spell_number, spell_numbers


def read_given_table(
    n: int, p0: float, alpha: float, events: Sequence[float], looks: Sequence[int] = ()
) -> CalibratedBoundary:
    """Return the boundary of *events* with its type I error, which may be above *alpha*.

    >>> read_given_table(5, 0.2, 0.3, (9, 9, 3, 3, 3)).boundary
    (1, 2, 3, 3, 3, 3)
    >>> read_given_table(5, 0.2, 0.3, (3, 3, 3, 2, 2))
    Traceback (most recent call last):
    ValueError: boundary must not fall from one look to the next: 2 at 4 after 3 at 3

    Args:
        n: Planned maximum, 1 to 1000.
        p0: Acceptable rate, inside (0, 1).
        alpha: Nominal one-sided type I error at p0, inside (0, 1).
        events: The number that stops at each look; a number above the look: none does.
        looks: Evaluable participants at each look, increasing, up to n; empty: after each one.

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    check_plan_size(n)
    for name, value in (("p0", p0), ("alpha", alpha)):
        if not 0 < value < 1:
            raise ValueError(f"{name} must be above 0 and below 1, not {spell_number(value)}")
    sizes = check_looks(looks, n)
    _check_events(events, len(sizes))
    boundary = np.arange(1, n + 2)
    boundary[sizes] = np.minimum(np.array(events, dtype=np.int64), sizes + 1)
    stops = [(x, int(boundary[x])) for x in sizes.tolist() if boundary[x] <= x]
    for (first, higher), (second, lower) in pairwise(stops):
        if lower < higher:
            raise ValueError(
                f"boundary must not fall from one look to the next: {lower} at {second} after"
                f" {higher} at {first}"
            )
    attained_alpha = compute_crossing_probability(boundary, p0)
    if attained_alpha <= alpha + ROUNDING:
        attained_alpha = min(attained_alpha, alpha)
    return CalibratedBoundary(tuple(boundary.tolist()), attained_alpha)


def _check_events(events: Sequence[float], looks: int) -> None:
    if not all(math.isfinite(one) and one == int(one) for one in events):
        raise ValueError(f"boundary must be whole numbers, not {spell_numbers(events)}")
    if len(events) != looks or min(events) < 1:
        raise ValueError(f"boundary must be {looks} positive numbers, one for each look")
    if max(events) > LARGEST_N + 1:
        raise ValueError(
            f"boundary must be numbers up to {LARGEST_N + 1}, not {max(events):g}; above the size"
            " of its look it never stops there"
        )
