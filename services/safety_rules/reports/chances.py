"""The chances of a rule at counts that somebody reads out: questions asked on the phone."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.safety_rules.domain.stopping.characteristics import check_rates
from services.safety_rules.domain.stopping.families import check_family
from services.safety_rules.domain.stopping.path import read_signed_limits
from services.safety_rules.domain.stopping.pending import find_table_row
from services.safety_rules.domain.stopping.pending_outcome import (
    compute_crossing_chance,
    find_prior,
)
from services.safety_rules.domain.stopping.prediction import (
    OutstandingPlan,
    compute_conditional_chance,
    compute_posterior_rate,
    compute_predictive_chance,
)
from services.vocabulary.protocol import Rule
from services.vocabulary.spelled_numbers import spell_numbers

__all__ = ("RateChance", "RuleChances", "find_chances", "find_prior")

_ONE_SIDED_ERROR = 0.05


@dataclass(frozen=True, slots=True)
class RateChance:
    """Chances to reach the boundary if the event rate is *rate*.

    Args:
        rate: Of the event within the window.
        pending: While those pending complete.
        by_n: By the planned maximum.
    """

    rate: float
    pending: float
    by_n: float


@dataclass(frozen=True, slots=True)
class RuleChances:
    """The answer: where a rule stands at these counts, and what may become of it.

    Args:
        rule: Its id.
        events: Participants with the event.
        complete: Participants whose window is over, those with the event included.
        pending: The weight of each participant under follow-up without an event, in [0, 1].
        n: Planned maximum.
        size: Effective sample size: complete, and the weights of those pending.
        boundary: Events that stop at that size; above the size: none can yet.
        is_reached: True if the events are at the boundary.
        events_left: Events that are missing to it at that size.
        free_until_rise: Event-free participants until the boundary rises; None: it does not.
        prior: Beta prior behind every probability that names no rate.
        rate: Posterior mean of the event rate, lower and upper end of its 95 % interval.
        rate_at_most: Exact one-sided 95 % upper limit of the rate when nobody had the event among
            the complete; None otherwise.
        predictive: Chance to reach the boundary by n, whatever the rate is.
        chances: At each rate that was asked for.
    """

    rule: str
    events: int
    complete: int
    pending: tuple[float, ...]
    n: int
    size: float
    boundary: int
    is_reached: bool
    events_left: int
    free_until_rise: int | None
    prior: tuple[float, float]
    rate: tuple[float, float, float]
    rate_at_most: float | None
    predictive: float
    chances: tuple[RateChance, ...]


def find_chances(
    rule: Rule,
    events: int,
    complete: int,
    *,
    pending: Sequence[float] = (),
    rates: Sequence[float] = (),
    prior: Sequence[float] = (),
) -> RuleChances:
    """Return the chances of *rule* with *events* among *complete* participants.

    The boundary is taken as not reached before: the counts say nothing of their order.

    Args:
        rule: Of a protocol.
        events: Participants with the event, all of them complete.
        complete: Participants whose window is over, or who had the event.
        pending: The weight of each participant still followed, in entry order, in [0, 1].
        rates: Event rates at which to compute the chances, in [0, 1]; empty: p0 and twice p0.
        prior: Beta prior; empty: the rule's own, or one worth two participants at p0.

    Raises:
        ValueError: An argument is out of range; the message names it and its range.
    """
    if rule.stop_when.person_time:
        raise ValueError(f"rule must count participants: {rule.id} counts person-time")
    n, p0 = rule.stop_when.n, rule.stop_when.p0
    _check_counts(n, events, complete, pending)
    rates = tuple(rates) or (p0, min(2 * p0, 1.0))
    check_rates(rates)
    if prior:
        check_family("beta-binomial", n, p0, {"prior": tuple(prior)})
    plan = OutstandingPlan(
        events=events,
        complete=complete,
        risk=tuple(pending),
        size=tuple(pending),
        sure=(False,) * len(pending),
        frozen_risk=(),
        frozen_size=0.0,
        n=n,
        prior=(prior[0], prior[1]) if prior else find_prior(rule),
    )
    limit = read_signed_limits(rule)
    row = find_table_row(plan.size_now)
    boundary = limit.find_boundary(row)
    is_reached = events >= boundary and (not limit.looks or row in limit.looks)
    return RuleChances(
        rule=rule.id,
        events=events,
        complete=complete,
        pending=plan.risk,
        n=n,
        size=plan.size_now,
        boundary=boundary,
        is_reached=is_reached,
        events_left=max(boundary - events, 0),
        free_until_rise=limit.count_free_until_rise(row),
        prior=plan.prior,
        rate=compute_posterior_rate(plan),
        rate_at_most=1 - _ONE_SIDED_ERROR ** (1 / complete) if complete and not events else None,
        predictive=1.0 if is_reached else compute_predictive_chance(plan, limit),
        chances=tuple(
            RateChance(
                rate,
                1.0 if is_reached else compute_crossing_chance(plan, limit, rate, is_crossed=False),
                1.0 if is_reached else compute_conditional_chance(plan, limit, rate),
            )
            for rate in rates
        ),
    )


def _check_counts(n: int, events: int, complete: int, pending: Sequence[float]) -> None:
    if not 0 <= events <= complete:
        raise ValueError(f"events must be from 0 to the {complete} participants, not {events}")
    if not all(0 <= weight <= 1 for weight in pending):
        raise ValueError(f"pending must be weights from 0 to 1, not {spell_numbers(pending)}")
    if complete + len(pending) > n:
        raise ValueError(
            f"of and pending must be {n} participants at most, the plan of the rule,"
            f" not {complete + len(pending)}"
        )
