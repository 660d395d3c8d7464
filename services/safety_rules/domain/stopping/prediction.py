"""Predictions from present knowledge: the event rate, and the chance of ever crossing."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import accumulate, pairwise

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.pending import (
    compute_poisson_binomial,
    compute_residual_risk,
)
from services.safety_rules.domain.stopping.root import find_root

NEGLIGIBLE = 1e-14  # share of a mixture that cannot be seen in its result


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
    def size_when_complete(self) -> float:
        """The effective sample size once everybody's follow-up is as long as it will be."""
        return self.complete + self.frozen_size + len(self.risk)


def compute_posterior_rate(plan: OutstandingPlan) -> tuple[float, float, float]:
    """Return mean, lower and upper 95 % of the event rate; two-sided, equal tails.

    The density is proportional to prior x p^y (1-p)^(m-y) prod(1 - p w): as 1 - pw is
    (1-p) + p(1-w), that is a mixture of Beta densities, and everything here is exact.
    """
    sure = sum(plan.sure)
    unsure = tuple(w for w, known in zip(plan.risk, plan.sure, strict=True) if not known)
    return _compute_posterior(
        plan.events + sure, plan.complete + sure, unsure + plan.frozen_risk, plan.prior
    )


@lru_cache(maxsize=1024)
def _compute_posterior(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> tuple[float, float, float]:
    a, b, share, _ = _compute_mixture(events, complete, risk, prior)
    is_kept = share > NEGLIGIBLE
    a, b, share = a[is_kept], b[is_kept], share[is_kept]

    def compute_tail_excess(rate: float, tail: float) -> float:
        return float(share @ special.betainc(a, b, rate)) - tail

    low, high = (
        find_root(partial(compute_tail_excess, tail=tail), 0.0, 1.0, 1e-12)
        for tail in (0.025, 0.975)
    )
    return float(share @ (a / (a + b))), low, high


@lru_cache(maxsize=1024)
def _compute_mixture(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> tuple[Floats, Floats, Floats, float]:
    """Return the Beta densities (a, b) of the posterior, their shares, and the log of the total.

    Component k stands for k of the pending participants who will have the event yet.
    """
    ways = np.zeros(len(risk) + 1)
    ways[0] = 1.0
    for weight in risk:
        ways[1:] += ways[:-1] * (1 - weight)
    k = np.arange(len(ways))
    a, b = prior[0] + events + k, prior[1] + complete - events + len(risk) - k
    with np.errstate(divide="ignore"):
        log_share = np.log(ways) + special.betaln(a, b)
    largest = float(log_share.max())
    share = np.exp(log_share - largest)
    total = float(share.sum())
    return np.asarray(a), np.asarray(b), share / total, largest + math.log(total)


def compute_pending_chance(plan: OutstandingPlan, needed_events: int, p: float) -> float:
    """Return the chance that pending events bring the count to *needed_events*, at rate *p*."""
    if needed_events <= plan.events:
        return 1.0
    chances = compute_poisson_binomial(_compute_risks(plan, p))
    return float(min(chances[needed_events - plan.events :].sum(), 1.0))


def compute_conditional_chance(plan: OutstandingPlan, limit: SignedLimits, p: float) -> float:
    """Return the chance of ever crossing by n when the event rate is *p*, from now on."""
    return _compute_chance_in_turn(plan, _list_boundaries(plan, limit), p)


def compute_chance_at_looks(plan: OutstandingPlan, limit: SignedLimits, p: float) -> float:
    """Return the chance, at rate *p*, to cross at a grouped look that those pending reach.

    They complete in entry order, as for the chance of ever crossing, which it never exceeds.
    """
    return _compute_chance_in_turn(plan, list_pending_boundaries(plan, limit), p)


def _compute_chance_in_turn(
    plan: OutstandingPlan, boundaries: Sequence[int | None], p: float
) -> float:
    """Return the chance to reach one of *boundaries*, each compared after one completion."""
    width = _compute_width(plan, boundaries)
    if width <= 0:
        return float(bool(boundaries))
    state = np.zeros(width)
    state[0] = 1.0
    for risk, events in zip(
        [*_compute_risks(plan, p), *[p] * _count_new_participants(plan)], boundaries, strict=False
    ):
        newly_affected = state[:-1] * risk
        state *= 1 - risk
        state[1:] += newly_affected
        if events is not None:
            state[max(events - plan.events, 0) :] = 0.0
    return float(1 - state.sum())


def compute_predictive_chance(plan: OutstandingPlan, limit: SignedLimits) -> float:
    """Return the chance of ever crossing by n, whatever the event rate is.

    Those pending complete first, in entry order, then new participants do; without anybody pending
    it is the Polya urn. Who completes after the last look, or whose follow-up ended for good, only
    informs the rate.
    """
    boundaries = _list_boundaries(plan, limit)
    width = _compute_width(plan, boundaries)
    if width <= 0:
        return float(bool(boundaries))
    a, b, share, log_total_before = _compute_evidence(plan, len(boundaries))
    event, free = _compute_step_chances(plan, a, b, len(boundaries), width)
    state = np.zeros((len(share), width))
    state[:, 0] = share
    for step, events in enumerate(boundaries):
        newly_affected = (state * event[step])[:, :-1]
        state *= free[step]
        state[:, 1:] += newly_affected
        if events is not None:
            state[:, max(events - plan.events, 0) :] = 0.0
    total_mass = math.exp(_compute_evidence(plan)[3] - log_total_before)  # of all chances
    return float(min(max(1 - state.sum() / total_mass, 0.0), 1.0))


def _compute_step_chances(
    plan: OutstandingPlan, a: Floats, b: Floats, steps: int, width: int
) -> tuple[Floats, Floats]:
    """Return the chances of an event and of none at each step; shape (steps, ..., width).

    They are for each component and count. The factor 1 - pw of each pending participant is left out
    of both, and so of the total.
    """
    step = np.arange(steps)[:, None, None]
    k = np.arange(width)
    new_participants = [False] * _count_new_participants(plan)
    sure = np.array([*plan.sure, *new_participants], dtype=bool)[:steps, None, None]
    risk = np.array([*plan.risk, *new_participants], dtype=float)[:steps, None, None]
    total = a[0] + b[0] + step  # of every component alike
    event = (a[:, None] + k) * np.where(sure, 1.0, 1 - risk) / total
    free = ~sure * np.maximum(b[:, None] + step - k, 0.0) / total
    return np.asarray(event), np.asarray(free)


def _compute_evidence(
    plan: OutstandingPlan, first: int = 0
) -> tuple[Floats, Floats, Floats, float]:
    """Return the mixture of all that is known, of those pending from the *first* on alone."""
    known_events = sum(plan.sure[first:])
    risk = (w for w, sure in zip(plan.risk[first:], plan.sure[first:], strict=True) if not sure)
    return _compute_mixture(
        plan.events + known_events,
        plan.complete + known_events,
        (*risk, *plan.frozen_risk),
        plan.prior,
    )


def _compute_risks(plan: OutstandingPlan, p: float) -> list[float]:
    """Return the risk that remains for each pending participant at rate *p*."""
    residual_risks = compute_residual_risk(p, np.array(plan.risk)).tolist()
    return [1.0 if known else risk for risk, known in zip(residual_risks, plan.sure, strict=True)]


def _count_new_participants(plan: OutstandingPlan) -> int:
    return plan.n - plan.complete - len(plan.risk) - len(plan.frozen_risk)


def _compute_width(plan: OutstandingPlan, boundaries: Sequence[int | None]) -> int:
    """Return the number of counts that can be on the way.

    More events than the highest boundary ahead stop at the next look.
    """
    return max((events for events in boundaries if events is not None), default=0) - plan.events


def _list_boundaries(plan: OutstandingPlan, limit: SignedLimits) -> list[int | None]:
    """Return the boundary after each completion to come."""
    gains = [*(1 - weight for weight in plan.size), *[1.0] * _count_new_participants(plan)]
    return _list_compared_boundaries(plan, limit, gains)


def list_pending_boundaries(plan: OutstandingPlan, limit: SignedLimits) -> list[int | None]:
    """Return the boundary after the completion of each pending participant."""
    return _list_compared_boundaries(plan, limit, [1 - weight for weight in plan.size])


def _list_compared_boundaries(
    plan: OutstandingPlan, limit: SignedLimits, gains: Iterable[float]
) -> list[int | None]:
    """Return the boundary after each of *gains* of size, up to the last look; None: no look."""
    sizes = [*accumulate(gains, initial=plan.size_now)]
    boundaries = [limit.find_compared_boundary(*step) for step in pairwise(sizes)]
    while boundaries and boundaries[-1] is None:
        boundaries.pop()
    return boundaries
