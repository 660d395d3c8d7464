"""Two arms of a randomised study beside each other: is the harm more frequent in the first?

The intervals of difference and ratio are exact: they hold every value that a one-sided exact
unconditional test at half the error does not reject, ordered by the score statistic and taken at
the least favourable rate.

Source: Chan, Zhang 1999, Biometrics 55:1202-1209; the constrained estimates: Farrington, Manning
1990, Statistics in Medicine 9:1447-1454
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import LARGEST_N, Floats

JEFFREYS = (0.5, 0.5)
_NUISANCE_RATES = 501  # at which the least favourable rate is looked for
_SCAN_STEPS = 20  # towards an interval's end, before it is bisected
_TOLERANCE = 1e-7  # of an interval's end; of the logarithm of a ratio's
_TIE = 1e-9  # statistics that differ by less are equal
_LARGEST_LOG_RATIO = math.log(1e5)  # beyond it a ratio's interval has no end, or begins at 0
_QUADRATURE_POINTS = 400


@dataclass(frozen=True, slots=True)
class Arm:
    """Participants of an arm, and those of them with the event.

    Raises:
        ValueError: There are none, too many, or more events than participants.
    """

    events: int
    participants: int

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        if not 1 <= self.participants <= LARGEST_N:
            raise ValueError(
                f"participants of an arm must be from 1 to {LARGEST_N}, not {self.participants}"
            )
        if not 0 <= self.events <= self.participants:
            raise ValueError(
                f"events of an arm must be from 0 to its {self.participants} participants,"
                f" not {self.events}"
            )

    @property
    def rate(self) -> float:
        """The observed share with the event."""
        return self.events / self.participants


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
        prior: Beta prior of each arm's rate, both numbers above 0.
        theta: Posterior probability of harm that the bound reaches, inside (0, 1).

    Raises:
        ValueError: An argument is out of range; the message names it.
    """
    for name, share in (("confidence", confidence), ("theta", theta)):
        if not 0 < share < 1:
            raise ValueError(f"{name} must be above 0 and below 1, not {share}")
    if not all(0 < number < math.inf for number in prior):
        raise ValueError(f"prior must be two numbers above 0, not {[*prior]}")
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
    return _Difference(treated, control).compute_tail(0.0, upper=True)


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
        if low > participants:
            return None
    return low


def _find_posterior(arm: Arm, prior: tuple[float, float]) -> tuple[float, float]:
    return prior[0] + arm.events, prior[1] + arm.participants - arm.events


def _estimate_difference(treated: Arm, control: Arm, tail: float) -> Estimate:
    contrast = _Difference(treated, control)
    low, high = contrast.find_ends(tail, -1.0, treated.rate - control.rate, 1.0)
    return Estimate(treated.rate - control.rate, low, high)


def _estimate_ratio(treated: Arm, control: Arm, tail: float) -> Estimate:
    contrast = _LogRatio(treated, control)
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


class _Contrast(ABC):
    """A contrast of the rates of two arms, and the exact test of each of its values."""

    def __init__(self, treated: Arm, control: Arm) -> None:
        """Keep the arms."""
        self._treated, self._control = treated, control

    @abstractmethod
    def score(self, treated_events: Floats, control_events: Floats, value: float) -> Floats:
        """Return the score statistic of *value* at these events; it rises with the first arm's."""

    @abstractmethod
    def list_rates(self, value: float) -> tuple[Floats, Floats]:
        """Return rates of the two arms, over their range, whose contrast is *value*."""

    def find_ends(
        self, tail: float, lowest: float, centre: float, highest: float
    ) -> tuple[float, float]:
        """Return the least and the greatest value whose test leaves more than *tail*."""
        return (
            self._find_end(tail, lowest, centre, upper=True),
            self._find_end(tail, highest, centre, upper=False),
        )

    def _find_end(self, tail: float, outermost: float, centre: float, *, upper: bool) -> float:
        """Return the outermost value that is not rejected, looked for from the rejected_value."""
        rejected_value = kept_value = outermost
        if self.compute_tail(rejected_value, upper=upper) > tail:
            return rejected_value
        for step in range(1, _SCAN_STEPS + 1):
            kept_value = outermost + (centre - outermost) * step / _SCAN_STEPS
            if self.compute_tail(kept_value, upper=upper) > tail:
                break
            rejected_value = kept_value
        while abs(kept_value - rejected_value) > _TOLERANCE:
            middle = (kept_value + rejected_value) / 2
            if self.compute_tail(middle, upper=upper) > tail:
                kept_value = middle
            else:
                rejected_value = middle
        return kept_value

    def compute_tail(self, value: float, *, upper: bool) -> float:
        """Return the largest chance, over all rates of contrast *value*, of what was observed.

        What was observed, or a statistic further up (or down).
        """
        n_treated, n_control = self._treated.participants, self._control.participants
        own_events = np.array([float(self._treated.events)])
        other_events = np.array([float(self._control.events)])
        observed = float(self.score(own_events, other_events, value)[0])
        control_events = np.arange(n_control + 1, dtype=np.float64)
        limit = observed - _TIE if upper else observed + _TIE
        first_beyond = self._find_first_events(control_events, limit, value, upper=upper)
        rates_treated, rates_control = self.list_rates(value)
        fewer = np.zeros((len(rates_treated), n_treated + 2))
        fewer[:, 1:] = _compute_binomial(n_treated, rates_treated).cumsum(axis=1)
        chances = fewer[:, first_beyond]
        if upper:
            chances = 1 - chances
        chances *= _compute_binomial(n_control, rates_control)
        return min(float(chances.sum(axis=1).max()), 1.0)

    def _find_first_events(
        self, control_events: Floats, limit: float, value: float, *, upper: bool
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Return the fewest events of the first arm whose statistic reaches the limit.

        Above the limit, for the lower tail; one more than the participants: none does.
        """
        low = np.zeros(len(control_events), dtype=np.int64)
        high = np.full(len(control_events), self._treated.participants + 1, dtype=np.int64)
        while (is_open := low < high).any():
            middle = (low + high) // 2
            events = np.minimum(middle, self._treated.participants).astype(np.float64)
            statistic = self.score(events, control_events, value)
            reaches = statistic >= limit if upper else statistic > limit
            high = np.where(is_open & reaches, middle, high)
            low = np.where(is_open & ~reaches, middle + 1, low)
        return low


class _Difference(_Contrast):
    """The difference of two rates."""

    def score(self, treated_events: Floats, control_events: Floats, value: float) -> Floats:
        """Return the score statistic of a difference."""
        n_treated, n_control = self._treated.participants, self._control.participants
        p, q = treated_events / n_treated, control_events / n_control
        size = n_control / n_treated
        a = 1 + size
        b = -(1 + size + p + size * q + value * (size + 2))
        c = value**2 + value * (2 * p + size + 1) + p + size * q
        d = -p * value * (1 + value)
        v = b**3 / (27 * a**3) - b * c / (6 * a**2) + d / (2 * a)
        u = np.copysign(np.sqrt(np.maximum(b**2 / (9 * a**2) - c / (3 * a), 0.0)), v)
        with np.errstate(divide="ignore", invalid="ignore"):
            angle = np.where(u == 0, 0.0, np.clip(v / u**3, -1.0, 1.0))
        w = (math.pi + np.arccos(angle)) / 3
        rate = np.clip(2 * u * np.cos(w) - b / (3 * a), max(value, 0.0), min(1.0, 1.0 + value))
        control_rate = np.clip(rate - value, 0.0, 1.0)
        variance = rate * (1 - rate) / n_treated + control_rate * (1 - control_rate) / n_control
        return _standardize(p - q - value, variance)

    def list_rates(self, value: float) -> tuple[Floats, Floats]:
        """Return pairs of rates that differ by *value*."""
        control = np.linspace(max(0.0, -value), min(1.0, 1.0 - value), _NUISANCE_RATES)
        return np.clip(control + value, 0.0, 1.0), control


class _LogRatio(_Contrast):
    """The logarithm of the ratio of two rates."""

    def score(self, treated_events: Floats, control_events: Floats, value: float) -> Floats:
        """Return the score statistic of a ratio."""
        n_treated, n_control = self._treated.participants, self._control.participants
        p, q, ratio = treated_events / n_treated, control_events / n_control, math.exp(value)
        size = n_control / n_treated
        a = 1 + size
        b = -(ratio * (1 + size * q) + size + p)
        c = ratio * (p + size * q)
        rate = (-b - np.sqrt(np.maximum(b**2 - 4 * a * c, 0.0))) / (2 * a)
        control_rate = np.clip(rate / ratio, 0.0, 1.0)
        variance = (
            rate * (1 - rate) / n_treated + ratio**2 * control_rate * (1 - control_rate) / n_control
        )
        return _standardize(p - ratio * q, variance)

    def list_rates(self, value: float) -> tuple[Floats, Floats]:
        """Return pairs of rates whose ratio is the exponential of *value*."""
        ratio = math.exp(value)
        control = np.linspace(0.0, min(1.0, 1.0 / ratio), _NUISANCE_RATES)
        return np.clip(control * ratio, 0.0, 1.0), control


def _standardize(excess: Floats, variance: Floats) -> Floats:
    """Return the excess in standard errors: 0 where there is none, else infinite without error."""
    is_nothing = np.abs(excess) < _TIE
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(is_nothing, 0.0, excess / np.sqrt(np.maximum(variance, 0.0)))


def _compute_binomial(n: int, rates: Floats) -> Floats:
    """Return the chance of each number of events at each rate, shape (rates, n + 1)."""
    events = np.arange(n + 1, dtype=np.float64)
    ways = special.gammaln(n + 1) - special.gammaln(events + 1) - special.gammaln(n - events + 1)
    p = rates[:, None]
    return np.asarray(np.exp(ways + special.xlogy(events, p) + special.xlog1py(n - events, -p)))
