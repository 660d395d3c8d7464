"""Two arms of a randomised study beside each other: is the harm more frequent in the first?

The intervals of difference and ratio are exact: they hold every value that a one-sided test of
`arm_contrasts` at half the error does not reject.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.arm_contrasts import Arm, Difference, LogRatio
from services.safety_rules.domain.stopping.families import Floats, describe_prior_fault
from services.vocabulary.spelled_numbers import spell_number

JEFFREYS = (0.5, 0.5)
_LARGEST_LOG_RATIO = math.log(1e5)  # beyond it a ratio's interval has no end, or begins at 0
_QUADRATURE_POINTS = 400


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the two ends of its interval.

    Args:
        value: As observed; None: a ratio whose control had no event.
        low: Lower end.
        high: Upper end; None: a ratio has none, as no value is too large for the observed.
    """

    value: float | None
    low: float
    high: float | None


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """The first arm, whose harm is watched, beside the control.

    Args:
        treated: The first arm.
        control: The other.
        confidence: Of both intervals, two-sided, equal tails.
        difference: Rate of the first less that of the control.
        ratio: Rate of the first in units of that of the control.
        p_value: One-sided exact unconditional, of a harm as frequent in both.
        prior: Beta prior of each arm's rate.
        p_harm: Posterior probability that the rate is higher in the first arm.
        theta: Posterior probability of harm that the bound reaches.
        harm_bound: Events of the first arm from which on *p_harm* is at least *theta*, at these
            sizes and the control's events; None: no number of events is enough.
    """

    treated: Arm
    control: Arm
    confidence: float
    difference: Estimate
    ratio: Estimate
    p_value: float
    prior: tuple[float, float]
    p_harm: float
    theta: float
    harm_bound: int | None


def compare_arms(
    treated: Arm,
    control: Arm,
    *,
    confidence: float = 0.95,
    prior: tuple[float, float] = JEFFREYS,
    theta: float = 0.95,
) -> ArmComparison:
    """Return the comparison of two arms.

    Args:
        treated: The arm whose harm is watched.
        control: The other.
        confidence: Of the intervals, inside (0, 1).
        prior: Beta prior of each arm's rate, both numbers above 0 and up to 1e6.
        theta: Posterior probability of harm that the bound reaches, inside (0, 1).

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    for name, share in (("confidence", confidence), ("theta", theta)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must be above 0 and below 1, not {spell_number(share)}")
    for number in prior:
        if fault := describe_prior_fault(number):
            raise ValueError(f"prior must be two numbers {fault}")
    tail = (1 - confidence) / 2
    return ArmComparison(
        treated=treated,
        control=control,
        confidence=confidence,
        difference=_estimate_difference(treated, control, tail),
        ratio=_estimate_ratio(treated, control, tail),
        p_value=compute_p_value(treated, control),
        prior=prior,
        p_harm=compute_p_harm(treated, control, prior),
        theta=theta,
        harm_bound=find_harm_bound(treated.participants, control, prior, theta),
    )


def compute_p_value(treated: Arm, control: Arm) -> float:
    """Return the one-sided exact p of a harm that is as frequent in both arms."""
    return Difference(treated, control).compute_tail(0.0, upper=True)


def compute_p_harm(treated: Arm, control: Arm, prior: tuple[float, float]) -> float:
    """Return the posterior probability that the rate is higher in the first arm.

    The integral over the control's posterior is taken at its quantiles, by Gauss and Legendre; it
    is right to 1e-6.
    """
    shares, weights = _find_quadrature()
    rates = special.betaincinv(*_find_posterior(control, prior), shares)
    return float(weights @ special.betaincc(*_find_posterior(treated, prior), rates))


@cache
def _find_quadrature() -> tuple[Floats, Floats]:
    """Return places and weights of the rule of Gauss and Legendre between 0 and 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_QUADRATURE_POINTS)
    return (nodes + 1) / 2, weights / 2


def find_harm_bound(
    participants: int, control: Arm, prior: tuple[float, float], theta: float
) -> int | None:
    """Return the fewest events among *participants* at which harm is as probable as *theta*."""
    low, high = 0, participants + 1
    while low < high:
        middle = (low + high) // 2
        if compute_p_harm(Arm(middle, participants), control, prior) >= theta:
            high = middle
        else:
            low = middle + 1
    return low if low <= participants else None


def _find_posterior(arm: Arm, prior: tuple[float, float]) -> tuple[float, float]:
    return prior[0] + arm.events, prior[1] + arm.participants - arm.events


def _estimate_difference(treated: Arm, control: Arm, tail: float) -> Estimate:
    contrast = Difference(treated, control)
    low, high = contrast.find_ends(tail, -1.0, treated.rate - control.rate, 1.0)
    return Estimate(treated.rate - control.rate, low, high)


def _estimate_ratio(treated: Arm, control: Arm, tail: float) -> Estimate:
    contrast = LogRatio(treated, control)
    if treated.events and control.events:
        centre = math.log(treated.rate / control.rate)
    else:
        centre = _LARGEST_LOG_RATIO * ((treated.events > 0) - (control.events > 0))
    low, high = contrast.find_ends(tail, -_LARGEST_LOG_RATIO, centre, _LARGEST_LOG_RATIO)
    return Estimate(
        treated.rate / control.rate if control.events else None,
        0.0 if low <= -_LARGEST_LOG_RATIO else math.exp(low),
        None if high >= _LARGEST_LOG_RATIO else math.exp(high),
    )
