"""Detection of rows that were changed, deleted or added outside the audit trail."""

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    func,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.types import NullType

from services.runtime import wire
from services.store import audit, leases, tables, vault
from services.store.audit import AuditPolicy
from services.store.participant_order import (
    JOINING_KINDS,
    LockedRow,
    join_families,
    list_named_pairs,
)
from services.store.revisions import find_head, find_revisions
from services.store.seal_chain import IntegrityFault, check_chain
from services.store.snapshots import ReadSnapshot
from services.store.types import Instant

KEYS_AT_ONCE = 200
_ROWS_AT_ONCE = 50_000

_ACTIONS = {audit.INSERTION, audit.CHANGE, audit.DELETION}


def find_faults(look: ReadSnapshot, keys: vault.Keys) -> Iterator[IntegrityFault]:
    """Yield the faults of the database, part by part, in bounded memory.

    Args:
        look: Returns a connection to one consistent state; called again for each part.
        keys: Their seal key made the chain of the audit trail.
    """
    if find_revisions(look()) != (find_head(),):
        yield IntegrityFault("alembic_version", "", f"is not at the one revision {find_head()}")
    yield from check_chain(look, keys)
    yield from _strange_audit_rows(look)
    for how in audit.AUDIT_POLICIES:
        yield from _rows_against_audit(look, how)
        yield from _audit_against_rows(look, how)
    yield from _counter_faults(look)
    yield from _strays(look())
    yield from _families(look())
    yield from _leases(look())


def _rows_against_audit(look: ReadSnapshot, how: AuditPolicy) -> Iterator[IntegrityFault]:
    """Yield rows whose content differs from their newest audit row."""
    for conn, keys in _table_keys(look, how):
        texts = _row_texts(conn, how, keys)
        trail = _trail(conn, how.table.name, list(texts))
        for key, of_key in texts.items():
            hashes = trail.get(key, [""])
            if not hashes[-1]:
                yield IntegrityFault(how.table.name, key, "was added, and nobody recorded it")
            elif hashes[-1] != audit.hash_rows(of_key):
                yield IntegrityFault(how.table.name, key, "is not what was recorded")
            if how.frozen and len(hashes) > 1:
                yield IntegrityFault(how.table.name, key, "was recorded twice and can be only once")
            if any(one == other for one, other in pairwise(hashes)):
                yield IntegrityFault(how.table.name, key, "was recorded again without a change")


def _audit_against_rows(look: ReadSnapshot, how: AuditPolicy) -> Iterator[IntegrityFault]:
    """Yield rows that the audit trail names and the table lacks."""
    place, key = tables.audit.c.place, tables.audit.c.key
    query = select(key).where(place == how.table.name).distinct().order_by(key).limit(KEYS_AT_ONCE)
    columns = [how.table.c[name] for name in how.key]
    conn = look()
    recorded = list(conn.scalars(query))
    while recorded:
        key_values = [values for one in recorded if (values := _values(how, one)) is not None]
        query_rows = select(*columns).where(tuple_(*columns).in_(key_values)).distinct()
        present_keys = {
            audit.make_audit_key(how, dict(row)) for row in conn.execute(query_rows).mappings()
        }
        missing = [one for one in recorded if one not in present_keys]
        for missing_key, hashes in _trail(conn, how.table.name, missing).items():
            if hashes[-1]:
                yield IntegrityFault(
                    how.table.name, missing_key, "was deleted, and nobody recorded it"
                )
        conn = look()
        recorded = list(conn.scalars(query.where(key > recorded[-1])))


def _strange_audit_rows(look: ReadSnapshot) -> Iterator[IntegrityFault]:
    """Yield audit rows with an unknown table or action."""
    table = tables.audit.c
    last = look().scalar(select(func.max(table.id))) or 0
    places = {how.table.name for how in audit.AUDIT_POLICIES}
    strange = table.place.not_in(places) | table.action.not_in(_ACTIONS)
    strange |= (table.sha256 == "") != (table.action == audit.DELETION)
    for first_id in range(0, last, _ROWS_AT_ONCE):
        part = table.id.between(first_id + 1, first_id + _ROWS_AT_ONCE)
        for row_id in look().scalars(select(table.id).where(part, strange).order_by(table.id)):
            yield IntegrityFault(tables.audit.name, str(row_id), "is about nothing that is audited")


def _counter_faults(look: ReadSnapshot) -> Iterator[IntegrityFault]:
    """Yield participants whose counters disagree with their facts, or whose facts have gaps."""
    subject = tables.participant.c.subject
    query = select(subject).order_by(subject).limit(KEYS_AT_ONCE)
    conn = look()
    part = list(conn.scalars(query))
    while part:
        yield from _find_counter_faults(conn, part)
        conn = look()
        part = list(conn.scalars(query.where(subject > part[-1])))


def _find_counter_faults(conn: Connection, subjects: Sequence[str]) -> Iterator[IntegrityFault]:
    fact, participant = tables.fact.c, tables.participant.c
    known_at = type_coerce(fact.received_at, String)
    fact_counts = (
        select(
            fact.subject,
            func.count().label("count"),
            func.min(fact.seq).label("first_seq"),
            func.max(fact.seq).label("last_seq"),
            func.max(known_at).label("last_received_at"),
        )
        .where(fact.subject.in_(subjects))
        .group_by(fact.subject)
        .subquery()
    )
    has_gaps = (fact_counts.c.first_seq != 1) | (fact_counts.c.count != fact_counts.c.last_seq)
    wrong = (
        select(participant.subject, has_gaps)
        .outerjoin(fact_counts, fact_counts.c.subject == participant.subject)
        .where(participant.subject.in_(subjects))
        .where(
            has_gaps
            | (func.coalesce(fact_counts.c.count, 0) != participant.last_seq)
            | (func.coalesce(fact_counts.c.last_seq, 0) != participant.last_seq)
            | (
                func.coalesce(fact_counts.c.last_received_at, "")
                != func.coalesce(type_coerce(participant.last_received_at, String), "")
            )
        )
    )
    for subject, misses_some in conn.execute(wrong.order_by(participant.subject)):
        yield IntegrityFault(tables.participant.name, subject, "does not count its facts")
        if misses_some:
            yield IntegrityFault(
                tables.fact.name, subject, "has gaps: its facts are not 1, 2, 3, ..."
            )


def _strays(conn: Connection) -> Iterator[IntegrityFault]:
    """Yield the subjects of facts that are no participants."""
    fact, participant = tables.fact.c, tables.participant.c
    stray = select(fact.subject).where(fact.subject.not_in(select(participant.subject))).distinct()
    for subject in conn.scalars(stray.order_by(fact.subject)):
        yield IntegrityFault(tables.fact.name, subject, "is about nobody who takes part")


def _families(conn: Connection) -> Iterator[IntegrityFault]:
    """Yield participants whose stored family differs from the one that their merges imply."""
    fact, participant = tables.fact.c, tables.participant.c
    query = select(fact.payload).where(fact.kind.in_(JOINING_KINDS))
    joining_facts = [wire.read_fact(payload) for payload in conn.scalars(query)]
    rows = conn.execute(select(participant.subject, participant.family))
    family_of = {row.subject: row.family for row in rows}
    locked_rows = {subject: LockedRow(subject, None, 0, None, None) for subject in family_of}
    pairs = list_named_pairs(one for one in joining_facts if not isinstance(one, wire.Unreadable))
    join_families(locked_rows, (names for names in pairs if family_of.keys() >= set(names)))
    for subject, family in sorted(family_of.items()):
        if family != locked_rows[subject].family:
            yield IntegrityFault(
                tables.participant.name, subject, "is of another family than merges say"
            )


def _leases(conn: Connection) -> Iterator[IntegrityFault]:
    """Yield leases with an impossible name or duration."""
    for row in conn.execute(_raw(tables.lease, [])):
        try:
            lasts = Instant.parse(row.until) - Instant.parse(row.since)
        except ValueError:
            yield IntegrityFault(tables.lease.name, row.name, "has an unreadable time")
            continue
        if row.name not in leases.NAMES or not 0 < lasts.total_seconds() <= leases.LONGEST_S:
            yield IntegrityFault(
                tables.lease.name, row.name, "is a lease that nobody can have taken"
            )


def _table_keys(
    look: ReadSnapshot, how: AuditPolicy
) -> Iterator[tuple[Connection, list[tuple[object, ...]]]]:
    """Yield the audit keys of a table as column values, in parts, each with its connection."""
    columns = [how.table.c[name] for name in how.key]
    query = select(*columns).distinct().order_by(*columns).limit(KEYS_AT_ONCE)
    conn = look()
    part = [tuple(row) for row in conn.execute(query)]
    while part:
        yield conn, part
        next_keys = tuple_(*columns) > tuple_(*part[-1])
        conn = look()
        part = [tuple(row) for row in conn.execute(query.where(next_keys))]


def _row_texts(
    conn: Connection, how: AuditPolicy, keys: Sequence[tuple[object, ...]]
) -> dict[str, list[str]]:
    """Return the canonical texts of the rows of *keys*, by audit key."""
    columns = [how.table.c[name] for name in how.key]
    texts: dict[str, list[str]] = {}
    for held_row in conn.execute(_raw(how.table, [tuple_(*columns).in_(keys)])).mappings():
        row = dict(held_row)
        texts.setdefault(audit.make_audit_key(how, row), []).append(audit.write_row_text(how, row))
    return texts


def _trail(conn: Connection, place: str, keys: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the recorded hashes of *keys* of the table *place*, oldest first."""
    table = tables.audit.c
    query = select(table.key, table.sha256).where(table.place == place, table.key.in_(keys))
    rows = conn.execute(query.order_by(table.key, table.id))
    return {key: [row.sha256 for row in of_key] for key, of_key in groupby(rows, lambda r: r.key)}


def _raw(table: Table, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Return the query for the raw stored values, which reads damaged rows too."""
    return select(*(_as_held(column) for column in table.c)).where(*conditions)


def _as_held(column: ColumnElement[Any]) -> ColumnElement[Any]:
    match column.type:
        case Instant():
            return type_coerce(column, String).label(column.key)
        case Boolean():
            return type_coerce(column, Integer).label(column.key)
        case LargeBinary():
            return type_coerce(column, NullType).label(column.key)
    return column


def _values(how: AuditPolicy, key: str) -> tuple[object, ...] | None:
    """Return the column values of an audit key; None when it is malformed."""
    try:
        values = json.loads(key) if len(how.key) > 1 else [key]
        if len(values) != len(how.key):
            return None
        return tuple(
            int(value) if isinstance(how.table.c[name].type, Integer) else str(value)
            for name, value in zip(how.key, values, strict=True)
        )
    except (ValueError, TypeError):
        return None
