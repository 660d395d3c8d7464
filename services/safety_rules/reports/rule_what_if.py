"""A stopping rule's answer if something else were so: a record judged, or follow-up without event.

Nothing of it is stored; the standings that are stored are changed in memory and decided again.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from services.safety_rules.application.decide_study import (
    find_last_determination,
    load_cut,
    load_determinations,
)
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.monitor import decide_rule
from services.store.session import Connection
from services.vocabulary.decision import Decision
from services.vocabulary.standing import ObservedStanding

_MOST_PENDING = 3  # as in "if the next 3 complete without event"


@dataclass(frozen=True, slots=True)
class Supposition:
    """Something that may become so, and the rule's decision if it did.

    Attributes:
        words: "if P-007 is confirmed".
        decision: Of the rule then.
    """

    words: str
    decision: Decision


def list_suppositions(conn: Connection, rules: Rules, rule_id: str) -> list[Supposition]:
    """Return the changes that may come next under *rule_id*, each with the rule's answer to it.

    Raises:
        KeyError: The protocol has no such rule.
    """
    rule = next((one for one in rules.protocol.rules if one.id == rule_id), None)
    if rule is None:
        raise KeyError(rule_id)
    cut = load_cut(conn, rules)
    if cut is None:
        return []
    observed = cut.standings[rule.id]
    determinations = load_determinations(conn, rules.protocol.study)
    last = find_last_determination(determinations, rule.id)
    return [
        Supposition(words, decide_rule(rules.protocol, rule, changed, cut.as_of, last))
        for words, changed in _list_changes(observed)
    ]


def _list_changes(
    observed: Sequence[ObservedStanding],
) -> Iterator[tuple[str, list[ObservedStanding]]]:
    """Yield each thing that may become so, in words, with the standings as they would be."""
    current = [
        observed_standing
        for observed_standing in observed
        if not observed_standing.standing.merged_into
    ]
    for observed_standing in current:
        standing = observed_standing.standing
        if standing.event is not None and standing.confirmed is None:
            name = standing.participant
            yield f"if {name} is confirmed", _change(observed, {name}, _confirm)
            yield f"if {name} is rejected", _change(observed, {name}, _reject)
        elif standing.event is None and standing.upper is not None:
            name = standing.participant
            yield f"if {name} turns out at the upper grade", _change(observed, {name}, _reach_upper)
    yield from _list_completions(current, observed)


def _list_completions(
    current: Sequence[ObservedStanding], observed: Sequence[ObservedStanding]
) -> Iterator[tuple[str, list[ObservedStanding]]]:
    pending = sorted(
        (observed_standing for observed_standing in current if _is_pending(observed_standing)),
        key=lambda observed_standing: (
            observed_standing.standing.exposed_at,
            observed_standing.standing.participant,
        ),
    )
    if not pending:
        return
    groups = {min(_MOST_PENDING, len(pending)): "the next", len(pending): "all"}
    for count, group_name in groups.items():
        names = {observed_standing.standing.participant for observed_standing in pending[:count]}
        words = f"if {group_name} {count} pending complete without event"
        yield words, _change(observed, names, _complete)


def _is_pending(observed_standing: ObservedStanding) -> bool:
    standing = observed_standing.standing
    return (
        standing.exposed_at is not None
        and standing.window_ends_at is not None
        and standing.event is None
        and standing.competing is None
        and standing.frozen_at is None
        and observed_standing.observed_until < standing.window_ends_at
    )


def _change(
    observed: Sequence[ObservedStanding],
    participants: Collection[str],
    change: Callable[[ObservedStanding], ObservedStanding],
) -> list[ObservedStanding]:
    return [
        change(observed_standing)
        if observed_standing.standing.participant in participants
        else observed_standing
        for observed_standing in observed
    ]


def _confirm(observed_standing: ObservedStanding) -> ObservedStanding:
    event = observed_standing.standing.event
    confirmed = None if event is None else replace(event, confirmed=True)
    return replace(
        observed_standing,
        standing=replace(observed_standing.standing, event=confirmed, confirmed=confirmed),
    )


def _reject(observed_standing: ObservedStanding) -> ObservedStanding:
    return replace(
        observed_standing,
        standing=replace(observed_standing.standing, event=None, confirmed=None, upper=None),
    )


def _reach_upper(observed_standing: ObservedStanding) -> ObservedStanding:
    return replace(
        observed_standing,
        standing=replace(observed_standing.standing, event=observed_standing.standing.upper),
    )


def _complete(observed_standing: ObservedStanding) -> ObservedStanding:
    return replace(
        observed_standing,
        observed_until=observed_standing.standing.window_ends_at
        or observed_standing.observed_until,
    )
