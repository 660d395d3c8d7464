"""A protocol's rule as the points of its curves, and the table of a rule of person-time."""

from collections.abc import Iterator, Sequence

from services.charts.chart_content import PlottedRule
from services.cli.shared.person_time_words import format_time_row
from services.cli.shared.rate_grid import make_rate_grid
from services.safety_rules.reports.boundary_tables import (
    PersonTimeDesign,
    RuleDesign,
    compute_ratio,
)
from services.vocabulary.protocol import Rule

_HIGHEST_DIFFERENCE = 0.2  # of the rates that the table beside it shows, from p0


def plot_rule(rule: Rule, design: RuleDesign) -> PlottedRule:
    """Return the boundary of *rule*, and its chance of stopping at each rate."""
    p0 = rule.stop_when.p0
    rates = make_rate_grid(p0, p0 + _HIGHEST_DIFFERENCE)
    if isinstance(design, PersonTimeDesign):
        ratios = [compute_ratio(p0, rate) for rate in rates if rate < 1]
        chances = tuple(at.p_stop for at in design.evaluate_at(ratios).characteristics)
        return PlottedRule(
            rule.id, (), (), rates[: len(chances)], chances, person_time=rule.stop_when.person_time
        )
    chances = tuple(at.p_stop for at in design.evaluate_at(rates).characteristics)
    return PlottedRule(rule.id, design.looks, design.boundary, rates, chances)


def list_time_rows(
    design: PersonTimeDesign, p0: float, rates: Sequence[float]
) -> Iterator[tuple[str, ...]]:
    """Yield the characteristics at each of *rates*, as the columns ``PERSON_TIME`` have them."""
    at_rates = design.evaluate_at([compute_ratio(p0, rate) for rate in rates])
    for rate, row in zip(rates, at_rates.characteristics, strict=True):
        mark = " (p0)" if rate == round(p0, 4) else ""
        yield format_time_row(f"{rate:g}{mark}", row)
