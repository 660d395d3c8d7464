"""What may still come: the event rate, and the chance of ever crossing, from what is known now."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.path import SignedLimits
from services.safety_rules.domain.stopping.pending import (
    compute_poisson_binomial,
    compute_residual_risk,
)

NEGLIGIBLE = 1e-14  # share of a mixture that cannot be seen in its result


@dataclass(frozen=True, slots=True)
class OutstandingPlan:
    """Where a rule stands before the rest of its plan is known.

    Args:
        events: y, among the complete.
        complete: m, events and competing included.
        risk: Onset weight of each pending participant who will go on, in entry order.
        size: What each of those counts for now, in the same order.
        sure: Whose event is known and will count later, in the same order.
        frozen_risk: Onset weight of those whose follow-up ended for good.
        frozen_size: What those count for together, now and at the end.
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
        """The effective sample size once everybody has gone as far as they will."""
        return self.complete + self.frozen_size + len(self.risk)


def compute_posterior_rate(of: OutstandingPlan) -> tuple[float, float, float]:
    """Return mean, lower and upper 95 % of the event rate; two-sided, equal tails.

    The density is proportional to prior x p^y (1-p)^(m-y) prod(1 - p w): as 1 - pw is
    (1-p) + p(1-w), that is a mixture of Beta densities, and everything here is exact.
    """
    sure = sum(of.sure)
    unsure = tuple(w for w, known in zip(of.risk, of.sure, strict=True) if not known)
    return _posterior(of.events + sure, of.complete + sure, unsure + of.frozen_risk, of.prior)


@lru_cache(maxsize=1024)
def _posterior(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> tuple[float, float, float]:
    a, b, share, _ = _mixture(events, complete, risk, prior)
    kept = share > NEGLIGIBLE
    a, b, share = a[kept], b[kept], share[kept]

    def above(rate: float, tail: float) -> float:
        return float(share @ special.betainc(a, b, rate)) - tail

    # Loaded at its first use: all of it takes as long as everything else that a command loads.
    from scipy import optimize  # noqa: PLC0415

    low, high = (optimize.brentq(above, 0, 1, args=(tail,), xtol=1e-12) for tail in (0.025, 0.975))
    return float(share @ (a / (a + b))), low, high


@lru_cache(maxsize=1024)
def _mixture(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> tuple[Floats, Floats, Floats, float]:
    """The Beta densities (a, b) of which the posterior is made, their shares, log of the whole.

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
    most = float(log_share.max())
    share = np.exp(log_share - most)
    whole = float(share.sum())
    return np.asarray(a), np.asarray(b), share / whole, most + math.log(whole)


def compute_pending_chance(of: OutstandingPlan, needed: int, p: float) -> float:
    """Return the chance that the pending bring the count to *needed* or more, at rate *p*."""
    if needed <= of.events:
        return 1.0
    chances = compute_poisson_binomial(_risks(of, p))
    return float(min(chances[needed - of.events :].sum(), 1.0))


def compute_conditional_chance(of: OutstandingPlan, limit: SignedLimits, p: float) -> float:
    """Return the chance of ever crossing by n when the event rate is *p*, from now on."""
    needed = _needed(of, limit)
    width = _width(of, needed)
    if width <= 0:
        return float(bool(needed))
    state = np.zeros(width)
    state[0] = 1.0
    for risk, events in zip([*_risks(of, p), *[p] * _new(of)], needed, strict=False):
        came = state[:-1] * risk
        state *= 1 - risk
        state[1:] += came
        if events is not None:
            state[max(events - of.events, 0) :] = 0.0
    return float(1 - state.sum())


def compute_predictive_chance(of: OutstandingPlan, limit: SignedLimits) -> float:
    """Return the chance of ever crossing by n, whatever the event rate is.

    Those pending complete first, in entry order, then new participants do; without anybody pending
    it is the Polya urn. A participant whose follow-up ended for good only informs the rate.
    """
    needed = _needed(of, limit)
    width = _width(of, needed)
    if width <= 0:
        return float(bool(needed))
    a, b, share, before = _mixture(of.events, of.complete, of.frozen_risk, of.prior)
    event, free = _chances(of, a, b, len(needed), width)
    state = np.zeros((len(share), width))
    state[:, 0] = share
    for step, events in enumerate(needed):
        came = (state * event[step])[:, :-1]
        state *= free[step]
        state[:, 1:] += came
        if events is not None:
            state[:, max(events - of.events, 0) :] = 0.0
    everyone = math.exp(_whole(of) - before)  # what the chances are parts of
    return float(min(max(1 - state.sum() / everyone, 0.0), 1.0))


def _chances(
    of: OutstandingPlan, a: Floats, b: Floats, steps: int, width: int
) -> tuple[Floats, Floats]:
    """Of an event and of none at each step, for each component and count; (steps, ..., width).

    What is left out for those pending, 1 - pw, is the same for both, and so in the whole.
    """
    step = np.arange(steps)[:, None, None]
    k = np.arange(width)
    new = [False] * _new(of)
    sure = np.array([*of.sure, *new], dtype=bool)[:steps, None, None]
    risk = np.array([*of.risk, *new], dtype=float)[:steps, None, None]
    total = a[0] + b[0] + step  # of every component alike
    event = (a[:, None] + k) * np.where(sure, 1.0, 1 - risk) / total
    free = ~sure * np.maximum(b[:, None] + step - k, 0.0) / total
    return np.asarray(event), np.asarray(free)


def _whole(of: OutstandingPlan) -> float:
    """Log of the integral over all rates, of what is known and of those pending."""
    sure = sum(of.sure)
    unsure = tuple(w for w, known in zip(of.risk, of.sure, strict=True) if not known)
    return _mixture(of.events + sure, of.complete + sure, unsure + of.frozen_risk, of.prior)[3]


def _risks(of: OutstandingPlan, p: float) -> list[float]:
    """The risk that remains for each pending participant at rate *p*."""
    left = compute_residual_risk(p, np.array(of.risk)).tolist()
    return [1.0 if known else risk for risk, known in zip(left, of.sure, strict=True)]


def _new(of: OutstandingPlan) -> int:
    return of.n - of.complete - len(of.risk) - len(of.frozen_risk)


def _width(of: OutstandingPlan, needed: Sequence[int | None]) -> int:
    """How many counts can be on the way: more than the highest boundary ahead stop at the next."""
    return max((events for events in needed if events is not None), default=0) - of.events


def _needed(of: OutstandingPlan, limit: SignedLimits) -> list[int | None]:
    """Return the boundary that counts after each completion to come, up to the last look.

    None: it does not look there.
    """
    size = of.size_now
    found: list[int | None] = []
    for gain in [*(1 - weight for weight in of.size), *[1.0] * _new(of)]:
        found.append(limit.find_compared_boundary(size, size + gain))
        size += gain
    while found and found[-1] is None:
        found.pop()
    return found
