"""Difference and ratio of the rates of two arms, with the exact test of each of their values.

The test is unconditional: its chance is taken at the least favourable pair of rates, and ordered by
the score statistic.

Source: Chan, Zhang 1999, Biometrics 55:1202-1209; the constrained estimates: Farrington, Manning
1990, Statistics in Medicine 9:1447-1454
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import LARGEST_N, Floats, Ints

_NUISANCE_RATES = 501  # at which the least favourable rate is looked for
_PARTS = 16  # of the rates, each spread over all: the first is most often unfavourable enough
_SCAN_STEPS = 20  # towards an interval's end, before it is bisected
_TOLERANCE = 1e-7  # of an interval's end; of the logarithm of a ratio's
_TIE = 1e-9  # statistics that differ by less are equal


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


class Contrast(ABC):
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
        if self._is_kept(rejected_value, tail, upper=upper):
            return rejected_value
        for step in range(1, _SCAN_STEPS + 1):
            kept_value = outermost + (centre - outermost) * step / _SCAN_STEPS
            if self._is_kept(kept_value, tail, upper=upper):
                break
            rejected_value = kept_value
        while abs(kept_value - rejected_value) > _TOLERANCE:
            middle = (kept_value + rejected_value) / 2
            if self._is_kept(middle, tail, upper=upper):
                kept_value = middle
            else:
                rejected_value = middle
        return kept_value

    def compute_tail(self, value: float, *, upper: bool) -> float:
        """Return the largest chance, over all rates of contrast *value*, of what was observed.

        What was observed, or a statistic further up (or down).
        """
        return max(self._list_largest_tails(value, upper=upper))

    def _is_kept(self, value: float, tail: float, *, upper: bool) -> bool:
        """Return True when `compute_tail` of *value* is above *tail*."""
        return any(one > tail for one in self._list_largest_tails(value, upper=upper))

    def _list_largest_tails(self, value: float, *, upper: bool) -> Iterator[float]:
        """Yield the largest chance of each part of the rates; see `compute_tail`."""
        first_beyond = self._find_first_beyond(value, upper=upper)
        treated, control = self.list_rates(value)
        for start in range(_PARTS):
            rates = treated[start::_PARTS], control[start::_PARTS]
            yield self._find_largest_tail(first_beyond, *rates, upper=upper)

    def _find_largest_tail(
        self, first_beyond: Ints, rates_treated: Floats, rates_control: Floats, *, upper: bool
    ) -> float:
        """Return the largest chance, over pairs of rates, of events from *first_beyond* on.

        Args:
            first_beyond: Of the first arm, for each number of events of the control.
            rates_treated: Shape (pairs,).
            rates_control: The same.
            upper: False: the chance of fewer events instead.
        """
        n_treated, n_control = self._treated.participants, self._control.participants
        fewer = np.zeros((len(rates_treated), n_treated + 2))
        fewer[:, 1:] = _compute_binomial(n_treated, rates_treated).cumsum(axis=1)
        chances = fewer[:, first_beyond]
        if upper:
            chances = 1 - chances
        chances *= _compute_binomial(n_control, rates_control)
        return min(float(chances.sum(axis=1).max()), 1.0)

    def _find_first_beyond(self, value: float, *, upper: bool) -> Ints:
        """Return the fewest events of the first arm that are as extreme as what was observed.

        One for each number of events of the control; see `_find_first_events`.
        """
        own_events = np.array([float(self._treated.events)])
        other_events = np.array([float(self._control.events)])
        observed = float(self.score(own_events, other_events, value)[0])
        control_events = np.arange(self._control.participants + 1, dtype=np.float64)
        limit = observed - _TIE if upper else observed + _TIE
        return self._find_first_events(control_events, limit, value, upper=upper)

    def _find_first_events(
        self, control_events: Floats, limit: float, value: float, *, upper: bool
    ) -> Ints:
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


class Difference(Contrast):
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


class LogRatio(Contrast):
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
    events, ways = _count_ways(n)
    with np.errstate(invalid="ignore"):  # nothing of a rate of 0 is nothing, and no number here
        of_events = special.xlogy(1.0, rates)[:, None] * events
        of_others = special.xlog1py(1.0, -rates)[:, None] * (n - events)
    of_events[:, 0] = of_others[:, n] = 0.0
    logarithms = np.add(of_events, ways, out=of_events)
    logarithms += of_others
    return np.asarray(np.exp(logarithms, out=logarithms))


@lru_cache(maxsize=8)
def _count_ways(n: int) -> tuple[Floats, Floats]:
    """Return 0 to *n* events, and the logarithms of the ways in which each can come about."""
    events = np.arange(n + 1, dtype=np.float64)
    ways = special.gammaln(n + 1) - special.gammaln(events + 1) - special.gammaln(n - events + 1)
    return events, ways
