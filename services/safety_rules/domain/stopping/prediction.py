"""What may still come: the event rate, and the chance of ever crossing, from what is known now."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from services.safety_rules.domain.stopping.families import Floats
from services.safety_rules.domain.stopping.path import Limits
from services.safety_rules.domain.stopping.pending import poisson_binomial, residual_risk

NEGLIGIBLE = 1e-14  # share of a mixture that cannot be seen in its result


@dataclass(frozen=True, slots=True)
class Outstanding:
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


def posterior(of: Outstanding) -> tuple[float, float, float]:
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
    a, b, share = _mixture(events, complete, risk, prior)
    kept = share > NEGLIGIBLE
    a, b, share = a[kept], b[kept], share[kept]

    def above(rate: float, tail: float) -> float:
        return float(share @ special.betainc(a, b, rate)) - tail

    low, high = (optimize.brentq(above, 0, 1, args=(tail,), xtol=1e-12) for tail in (0.025, 0.975))
    return float(share @ (a / (a + b))), low, high


def _mixture(
    events: int, complete: int, risk: tuple[float, ...], prior: tuple[float, float]
) -> tuple[Floats, Floats, Floats]:
    """The Beta densities (a, b) of which the posterior is made, and the share of each.

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
    share = np.exp(log_share - log_share.max())
    share /= share.sum()
    return np.asarray(a), np.asarray(b), np.asarray(share)


def p_cross(of: Outstanding, needed: int, p: float) -> float:
    """Return the chance that the pending bring the count to *needed* or more, at rate *p*."""
    if needed <= of.events:
        return 1.0
    chances = poisson_binomial(_risks(of, p))
    return float(min(chances[needed - of.events :].sum(), 1.0))


def conditional(of: Outstanding, limit: Limits, p: float) -> float:
    """Return the chance of ever crossing by n when the event rate is *p*, from now on."""
    risks = _risks(of, p)
    state = np.zeros(of.n + 2)
    state[0] = 1.0
    new = _new(of)
    for risk, needed in zip([*risks, *[p] * new], _needed(of, limit), strict=True):
        state[1:] = state[1:] * (1 - risk) + state[:-1] * risk
        state[0] *= 1 - risk
        if needed is not None:
            state[max(needed - of.events, 0) :] = 0.0
    return float(1 - state.sum())


def predictive(of: Outstanding, limit: Limits) -> float:
    """Return the chance of ever crossing by n, whatever the event rate is.

    Those pending complete first, in entry order, then new participants do; without anybody pending
    it is the Polya urn. A participant whose follow-up ended for good only informs the rate.
    """
    a, b, share = _mixture(of.events, of.complete, of.frozen_risk, of.prior)
    new = _new(of)
    steps = len(of.risk) + new
    sure = np.array([*of.sure, *[False] * new], dtype=bool)
    rest = np.where(sure, 1.0, [*(1 - np.array(of.risk)), *np.ones(new)])
    total = a[0] + b[0]  # of every component alike
    k = np.arange(steps + 1)
    state = np.zeros((len(share), steps + 1))
    state[:, 0] = share
    everyone = state.copy()  # the same, without stopping: what the chances are parts of
    for step, needed in enumerate(_needed(of, limit)):
        event = (a[:, None] + k) * (rest[step] / (total + step))
        free = ~sure[step] * np.maximum(b[:, None] + step - k, 0.0) / (total + step)
        state = _moved(state, event, free)
        if step < len(of.risk):  # new participants leave the whole as it is
            everyone = _moved(everyone, event, free)
        if needed is not None:
            state[:, max(needed - of.events, 0) :] = 0.0
    return float(min(max(1 - state.sum() / everyone.sum(), 0.0), 1.0))


def _moved(state: Floats, event: Floats, free: Floats) -> Floats:
    after = state * free
    after[:, 1:] += (state * event)[:, :-1]
    return after


def _risks(of: Outstanding, p: float) -> list[float]:
    """The risk that remains for each pending participant at rate *p*."""
    left = residual_risk(p, np.array(of.risk)).tolist()
    return [1.0 if known else risk for risk, known in zip(left, of.sure, strict=True)]


def _new(of: Outstanding) -> int:
    return of.n - of.complete - len(of.risk) - len(of.frozen_risk)


def _needed(of: Outstanding, limit: Limits) -> Iterator[int | None]:
    """Yield the boundary that counts after each completion to come; None: it does not look."""
    size = of.size_now
    ahead: Sequence[float] = [1 - weight for weight in of.size] + [1.0] * _new(of)
    for gain in ahead:
        yield limit.newly_compared(size, size + gain)
        size += gain
