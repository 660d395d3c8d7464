"""The audit trail: actor, time and hash of the content of each change of a row."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Table, func, select

from services.runtime.clock import now_utc
from services.store import tables
from services.store.bulk import insert_rows
from services.store.types import write_instant

SERVICE = "service"  # the actor when no person asked for the change
INSERTION, CHANGE, DELETION = "inserted", "changed", "deleted"

_encode = msgspec.json.Encoder(order="deterministic").encode  # sorts the columns by name

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class AuditPolicy:
    """The way in which rows of one table are audited.

    *key* names the columns that identify the rows of one audit row; *left_out* the columns that
    other audited rows imply. A table whose rows never change is *frozen*.
    """

    table: Table
    key: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    frozen: bool = True


AUDIT_POLICIES: tuple[AuditPolicy, ...] = (
    AuditPolicy(tables.raw_message, ("id",), frozen=False),  # encrypted again with new keys
    AuditPolicy(tables.parked, ("id",), frozen=False),
    AuditPolicy(tables.refused_message, ("id",), frozen=False),  # a migration hid words in them
    AuditPolicy(tables.identity, ("hash",), frozen=False),
    AuditPolicy(
        tables.participant,
        ("subject",),
        ("last_seq", "last_received_at", "family", "told_until"),
    ),
    AuditPolicy(
        tables.fact, ("message",), frozen=False
    ),  # one audit row for all facts of a message
    AuditPolicy(tables.api_key, ("hash",), frozen=False),
    AuditPolicy(tables.installation_key, ("id",), frozen=False),
    AuditPolicy(tables.participant_state, ("subject",), frozen=False),
    AuditPolicy(tables.participant_advice, ("subject",), frozen=False),
    AuditPolicy(tables.participant_queries, ("subject",), frozen=False),
    AuditPolicy(tables.fact_place, ("subject", "fact"), frozen=False),
    AuditPolicy(tables.participant_milestones, ("subject",), frozen=False),
    AuditPolicy(tables.episode, ("id", "version")),
    AuditPolicy(tables.standing, ("subject", "rule", "version")),
    AuditPolicy(tables.study_state, ("study",), frozen=False),
    AuditPolicy(tables.protocol_version, ("sha256",)),
    AuditPolicy(tables.rules_alias, ("version",)),
    AuditPolicy(tables.decision, ("id",)),
    AuditPolicy(tables.alert, ("id",), frozen=False),
    AuditPolicy(tables.timer, ("owner", "purpose"), frozen=False),
    AuditPolicy(tables.delivery, ("id",), frozen=False),
    AuditPolicy(tables.acknowledgement, ("id",)),
    AuditPolicy(tables.act, ("id",)),
    AuditPolicy(tables.study_file, ("sha256",)),
    AuditPolicy(tables.study_activation, ("id",)),
    AuditPolicy(tables.person, ("id",), frozen=False),
    AuditPolicy(tables.person_role, ("person", "role"), frozen=False),
    AuditPolicy(tables.credential, ("person",), frozen=False),
    AuditPolicy(tables.sign_in, ("hash",), ("used_at",), frozen=False),
    AuditPolicy(tables.sign_in_attempt, ("id",)),
    AuditPolicy(tables.alert_act, ("id",)),
    AuditPolicy(tables.alert_state, ("alert",), frozen=False),
    AuditPolicy(tables.link_revocation, ("id",)),
    AuditPolicy(tables.seriousness, ("id",)),
    AuditPolicy(tables.sae_clock, ("id",), frozen=False),
    AuditPolicy(tables.lease, ("name",), ("since", "until"), frozen=False),
    AuditPolicy(tables.audit_seal, ("upto",)),
)

_POLICY_OF_TABLE = {kept.table.name: kept for kept in AUDIT_POLICIES}


def find_policy(table: Table) -> AuditPolicy:
    """Return the audit policy of *table*."""
    return _POLICY_OF_TABLE[table.name]


def make_audit_key(how: AuditPolicy, row: Row) -> str:
    """Return the audit key of *row*: its key column, or a JSON list of them.

    >>> make_audit_key(find_policy(tables.episode), {"id": "e1", "version": 2})
    '["e1",2]'
    """
    if len(how.key) == 1:
        return str(row[how.key[0]])
    return json.dumps([row[name] for name in how.key], separators=(",", ":"), ensure_ascii=False)


def write_row_text(how: AuditPolicy, row: Row) -> str:
    """Return the canonical content of *row* as the database holds it, without its empty columns."""
    left_out = how.left_out
    return _encode(
        {
            name: value if type(value) is str else _encode_value(value)
            for name, value in row.items()
            if value is not None and name not in left_out
        }
    ).decode()


def hash_rows(texts: Sequence[str]) -> str:
    """Return the sha256 of the rows that share an audit key, in the order of their text."""
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()


def find_newest_id(conn: Connection) -> int:
    """Return the id of the newest row of the trail; 0 when it is empty."""
    return int(conn.scalar(select(func.max(tables.audit.c.id))) or 0)


def record_rows(
    conn: Connection,
    table: Table,
    rows: Sequence[Row],
    *,
    action: str = INSERTION,
    actor: str = SERVICE,
    detail: str = "",
) -> None:
    """Append to the audit trail that complete *rows* were written to *table*.

    Rows that share an audit key (the facts of one message) must be passed together.
    """
    how = find_policy(table)
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault(make_audit_key(how, row), []).append(write_row_text(how, row))
    _append(
        conn,
        table,
        {key: hash_rows(texts) for key, texts in groups.items()},
        (action, actor, detail),
    )


def record_deletion(
    conn: Connection, table: Table, rows: Sequence[Row], *, actor: str = SERVICE
) -> None:
    """Append to the audit trail that *rows* (their key columns suffice) were deleted."""
    how = find_policy(table)
    _append(conn, table, {make_audit_key(how, row): "" for row in rows}, (DELETION, actor, ""))


def insert_audited(
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
        record_rows(conn, table, rows, actor=actor, detail=detail)


def _append(
    conn: Connection, table: Table, hashes: Mapping[str, str], entry: tuple[str, str, str]
) -> None:
    action, actor, detail = entry
    instant = now_utc()
    if hashes:
        insert_rows(
            conn,
            tables.audit,
            [
                {
                    "at": instant,
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


def _encode_value(value: object) -> object:
    match value:
        case bool():
            return int(value)
        case datetime():
            return write_instant(value)
        case bytes() | memoryview():
            return hashlib.sha256(value).hexdigest()
    return value
