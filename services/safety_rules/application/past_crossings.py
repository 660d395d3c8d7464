"""Past boundary crossings, by replay of all that was known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from services.safety_rules.application.decide_study import find_last_known_at
from services.safety_rules.domain.ctcae.rule_book import Rules
from services.safety_rules.domain.stopping.look_back import (
    BoundaryCrossing,
    find_crossings,
    find_first_crossings,
    list_knowledge_changes,
)
from services.store import observation_times, records
from services.store.session import Connection
from services.vocabulary.standing import Standing


def load_first_crossings(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> Mapping[str, datetime | None]:
    """Return the first crossing of each rule, by id; None: there was none.

    The instant is one of knowledge: `decide_rules` as of it says *boundary reached*. Knowledge from
    after *as_of* is left out (None: none is).
    """
    return find_first_crossings(load_crossings(conn, rules, as_of))


def load_crossings(
    conn: Connection, rules: Rules, as_of: datetime | None = None
) -> Mapping[str, Sequence[BoundaryCrossing]]:
    """Return the times that each rule, by id, was at its boundary with what was known then."""
    study = rules.protocol.study
    end = as_of or find_last_known_at(conn, study, records.load_latest_standings(conn, study))
    if end is None:
        return {rule.id: () for rule in rules.protocol.rules}
    observed = observation_times.load_observation_instants(conn, study, end)
    changes = list_knowledge_changes(_list_standings(conn, study, end), observed)
    return find_crossings(rules.protocol.rules, changes, end)


def _list_standings(
    conn: Connection, study: str, end: datetime
) -> Iterator[tuple[datetime, Standing]]:
    """Yield the standings known by *end*, as `decide_rules` reads them: newest versions."""
    newest: dict[tuple[str, str], int] = {}
    rows = [row for row in records.load_standing_versions(conn, study) if row.known_at <= end]
    for row in sorted(rows, key=lambda row: (row.known_at, row.version)):
        key = row.standing.participant, row.standing.rule
        if row.version > newest.get(key, 0):
            newest[key] = row.version
            yield row.known_at, row.standing
