"""Exact operating characteristics of a boundary, by forward recursion over the events so far."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats, Ints
from services.vocabulary.spelled_numbers import spell_number

LONGEST_DAYS = 3650.0  # of an accrual or a window

HALF_SLACK = 1e-12  # of summing probabilities


@dataclass(frozen=True, slots=True)
class Characteristics:
    """The behaviour of a boundary when the true event rate is *rate*.

    Args:
        rate: Probability of an event, in [0, 1].
        p_stop: Probability of ever stopping.
        e_evaluated: Expected participants evaluated when it stops, or n.
        e_events: Expected events among them.
        p_stop_at: Probability of stopping at exactly x evaluable, x = 0 .. n.
    """

    rate: float
    p_stop: float
    e_evaluated: float
    e_events: float
    p_stop_at: tuple[float, ...]

    @property
    def median_stop(self) -> int | None:
        """The size by which half of the trials that stop have stopped; None: none stops."""
        if not self.p_stop:
            return None
        return int(np.searchsorted(np.cumsum(self.p_stop_at), self.p_stop / 2 - HALF_SLACK))


def compute_crossing_probability(boundary: Ints, rate: float) -> float:
    """Return the probability of ever reaching *boundary* at *rate*.

    Args:
        boundary: Events that stop at x = 0 .. n evaluable, shape (n + 1,); above x: no stop there.
        rate: Probability of an event, in [0, 1].
    """
    looks = np.flatnonzero(boundary <= np.arange(len(boundary)))
    if not len(looks):
        return 0.0
    last = int(looks[-1])
    state = np.zeros(int(boundary[looks].max()) + 1)  # more events than this stop at the next look
    state[0] = 1.0
    stops_at = boundary.tolist()
    for x in range(1, last + 1):
        state[1:] = state[1:] * (1 - rate) + state[:-1] * rate
        state[0] *= 1 - rate
        if stops_at[x] <= x:
            state[stops_at[x] :] = 0.0
    return max(float(1 - state.sum()), 0.0)  # below 0 by rounding alone


def check_rates(rates: Sequence[float]) -> None:
    """Do nothing when each of *rates* is a probability.

    Raises:
        ValueError: One is outside [0, 1].
    """
    for rate in rates:
        if not 0 <= rate <= 1:
            raise ValueError(f"rates must be from 0 to 1, not {spell_number(rate)}")


def compute_characteristics(boundary: Ints, rates: Sequence[float]) -> tuple[Characteristics, ...]:
    """Return the characteristics of *boundary* at each of *rates*.

    Args:
        boundary: Events that stop at x = 0 .. n evaluable, shape (n + 1,); above x: no stop there.
        rates: Each in [0, 1].

    Raises:
        ValueError: A rate is outside [0, 1].
    """
    check_rates(rates)
    n = len(boundary) - 1
    p = np.array(rates, dtype=float)[:, None]
    events = np.arange(n + 1, dtype=float)
    state = np.zeros((len(rates), n + 1))
    state[:, 0] = 1.0
    p_stop_at: Floats = np.zeros((len(rates), n + 1))
    e_events = np.zeros(len(rates))
    for x in range(1, n + 1):
        event_mass = state[:, :-1] * p
        state *= 1 - p
        state[:, 1:] += event_mass
        if (b := int(boundary[x])) <= x:
            p_stop_at[:, x] = state[:, b:].sum(axis=1)
            e_events += state[:, b:] @ events[b:]
            state[:, b:] = 0.0
    e_events += state @ events
    p_stop = p_stop_at.sum(axis=1)
    e_evaluated = p_stop_at @ events + n * (1 - p_stop)
    return tuple(
        Characteristics(rate, float(stop), float(evaluated), float(seen), tuple(times.tolist()))
        for rate, stop, evaluated, seen, times in zip(
            rates, p_stop, e_evaluated, e_events, p_stop_at, strict=True
        )
    )


def compute_enrolment(
    characteristics: Characteristics, accrual_days: float, window_days: float
) -> tuple[float, float]:
    """Return the expected participants enrolled, and days from the first day to the decision.

    The n of the plan enter at random times, uniform over *accrual_days*; each is evaluated at the
    end of a window of *window_days*, and those who entered meanwhile are enrolled too. Exact: the
    x-th entry is a Beta(x, n - x + 1) part of the accrual, and the rest are uniform after it.

    Raises:
        ValueError: The accrual or the window is out of range.
    """
    if not 0 < accrual_days <= LONGEST_DAYS:
        raise ValueError(
            f"accrual_days must be above 0 and up to {LONGEST_DAYS:g} days, not"
            f" {spell_number(accrual_days)}"
        )
    if not 0 <= window_days <= LONGEST_DAYS:
        raise ValueError(
            f"window_days must be from 0 up to {LONGEST_DAYS:g} days, not"
            f" {spell_number(window_days)}"
        )
    n = len(characteristics.p_stop_at) - 1
    x = np.arange(1, n + 1, dtype=float)
    chances = np.array(characteristics.p_stop_at[1:])
    chances[-1] += 1 - characteristics.p_stop
    window = min(window_days / accrual_days, 1.0)
    participants_left = n - x[:-1]  # to enter after the x-th, who is not the last
    all_enter = special.betainc(participants_left + 1, x[:-1], window)
    some_enter = window * n * special.betaincc(participants_left, x[:-1], window)
    expected_entries = np.append(x[:-1] + participants_left * all_enter + some_enter, n)
    days = accrual_days * x / (n + 1) + window_days
    return float(chances @ expected_entries), float(chances @ days)
