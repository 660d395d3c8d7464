"""The stopping rules as a statistical analysis plan says them: a paragraph and tables for each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.reports.blocks import Block, Heading, Paragraph, Table
from services.safety_rules.reports.boundary_tables import (
    PersonTimeDesign,
    RuleDesign,
    compute_ratio,
)

_FAMILY_NAMES: Mapping[str, str] = {
    "pocock": "an exact Pocock boundary (Ivanova, Qaqish, Schell 2005)",
    "obrien-fleming": "an O'Brien-Fleming boundary",
    "wang-tsiatis": "a Wang-Tsiatis boundary",
    "beta-binomial": "a Bayesian beta-binomial boundary (Geller et al. 2003)",
    "chen-chaloner": "a Bayesian boundary of Chen and Chaloner (2006)",
    "sprt": "a truncated sequential probability ratio test (Wald 1945), its upper limit alone",
    "maxsprt": "a maximized sequential probability ratio test (Kulldorff et al. 2011)",
    "posterior": "a threshold of the posterior probability (Thall, Simon 1994)",
    "table": "a boundary that the protocol gives",
    "gamma-poisson": "a Bayesian gamma-Poisson boundary",
    "poisson-pocock": "a Pocock boundary for Poisson counts",
    "poisson-obrien-fleming": "an O'Brien-Fleming boundary for Poisson counts",
    "poisson-wang-tsiatis": "a Wang-Tsiatis boundary for Poisson counts",
    "poisson-sprt": "a sequential probability ratio test for Poisson counts",
    "poisson-maxsprt": "a maximized sequential probability ratio test for Poisson counts",
    "poisson-table": "a boundary that the protocol gives",
}
Content = tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]
_UNCALIBRATED = ("posterior", "table", "poisson-table")


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """A stopping rule of a plan.

    Args:
        id: Of the rule, or a name of the design.
        title: The event that it counts.
        counts: The same in a sentence; empty: not said.
        p0: Acceptable event rate.
        design: With its boundary and attained error.
        parameters: Of the family, by name.
        rates: Event rates of the table of characteristics, each inside [0, 1).
        verdict: What follows when the boundary is reached, for a card.
        is_watch_only: True if it never alerts the data and safety monitoring board.
    """

    id: str
    title: str
    counts: str
    p0: float
    design: RuleDesign
    parameters: Mapping[str, Sequence[float]]
    rates: Sequence[float]
    verdict: str = "Boundary reached: review by the DSMB is required."
    is_watch_only: bool = False


def write_statistical_plan(title: str, source: str, rules: Sequence[PlannedRule]) -> list[Block]:
    """Return the plan.

    Args:
        title: Of the document.
        source: Version and signature of the protocol, or the arguments of the design.
        rules: In order; tables are numbered through.
    """
    blocks: list[Block] = [Heading(title, 1), Paragraph(source)]
    for number, rule in enumerate(rules):
        blocks += _write_rule(rule, 2 * number + 1)
    return blocks


def _write_rule(rule: PlannedRule, first_table: int) -> Iterator[Block]:
    yield Heading(f"{rule.id}: {rule.title}" if rule.title else rule.id)
    sentences = [rule.counts, *_describe_rule(rule, first_table)]
    yield Paragraph(" ".join(sentence for sentence in sentences if sentence))
    yield Table(f"Table {first_table}. {rule.id}: boundary.", *tabulate_boundary(rule.design))
    yield Table(
        f"Table {first_table + 1}. {rule.id}: exact operating characteristics.",
        *_tabulate_characteristics(rule),
    )


def _describe_rule(rule: PlannedRule, first_table: int) -> Iterator[str]:
    design = rule.design
    family = _FAMILY_NAMES.get(design.family, design.family)
    parameters = "; ".join(
        f"{name} {', '.join(f'{value:g}' for value in values)}"
        for name, values in sorted(rule.parameters.items())
    )
    yield f"The event is monitored with {family}" + (f" with {parameters}." if parameters else ".")
    yield f"The acceptable event rate is {rule.p0:g}."
    yield (
        f"{_describe_looks(design)} the number of participants with the event is compared with"
        f" Table {first_table}; at that number or more the boundary is reached, and"
        f" {_describe_review(rule)}."
    )
    if design.family in _UNCALIBRATED:
        yield (
            "The boundary is not calibrated; its exact type I error is"
            f" {design.attained_alpha:.5f}."
        )
    else:
        yield (
            f"The boundary is the most sensitive one of its family whose exact one-sided type I"
            f" error does not exceed {design.alpha:g}; it attains {design.attained_alpha:.5f}."
        )
    yield (
        f"Table {first_table + 1} gives its exact operating characteristics, with every"
        " participant's window complete."
    )


def _describe_review(rule: PlannedRule) -> str:
    if rule.is_watch_only:
        return (
            "the safety officer is told; the rule is watched only, and never alerts the data and"
            " safety monitoring board"
        )
    return "review by the data and safety monitoring board is required"


def _describe_looks(design: RuleDesign) -> str:
    if isinstance(design, PersonTimeDesign):
        plan = design.plan
        when = (
            f"When the person-time reaches {', '.join(f'{look:g}' for look in plan.looks)},"
            if plan.looks
            else "At each event,"
        )
        start = f" from {plan.delayed_start:g} on" if plan.delayed_start else ""
        return f"{when} up to a person-time of {plan.planned:g}{start},"
    if len(design.looks) == design.n:
        return f"After each evaluable participant, up to {design.n},"
    return f"After {', '.join(map(str, design.looks))} evaluable participants,"


def tabulate_boundary(design: RuleDesign) -> Content:
    """Return head and rows: sizes and the events that stop; events and time in person-time."""
    if isinstance(design, PersonTimeDesign):
        steps = tuple((str(step.events), f"{step.end:g}") for step in design.steps)
        return ("Events", "Stop up to a person-time of"), steps
    rows = tuple(
        (
            f"{step.first}" if step.first == step.last else f"{step.first} to {step.last}",
            str(step.events),
        )
        for step in design.steps
    )
    return ("Evaluable participants", "Stop at this number with the event, or more"), rows


def _tabulate_characteristics(rule: PlannedRule) -> Content:
    design = rule.design
    if isinstance(design, PersonTimeDesign):
        at_rates = design.evaluate_at([compute_ratio(rule.p0, rate) for rate in rule.rates])
        head = ("Event rate", "Probability of stopping", "Expected person-time", "Expected events")
        return head, tuple(
            (f"{rate:g}", f"{at.p_stop:.5f}", f"{at.e_time:.6g}", f"{at.e_events:.2f}")
            for rate, at in zip(rule.rates, at_rates.characteristics, strict=True)
        )
    head = ("Event rate", "Probability of stopping", "Expected evaluated", "Expected events")
    return head, tuple(
        (f"{at.rate:g}", f"{at.p_stop:.5f}", f"{at.e_evaluated:.2f}", f"{at.e_events:.2f}")
        for at in design.evaluate_at(rule.rates).characteristics
    )
