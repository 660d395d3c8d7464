"""The chances of a rule of person-time at counts that somebody reads out."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.safety_rules.domain.stopping.person_time_design import make_intervals
from services.safety_rules.domain.stopping.person_time_families import check_person_time_family
from services.safety_rules.domain.stopping.person_time_limits import read_time_limits
from services.safety_rules.domain.stopping.person_time_outcome import (
    HazardEvidence,
    compute_predictive_stop_chance,
    describe_risk,
    find_hazard_prior,
)
from services.safety_rules.domain.stopping.person_time_plan import compute_ratio
from services.safety_rules.domain.stopping.person_time_recursion import (
    compute_stop_chance,
    follow_states,
)
from services.vocabulary.protocol import Rule, TimeUnit
from services.vocabulary.spelled_numbers import spell_number


@dataclass(frozen=True, slots=True)
class PersonTimeChances:
    """The answer: where a rule of person-time stands at these counts, and what may become of it.

    Args:
        rule: Its id.
        events: Participants with the event.
        time: Person-time so far, in *unit*.
        unit: Of every time here.
        planned: Person-time at which the plan ends.
        boundary: Events that stop at *time*, or where it is compared next; above n: none does.
        boundary_until: Person-time up to which they do; None: none does.
        is_reached: True if the events stop at *time*.
        events_left: Events that are missing to the boundary.
        prior: Gamma prior of the hazard ratio: shape, and rate in expected events.
        rate: Posterior mean of the risk within the window of p0, and its 95 % interval.
        predictive: Chance to reach the boundary by the end of the plan, whatever the hazard is.
        chances: The same at each event rate that was asked for, as (rate, chance).
    """

    rule: str
    events: int
    time: float
    unit: TimeUnit
    planned: float
    boundary: int
    boundary_until: float | None
    is_reached: bool
    events_left: int
    prior: tuple[float, float]
    rate: tuple[float, float, float]
    predictive: float
    chances: tuple[tuple[float, float], ...]


def find_person_time_chances(
    rule: Rule,
    events: int,
    time: float,
    *,
    rates: Sequence[float] = (),
    prior: Sequence[float] = (),
) -> PersonTimeChances:
    """Return the chances of *rule* with *events* in the person-time *time*.

    The boundary is taken as not reached before: the counts say nothing of their order.

    Args:
        rule: Of person-time.
        events: Participants with the event.
        time: Person-time so far, in the rule's unit.
        rates: Event rates at which to compute the chances, from 0 to below 1; empty: p0 and 2 p0.
        prior: Gamma prior, shape and person-time; empty: the rule's own, or a weak one at p0.

    Raises:
        ValueError: An argument is out of range; the message names it and its range.
    """
    limit, n, p0 = read_time_limits(rule), rule.stop_when.n, rule.stop_when.p0
    plan = limit.plan
    if not 0 <= events <= n:
        raise ValueError(f"events must be from 0 to the {n} participants of the plan, not {events}")
    if not 0 <= time <= plan.planned:
        raise ValueError(
            f"person-time must be from 0 to the plan, {plan.planned:g}, not {spell_number(time)}"
        )
    if prior:
        check_person_time_family("gamma-poisson", {"prior": tuple(prior)})
    chosen_rates = tuple(rates) or tuple(rate for rate in (p0, 2 * p0) if rate < 1)
    ratios = [compute_ratio(p0, rate) for rate in chosen_rates]
    shape, rate = (prior[0], prior[1] * plan.hazard) if prior else find_hazard_prior(rule, limit)
    evidence = HazardEvidence(shape + events, rate + time * plan.hazard)
    boundary = limit.find_boundary_at(time)
    is_compared = limit.is_compared_at(time) or time in limit.compared_sizes
    is_reached = is_compared and events >= boundary
    states = follow_states(make_intervals(limit.limits, plan), events, time * plan.hazard)
    return PersonTimeChances(
        rule=rule.id,
        events=events,
        time=time,
        unit=limit.unit,
        planned=plan.planned,
        boundary=boundary,
        boundary_until=limit.limits[boundary - 1] if boundary <= len(limit.limits) else None,
        is_reached=is_reached,
        events_left=max(boundary - events, 0),
        prior=(shape, rate),
        rate=describe_risk(evidence, p0),
        predictive=1.0 if is_reached else compute_predictive_stop_chance(states, evidence),
        chances=tuple(
            (asked_rate, 1.0 if is_reached else compute_stop_chance(states, ratio))
            for asked_rate, ratio in zip(chosen_rates, ratios, strict=True)
        ),
    )
