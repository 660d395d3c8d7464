"""The chances of a rule of person-time: what pending follow-up and the rest of its plan may bring.

Events against expected events are a Poisson process whose rate, the hazard ratio, has a gamma
prior: its posterior is gamma too, and every chance comes from one recursion over the intervals that
are left.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from services.safety_rules.domain.stopping.cohort import (
    DAY_S,
    Cohort,
    Outcomes,
)
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.follow_up import compute_weights
from services.safety_rules.domain.stopping.pending_outcome import PRIOR_PARTICIPANTS, PendingOutcome
from services.safety_rules.domain.stopping.person_time import measure_person_time
from services.safety_rules.domain.stopping.person_time_design import make_intervals
from services.safety_rules.domain.stopping.person_time_limits import PersonTimeLimits
from services.safety_rules.domain.stopping.person_time_recursion import (
    WatchedState,
    compute_stop_chance,
    cut_intervals,
    follow_states,
)
from services.vocabulary.protocol import Rule


class HazardEvidence(NamedTuple):
    """A gamma prior or posterior of the hazard ratio: shape, and rate in expected events."""

    shape: float
    rate: float


def find_person_time_outcome(
    rule: Rule, cohort: Cohort, outcomes: Outcomes, limit: PersonTimeLimits, *, is_crossed: bool
) -> PendingOutcome:
    """Return the pending outcome of a rule of person-time; *is_crossed*: its path has crossed.

    Who is pending is taken to be followed to the end of the window, also after an event, of which
    there are no more than participants: the chance that they cross is never too small.
    """
    time = compute_weights(cohort, outcomes, rule.policy, rule.curve, np.array([cohort.as_of]))[0]
    is_open = ~np.isfinite(outcomes.closed_at) & (cohort.followed_until < cohort.window_ends_at)
    is_continuing = is_open & ~cohort.is_frozen
    size, events = float(time.sum()), int(np.isfinite(outcomes.event_at).sum())
    time_ahead = _measure_time_ahead(rule, cohort, time, is_continuing)
    prior = find_hazard_prior(rule, limit)
    evidence = HazardEvidence(prior.shape + events, prior.rate + size * limit.plan.hazard)
    mean_ratio = evidence.shape / evidence.rate
    most_events = events + int(is_continuing.sum())
    intervals, expected = make_intervals(limit.limits, limit.plan), size * limit.plan.hazard
    states = follow_states(intervals, events, expected)
    pending_states = follow_states(
        cut_intervals(intervals, (size + time_ahead) * limit.plan.hazard, most_events),
        events,
        expected,
    )
    certain = is_crossed and _stays_crossed(limit, events, size + time_ahead)
    return PendingOutcome(
        size=size,
        complete=int((~is_open).sum()),
        weights=tuple(time[is_open].tolist()),
        rate=describe_risk(evidence, rule.stop_when.p0),
        certain=certain,
        possible=certain or _may_cross(limit, most_events, size, size + time_ahead),
        p_cross_p0=1.0 if is_crossed else compute_stop_chance(pending_states, 1.0),
        p_cross_posterior=1.0 if is_crossed else compute_stop_chance(pending_states, mean_ratio),
        predictive=1.0 if is_crossed else compute_predictive_stop_chance(states, evidence),
        conditional_p0=1.0 if is_crossed else compute_stop_chance(states, 1.0),
        prior=(prior.shape, prior.rate),
    )


def compute_predictive_stop_chance(
    states: Sequence[WatchedState], evidence: HazardEvidence
) -> float:
    """Return the chance of stopping from the first of *states* on, whatever the hazard ratio is.

    The likelihood of k events in a time against the ratio 1, averaged over the posterior, has a
    closed form: no stop is a sum over the events that are there at the end.
    """
    last, (shape, rate) = states[-1], evidence
    k, time = np.arange(len(last.chances)), last.elapsed_time
    log_weights = (
        time
        + special.gammaln(shape + k)
        - special.gammaln(shape)
        + shape * (math.log(rate) - math.log(rate + time))
        - k * math.log(rate + time)
    )
    return float(min(max(1 - last.chances @ np.exp(log_weights), 0.0), 1.0))


def _measure_time_ahead(
    rule: Rule, cohort: Cohort, time: Floats, is_continuing: npt.NDArray[np.bool_]
) -> float:
    """Return the person-time that those pending add by the end of their windows."""
    span = (cohort.window_ends_at - cohort.entered_at) / DAY_S
    return float((measure_person_time(rule.curve, span) - time)[is_continuing].sum())


def find_hazard_prior(rule: Rule, limit: PersonTimeLimits) -> HazardEvidence:
    """Return the prior of the hazard ratio: the rule's own, or worth two participants at p0."""
    if prior := rule.stop_when.parameters.get("prior"):
        return HazardEvidence(prior[0], prior[1] * limit.plan.hazard)
    weight = PRIOR_PARTICIPANTS * -math.log1p(-rule.stop_when.p0)
    return HazardEvidence(weight, weight)


def describe_risk(evidence: HazardEvidence, p0: float) -> tuple[float, float, float]:
    """Return mean, lower and upper 95 % of the risk within the window of p0; equal tails."""
    expected = -math.log1p(-p0)  # events of one participant, by the end of that window
    mean = -math.expm1(-evidence.shape * math.log1p(expected / evidence.rate))
    low, high = (
        -math.expm1(-float(special.gammaincinv(evidence.shape, tail)) / evidence.rate * expected)
        for tail in (0.025, 0.975)
    )
    return mean, low, high


def _stays_crossed(limit: PersonTimeLimits, events: int, size: float) -> bool:
    """Return True when no event-free completion can undo it; at a look it is never undone."""
    if limit.compared_sizes:
        return True
    return events >= limit.find_boundary_at(min(size, limit.plan.planned))


def _may_cross(limit: PersonTimeLimits, events: int, size: float, end: float) -> bool:
    """Return True when *events* would cross at some comparison from *size* to *end*."""
    reached = [one for one in limit.compared_sizes if size < one - limit.slack <= end]
    compared = [size, *reached] if limit.is_compared_at(size) else reached
    return any(events >= limit.find_boundary_at(one) for one in compared)
