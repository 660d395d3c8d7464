"""The outcomes that pending participants may still bring, from certain to merely possible."""

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
    compute_chance_at_looks,
    compute_conditional_chance,
    compute_pending_chance,
    compute_posterior_rate,
    compute_predictive_chance,
    list_pending_boundaries,
)
from services.vocabulary.protocol import Policy, Rule

PRIOR_PARTICIPANTS = 2.0  # the weight of a prior at p0 where the rule's method has none


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
    prior: tuple[float, float]


def find_pending_outcome(
    rule: Rule, cohort: Cohort, outcomes: Outcomes, limit: SignedLimits, *, is_crossed: bool
) -> PendingOutcome:
    """Return the pending outcome of a rule; *is_crossed*: its path has crossed already."""
    plan, weights = count_outstanding(rule, cohort, outcomes)
    rate = compute_posterior_rate(plan)
    conditional_p0 = (
        1.0 if is_crossed else compute_conditional_chance(plan, limit, rule.stop_when.p0)
    )
    return PendingOutcome(
        size=plan.size_now,
        complete=plan.complete,
        weights=weights,
        rate=rate,
        certain=_is_certain(plan, limit, is_crossed=is_crossed),
        possible=_is_possible(plan, limit, is_crossed=is_crossed),
        p_cross_p0=min(  # above it by rounding alone
            compute_crossing_chance(plan, limit, rule.stop_when.p0, is_crossed=is_crossed),
            conditional_p0,
        ),
        p_cross_posterior=compute_crossing_chance(plan, limit, rate[0], is_crossed=is_crossed),
        predictive=1.0 if is_crossed else compute_predictive_chance(plan, limit),
        conditional_p0=conditional_p0,
        prior=plan.prior,
    )


def count_outstanding(
    rule: Rule, cohort: Cohort, outcomes: Outcomes
) -> tuple[OutstandingPlan, tuple[float, ...]]:
    """Return the rest of the plan, and the weight of each pending participant, in entry order.

    *outcomes* are as they came: under ``complete``, an outcome before the end of the window is
    known for sure, and still pending.
    """
    data_cut = np.array([cohort.as_of])
    counted_outcomes = apply_policy(cohort, outcomes, rule.policy)
    is_known = np.isfinite(outcomes.closed_at)
    is_open = ~np.isfinite(counted_outcomes.closed_at) & (
        is_known | (cohort.followed_until < cohort.window_ends_at)
    )
    is_frozen = is_open & cohort.is_frozen & ~is_known
    is_continuing = is_open & ~is_frozen
    by_time: Policy = "linear" if rule.policy == "linear" else "onset_weighted"
    size = compute_weights(cohort, counted_outcomes, rule.policy, rule.curve, data_cut)[0]
    risk = compute_weights(cohort, outcomes, by_time, rule.curve, data_cut)[0]
    plan = OutstandingPlan(
        events=int(np.isfinite(counted_outcomes.event_at).sum()),
        complete=int((~is_open).sum()),
        risk=tuple(risk[is_continuing].tolist()),
        size=tuple(size[is_continuing].tolist()),
        sure=tuple(np.isfinite(outcomes.event_at)[is_continuing].tolist()),
        frozen_risk=tuple(risk[is_frozen].tolist()),
        frozen_size=float(size[is_frozen].sum()),
        n=rule.stop_when.n,
        prior=find_prior(rule),
    )
    return plan, tuple(size[is_open].tolist())


def find_prior(rule: Rule) -> tuple[float, float]:
    """Return the beta prior of the event rate: the rule's, or a weak one around its p0."""
    if prior := rule.stop_when.parameters.get("prior"):
        return prior[0], prior[1]
    p0 = rule.stop_when.p0
    return PRIOR_PARTICIPANTS * p0, PRIOR_PARTICIPANTS * (1 - p0)


def _is_certain(plan: OutstandingPlan, limit: SignedLimits, *, is_crossed: bool) -> bool:
    """Return True when no event-free completion can undo it; at a look it is never undone."""
    if not limit.looks:
        return plan.events >= _find_needed_when_complete(plan, limit)
    boundaries = list_pending_boundaries(plan, limit)
    return is_crossed or any(b is not None and plan.events >= b for b in boundaries)


def _is_possible(plan: OutstandingPlan, limit: SignedLimits, *, is_crossed: bool) -> bool:
    """Return True when the count is at the boundary, if enough of those pending have the event."""
    if limit.looks:
        boundaries = enumerate(list_pending_boundaries(plan, limit), 1)
        return is_crossed or any(b is not None and plan.events + k >= b for k, b in boundaries)
    known_size = plan.complete + plan.frozen_size
    return any(
        plan.events + k >= limit.table[find_table_row(known_size + k)]
        for k in range(len(plan.risk) + 1)
    )


def compute_crossing_chance(
    plan: OutstandingPlan, limit: SignedLimits, p: float, *, is_crossed: bool
) -> float:
    """Return the chance, at rate *p*, that those pending bring the count to the boundary."""
    if not limit.looks:
        return compute_pending_chance(plan, _find_needed_when_complete(plan, limit), p)
    return 1.0 if is_crossed else compute_chance_at_looks(plan, limit, p)


def _find_needed_when_complete(plan: OutstandingPlan, limit: SignedLimits) -> int:
    return limit.table[find_table_row(plan.size_when_complete)]
