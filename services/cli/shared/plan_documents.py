"""Documents for the authors of a protocol, for files."""

from argparse import Namespace
from collections.abc import Iterator, Sequence

from services.cli.shared.output_files import OutputFile
from services.reports.document_formats import FORMATS
from services.reports.r_script import write_r_script
from services.reports.statistical_plan import (
    PlannedRule,
    tabulate_boundary,
    write_statistical_plan,
)
from services.safety_rules.reports.boundary_tables import FamilyComparison, PersonTimeDesign
from services.safety_rules.reports.person_time_tables import PersonTimeComparison


def make_plan_documents(
    args: Namespace, title: str, source: str, rules: Sequence[PlannedRule]
) -> Iterator[OutputFile]:
    """Yield each document that was asked for.

    Args:
        args: With those of `services.cli.arguments.plan_documents`.
        title: Of the documents.
        source: Version and signature of the protocol, or the arguments of the design.
        rules: In order.
    """
    if args.sap:
        write = FORMATS[args.sap.suffix.lower()]
        yield OutputFile("--sap", args.sap, write(write_statistical_plan(title, source, rules)))
    if args.r:
        yield OutputFile("--r", args.r, write_r_script(rules))
    if args.cards:
        yield OutputFile("--cards", args.cards, _draw_cards(f"{title}  {source}", rules))


def list_planned_designs(
    comparisons: Sequence[FamilyComparison] | Sequence[PersonTimeComparison], p0: float, p1: float
) -> list[PlannedRule]:
    """Return the designs of *comparisons*, each with its characteristics at p0 and p1."""
    return [
        PlannedRule(one.family, one.label, "", p0, one.design, one.parameters, (p0, p1))
        for one in comparisons
        if one.design
    ]


def _draw_cards(head: str, rules: Sequence[PlannedRule]) -> bytes:
    from services.charts.cards import Card, write_cards  # noqa: PLC0415 (matplotlib takes a second)

    cards = [
        Card(
            title=rule.title or rule.id,
            counts=f"{rule.id}: {rule.counts}" if rule.title else rule.counts,
            size_name=(
                "person-days, or expected events, at most"
                if isinstance(rule.design, PersonTimeDesign)
                else "evaluable participants"
            ),
            rows=_list_rows(rule),
            verdict=rule.verdict,
            limits=(
                f"Acceptable event rate {rule.p0:g}; a trial at that rate is stopped with"
                f" probability {rule.design.attained_alpha:.3f}, exact, with every window complete."
                " Participants whose window is not over count in part: the program says how many"
                " there are. Trial safety oversight, not a bedside alarm."
            ),
        )
        for rule in rules
    ]
    return write_cards(head, cards)


def _list_rows(rule: PlannedRule) -> tuple[tuple[str, str], ...]:
    """Return the sizes and the events that stop, as a card shows them."""
    rows = tabulate_boundary(rule.design)[1]
    if isinstance(rule.design, PersonTimeDesign):
        return tuple((size, events) for events, size in rows)
    return tuple((size, events) for size, events in rows)
