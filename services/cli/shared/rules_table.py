"""The table of `aegis rules status`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from services.cli.shared.columns import RULES
from services.cli.shared.tables import format_utc, make_explained_table
from services.safety_rules.reports.rule_notes import list_notes
from services.vocabulary.decision import Decision, describe_prior


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
            d.boundary if d.can_stop else "-",
            _describe_missing_events(d),
            _describe_certainty(d),
            "reached" if d.crossed_since else f"{d.predictive:.0%}",
            format_utc(first_crossings.get(d.rule)),
            ("(watch only) " if d.watch_only else "") + d.signal,
        )
        for d in decisions
    ]
    knowledge = f"as known at {format_utc(as_of)} UTC" if as_of else "as known now"
    data_to = max((d.data_to for d in decisions if d.data_to), default=None)
    foot = (
        f"{decisions[0].protocol}; data to {format_utc(data_to)} UTC, {knowledge}."
        f" by n: probability of reaching it by n{_describe_priors(decisions)};"
        " ever reached: when it was first known to be, also if it no longer is."
    )
    note_lines = [f"{d.rule}: {note}." for d in decisions for note in list_notes(d)]
    return "\n".join([make_explained_table(RULES, rows), *note_lines, foot])


def _describe_certainty(decision: Decision) -> str:
    if decision.crossed_since:
        return "reached"
    if decision.certain:
        return "certain"
    return "possible" if decision.possible else "no"


def _describe_missing_events(decision: Decision) -> str:
    """Return the events to the boundary: at this size, and if they come from new participants."""
    if decision.crossed_since:
        return "reached"
    present_count = decision.events_left if decision.can_stop else "-"
    from_new = decision.events_left_from_new
    return f"{present_count} / {'-' if from_new is None else from_new}"


def _describe_priors(decisions: Sequence[Decision]) -> str:
    """Return the prior of each rule, rules of one prior together; empty when none is recorded."""
    rules_by_prior: defaultdict[str, list[str]] = defaultdict(list)
    for decision in decisions:
        if prior := describe_prior(decision):
            rules_by_prior[prior].append(decision.rule)
    priors = [f"{prior} of {', '.join(rules)}" for prior, rules in rules_by_prior.items()]
    return f", with the prior {'; '.join(priors)}" if priors else ""
