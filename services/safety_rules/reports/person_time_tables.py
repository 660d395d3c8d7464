"""Boundaries in person-time for a statistician's hand: one design, or all families side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, log1p

from services.safety_rules.domain.stopping.design import NeverStopsError
from services.safety_rules.domain.stopping.person_time_design import (
    PersonTimeDesign,
    make_person_time_design,
    round_down,
)
from services.safety_rules.domain.stopping.person_time_families import LARGEST_PLAN
from services.safety_rules.domain.stopping.person_time_plan import (
    PersonTimePlan,
    compute_hazard,
    compute_ratio,
)
from services.safety_rules.domain.stopping.policies import PERSON_TIME_METHODS
from services.vocabulary.spelled_numbers import spell_number

__all__ = (
    "PERSON_TIME_METHODS",
    "PersonTimeComparison",
    "PersonTimeDesign",
    "PersonTimePlan",
    "choose_hazard",
    "choose_planned",
    "compare_person_time_families",
    "compute_ratio",
    "make_person_time_design",
)

_PRIOR_PARTICIPANTS = 2.0  # what a prior is worth that nobody gave


@dataclass(frozen=True, slots=True)
class PersonTimeComparison:
    """One family at p0 (first ratio) and p1 (second): its design, or *why_not*."""

    family: str
    label: str
    design: PersonTimeDesign | None
    why_not: str = ""
    parameters: Mapping[str, Sequence[float]] = field(default_factory=dict)


def choose_hazard(p0: float | None, window_days: float | None, hazard: float | None) -> float:
    """Return the acceptable events per unit of person-time; 1: the unit is an expected event.

    Args:
        p0: Acceptable risk within the window.
        window_days: The window; None: nobody says how long it is.
        hazard: Acceptable events per person-day, instead of both.

    Raises:
        ValueError: Too much is given, or one of them is out of range.
    """
    if hazard is not None:
        if window_days is not None:
            raise ValueError("hazard goes without window_days: p0 and its window give a hazard too")
        return hazard
    if window_days is None:
        return 1.0
    if p0 is None:
        raise ValueError("window_days goes with p0, the acceptable risk within it")
    return compute_hazard(p0, window_days)


def choose_planned(planned: float | None, n: int | None, p0: float | None, hazard: float) -> float:
    """Return the person-time at which the plan ends: *planned*, or that of n p0 expected events.

    Raises:
        ValueError: Neither is given.
    """
    if planned is not None:
        return planned
    if n is None or p0 is None:
        raise ValueError("planned is missing: the plan's person-time, or n and p0 for n p0 events")
    if not 0 < p0 < 1:
        raise ValueError(f"p0 must be above 0 and below 1, not {spell_number(p0)}")
    largest = floor(LARGEST_PLAN / p0)
    if not 1 <= n <= largest:
        raise ValueError(
            f"n must be from 1 to {largest}, not {n}: a plan has up to {LARGEST_PLAN:g} expected"
            f" events, of p0 = {p0:g} each"
        )
    return round_down(round(n * p0, 12) / hazard)


def compare_person_time_families(
    p0: float,
    p1: float,
    alpha: float,
    plan: PersonTimePlan,
    *,
    delta: float,
    prior: Sequence[float] | None,
    rates: Sequence[float] = (),
) -> list[PersonTimeComparison]:
    """Return every family at the same p0, alpha and plan, in the order of the books.

    The characteristics of each are at p0, p1 and then *rates*.

    Raises:
        ValueError: An argument is out of range, or no family could ever stop.
    """
    if not p0 < p1 < 1:
        raise ValueError(f"p1 must be above p0 = {p0:g} and below 1, not {spell_number(p1)}")
    ratios = [compute_ratio(p0, rate) for rate in (p0, p1, *rates)]
    weight = -_PRIOR_PARTICIPANTS * log1p(-p0)
    families: list[tuple[str, str, Mapping[str, Sequence[float]]]] = [
        ("poisson-pocock", "Pocock", {}),
        ("poisson-obrien-fleming", "O'Brien-Fleming", {}),
        ("poisson-wang-tsiatis", f"Wang-Tsiatis {delta:g}", {"delta": (delta,)}),
        ("gamma-poisson", "Gamma-Poisson", {"prior": prior or (weight, weight / plan.hazard)}),
        ("poisson-sprt", "Truncated SPRT", {"ratio": (ratios[1],)}),
        ("poisson-maxsprt", "MaxSPRT", {}),
    ]
    comparisons = []
    for family, label, parameters in families:
        try:
            design = make_person_time_design(family, alpha, plan, ratios=ratios, **parameters)
        except NeverStopsError as error:
            comparisons.append(PersonTimeComparison(family, label, None, str(error)))
        else:
            comparisons.append(PersonTimeComparison(family, label, design, parameters=parameters))
    if all(one.design is None for one in comparisons):
        raise ValueError(comparisons[0].why_not)
    return comparisons
