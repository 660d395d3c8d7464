"""Exact chances of a rule in person-time, by recursion over the events at each of its limits.

One pass at the acceptable hazard is enough for every other hazard: at r times that hazard, a count
of k at mu expected events is ``r^k exp(-(r - 1) mu)`` times as likely.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats
from services.vocabulary.spelled_numbers import spell_number

_RESOLUTION = 1e-9  # expected events
_ROUNDING = 1e-13  # of summing probabilities
_MORE_EVENTS = 40  # than are likely within an interval: their chance cannot be seen, at any hazard


class WatchInterval(NamedTuple):
    """A stretch of time, in expected events, from the end of the one before it to *end*.

    Args:
        end: Its end.
        stops_within: Events that stop at any moment of it; 0: nothing is compared.
        stops_at_end: Events that stop at its end; 0: nothing is compared.
    """

    end: float
    stops_within: int
    stops_at_end: int


class WatchedState(NamedTuple):
    """The chances of each count of events, not stopped, at the beginning of an interval.

    *elapsed_time* is the time since the first state; ``chances[k]`` is of k more events than there.
    """

    start: float
    elapsed_time: float
    interval: WatchInterval
    chances: Floats

    @property
    def length(self) -> float:
        """The length of the interval, in expected events."""
        return self.interval.end - self.start


@dataclass(frozen=True, slots=True)
class PersonTimeCharacteristics:
    """The behaviour of a rule when the true hazard is *ratio* times the acceptable one.

    Args:
        ratio: 0 or more.
        p_stop: Probability of ever stopping.
        e_time: Expected person-time when it stops, or that of the plan.
        e_events: Expected events by then.
        median_stop: Person-time by which half of the trials that stop have stopped; None:
            none does.
    """

    ratio: float
    p_stop: float
    e_time: float
    e_events: float
    median_stop: float | None


def list_intervals(
    limits: Sequence[float], planned: float, delayed_start: float = 0.0
) -> list[WatchInterval]:
    """Return the intervals of a rule that is compared at every moment from *delayed_start* on.

    >>> [tuple(one) for one in list_intervals([0.0, 0.4, 1.0], planned=1.0)]
    [(0.4, 2, 2), (1.0, 3, 3)]

    Args:
        limits: Expected events up to which 1, 2, ... events stop, rising; 0: they never do.
        planned: Expected events at which the plan ends.
        delayed_start: Expected events before which nothing is compared.
    """
    reached_limits = [(end, k) for k, end in enumerate(limits, 1) if end >= delayed_start]
    intervals = (
        [WatchInterval(delayed_start, 0, reached_limits[0][1])]
        if delayed_start and reached_limits
        else []
    )
    start = delayed_start
    for end, k in reached_limits:
        if end > start:
            intervals.append(WatchInterval(end, k, k))
            start = end
    return intervals if start >= planned else [*intervals, WatchInterval(planned, 0, 0)]


def list_look_intervals(looks: Sequence[tuple[float, int]], planned: float) -> list[WatchInterval]:
    """Return the intervals of a rule that is compared at *looks* alone.

    >>> [tuple(one) for one in list_look_intervals([(0.5, 2)], planned=1.0)]
    [(0.5, 0, 2), (1.0, 0, 0)]

    Args:
        looks: Each with its expected events, rising, and the events that stop there.
        planned: Expected events at which the plan ends.
    """
    intervals = [WatchInterval(look, 0, k) for look, k in looks]
    is_over = bool(looks) and looks[-1][0] >= planned
    return intervals if is_over else [*intervals, WatchInterval(planned, 0, 0)]


def cut_intervals(
    intervals: Sequence[WatchInterval], end: float, most_events: int
) -> list[WatchInterval]:
    """Return the part of *intervals* up to *end* in which no more than *most_events* stop.

    A look after the end is not reached, and what needs more events than there can be never stops.

    >>> intervals = [WatchInterval(0.4, 2, 2), WatchInterval(1, 3, 3)]
    >>> [tuple(one) for one in cut_intervals(intervals, 0.5, 3)]
    [(0.4, 2, 2), (0.5, 3, 3)]
    >>> [tuple(one) for one in cut_intervals(intervals, 0.5, 2)]
    [(0.4, 2, 2)]
    """
    reachable = [one for one in intervals if one.stops_at_end <= most_events]
    complete_intervals = [one for one in reachable if one.end <= end]
    if len(complete_intervals) == len(reachable):
        return complete_intervals
    stops_within = reachable[len(complete_intervals)].stops_within
    return [*complete_intervals, WatchInterval(end, stops_within, stops_within)]


def follow_states(
    intervals: Sequence[WatchInterval], events: int = 0, started_at: float = 0.0
) -> list[WatchedState]:
    """Return the state at the beginning of each interval from *started_at* on.

    It is that of the acceptable hazard. Nothing is compared from the last state on.

    Args:
        intervals: Of the rule, in order.
        events: So far, without a stop.
        started_at: Expected events so far.
    """
    chances, start, states = np.ones(1), started_at, []
    for interval in intervals:
        if interval.end <= start:
            continue
        if interval.stops_within:
            chances = chances[: max(interval.stops_within - events, 0)]
        states.append(WatchedState(start, start - started_at, interval, chances))
        if not interval.stops_at_end:
            return states
        chances = _advance(chances, interval.end - start, max(interval.stops_at_end - events, 0))
        start = interval.end
    return [*states, WatchedState(start, start - started_at, WatchInterval(start, 0, 0), chances)]


def compute_stop_chance(states: Sequence[WatchedState], ratio: float) -> float:
    """Return the chance of stopping from the first of *states* on, at *ratio* times the hazard."""
    chance = 1 - _compute_survival(states[-1], ratio, 0.0)
    return chance if chance > _ROUNDING else 0.0


def compute_person_time_characteristics(
    states: Sequence[WatchedState], ratio: float
) -> PersonTimeCharacteristics:
    """Return the characteristics of the rule with *states* from 0 on, in expected events.

    Raises:
        ValueError: The ratio is negative or not finite.
    """
    if not 0 <= ratio < np.inf:
        raise ValueError(f"ratios must be 0 or more, not {spell_number(ratio)}")
    p_stop = compute_stop_chance(states, ratio)
    e_time = sum(_integrate_survival(state, ratio) for state in states)
    return PersonTimeCharacteristics(
        ratio=ratio,
        p_stop=p_stop,
        e_time=e_time,
        e_events=ratio * e_time,  # Wald: events less their compensator are a martingale
        median_stop=_find_median(states, ratio, p_stop),
    )


def _advance(chances: Floats, expected: float, width: int) -> Floats:
    """Return the chances of each count below *width* after *expected* more events."""
    if not width or not len(chances):
        return np.zeros(0)
    likely = int(expected + 12 * expected**0.5) + _MORE_EVENTS
    steps = np.append(1.0, np.cumprod(expected / np.arange(1, min(width, likely))))
    later_chances: Floats = np.convolve(chances, np.exp(-expected) * steps)[:width]
    return later_chances


def _weigh(width: int, expected: float, ratio: float) -> Floats:
    """Return the likelihood ratio of each count at *expected* events, of *ratio* to 1."""
    return np.asarray(np.exp(special.xlogy(np.arange(width), ratio) - (ratio - 1) * expected))


def _compute_survival(state: WatchedState, ratio: float, length: float) -> float:
    """Return the chance of not having stopped *length* expected events into the interval."""
    chances = state.chances * _weigh(len(state.chances), state.elapsed_time, ratio)
    if not state.interval.stops_within:
        return float(chances.sum())
    return float(chances @ special.gammaincc(_count_room(state), ratio * length))


def _count_room(state: WatchedState) -> Floats:
    """Return the number of further events that stop, for each count from 0 on."""
    return np.arange(
        state.interval.stops_within, state.interval.stops_within - len(state.chances), -1.0
    )


def _integrate_survival(state: WatchedState, ratio: float) -> float:
    """Return the expected time within the interval before a stop, in expected events."""
    chances = state.chances * _weigh(len(state.chances), state.elapsed_time, ratio)
    if not state.interval.stops_within or ratio == 0:
        return float(chances.sum() * state.length)
    later = special.gammainc(np.arange(1.0, state.interval.stops_within + 1), ratio * state.length)
    room = _count_room(state).astype(np.int64)
    return float(chances @ np.cumsum(later)[room - 1] / ratio)


def _find_median(states: Sequence[WatchedState], ratio: float, p_stop: float) -> float | None:
    """Return the time by which half of *p_stop* has stopped, to a billionth of an event."""
    if p_stop <= 0:
        return None
    half = 1 - p_stop / 2
    ends_early = [_compute_survival(after, ratio, 0.0) <= half for after in states[1:]]
    state = states[ends_early.index(True)] if True in ends_early else states[-1]
    low, high = 0.0, state.length
    if not state.interval.stops_within or _compute_survival(state, ratio, high) > half:
        return state.interval.end
    while high - low > _RESOLUTION:
        middle = (low + high) / 2
        is_later = _compute_survival(state, ratio, middle) > half
        low, high = (middle, high) if is_later else (low, middle)
    return state.start + high
