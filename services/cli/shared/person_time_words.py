"""A rule of person-time in the words in which a clinician and a statistician read it."""

from collections.abc import Iterator

from services.safety_rules.reports.boundary_tables import (
    PersonTimeCharacteristics,
    PersonTimeDesign,
)
from services.vocabulary.protocol import Curve, PersonTimeBoundary, Rule, StopWhen, spell_time


def describe_person_time(
    rule: Rule, boundary: PersonTimeBoundary, design: PersonTimeDesign
) -> Iterator[tuple[str, str]]:
    """Yield name and words of the items in which a rule of person-time differs from others."""
    yield "Expected hazard", describe_hazard(rule.curve, design.plan.hazard)
    yield "Acceptable rate", f"p0 {rule.stop_when.p0:g} within {boundary.window_days:g} days"
    yield "Design", describe_plan(rule.stop_when, boundary, design)
    yield "Looks", _describe_looks(boundary)
    yield "Stops at", describe_time_steps(boundary)
    yield (
        "Worked examples",
        "; ".join(
            f"{one.events} by {spell_time(boundary.unit, one.person_time)}: {one.answer}"
            for one in rule.worked_examples
        ),
    )


def describe_hazard(curve: Curve, hazard: float) -> str:
    """Return the hazard that is expected of a participant, day by day."""
    if curve.shape == "uniform":
        return f"constant, {1000 * hazard:.4g} events in 1000 person-days"
    if curve.shape == "risk":
        points = ", ".join(f"{100 * risk:g} % by day {day:g}" for day, risk in curve.points)
        return f"of a cumulative risk of {points}"
    points = ", ".join(f"{1000 * value:.4g} up to day {day:g}" for day, value in curve.points)
    return f"events in 1000 person-days: {points}"


def describe_plan(when: StopWhen, boundary: PersonTimeBoundary, design: PersonTimeDesign) -> str:
    """Return method, plan and exact type I error."""
    numbers = "".join(
        f", {name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in when.parameters.items()
    )
    minimum = f", at least {boundary.min_events} events" if boundary.min_events > 1 else ""
    return (
        f"{when.method}{numbers}, planned {spell_time(boundary.unit, boundary.planned)} of at most "
        f"{when.n} participants{minimum}, one-sided alpha {when.alpha:g}; exact type I error "
        f"{design.attained_alpha:.5f}"
    )


def describe_time_steps(boundary: PersonTimeBoundary) -> str:
    """Return the table as it is read aloud."""
    steps = ", ".join(f"{step.events} up to {step.end:.6g}" for step in boundary.steps)
    return f"{steps} {'person-days' if boundary.unit == 'person_days' else 'expected events'}"


def format_time_row(rate: str, at: PersonTimeCharacteristics) -> tuple[str, ...]:
    """Return the cells of the columns ``PERSON_TIME``."""
    return (
        rate,
        f"{at.ratio:.4g}",
        f"{at.p_stop:.4f}",
        f"{at.e_time:.6g}",
        f"{at.e_events:.2f}",
        "-" if at.median_stop is None else f"{at.median_stop:.4g}",
    )


def _describe_looks(boundary: PersonTimeBoundary) -> str:
    start = boundary.delayed_start
    from_start = f" from {spell_time(boundary.unit, start)} on" if start else ""
    if not boundary.looks:
        return f"at every event{from_start}"
    looks = ", ".join(f"{look:.6g}" for look in boundary.looks)
    return f"when the person-time reaches {looks}{from_start}"
