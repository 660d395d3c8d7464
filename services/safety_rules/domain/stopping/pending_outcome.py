"""What those pending may still change: from sure to merely possible."""

from dataclasses import dataclass

import numpy as np

from services.safety_rules.domain.stopping.cohort import Cohort, Outcomes, as_counted, worth
from services.safety_rules.domain.stopping.path import Limits
from services.safety_rules.domain.stopping.pending import looked_up
from services.safety_rules.domain.stopping.prediction import (
    Outstanding,
    conditional,
    p_cross,
    posterior,
    predictive,
)
from services.vocabulary.protocol import Policy, Rule

PRIOR_PARTICIPANTS = 2.0  # what a prior at p0 is worth where the rule's method has none


@dataclass(frozen=True, slots=True)
class Outlook:
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


def outlook(rule: Rule, of: Cohort, happened: Outcomes, limit: Limits, *, crossed: bool) -> Outlook:
    """Return the outlook of a rule whose path has *crossed* already, or has not."""
    left, weights = outstanding(rule, of, happened)
    rate = posterior(left)
    needed = _needed_when_complete(left, limit)
    return Outlook(
        size=left.size_now,
        complete=left.complete,
        weights=weights,
        rate=rate,
        certain=crossed if limit.looks else left.events >= needed,
        possible=crossed or _possible(left, limit),
        p_cross_p0=p_cross(left, needed, rule.stop_when.p0),
        p_cross_posterior=p_cross(left, needed, rate[0]),
        predictive=1.0 if crossed else predictive(left, limit),
        conditional_p0=1.0 if crossed else conditional(left, limit, rule.stop_when.p0),
    )


def outstanding(
    rule: Rule, of: Cohort, happened: Outcomes
) -> tuple[Outstanding, tuple[float, ...]]:
    """Return what is outstanding, and what each pending participant counts for, in entry order.

    *happened* is as it came: under ``complete``, an outcome before the end of the window is known
    for sure, and still pending.
    """
    now = np.array([of.as_of])
    counted = as_counted(of, happened, rule.policy)
    known = np.isfinite(happened.closed)
    is_open = ~np.isfinite(counted.closed) & (known | (of.seen < of.ends))
    frozen = is_open & of.frozen & ~known
    going_on = is_open & ~frozen
    by_time: Policy = "linear" if rule.policy == "linear" else "onset_weighted"
    size = worth(of, counted, rule.policy, rule.curve, now)[0]
    risk = worth(of, happened, by_time, rule.curve, now)[0]
    prior = rule.stop_when.parameters.get("prior")
    p0 = rule.stop_when.p0
    left = Outstanding(
        events=int(np.isfinite(counted.event).sum()),
        complete=int((~is_open).sum()),
        risk=tuple(risk[going_on].tolist()),
        size=tuple(size[going_on].tolist()),
        sure=tuple(np.isfinite(happened.event)[going_on].tolist()),
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


def _needed_when_complete(left: Outstanding, limit: Limits) -> int:
    """The boundary once nobody is pending; out of reach when the rule does not look by then."""
    if not limit.looks:
        return limit.table[looked_up(left.size_when_complete)]
    compared = limit.newly_compared(left.size_now, left.size_when_complete)
    return left.n + 1 if compared is None else compared


def _possible(left: Outstanding, limit: Limits) -> bool:
    return any(left.events + k >= limit.at(left.complete + k) for k in range(len(left.risk) + 1))
