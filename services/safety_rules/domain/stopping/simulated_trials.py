"""Trials that have not begun: drawn by chance, and when a rule would stop each of them.

The path of `path.path` for many trials at once, from the same `cohort.sizes`.
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
_US = 1_000_000  # microseconds: the resolution of an instant


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """How a trial goes.

    Args:
        accrual_days: Everybody enters within it, at any time alike.
        window_days: The window of each participant lasts between these, any length alike.
        onset: How soon the events come that come within the window.
    """

    accrual_days: float
    window_days: tuple[float, float]
    onset: Curve


@dataclass(frozen=True, slots=True)
class SimulatedTrials:
    """Instants in seconds, shape (trials, participants), by entry; an event that never is infinite.

    *entered_at*, *window_ends_at* of the window, *event_at*.
    """

    entered_at: Floats
    window_ends_at: Floats
    event_at: Floats

    def make_cohort(self) -> Cohort:
        """Return all of them followed to their end, as `sizes` reads many trials."""
        entered, ends = self.entered_at[:, None, :], self.window_ends_at[:, None, :]
        nobody = np.zeros(ends.shape, dtype=np.bool_)
        return Cohort((), entered, ends, ends, nobody, float(self.window_ends_at.max()), 0, 0, None)

    def make_outcomes(self) -> Outcomes:
        """Return what happened, as it came."""
        event = self.event_at[:, None, :]
        return Outcomes((), event, event)


def draw_trials(
    course: TrialPlan, rate: float, n: int, trials: int, chance: np.random.Generator
) -> SimulatedTrials:
    """Return *trials* of *n* participants each, every one with the event with probability *rate*.

    >>> plan = TrialPlan(365, (100, 100), Curve("uniform"))
    >>> draw_trials(plan, 0.2, 30, 2, np.random.default_rng(1)).event_at.shape
    (2, 30)

    Args:
        course: How they go.
        rate: In [0, 1].
        n: Participants.
        trials: How many.
        chance: Where the numbers come from: the same generator gives the same trials.
    """
    shape = trials, n
    entered = np.sort(chance.uniform(0, course.accrual_days, shape), axis=1) * DAY_S
    span = chance.uniform(*course.window_days, shape)
    days = find_onset_day(course.onset, chance.random(shape), span)
    happens = chance.random(shape) < rate
    event = np.where(happens, entered + days * DAY_S, NEVER)
    return SimulatedTrials(entered, entered + span * DAY_S, event)


def find_onset_day(curve: Curve, part: Floats, span: Floats) -> Floats:
    """Return the day by which *part* of the events that come within *span* days have come.

    The reverse of `pending.onset`, given that the event lies within the window; by length where
    the curve expects none there. Arrays are of one shape.
    """
    if curve.shape == "uniform":
        return np.asarray(part * span)
    at_end = compute_onset_fraction(curve, span, span)
    reached = part * at_end
    if curve.shape == "exponential":
        days = -curve.mean_days * np.log1p(-reached)
    elif curve.shape == "weibull":
        days = curve.scale_days * (-np.log1p(-reached)) ** (1 / curve.weibull_shape)
    else:
        at, parts = zip(*((0.0, 0.0), *curve.points), strict=True)
        days = np.interp(reached, parts, at)
    return np.where(at_end > 0, np.minimum(days, span), part * span)


def find_stop_instants(
    trials: SimulatedTrials, counting: CountingMethod, curve: Curve, limit: SignedLimits
) -> Floats:
    """Return when the rule stops each trial, in seconds; infinite when never, shape (trials,).

    Args:
        trials: At least one.
        counting: A policy, or the naive count, which the live monitor refuses.
        curve: The onset curve that the rule counts by.
        limit: Its boundary.
    """
    policy: Policy = "complete" if counting == "naive" else counting
    of, happened = trials.make_cohort(), trials.make_outcomes()
    if counting == "complete":
        happened = Outcomes(
            (), find_window_ends(of, happened.event_at), find_window_ends(of, happened.closed_at)
        )
    if limit.looks:
        return _at_looks(of, happened, policy, curve, limit)
    return _at_events(of, happened, policy, curve, limit)


def _at_events(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, limit: SignedLimits
) -> Floats:
    """The first date with events, at the last of them, at which the boundary is reached."""
    event = np.sort(happened.event_at[:, 0, :], axis=1)
    most = int(np.isfinite(event).sum(axis=1).max())
    at = np.concatenate([event[:, :most], np.full((len(event), 1), NEVER)], axis=1)
    date = np.floor(at / DAY_S)
    at, compared = at[:, :-1], date[:, :-1] != date[:, 1:]
    size = np.ceil(compute_sizes(of, happened, policy, curve, at) - SLACK).astype(np.int64)
    events = np.arange(1, most + 1)
    reached = np.isfinite(at) & compared & (events >= np.array(limit.table)[size])
    return np.asarray(np.where(reached, at, NEVER).min(axis=1, initial=NEVER))


def _at_looks(
    of: Cohort, happened: Outcomes, policy: Policy, curve: Curve, limit: SignedLimits
) -> Floats:
    """The first look that reaches the boundary, at the first instant at which its size is there."""
    stopped = np.full(len(of.entered_at), NEVER)
    for look in limit.looks:
        low = (of.entered_at[:, 0, 0] * _US).astype(np.int64) - 1
        high = np.full(len(low), round(of.as_of * _US))
        while (high - low > 1).any():
            middle = (low + high) // 2
            there = (
                compute_sizes(of, happened, policy, curve, middle[:, None] / _US)[:, 0]
                >= look - SLACK
            )
            low, high = np.where(there, low, middle), np.where(there, middle, high)
        moment = high / _US
        end_of_date = (moment // DAY_S + 1) * DAY_S
        events = (happened.event_at[:, 0, :] < end_of_date[:, None]).sum(axis=1)
        crossed = events >= limit.table[look]
        stopped = np.where(crossed, np.minimum(stopped, moment), stopped)
    return stopped
