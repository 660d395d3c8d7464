"""The table of `aegis rules status`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.cli.shared.columns import RULES
from services.cli.shared.rule_notes import list_notes
from services.cli.shared.tables import format_utc, make_explained_table
from services.vocabulary.decision import Decision


def make_rules_table(
    decisions: Sequence[Decision],
    first_crossings: Mapping[str, datetime | None],
    as_of: datetime | None = None,
) -> str:
    """Return one line for each rule, and the data cut of the numbers.

    Args:
        decisions: Not empty.
        first_crossings: Instants at which each rule, by id, was first known to be at its boundary.
        as_of: The knowledge cut; None: now.
    """
    rows = [
        (
            d.rule,
            d.title,
            d.events,
            d.confirmed,
            d.upper,
            d.evaluable,
            f"{d.ess:.1f}",
            d.boundary if d.boundary <= d.n else "-",
            d.events_left,
            _describe_certainty(d),
            f"{d.predictive:.0%}",
            format_utc(first_crossings.get(d.rule)),
            ("(watch only) " if d.watch_only else "") + d.signal,
        )
        for d in decisions
    ]
    knowledge = f"as known at {format_utc(as_of)} UTC" if as_of else "as known now"
    data_to = max((d.data_to for d in decisions if d.data_to), default=None)
    foot = (
        f"{decisions[0].protocol}; data to {format_utc(data_to)} UTC, {knowledge}."
        " by n: probability of reaching it by n;"
        " ever reached: when it was first known to be, also if it no longer is."
    )
    note_lines = [f"{d.rule}: {note}." for d in decisions for note in list_notes(d)]
    return "\n".join([make_explained_table(RULES, rows), *note_lines, foot])


def _describe_certainty(decision: Decision) -> str:
    if decision.certain:
        return "certain"
    return "possible" if decision.possible else "no"
