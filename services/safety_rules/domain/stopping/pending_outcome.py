"""The outcomes that pending participants may still bring, from certain to merely possible."""

from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.cohort import Outcomes
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.follow_up import FollowUp, compute_weights
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.pending import find_table_row
from services.safety_rules.domain.stopping.prediction import (
    OutstandingPlan,
    compute_chance_at_looks,
    compute_crossing,
    compute_pending_chance,
    compute_posterior_rate,
    follow_plan,
    list_pending_boundaries,
    predict_crossing,
)
from services.vocabulary.protocol import Rule

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
    rule: Rule,
    follow_up: FollowUp,
    counted_outcomes: Outcomes,
    limit: SignedLimits,
    *,
    is_crossed: bool,
) -> PendingOutcome:
    """Return the pending outcome of a rule; *is_crossed*: its path has crossed already.

    *follow_up* is at the data cut, of outcomes as they came; *counted_outcomes* are those that the
    rule's policy counts.
    """
    plan, weights = count_outstanding(rule, follow_up, counted_outcomes)
    rate = compute_posterior_rate(plan)
    outcomes_to_come = follow_plan(plan, limit)
    conditional_p0 = 1.0 if is_crossed else compute_crossing(outcomes_to_come, rule.stop_when.p0)
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
        predictive=1.0 if is_crossed else predict_crossing(plan, outcomes_to_come),
        conditional_p0=conditional_p0,
        prior=plan.prior,
    )


def count_outstanding(
    rule: Rule, follow_up: FollowUp, counted_outcomes: Outcomes
) -> tuple[OutstandingPlan, tuple[float, ...]]:
    """Return the rest of the plan, and the weight of each pending participant, in entry order.

    Under ``complete``, an outcome before the end of the window is known for sure, and still
    pending.
    """
    cohort = follow_up.cohort
    is_known = np.isfinite(follow_up.outcomes.closed_at)
    is_open = ~np.isfinite(counted_outcomes.closed_at) & (
        is_known | (cohort.followed_until < cohort.window_ends_at)
    )
    is_frozen = is_open & cohort.is_frozen & ~is_known
    is_continuing = is_open & ~is_frozen
    size, risk = _weigh_at_cut(rule, follow_up, counted_outcomes)
    plan = OutstandingPlan(
        events=counted_outcomes.count_events(),
        complete=int((~is_open).sum()),
        risk=tuple(risk[is_continuing].tolist()),
        size=tuple(size[is_continuing].tolist()),
        sure=tuple(np.isfinite(follow_up.outcomes.event_at)[is_continuing].tolist()),
        frozen_risk=tuple(risk[is_frozen].tolist()),
        frozen_size=float(size[is_frozen].sum()),
        n=rule.stop_when.n,
        prior=find_prior(rule),
    )
    return plan, tuple(size[is_open].tolist())


def _weigh_at_cut(
    rule: Rule, follow_up: FollowUp, counted_outcomes: Outcomes
) -> tuple[Floats, Floats]:
    """Return the weight of each member at the cut: as the policy counts, and by time alone."""
    if rule.policy in ("linear", "onset_weighted"):
        weights = follow_up.weigh(rule.policy, rule.curve)[0]
        return weights, weights
    instants = follow_up.instants
    size = compute_weights(follow_up.cohort, counted_outcomes, rule.policy, rule.curve, instants)[0]
    return size, follow_up.weigh("onset_weighted", rule.curve)[0]


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
    row = find_table_row(plan.complete + plan.frozen_size)
    later_rows = limit.table[row : row + len(plan.risk) + 1]
    return any(plan.events + k >= boundary for k, boundary in enumerate(later_rows))


def compute_crossing_chance(
    plan: OutstandingPlan, limit: SignedLimits, p: float, *, is_crossed: bool
) -> float:
    """Return the chance, at rate *p*, that those pending bring the count to the boundary."""
    if not limit.looks:
        return compute_pending_chance(plan, _find_needed_when_complete(plan, limit), p)
    return 1.0 if is_crossed else compute_chance_at_looks(plan, limit, p)


def _find_needed_when_complete(plan: OutstandingPlan, limit: SignedLimits) -> int:
    return limit.table[find_table_row(plan.size_when_complete)]
