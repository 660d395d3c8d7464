"""Predictions from present knowledge: the event rate, and the chance of ever crossing."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.beta_mixture import find_quantiles
from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.outcome_weights import (
    OutcomeWeights,
    count_outcomes,
    follow_outcomes,
    select_unsure,
)
from services.safety_rules.domain.stopping.path import SignedLimits

NEGLIGIBLE = 1e-14  # share of a mixture that cannot be seen in its result


@dataclass(frozen=True, slots=True)
class EvidenceMixture:
    """A density of the event rate: Beta(a + k, b - k) with *share* k, for k = 0, 1, ...

    *log_total* is the logarithm of the total that the shares were divided by.
    """

    a: float
    b: float
    share: Floats
    log_total: float

    @property
    def mean(self) -> float:
        """The mean of the event rate."""
        return float(self.share @ (self.a + np.arange(len(self.share)))) / (self.a + self.b)


@dataclass(frozen=True, slots=True)
class OutstandingPlan:
    """The state of a rule, and the part of its plan that is outstanding.

    Args:
        events: y, among the complete.
        complete: m, events and competing included.
        risk: Onset weight of each pending participant who will go on, in entry order.
        size: The weight of each of those now, in the same order.
        sure: True where the event is known and will count later, in the same order.
        frozen_risk: Onset weight of those whose follow-up ended for good.
        frozen_size: The weight of those together, now and at the end.
        n: Planned maximum.
        prior: Beta prior of the event rate.
    """

    events: int
    complete: int
    risk: tuple[float, ...]
    size: tuple[float, ...]
    sure: tuple[bool, ...]
    frozen_risk: tuple[float, ...]
    frozen_size: float
    n: int
    prior: tuple[float, float]

    @property
    def size_now(self) -> float:
        """The effective sample size."""
        return self.complete + self.frozen_size + sum(self.size)

    @property
    def gains(self) -> Floats:
        """The growth of the size at the completion of each pending participant."""
        return 1 - np.array(self.size)

    @property
    def unsure_risk(self) -> tuple[float, ...]:
        """Onset weight of each pending participant who may have the event or not."""
        return select_unsure(self.risk, self.sure)

    @property
    def size_when_complete(self) -> float:
        """The effective sample size once everybody's follow-up is as long as it will be."""
        return self.complete + self.frozen_size + len(self.risk)


def compute_posterior_rate(plan: OutstandingPlan) -> tuple[float, float, float]:
    """Return mean, lower and upper 95 % of the event rate; two-sided, equal tails.

    The density is proportional to prior x p^y (1-p)^(m-y) prod(1 - p w): as 1 - pw is
    (1-p) + p(1-w), that is a mixture of Beta densities, and everything here is exact.
    """
    sure = sum(plan.sure)
    return _compute_posterior(
        plan.events + sure, plan.complete + sure, plan.unsure_risk + plan.frozen_risk, plan.prior
    )


@lru_cache(maxsize=1024)
def _compute_posterior(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> tuple[float, float, float]:
    mixture = _compute_mixture(events, complete, risk, prior)
    kept_rows = np.flatnonzero(mixture.share > NEGLIGIBLE)
    first, share = float(kept_rows[0]), mixture.share[kept_rows[0] : kept_rows[-1] + 1]
    low, high = find_quantiles(mixture.a + first, mixture.b - first, share, (0.025, 0.975))
    return mixture.mean, low, high


@lru_cache(maxsize=1024)
def _compute_mixture(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> EvidenceMixture:
    """Return the posterior; density k is of k of the pending participants with the event yet."""
    weights = count_outcomes(risk).weights
    weights = weights[: np.count_nonzero(weights)]  # zeros, if any, are the last
    a, b = prior[0] + events, prior[1] + complete - events + len(risk)
    k = np.arange(len(weights))
    log_share = np.log(weights) + special.betaln(a + k, b - k)
    largest = float(log_share.max())
    share = np.exp(log_share - largest)
    total = float(share.sum())
    return EvidenceMixture(a, b, share / total, largest + math.log(total))


def compute_pending_chance(plan: OutstandingPlan, needed_events: int, p: float) -> float:
    """Return the chance that pending events bring the count to *needed_events*, at rate *p*."""
    missing_events = needed_events - plan.events - sum(plan.sure)
    if missing_events <= 0:
        return 1.0
    outcomes = count_outcomes(plan.unsure_risk)
    return float(min(outcomes.compute_chances(p)[missing_events:].sum(), 1.0))


def compute_conditional_chance(plan: OutstandingPlan, limit: SignedLimits, p: float) -> float:
    """Return the chance of ever crossing by n when the event rate is *p*, from now on."""
    return compute_crossing(follow_plan(plan, limit), p)


def compute_chance_at_looks(plan: OutstandingPlan, limit: SignedLimits, p: float) -> float:
    """Return the chance, at rate *p*, to cross at a grouped look that those pending reach.

    They complete in entry order, as for the chance of ever crossing, which it never exceeds.
    """
    boundaries = list_pending_boundaries(plan, limit)
    return compute_crossing(follow_outcomes(plan.risk, plan.sure, plan.events, boundaries), p)


def follow_plan(plan: OutstandingPlan, limit: SignedLimits) -> OutcomeWeights | None:
    """Return the weights of the outcomes up to n that cross nowhere; None: none can cross.

    Those pending complete first, in entry order, then new participants do.
    """
    newcomers = plan.n - plan.complete - len(plan.risk) - len(plan.frozen_risk)
    gains = np.concatenate((plan.gains, np.ones(newcomers)))
    boundaries = limit.list_compared_boundaries(plan.size_now, gains)
    return follow_outcomes(plan.risk, plan.sure, plan.events, boundaries)


def compute_crossing(outcomes: OutcomeWeights | None, p: float) -> float:
    """Return the chance to cross where *outcomes* do not, when the event rate is *p*."""
    if outcomes is None:
        return 0.0
    return float(min(max(1 - outcomes.compute_chances(p).sum(), 0.0), 1.0))


def compute_predictive_chance(plan: OutstandingPlan, limit: SignedLimits) -> float:
    """Return the chance of ever crossing by n, whatever the event rate is.

    Without anybody pending it is the Polya urn. Who completes after the last look, or whose
    follow-up ended for good, only informs the rate.
    """
    return predict_crossing(plan, follow_plan(plan, limit))


def predict_crossing(plan: OutstandingPlan, outcomes: OutcomeWeights | None) -> float:
    """Return the chance to cross where *outcomes* of *plan* do not, whatever the event rate is."""
    if outcomes is None:
        return 0.0
    evidence = _compute_evidence(plan, outcomes.completions)
    events = outcomes.sure + np.arange(len(outcomes.weights))
    free = outcomes.completions + outcomes.newcomers - events
    k = np.arange(len(evidence.share))[:, None]
    a, b = evidence.a + k, evidence.b - k
    ratios = np.exp(special.betaln(a + events, b + free) - special.betaln(a, b))
    crossed_nowhere = (evidence.share @ ratios) @ outcomes.weights
    total = math.exp(_compute_evidence(plan).log_total - evidence.log_total)  # of all outcomes
    return float(min(max(1 - crossed_nowhere / total, 0.0), 1.0))


def _compute_evidence(plan: OutstandingPlan, first: int = 0) -> EvidenceMixture:
    """Return the mixture of all that is known, of those pending from the *first* on alone."""
    sure = plan.sure[first:]
    known_events = sum(sure)
    return _compute_mixture(
        plan.events + known_events,
        plan.complete + known_events,
        select_unsure(plan.risk[first:], sure) + plan.frozen_risk,
        plan.prior,
    )


def list_pending_boundaries(plan: OutstandingPlan, limit: SignedLimits) -> tuple[int | None, ...]:
    """Return the boundary after the completion of each pending participant."""
    return limit.list_compared_boundaries(plan.size_now, plan.gains)
