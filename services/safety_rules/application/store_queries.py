"""Data queries, listed and stored when nothing else is to do.

To list them is to look at all facts of a participant: a fact would cost more, the more there are
before it. So no step does it, and who is asked for queries folds those whose facts are newer.

Source: docs/adr/0016-queries-when-idle.md
"""

from collections.abc import Sequence
from datetime import datetime

from services.safety_rules.application.cache import Cache
from services.safety_rules.application.fold_step import FoldRequest, rebuild_history
from services.safety_rules.application.stored_family import load_folded_family
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.store import participant_queries, states
from services.store.participant_order import find_families
from services.store.participant_queries import QueriesRow
from services.store.session import Connection, Database
from services.store.states import StateRow

_FAMILIES_AT_ONCE = 16


def store_queries(
    db: Database,
    rules: Rules,
    cache: Cache,
    request: FoldRequest,
    *,
    rebuilt: int,
    received_before: datetime | None = None,
) -> bool:
    """Store the queries of some participants whose stored ones are older than their records.

    One process at a time does it.

    Args:
        db: Migrated.
        rules: The running rules.
        cache: Has the histories of most.
        request: Of it, whether the process is asked to end.
        rebuilt: How many of the others are folded from the journal, at most.
        received_before: Those with a later fact wait; None: nobody does.

    Returns:
        False when there are none.

    Raises:
        FoldStoppedError: The process is asked to end.
    """
    with db.read() as conn:
        subjects = participant_queries.find_outdated_subjects(
            conn, rules.protocol.study, rules.version, received_before
        )
        histories = [
            cache.find(family) or rebuild_history(rules, load_folded_family(conn, family), request)
            for family in _choose_families(conn, rules, cache, subjects, rebuilt)
        ]
    rows = [
        QueriesRow(
            state.subject,
            state.folded_through,
            state.rules_version,
            one.history.list_query_periods(state.subject),
        )
        for one in histories
        for state in one.states
    ]
    if rows:
        with db.write() as conn:
            participant_queries.replace_queries(conn, rows)
    return bool(rows)


def _choose_families(
    conn: Connection, rules: Rules, cache: Cache, subjects: Sequence[str], rebuilt: int
) -> list[tuple[StateRow, ...]]:
    """Return the states of some families of *subjects*, *rebuilt* of them not in the cache."""
    families = [
        tuple(states.load_states_of(conn, group).values())
        for group in find_families(conn, subjects)
    ]
    ready_families = [one for one in families if not any(_waits(state, rules) for state in one)]
    cached_families = [family for family in ready_families if cache.find(family)]
    other_families = [family for family in ready_families if not cache.find(family)]
    return [*cached_families[:_FAMILIES_AT_ONCE], *other_families[:rebuilt]]


def _waits(state: StateRow, rules: Rules) -> bool:
    """Return True when the member of *state* has to be folded first, or cannot be."""
    return state.quarantined_seq is not None or state.is_of_other_rules(rules.version)
