"""The weight of a participant whose follow-up is not over, and the risk that remains."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.protocol import Curve, Policy
from services.vocabulary.spelled_numbers import spell_number

SLACK = 1e-9  # sums of weights that are whole numbers but for rounding


def compute_onset_fraction(curve: Curve, days: npt.ArrayLike, span: npt.ArrayLike) -> Floats:
    """Return F(t): the share of events by *days*, of a window of *span* days.

    Both are arrays of one shape, in days; the curve ``uniform`` alone depends on the span.
    """
    t = np.maximum(np.asarray(days, dtype=np.float64), 0.0)
    if curve.shape == "uniform":
        span_days = np.asarray(span, dtype=np.float64)
        return np.divide(t, span_days, out=np.ones_like(t), where=span_days > 0)
    if curve.shape == "exponential":
        return np.asarray(-np.expm1(-t / curve.mean_days))
    if curve.shape == "weibull":
        return np.asarray(-np.expm1(-((t / curve.scale_days) ** curve.weibull_shape)))
    curve_days, part = zip(*((0.0, 0.0), *curve.points), strict=True)
    return np.asarray(np.interp(t, curve_days, part))


def find_curve_faults(curve: Curve) -> Sequence[str]:
    """Return the faults of a curve's numbers; empty when it can be used.

    >>> find_curve_faults(Curve("table", points=((5, 0.8), (3, 1.0))))
    ['points must rise in days and in F, from above 0 to 1']
    """
    if curve.shape == "exponential" and not 0 < curve.mean_days < math.inf:
        return [f"mean_days must be finite and above 0, not {spell_number(curve.mean_days)}"]
    if curve.shape == "weibull":
        scale_numbers = {"scale_days": curve.scale_days, "weibull_shape": curve.weibull_shape}
        return [
            f"{k} must be finite and above 0, not {spell_number(value)}"
            for k, value in scale_numbers.items()
            if not 0 < value < math.inf
        ]
    if curve.shape in ("hazard", "risk"):
        return [f"{curve.shape} goes with the policy person_time"]
    if curve.shape == "table":
        days = [day for day, _ in curve.points]
        part = [f for _, f in curve.points]
        is_rising = days == sorted(set(days)) and part == sorted(part)
        if not (part and is_rising and days[0] > 0 <= part[0] and 0 < part[-1] <= 1):
            return ["points must rise in days and in F, from above 0 to 1"]
    return []


def weigh_follow_up(policy: Policy, curve: Curve, days: Floats, span: Floats) -> Floats:
    """Return the weight of each participant without an event, from 0 to 1.

    Args:
        policy: How follow-up is counted.
        curve: The onset curve, for ``onset_weighted``.
        days: Follow-up so far, 0 or more, shape (..., participants).
        span: Length of each participant's window, in days, of a shape that broadcasts.
    """
    is_open = days < span
    if policy == "everyone_treated":
        return np.ones(is_open.shape)
    if policy == "complete":
        return (~is_open).astype(np.float64)
    so_far, at_end = _measure_progress(policy, curve, days, span)
    part = np.divide(so_far, at_end, out=np.ones(is_open.shape), where=is_open)
    return np.minimum(part, 1.0)


def _measure_progress(
    policy: Policy, curve: Curve, days: Floats, span: Floats
) -> tuple[Floats, Floats]:
    """Return progress now and at the end; by length where the curve expects no event."""
    if policy == "linear":
        return days, span
    at_end = compute_onset_fraction(curve, span, span)
    flat = at_end <= 0
    if not flat.any():
        return compute_onset_fraction(curve, days, span), at_end
    return np.where(flat, days, compute_onset_fraction(curve, days, span)), np.where(
        flat, span, at_end
    )


def find_table_row(size: float) -> int:
    """Return the row of the boundary table for an effective sample size: rounded up.

    >>> find_table_row(9.6), find_table_row(3.0000000000001), find_table_row(0)
    (10, 3, 0)
    """
    return math.ceil(size - SLACK)
