"""The root of a function between two points, by Brent's method.

To the last bit what `scipy.optimize.brentq` returns, whose package takes longer to load than a
command that only reads may take.

Source: Brent 1973, Algorithms for Minimization Without Derivatives, chapter 4
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

_RELATIVE = 4 * sys.float_info.epsilon  # of the tolerance: no finer root can be told apart
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class _Point:
    """A value of the function at *x*."""

    x: float
    y: float


def find_root(
    compute: Callable[[float], float], low: float, high: float, tolerance: float
) -> float:
    """Return an argument at which *compute* is 0, within *tolerance*.

    Args:
        compute: Continuous; 0 or of different signs at *low* and *high*.
        low: One end.
        high: The other end.
        tolerance: Above 0, absolute.

    >>> round(find_root(lambda x: x * x - 2, 0.0, 2.0, 1e-12), 9)
    1.414213562
    >>> find_root(lambda x: x * x + 1, 0.0, 2.0, 1e-12)
    Traceback (most recent call last):
        ...
    ValueError: no root from 0.0 to 2.0: 1.0 and 5.0 have one sign

    Raises:
        ArithmeticError: It is not found in 100 steps, as of a function that is flat there.
        ValueError: Both ends have the same sign.
    """
    previous, best = _Point(low, compute(low)), _Point(high, compute(high))
    if previous.y == 0:
        return low
    if best.y and _have_one_sign(previous, best):
        raise ValueError(f"no root from {low} to {high}: {previous.y} and {best.y} have one sign")
    opposite, steps = previous, (0.0, 0.0)
    for _ in range(_MOST_STEPS):
        if previous.y and best.y and not _have_one_sign(previous, best):
            opposite, width = previous, best.x - previous.x
            steps = width, width
        if abs(opposite.y) < abs(best.y):
            previous, best, opposite = best, opposite, best
        finest = (tolerance + _RELATIVE * abs(best.x)) / 2
        half = (opposite.x - best.x) / 2
        if best.y == 0 or abs(half) < finest:
            return best.x
        steps = _choose_step(previous, best, opposite, steps, finest)
        step = steps[1] if abs(steps[1]) > finest else math.copysign(finest, half)
        previous, x = best, best.x + step
        best = _Point(x, compute(x))
    raise ArithmeticError(f"no root from {low} to {high} in {_MOST_STEPS} steps")


def _choose_step(
    previous: _Point, best: _Point, opposite: _Point, steps: tuple[float, float], finest: float
) -> tuple[float, float]:
    """Return the step before the next, and the next: by interpolation while that converges fast."""
    last_step, step = steps
    half = (opposite.x - best.x) / 2
    if abs(last_step) > finest and abs(best.y) < abs(previous.y):
        attempt = _interpolate(previous, best, opposite)
        if 2 * abs(attempt) < min(abs(last_step), 3 * abs(half) - finest):
            return step, attempt
    return half, half


def _interpolate(previous: _Point, best: _Point, opposite: _Point) -> float:
    """Return the step from *best* to the root of a line, or inverse parabola, by the points."""
    if previous.x == opposite.x:
        return -best.y * (best.x - previous.x) / (best.y - previous.y)
    slope = (previous.y - best.y) / (previous.x - best.x)
    opposite_slope = (opposite.y - best.y) / (opposite.x - best.x)
    height = opposite.y * opposite_slope - previous.y * slope
    divisor = opposite_slope * slope * (opposite.y - previous.y)
    return -best.y * height / divisor if divisor else math.inf


def _have_one_sign(one: _Point, other: _Point) -> bool:
    return math.copysign(1, one.y) == math.copysign(1, other.y)
