"""Simulated trials, and the instant at which a rule would stop each of them.

The path of `path.list_path_points` for many trials at once, from the same `cohort.compute_sizes`.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    DAY_S,
    NEVER,
    Cohort,
    Outcomes,
    compute_sizes,
    find_window_ends,
)
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.pending import SLACK, compute_onset_fraction
from services.vocabulary.protocol import Curve, Policy

CountingMethod = Policy | Literal["naive"]

COUNTING_METHODS: tuple[CountingMethod, ...] = (
    "complete", "naive", "everyone_treated", "linear", "onset_weighted",
)  # fmt: skip
_MICROSECONDS = 1_000_000  # microseconds: the resolution of an instant


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """The course of a trial that is simulated.

    Args:
        accrual_days: Everybody enters within it, uniformly.
        window_days: Shortest and longest window of a participant, uniform between them.
        onset: The onset curve of the events within the window.
    """

    accrual_days: float
    window_days: tuple[float, float]
    onset: Curve


@dataclass(frozen=True, slots=True)
class SimulatedTrials:
    """Instants in seconds, shape (trials, participants), by entry; infinite: no event."""

    entered_at: Floats
    window_ends_at: Floats
    event_at: Floats

    def make_cohort(self) -> Cohort:
        """Return all participants followed to their end, as `compute_sizes` reads many trials."""
        entered_at, window_ends_at = self.entered_at[:, None, :], self.window_ends_at[:, None, :]
        is_frozen = np.zeros(window_ends_at.shape, dtype=np.bool_)
        return Cohort(
            (),
            entered_at,
            window_ends_at,
            window_ends_at,
            is_frozen,
            float(self.window_ends_at.max()),
            0,
            0,
            None,
        )

    def make_outcomes(self) -> Outcomes:
        """Return the outcomes as they came."""
        event_at = self.event_at[:, None, :]
        return Outcomes((), event_at, event_at)


def draw_trials(
    plan: TrialPlan, rate: float, n: int, trials: int, generator: np.random.Generator
) -> SimulatedTrials:
    """Return *trials* of *n* participants each, every one with the event with probability *rate*.

    >>> plan = TrialPlan(365, (100, 100), Curve("uniform"))
    >>> draw_trials(plan, 0.2, 30, 2, np.random.default_rng(1)).event_at.shape
    (2, 30)

    Args:
        plan: How they go.
        rate: In [0, 1].
        n: Participants.
        trials: How many.
        generator: Where the numbers come from: the same generator gives the same trials.
    """
    shape = trials, n
    entered_at = np.sort(generator.uniform(0, plan.accrual_days, shape), axis=1) * DAY_S
    span = generator.uniform(*plan.window_days, shape)
    days = find_onset_day(plan.onset, generator.random(shape), span)
    happens = generator.random(shape) < rate
    event_at = np.where(happens, entered_at + days * DAY_S, NEVER)
    return SimulatedTrials(entered_at, entered_at + span * DAY_S, event_at)


def find_onset_day(curve: Curve, part: Floats, span: Floats) -> Floats:
    """Return the day by which *part* of the events that come within *span* days have come.

    The reverse of `pending.compute_onset_fraction`, given that the event lies within the window; by
    length where the curve expects none there. Arrays are of one shape.
    """
    if curve.shape == "uniform":
        return np.asarray(part * span)
    at_end = compute_onset_fraction(curve, span, span)
    fraction = part * at_end
    if curve.shape == "exponential":
        days = -curve.mean_days * np.log1p(-fraction)
    elif curve.shape == "weibull":
        days = curve.scale_days * (-np.log1p(-fraction)) ** (1 / curve.weibull_shape)
    else:
        curve_days, parts = zip(*((0.0, 0.0), *curve.points), strict=True)
        days = np.interp(fraction, parts, curve_days)
    return np.where(at_end > 0, np.minimum(days, span), part * span)


def find_stop_instants(
    trials: SimulatedTrials, method: CountingMethod, curve: Curve, limit: SignedLimits
) -> Floats:
    """Return the instant at which the rule stops each trial, in seconds, shape (trials,).

    Infinite: it never stops it.

    Args:
        trials: At least one.
        method: A policy, or the naive count, which the live monitor refuses.
        curve: The onset curve that the rule counts by.
        limit: Its boundary.
    """
    policy: Policy = "complete" if method == "naive" else method
    cohort, outcomes = trials.make_cohort(), trials.make_outcomes()
    if method == "complete":
        outcomes = Outcomes(
            (),
            find_window_ends(cohort, outcomes.event_at),
            find_window_ends(cohort, outcomes.closed_at),
        )
    if limit.looks:
        return _find_stops_at_looks(cohort, outcomes, policy, curve, limit)
    return _find_stops_at_events(cohort, outcomes, policy, curve, limit)


def _find_stops_at_events(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, limit: SignedLimits
) -> Floats:
    """Return the last event of the first date on which the boundary is reached."""
    event = np.sort(outcomes.event_at[:, 0, :], axis=1)
    largest_count = int(np.isfinite(event).sum(axis=1).max())
    instants = np.concatenate([event[:, :largest_count], np.full((len(event), 1), NEVER)], axis=1)
    date = np.floor(instants / DAY_S)
    instants, is_compared = instants[:, :-1], date[:, :-1] != date[:, 1:]
    size = np.ceil(compute_sizes(cohort, outcomes, policy, curve, instants) - SLACK).astype(
        np.int64
    )
    events = np.arange(1, largest_count + 1)
    is_reached = np.isfinite(instants) & is_compared & (events >= np.array(limit.table)[size])
    return np.asarray(np.where(is_reached, instants, NEVER).min(axis=1, initial=NEVER))


def _find_stops_at_looks(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, limit: SignedLimits
) -> Floats:
    """Return the first look that reaches the boundary, at the first instant of its size."""
    stopped_at = np.full(len(cohort.entered_at), NEVER)
    for look in limit.looks:
        low = (cohort.entered_at[:, 0, 0] * _MICROSECONDS).astype(np.int64) - 1
        high = np.full(len(low), round(cohort.as_of * _MICROSECONDS))
        while (high - low > 1).any():
            middle = (low + high) // 2
            is_reached = (
                compute_sizes(cohort, outcomes, policy, curve, middle[:, None] / _MICROSECONDS)[
                    :, 0
                ]
                >= look - SLACK
            )
            low, high = np.where(is_reached, low, middle), np.where(is_reached, middle, high)
        moment = high / _MICROSECONDS
        end_of_date = (moment // DAY_S + 1) * DAY_S
        events = (outcomes.event_at[:, 0, :] < end_of_date[:, None]).sum(axis=1)
        is_crossed = events >= limit.table[look]
        stopped_at = np.where(is_crossed, np.minimum(stopped_at, moment), stopped_at)
    return stopped_at
