"""The data queries on each participant, as they were when nothing else was to do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, select, update

from services.runtime import wire
from services.runtime.canonical_json import write_canonical
from services.store import audit
from services.store.bulk import match_any
from services.store.rules_aliases import list_columns, select_rules_version
from services.store.tables import participant, participant_queries, participant_state
from services.vocabulary.data_query import Query, QueryPeriod

_REPLACE = (
    update(participant_queries)
    .where(participant_queries.c.subject == bindparam("of"))
    .values(
        folded_through=bindparam("folded_through"),
        rules_version=bindparam("rules_version"),
        payload=bindparam("payload"),
    )
)


@dataclass(frozen=True, slots=True)
class QueriesRow:
    """The queries on one participant, by the facts up to *folded_through* and by these rules."""

    subject: str
    folded_through: int
    rules_version: str
    periods: tuple[QueryPeriod, ...]


def replace_queries(conn: Connection, queries: Sequence[QueriesRow]) -> None:
    """Replace the stored queries of the subjects of *queries*; what is the same stays."""
    stored_queries = load_queries(conn, sorted(row.subject for row in queries))
    rows = [
        {
            "subject": row.subject,
            "folded_through": row.folded_through,
            "rules_version": row.rules_version,
            "payload": write_canonical(row.periods),
        }
        for row in sorted(queries, key=lambda row: row.subject)
        if row != stored_queries.get(row.subject)
    ]
    first_rows = [row for row in rows if row["subject"] not in stored_queries]
    changed_rows = [row for row in rows if row["subject"] in stored_queries]
    audit.insert_audited(conn, participant_queries, first_rows)
    if changed_rows:
        conn.execute(_REPLACE, [{**row, "of": row["subject"]} for row in changed_rows])
        audit.record_rows(conn, participant_queries, changed_rows, action=audit.CHANGE)


def load_queries(conn: Connection, subjects: Sequence[str]) -> Mapping[str, QueriesRow]:
    """Return the stored queries of *subjects*, by subject, current or not."""
    rows: dict[str, QueriesRow] = {}
    for is_wanted in match_any(conn, participant_queries.c.subject, subjects):
        query = select(*list_columns(participant_queries)).where(is_wanted)
        for row in conn.execute(query):
            periods = wire.read_query_periods(row.payload)
            rows[row.subject] = QueriesRow(
                row.subject, row.folded_through, row.rules_version, periods
            )
    return rows


def find_outdated_subjects(
    conn: Connection, study: str, rules_version: str, received_before: datetime | None = None
) -> list[str]:
    """Return the participants all of whose facts are folded, and whose queries are older.

    Args:
        conn: Of one `Database.read`.
        study: Id of the study.
        rules_version: Of the running rules, by which they are folded.
        received_before: Of nobody whose last fact came later; None: of everybody.
    """
    person, state, queries = participant.c, participant_state.c, participant_queries.c
    is_current = and_(
        queries.folded_through == person.last_seq,
        select_rules_version(participant_queries) == rules_version,
    )
    query = (
        select(person.subject)
        .join(participant_state, state.subject == person.subject)
        .outerjoin(participant_queries, and_(queries.subject == person.subject, is_current))
        .where(
            person.study == study,
            person.subject != study,
            person.last_seq == state.folded_through,
            select_rules_version(participant_state) == rules_version,
            state.digest != "",
            state.quarantined_seq.is_(None),
            queries.subject.is_(None),
        )
        .order_by(person.subject)
    )
    if received_before is not None:
        query = query.where(person.last_received_at < received_before)
    return list(conn.scalars(query))


def load_current_queries(
    conn: Connection, study: str, rules_version: str, as_of: datetime, subject: str | None = None
) -> Mapping[str, tuple[Query, ...]]:
    """Return, by subject, the queries that folding all that is known at *as_of* would give.

    Of whoever has facts that are newer than the stored queries, or not known then, or whose
    queries are by other rules, or not known for *as_of*, there is none. Whose facts belong to
    another's records has no queries.

    Args:
        conn: Of one `Database.read`.
        study: Id of the study.
        rules_version: Of the running rules.
        as_of: Aware.
        subject: Of this participant alone; None: of everybody.
    """
    person, queries = participant.c, participant_queries.c
    query = (
        select(queries.subject, queries.payload)
        .join(participant, person.subject == queries.subject)
        .where(
            person.study == study,
            person.last_seq == queries.folded_through,
            person.last_received_at <= as_of,
            select_rules_version(participant_queries) == rules_version,
        )
        .order_by(person.subject)
    )
    if subject is not None:
        query = query.where(person.subject == subject)
    periods_by_subject = {
        row.subject: wire.read_query_periods(row.payload) for row in conn.execute(query)
    }
    current_queries = {
        subject: _find_queries(periods, as_of) for subject, periods in periods_by_subject.items()
    }
    return {one: queries for one, queries in current_queries.items() if queries is not None}


def _find_queries(periods: Sequence[QueryPeriod], as_of: datetime) -> tuple[Query, ...] | None:
    """Return the queries at *as_of*; None: no period holds then."""
    if not periods:
        return ()
    return next(
        (
            one.queries
            for one in periods
            if one.since <= as_of and (one.until is None or as_of < one.until)
        ),
        None,
    )
