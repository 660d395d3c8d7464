"""Boundaries for a statistician's hand: one design, or every family's side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.safety_rules.domain.stopping.binding_bound import find_sizes_bound_by_nu
from services.safety_rules.domain.stopping.design import Design, NeverStopsError, make_design
from services.safety_rules.domain.stopping.families import FAMILIES
from services.safety_rules.domain.stopping.familywise_error import (
    FamilywiseError,
    simulate_familywise_error,
)
from services.safety_rules.domain.stopping.person_time_design import PersonTimeDesign
from services.safety_rules.domain.stopping.person_time_plan import compute_ratio
from services.safety_rules.domain.stopping.person_time_recursion import PersonTimeCharacteristics
from services.safety_rules.domain.stopping.rule_faults import RuleDesign
from services.safety_rules.domain.stopping.two_sided import (
    TwoSidedLimits,
    make_wald_limits,
    read_two_sided_limits,
)
from services.vocabulary.spelled_numbers import spell_number

__all__ = (
    "METHODS",
    "UNCALIBRATED_FAMILY",
    "Design",
    "FamilyComparison",
    "FamilywiseError",
    "PersonTimeCharacteristics",
    "PersonTimeDesign",
    "RuleDesign",
    "Shapes",
    "TwoSidedLimits",
    "compare_families",
    "compute_ratio",
    "design_boundary",
    "find_sizes_bound_by_nu",
    "make_wald_limits",
    "read_two_sided_limits",
    "simulate_familywise_error",
)

METHODS = (*sorted(FAMILIES), "table")
UNCALIBRATED_FAMILY = "posterior"  # compared with its own theta, whatever alpha is


@dataclass(frozen=True, slots=True)
class Shapes:
    """The numbers with which the families are compared, where a family has any.

    Args:
        prior: Beta prior of beta-binomial, Chen-Chaloner and posterior; None: worth two
            participants at p0.
        delta: Shape of Wang-Tsiatis, 0 to 1.
        nu: Of Chen-Chaloner: how likely a rate above p1 must be, inside (0, 1).
        theta: Of posterior: how likely a rate above p0 must be, inside (0, 1).
    """

    prior: tuple[float, ...] | None = None
    delta: float = 0.25
    nu: float = 0.3
    theta: float = 0.95


@dataclass(frozen=True, slots=True)
class FamilyComparison:
    """One family at p0 (first rate) and p1 (second): its design, or *why_not*."""

    family: str
    label: str
    design: Design | None
    parameters: Mapping[str, Sequence[float]]
    enrolment: tuple[tuple[float, float], ...] = ()  # expected enrolled and days, at each rate
    why_not: str = ""


def design_boundary(
    method: str,
    p0: float,
    alpha: float,
    n: int,
    *,
    looks: Sequence[int] = (),
    rates: Sequence[float] = (),
    parameters: Mapping[str, Sequence[float]],
) -> Design:
    """Return the boundary of *method*, its attained alpha and its characteristics at *rates*.

    Args:
        method: One of `METHODS`.
        p0: Acceptable event rate.
        alpha: Nominal one-sided type I error at p0.
        n: Planned maximum.
        looks: Evaluable participants at each look; empty: after each one.
        rates: Event rates at which to compute what the boundary does.
        parameters: Of the method, e.g. ``prior``.

    Raises:
        ValueError: An argument is out of range; the message names it and its range.
    """
    return make_design(method, p0, alpha, n, looks=looks, rates=rates, **parameters)


def compare_families(
    p0: float,
    p1: float,
    alpha: float,
    n: int,
    *,
    looks: Sequence[int] = (),
    rates: Sequence[float] = (),
    shapes: Shapes,
    accrual_days: float,
    window_days: float,
) -> list[FamilyComparison]:
    """Return every family at the same p0, alpha and n, in the order of the books.

    The characteristics of each are at p0, p1 and then *rates*.

    Raises:
        ValueError: An argument is out of range, or no calibrated family could ever stop.
    """
    if not p0 < p1 < 1:
        raise ValueError(f"p1 must be above p0 = {p0:g} and below 1, not {spell_number(p1)}")
    comparisons = []
    for family, label, parameters in _list_families(p0, p1, shapes):
        try:
            design = make_design(
                family, p0, alpha, n, looks=looks, rates=(p0, p1, *rates), **parameters
            )
        except NeverStopsError as error:
            comparisons.append(
                FamilyComparison(family, label, None, parameters, why_not=str(error))
            )
        else:
            enrolment = design.compute_enrolment(accrual_days, window_days)
            comparisons.append(FamilyComparison(family, label, design, parameters, enrolment))
    if all(one.design is None for one in comparisons if one.family != UNCALIBRATED_FAMILY):
        raise ValueError(comparisons[0].why_not)
    return comparisons


def _list_families(
    p0: float, p1: float, shapes: Shapes
) -> Sequence[tuple[str, str, Mapping[str, Sequence[float]]]]:
    """Each family with how it is called and its parameters."""
    prior = shapes.prior or (2 * p0, 2 * (1 - p0))
    beta = f"Beta({', '.join(f'{number:g}' for number in prior)})"
    return (
        ("pocock", "Pocock, exact", {}),
        ("obrien-fleming", "O'Brien-Fleming", {}),
        ("wang-tsiatis", f"Wang-Tsiatis {shapes.delta:g}", {"delta": (shapes.delta,)}),
        ("beta-binomial", f"Beta-binomial, {beta}", {"prior": prior}),
        (
            "chen-chaloner",
            f"Chen-Chaloner, nu {shapes.nu:g}, {beta}",
            {"prior": prior, "p1": (p1,), "nu": (shapes.nu,)},
        ),
        ("sprt", "Truncated SPRT", {"p1": (p1,)}),
        ("maxsprt", "MaxSPRT", {}),
        (
            "posterior",
            f"Posterior, theta {shapes.theta:g}, {beta}",
            {"prior": prior, "theta": (shapes.theta,)},
        ),
    )
