"""Quantiles of a mixture of Beta densities."""

from functools import partial

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.root import find_root

_SMALLEST = 1e-6  # below it a point is recorded to 1e-12, by the other way
_MOST_STEPS = 12  # four are enough but where a density runs off to infinity
_FINEST = 1e-7  # a step after which the error is of the order of its square


def find_quantiles(
    a: Floats, b: Floats, share: Floats, tails: tuple[float, ...]
) -> tuple[float, ...]:
    """Return the points below which each of *tails* of the mixture lies.

    Newton's method, where the logit of the distribution is nearly a line in the logit of the
    argument, from the Beta density of the same mean and variance.

    Args:
        a: First parameters, shape (components,).
        b: Second parameters.
        share: Of each component; they sum to 1.
        tails: Between 0 and 1.

    >>> [round(one, 6) for one in find_quantiles(np.array([1.0]), np.array([1.0]),
    ...     np.array([1.0]), (0.025, 0.975))]
    [0.025, 0.975]
    """
    first, second = a[:, None], b[:, None]
    aims = np.array(tails)
    log_scale = special.betaln(first, second)
    with np.errstate(all="ignore"):
        x = _approximate(a, b, share, aims)
        for _ in range(_MOST_STEPS if (x > _SMALLEST).all() else 0):
            lower_share = share @ special.betainc(first, second, x)
            density = share @ np.exp(
                first * np.log(x) + second * np.log1p(-x) - log_scale
            )  # in the logit of x
            step = (
                (special.logit(lower_share) - special.logit(aims))
                * lower_share
                * (1 - lower_share)
                / density
            )
            x = special.expit(special.logit(x) - step)
            if (np.abs(step) < _FINEST).all() and (x > _SMALLEST).all():
                return tuple(x.tolist())
    return tuple(_find_slowly(a, b, share, tail) for tail in tails)


def _approximate(a: Floats, b: Floats, share: Floats, tails: Floats) -> Floats:
    """Return the quantiles of the Beta density of the mixture's mean and variance."""
    total = a + b
    mean = share @ (a / total)
    variance = share @ (a * (a + 1) / (total * (total + 1))) - mean * mean
    weight = mean * (1 - mean) / variance - 1
    return np.asarray(special.betaincinv(mean * weight, (1 - mean) * weight, tails))


def _find_slowly(a: Floats, b: Floats, share: Floats, tail: float) -> float:
    """Return a quantile to 1e-12, also where a density runs off to infinity."""

    def compute_tail_excess(rate: float, tail: float) -> float:
        return float(share @ special.betainc(a, b, rate)) - tail

    return find_root(partial(compute_tail_excess, tail=tail), 0.0, 1.0, 1e-12)
