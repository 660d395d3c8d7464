"""The instant at which a rule would stop each of many simulated trials.

The path of `path.list_path_points` for many trials at once, from the same `cohort.compute_sizes`.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from services.safety_rules.domain.stopping.cohort import (
    DAY_S,
    NEVER,
    Cohort,
    Outcomes,
)
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.follow_up import compute_sizes
from services.safety_rules.domain.stopping.path import Limits
from services.safety_rules.domain.stopping.simulated_trials import SimulatedTrials
from services.vocabulary.protocol import Curve, Policy

CountingMethod = Policy | Literal["naive"]

COUNTING_METHODS: tuple[CountingMethod, ...] = (
    "complete", "naive", "everyone_treated", "linear", "onset_weighted",
)  # fmt: skip
_MICROSECONDS = 1_000_000  # microseconds: the resolution of an instant


def find_stop_instants(
    trials: SimulatedTrials, method: CountingMethod, curve: Curve, limit: Limits
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
    counted_trials = _count_complete_alone(trials) if method == "complete" else trials
    if _is_known_at_once(trials):
        return _find_stops(counted_trials, counted_trials.make_outcomes(), policy, curve, limit)
    return _find_reported_stops(counted_trials, policy, curve, limit)


def _is_known_at_once(trials: SimulatedTrials) -> bool:
    return (
        np.array_equal(trials.event_at, trials.event_known_at)
        and np.array_equal(trials.competing_at, trials.competing_known_at)
        and not np.isfinite(trials.false_at).any()
    )


def _count_complete_alone(trials: SimulatedTrials) -> SimulatedTrials:
    """Return the trials with every outcome at the end of its window, and not known before it."""

    def postpone(instants: Floats, are: Floats) -> Floats:
        return np.where(np.isfinite(are), np.maximum(instants, trials.window_ends_at), NEVER)

    return replace(
        trials,
        event_at=postpone(trials.window_ends_at, trials.event_at),
        competing_at=postpone(trials.window_ends_at, trials.competing_at),
        false_at=postpone(trials.window_ends_at, trials.false_at),
        event_known_at=postpone(trials.event_known_at, trials.event_at),
        competing_known_at=postpone(trials.competing_known_at, trials.competing_at),
        false_known_at=postpone(trials.false_known_at, trials.false_at),
    )


def _find_reported_stops(
    trials: SimulatedTrials, policy: Policy, curve: Curve, limit: Limits
) -> Floats:
    """Return the first instant at which what was reported by then reaches the boundary."""
    reports = trials.list_reports()
    next_reports = np.concatenate([reports[:, 1:], np.full((len(reports), 1), NEVER)], axis=1)
    stopped_at = np.full(len(reports), NEVER)
    for known_at, next_report in zip(reports.T, next_reports.T, strict=False):
        is_open = ~np.isfinite(stopped_at) & np.isfinite(known_at)
        if not is_open.any():
            break
        open_trials = trials.select(is_open)
        outcomes = open_trials.make_outcomes(known_at[is_open])
        reached_at = _find_stops(
            open_trials, outcomes, policy, curve, limit, ends_at=next_report[is_open]
        )
        stopped_at[is_open] = np.where(
            np.isfinite(reached_at), np.maximum(reached_at, known_at[is_open]), NEVER
        )
    return stopped_at


def _find_stops(
    trials: SimulatedTrials,
    outcomes: Outcomes,
    policy: Policy,
    curve: Curve,
    limit: Limits,
    *,
    ends_at: Floats | None = None,
) -> Floats:
    """Return the instant of each path at which it reaches the boundary, before *until*."""
    cohort = trials.make_cohort()
    stopped_at = np.full(len(trials.entered_at), NEVER)
    if limit.is_compared_at(NEVER):
        stopped_at = _find_stops_at_events(cohort, outcomes, policy, curve, limit)
    if limit.compared_sizes:
        reached_at = _find_stops_at_looks(cohort, outcomes, policy, curve, limit)
        is_reached = reached_at < (NEVER if ends_at is None else ends_at)
        stopped_at = np.where(is_reached, np.minimum(stopped_at, reached_at), stopped_at)
    return stopped_at


def _find_stops_at_events(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, limit: Limits
) -> Floats:
    """Return the last event of the first date on which the boundary is reached."""
    event = np.sort(outcomes.event_at[:, 0, :], axis=1)
    largest_count = int(np.isfinite(event).sum(axis=1).max())
    instants = np.concatenate([event[:, :largest_count], np.full((len(event), 1), NEVER)], axis=1)
    date = np.floor(instants / DAY_S)
    instants, is_compared = instants[:, :-1], date[:, :-1] != date[:, 1:]
    is_event = np.isfinite(instants)
    size = compute_sizes(cohort, outcomes, policy, curve, np.where(is_event, instants, 0.0))
    is_compared &= is_event & limit.are_compared_at(size)
    is_reached = is_compared & (np.arange(1, largest_count + 1) >= limit.find_boundaries(size))
    return np.asarray(np.where(is_reached, instants, NEVER).min(axis=1, initial=NEVER))


def _find_stops_at_looks(
    cohort: Cohort, outcomes: Outcomes, policy: Policy, curve: Curve, limit: Limits
) -> Floats:
    """Return the first look that reaches the boundary, at the first instant of its size."""
    stopped_at = np.full(len(cohort.entered_at), NEVER)
    first = (cohort.entered_at[:, 0, 0] * _MICROSECONDS).astype(np.int64) - 1
    last = np.full(len(first), round(cohort.as_of * _MICROSECONDS))

    def reaches_look(moments: npt.NDArray[np.int64], look: float) -> npt.NDArray[np.bool_]:
        instants = moments[:, None] / _MICROSECONDS
        size = compute_sizes(cohort, outcomes, policy, curve, instants)[:, 0]
        return np.asarray(size >= look - limit.slack)

    for look in limit.compared_sizes:
        is_ever_reached = reaches_look(last, look)
        low, high = first, last
        while (high - low > 1).any():
            middle = (low + high) // 2
            is_reached = reaches_look(middle, look)
            low, high = np.where(is_reached, low, middle), np.where(is_reached, middle, high)
        moment = high / _MICROSECONDS
        end_of_date = (moment // DAY_S + 1) * DAY_S
        events = (outcomes.event_at[:, 0, :] < end_of_date[:, None]).sum(axis=1)
        is_crossed = is_ever_reached & (events >= limit.find_boundary_at(look))
        stopped_at = np.where(is_crossed, np.minimum(stopped_at, moment), stopped_at)
    return stopped_at
