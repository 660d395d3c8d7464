"""Seals: a chain of keyed hashes over the audit rows, extended each second by one worker."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, String, func, select, text, type_coerce

from services.store import audit, vault
from services.store.snapshots import ReadSnapshot
from services.store.tables import audit as audit_table
from services.store.tables import audit_seal

ROWS_AT_ONCE = 10_000
_SEALS_AT_ONCE = 500
_TRANSACTION_IDS = text(
    "SELECT pg_current_xact_id()::text::bigint,"
    " pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
)

_CONTENT = (
    audit_table.c.id,
    type_coerce(audit_table.c.at, String).label("at"),
    audit_table.c.actor,
    audit_table.c.action,
    audit_table.c.place,
    audit_table.c.key,
    audit_table.c.sha256,
    audit_table.c.detail,
)


@dataclass(frozen=True, slots=True)
class IntegrityFault:
    """A fault of the stored data: its table, its key, and the problem."""

    place: str
    key: str
    problem: str


@dataclass(slots=True)
class SettledIds:
    """The audit rows that no open transaction can precede, on a database with several writers.

    Ids become visible out of order there. Those up to *asked_id* are settled once every transaction
    that ran at the last observation has ended: their ids were given by then.

    Args:
        upto: The highest settled id.
        asked_id: The highest id at the last observation.
        asked_before: Id of a transaction that began after it.
    """

    upto: int = 0
    asked_id: int = 0
    asked_before: int | None = None

    def observe(self, conn: Connection) -> int:
        """Return the highest settled id; call it several times a minute.

        Args:
            conn: A transaction that has written nothing: it is given a transaction id here, higher
                than that of any transaction that has an audit id by then. (The end of a snapshot
                is no such bound: a running transaction may have an id beyond it.)
        """
        last = audit.find_newest_id(conn)
        own_id, oldest = conn.execute(_TRANSACTION_IDS).one()
        if self.asked_before is not None and oldest >= self.asked_before:
            self.upto = self.asked_id
            self.asked_before = None
        if self.asked_before is None:
            self.asked_id, self.asked_before = last, own_id
        return self.upto


def seal_audit_rows(
    conn: Connection, keys: vault.Keys, sealed_at: datetime, *, upto: int | None = None
) -> str | None:
    """Append a seal over up to `ROWS_AT_ONCE` new audit rows; return its hash.

    Call it until it returns None: then only the audit rows of the seals themselves are left.

    Args:
        conn: Of the holder of the lease ``sealer``.
        keys: Their seal key makes the chain.
        sealed_at: Aware.
        upto: Rows of a higher id wait: `SettledIds`. None with a single writer.
    """
    first_id, previous = _end_of_chain(conn)
    query = select(*_CONTENT).where(audit_table.c.id >= first_id).order_by(audit_table.c.id)
    if upto is not None:
        query = query.where(audit_table.c.id <= upto)
    rows = conn.execute(query.limit(ROWS_AT_ONCE)).all()
    if all(row.place == audit_seal.name for row in rows):
        return None
    seal_hash = vault.hash_chain(keys, previous, _content(rows))
    row = {
        "upto": rows[-1].id,
        "since": first_id,
        "hash": seal_hash,
        "previous": previous,
        "sealed_at": sealed_at,
    }
    audit.insert_audited(conn, audit_seal, [row])
    return seal_hash


def check_chain(look: ReadSnapshot, keys: vault.Keys) -> Iterator[IntegrityFault]:
    """Yield every break of the chain: a missing seal, or audit rows that do not fit theirs."""
    first_id, previous = 1, ""
    count_below = look().scalar(select(func.count()).where(audit_table.c.id < first_id))
    if count_below:
        yield IntegrityFault(audit_table.name, "", f"{count_below} rows with an impossible id")
    for upto, begin, seal_hash, previous_hash in _seals(look):
        if (begin, previous_hash) != (first_id, previous):
            yield IntegrityFault(audit_seal.name, str(upto), "does not follow the seal before it")
        if _hash_rows(look(), keys, previous_hash, begin, upto) != seal_hash:
            yield IntegrityFault(audit_table.name, f"{begin}-{upto}", "rows do not fit their seal")
        first_id, previous = upto + 1, seal_hash


def fits_newest_seal(conn: Connection, keys: vault.Keys) -> bool:
    """Return True if *keys* made the newest seal, or there is none."""
    query = select(audit_seal).order_by(audit_seal.c.upto.desc()).limit(1)
    last = conn.execute(query).one_or_none()
    if last is None:
        return True
    return _hash_rows(conn, keys, last.previous, last.since, last.upto) == str(last.hash)


def _hash_rows(conn: Connection, keys: vault.Keys, previous: str, begin: int, upto: int) -> str:
    is_inside = audit_table.c.id.between(begin, upto)
    rows = conn.execute(select(*_CONTENT).where(is_inside).order_by(audit_table.c.id)).all()
    return vault.hash_chain(keys, previous, _content(rows))


def _seals(look: ReadSnapshot) -> Iterator[tuple[int, int, str, str]]:
    """Yield the seals in their order; sealed rows no longer change."""
    table = audit_seal.c
    query = select(table.upto, table.since, table.hash, table.previous).order_by(table.upto)
    part = look().execute(query.limit(_SEALS_AT_ONCE)).all()
    while part:
        yield from ((row.upto, row.since, row.hash, row.previous) for row in part)
        part = look().execute(query.where(table.upto > part[-1].upto).limit(_SEALS_AT_ONCE)).all()


def _end_of_chain(conn: Connection) -> tuple[int, str]:
    """Return the first id without a seal, and the hash of the last seal."""
    query = select(audit_seal.c.upto, audit_seal.c.hash).order_by(audit_seal.c.upto.desc())
    last = conn.execute(query.limit(1)).one_or_none()
    return (1, "") if last is None else (last.upto + 1, last.hash)


def _content(rows: Sequence[Row[tuple[object, ...]]]) -> bytes:
    return "\n".join(
        json.dumps(list(row), separators=(",", ":"), ensure_ascii=False, default=repr)
        for row in rows
    ).encode()
