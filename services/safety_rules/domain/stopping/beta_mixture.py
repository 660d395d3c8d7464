"""Quantiles of a mixture of neighbouring Beta densities: Beta(a + k, b - k) for k = 0, 1, ...

Neighbours differ by one term, I_x(a + 1, b - 1) = I_x(a, b) - x^a (1 - x)^(b - 1) / (a B(a, b)):
all the distribution functions come from the first.

Source: Abramowitz, Stegun 1964, Handbook of Mathematical Functions, 26.5.15
"""

import math
from functools import partial

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.root import find_root

_SMALLEST = 1e-6  # below it a point is recorded to 1e-12, by the other way
_SMALLEST_TERM = 1e-290  # below it digits are lost, and with them the terms that follow
_MOST_STEPS = 12  # four are enough but where a density runs off to infinity
_FINEST = 1e-7  # a step after which the error is of the order of its square


def find_quantiles(
    a: float, b: float, share: Floats, tails: tuple[float, ...]
) -> tuple[float, ...]:
    """Return the points below which each of *tails* of the mixture lies.

    Newton's method, where the logit of the distribution is nearly a line in the logit of the
    argument, from the Beta density of the same mean and variance.

    Args:
        a: First parameter of the first density.
        b: Second parameter of the first density; above the number of those that follow.
        share: Of each density, shape (densities,); they sum to 1.
        tails: Between 0 and 1.

    >>> [round(one, 6) for one in find_quantiles(1.0, 1.0, np.array([1.0]), (0.025, 0.975))]
    [0.025, 0.975]
    """
    begin = _approximate(a, b, share, tails)
    quantiles = [
        _refine(a, b, share.tolist(), tail, x) for tail, x in zip(tails, begin, strict=True)
    ]
    return tuple(
        _find_slowly(a, b, share, tail) if x is None else x
        for tail, x in zip(tails, quantiles, strict=True)
    )


def _approximate(a: float, b: float, share: Floats, tails: tuple[float, ...]) -> list[float]:
    """Return the quantiles of the Beta density of the mixture's mean and variance."""
    total, shares = a + b, share.tolist()
    mean = sum(one * (a + k) for k, one in enumerate(shares)) / total
    square = sum(one * (a + k) * (a + k + 1) for k, one in enumerate(shares))
    weight = mean * (1 - mean) / (square / (total * (total + 1)) - mean * mean) - 1
    points = special.betaincinv(mean * weight, (1 - mean) * weight, np.array(tails))
    return [*points.tolist()]


def _refine(a: float, b: float, share: list[float], tail: float, x: float) -> float | None:
    """Return the quantile by Newton's method from *x*; None: the other way is due."""
    aim, log_scale = math.log(tail / (1 - tail)), float(special.betaln(a, b)) + math.log(a)
    for _ in range(_MOST_STEPS):
        if not _SMALLEST < x < 1:
            return None
        lower_share, density = _compute_distribution(a, b, share, x, log_scale)
        if not (0 < lower_share < 1 and density > 0):
            return None
        slope = density / (lower_share * (1 - lower_share))
        step = (math.log(lower_share / (1 - lower_share)) - aim) / slope
        x = float(special.expit(math.log(x / (1 - x)) - step))
        if abs(step) < _FINEST and x > _SMALLEST:
            return x
    return None


def _compute_distribution(
    a: float, b: float, share: list[float], x: float, log_scale: float
) -> tuple[float, float]:
    """Return the share of the mixture below *x*, and its density in the logit of *x*.

    Both are 0 where floating-point numbers are too short for the terms. *log_scale* is the
    logarithm of a B(a, b).
    """
    lower_share, distribution = 0.0, float(special.betainc(a, b, x))
    density, odds = 0.0, x / (1 - x)
    term = math.exp(a * math.log(x) + (b - 1) * math.log1p(-x) - log_scale)
    if term < _SMALLEST_TERM:
        return 0.0, 0.0
    for k, weight in enumerate(share):
        lower_share += weight * distribution
        density += weight * term * (a + k)
        distribution -= term
        term *= odds * (b - k - 1) / (a + k + 1)
    return lower_share, density * (1 - x)


def _find_slowly(a: float, b: float, share: Floats, tail: float) -> float:
    """Return a quantile to 1e-12, also where a density runs off to infinity."""
    k = np.arange(len(share))

    def compute_tail_excess(rate: float, tail: float) -> float:
        return float(share @ special.betainc(a + k, b - k, rate)) - tail

    return find_root(partial(compute_tail_excess, tail=tail), 0.0, 1.0, 1e-12)
