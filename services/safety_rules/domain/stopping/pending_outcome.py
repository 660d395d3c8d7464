"""What those pending may still change: from sure to merely possible."""

from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.cohort import (
    Cohort,
    Outcomes,
    apply_policy,
    compute_weights,
)
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.pending import find_table_row
from services.safety_rules.domain.stopping.prediction import (
    OutstandingPlan,
    compute_conditional_chance,
    compute_pending_chance,
    compute_posterior_rate,
    compute_predictive_chance,
)
from services.vocabulary.protocol import Policy, Rule

PRIOR_PARTICIPANTS = 2.0  # what a prior at p0 is worth where the rule's method has none


@dataclass(frozen=True, slots=True)
class PendingOutcome:
    """Counts, and chances in [0, 1]; see `vocabulary.decision.Decision` for each."""

    size: float
    complete: int
    weights: tuple[float, ...]
    rate: tuple[float, float, float]
    certain: bool
    possible: bool
    p_cross_p0: float
    p_cross_posterior: float
    predictive: float
    conditional_p0: float


def find_pending_outcome(
    rule: Rule, of: Cohort, happened: Outcomes, limit: SignedLimits, *, crossed: bool
) -> PendingOutcome:
    """Return the outlook of a rule whose path has *crossed* already, or has not."""
    left, weights = count_outstanding(rule, of, happened)
    rate = compute_posterior_rate(left)
    needed = _needed_when_complete(left, limit)
    return PendingOutcome(
        size=left.size_now,
        complete=left.complete,
        weights=weights,
        rate=rate,
        certain=crossed if limit.looks else left.events >= needed,
        possible=crossed or _possible(left, limit),
        p_cross_p0=compute_pending_chance(left, needed, rule.stop_when.p0),
        p_cross_posterior=compute_pending_chance(left, needed, rate[0]),
        predictive=1.0 if crossed else compute_predictive_chance(left, limit),
        conditional_p0=1.0
        if crossed
        else compute_conditional_chance(left, limit, rule.stop_when.p0),
    )


def count_outstanding(
    rule: Rule, of: Cohort, happened: Outcomes
) -> tuple[OutstandingPlan, tuple[float, ...]]:
    """Return what is outstanding, and what each pending participant counts for, in entry order.

    *happened* is as it came: under ``complete``, an outcome before the end of the window is known
    for sure, and still pending.
    """
    now = np.array([of.as_of])
    counted = apply_policy(of, happened, rule.policy)
    known = np.isfinite(happened.closed_at)
    is_open = ~np.isfinite(counted.closed_at) & (known | (of.followed_until < of.window_ends_at))
    frozen = is_open & of.is_frozen & ~known
    going_on = is_open & ~frozen
    by_time: Policy = "linear" if rule.policy == "linear" else "onset_weighted"
    size = compute_weights(of, counted, rule.policy, rule.curve, now)[0]
    risk = compute_weights(of, happened, by_time, rule.curve, now)[0]
    prior = rule.stop_when.parameters.get("prior")
    p0 = rule.stop_when.p0
    left = OutstandingPlan(
        events=int(np.isfinite(counted.event_at).sum()),
        complete=int((~is_open).sum()),
        risk=tuple(risk[going_on].tolist()),
        size=tuple(size[going_on].tolist()),
        sure=tuple(np.isfinite(happened.event_at)[going_on].tolist()),
        frozen_risk=tuple(risk[frozen].tolist()),
        frozen_size=float(size[frozen].sum()),
        n=rule.stop_when.n,
        prior=(
            (prior[0], prior[1])
            if prior
            else (PRIOR_PARTICIPANTS * p0, PRIOR_PARTICIPANTS * (1 - p0))
        ),
    )
    return left, tuple(size[is_open].tolist())


def _needed_when_complete(left: OutstandingPlan, limit: SignedLimits) -> int:
    """The boundary once nobody is pending; out of reach when the rule does not look by then."""
    if not limit.looks:
        return limit.table[find_table_row(left.size_when_complete)]
    compared = limit.find_compared_boundary(left.size_now, left.size_when_complete)
    return left.n + 1 if compared is None else compared


def _possible(left: OutstandingPlan, limit: SignedLimits) -> bool:
    return any(
        left.events + k >= limit.find_boundary(left.complete + k) for k in range(len(left.risk) + 1)
    )
