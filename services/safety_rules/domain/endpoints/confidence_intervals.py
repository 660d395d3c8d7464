"""Two-sided 95 % intervals of probabilities."""

import math

from scipy import special

from services.vocabulary.endpoint import Estimate, Proportion

_LEVEL = 0.95
_Z = float(special.ndtri((1 + _LEVEL) / 2))


def estimate_survival(survival: float, greenwood: float) -> Estimate:
    """Return a survival probability with its log(-log) interval.

    >>> estimate_survival(1.0, 0.0)
    Estimate(value=1.0, low=None, high=None)

    Args:
        survival: In [0, 1].
        greenwood: Variance of log(survival), Greenwood's sum of d / (n (n - d)).

    Source: Kalbfleisch, Prentice 2002, The Statistical Analysis of Failure Time Data, 2nd ed., 1.4
    """
    if not 0 < survival < 1:
        return Estimate(survival)
    reach = math.exp(_Z * math.sqrt(greenwood) / -math.log(survival))
    return Estimate(survival, survival**reach, survival ** (1 / reach))


def estimate_incidence(incidence: float, variance: float) -> Estimate:
    """Return a cumulative incidence with its interval on the scale log(-log(1 - F)).

    >>> estimate_incidence(0.0, 0.0)
    Estimate(value=0.0, low=None, high=None)

    Args:
        incidence: In [0, 1].
        variance: Of the incidence itself.
    """
    if not 0 < incidence < 1:
        return Estimate(incidence)
    free = 1 - incidence
    reach = math.exp(_Z * math.sqrt(variance) / (free * -math.log(free)))
    return Estimate(incidence, 1 - free ** (1 / reach), 1 - free**reach)


def estimate_proportion(count: int, total: int) -> Proportion:
    """Return *count* of *total* with its exact interval.

    >>> estimate = estimate_proportion(0, 21).estimate
    >>> round(estimate.low, 4), round(estimate.high, 4)
    (0.0, 0.1611)
    >>> estimate_proportion(0, 0).estimate is None
    True

    Raises:
        ValueError: *count* is not from 0 to *total*.

    Source: Clopper, Pearson 1934, Biometrika 26:404-413
    """
    if not 0 <= count <= total:
        raise ValueError(f"count must be from 0 to {total}, not {count}")
    if total == 0:
        return Proportion(0, 0, None)
    tail = (1 - _LEVEL) / 2
    low = float(special.betaincinv(count, total - count + 1, tail)) if count else 0.0
    high = float(special.betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0
    return Proportion(count, total, Estimate(count / total, low, high))
