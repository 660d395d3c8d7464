"""The audit trail: who changed which row when, and the hash of what it then said."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from services.runtime.clock import now_utc
from services.store import tables
from services.store.bulk import insert_rows
from services.store.types import instant_text

SERVICE = "service"  # the actor of what no person asked for
INSERTED, CHANGED, DELETED = "inserted", "changed", "deleted"

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Kept:
    """How the rows of one table are audited.

    *key* names the columns that say which rows one audit row is about; *left_out* those that
    other rows vouch for. A table whose rows never change is *frozen*.
    """

    table: Table
    key: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    frozen: bool = True


KEPT: tuple[Kept, ...] = (
    Kept(tables.raw_message, ("id",), frozen=False),  # sealed again with another key
    Kept(tables.parked, ("id",), frozen=False),
    Kept(tables.identity, ("hash",), frozen=False),
    Kept(
        tables.participant,
        ("subject",),
        ("last_seq", "last_received_at", "family", "told_until"),
    ),
    Kept(tables.fact, ("message",), frozen=False),  # one audit row for all facts of a message
    Kept(tables.api_key, ("hash",), frozen=False),
    Kept(tables.participant_state, ("subject",), frozen=False),
    Kept(tables.episode, ("id", "version")),
    Kept(tables.standing, ("subject", "rule", "version")),
    Kept(tables.study_state, ("study",), frozen=False),
    Kept(tables.protocol_version, ("sha256",)),
    Kept(tables.rules_alias, ("version",)),
    Kept(tables.decision, ("id",)),
    Kept(tables.alert, ("id",), frozen=False),
    Kept(tables.timer, ("owner", "purpose"), frozen=False),
    Kept(tables.delivery, ("id",), frozen=False),
    Kept(tables.acknowledgement, ("id",)),
    Kept(tables.lease, ("name",), ("since", "until"), frozen=False),
    Kept(tables.audit_seal, ("upto",)),
)

_KEPT = {kept.table.name: kept for kept in KEPT}


def kept(table: Table) -> Kept:
    """Return how *table* is audited."""
    return _KEPT[table.name]


def key_of(how: Kept, row: Row) -> str:
    """Return the audit key of *row*: its key column, or a JSON list of them.

    >>> key_of(kept(tables.episode), {"id": "e1", "version": 2})
    '["e1",2]'
    """
    if len(how.key) == 1:
        return str(row[how.key[0]])
    return json.dumps([row[name] for name in how.key], separators=(",", ":"), ensure_ascii=False)


def row_text(how: Kept, row: Row) -> str:
    """Return the canonical content of *row* as the database holds it, without its empty columns."""
    left_out = how.left_out
    return _encode(
        {
            name: value if type(value) is str else _stored(value)
            for name, value in row.items()
            if value is not None and name not in left_out
        }
    )


def rows_hash(texts: Sequence[str]) -> str:
    """Return the sha256 of the rows that share an audit key, in the order of their text."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def newest(conn: Connection) -> int:
    """Return the id of the newest row of the trail; 0: there is none."""
    return int(conn.scalar(select(func.max(tables.audit.c.id))) or 0)


def record(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    action: str = INSERTED,
    actor: str = SERVICE,
    detail: str = "",
) -> None:
    """Let the audit trail say that *rows*, complete, were written to *table* in this transaction.

    Each row stands for its key: rows that share one (facts of a message) must all be given.
    """
    how = kept(table)
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(key_of(how, row), []).append(row_text(how, row))
    _append(
        conn,
        table,
        {key: rows_hash(texts) for key, texts in groups.items()},
        (action, actor, detail),
    )


def record_deleted(
    conn: Connection, table: Table, rows: Sequence[Row], *, actor: str = SERVICE
) -> None:
    """Let the audit trail say that *rows* (their key columns suffice) were deleted."""
    how = kept(table)
    _append(conn, table, {key_of(how, row): "" for row in rows}, (DELETED, actor, ""))


def add(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    actor: str = SERVICE,
    detail: str = "",
) -> None:
    """Insert *rows* and audit them."""
    if rows:
        insert_rows(conn, table, rows)
        record(conn, table, rows, actor=actor, detail=detail)


def _append(
    conn: Connection, table: Table, hashes: Mapping[str, str], told: tuple[str, str, str]
) -> None:
    action, actor, detail = told
    at = now_utc()
    if hashes:
        insert_rows(
            conn,
            tables.audit,
            [
                {
                    "at": at,
                    "actor": actor,
                    "action": action,
                    "place": table.name,
                    "key": key,
                    "sha256": sha256,
                    "detail": detail,
                }
                for key, sha256 in hashes.items()
            ],
        )


def _stored(value: object) -> object:
    match value:
        case bool():
            return int(value)
        case datetime():
            return instant_text(value)
        case bytes() | memoryview():
            return hashlib.sha256(value).hexdigest()
    return value
