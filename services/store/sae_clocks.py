"""Seriousness of records as persons have set it, and the clocks that report serious events."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from services.store import audit
from services.store.tables import sae_clock, seriousness
from services.store.wakeups import ALERTS_CHANGED, notify_channel


@dataclass(frozen=True, slots=True)
class SeriousnessRow:
    """A person's decision that *record* is serious, or is not; the newest stands."""

    id: str
    record: str
    participant: str
    is_serious: bool
    person: str
    reason: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class ClockRow:
    """One clock of one record.

    Args:
        id: uuid5 of record, kind and how many came before: one of each kind runs at a time.
        record: Id.
        participant: Pseudonym.
        kind: ``24h``, ``7d`` or ``15d``.
        aware_at: Instant of awareness, from which it runs; aware.
        due_at: Its end, aware.
        started_by: Id of the person.
        reason: Of the start; never blank.
        started_at: Aware.
        closed_at: None while it runs.
        closed_by: Empty while it runs.
        closing_reason: Empty while it runs.
    """

    id: str
    record: str
    participant: str
    kind: str
    aware_at: datetime
    due_at: datetime
    started_by: str
    reason: str
    started_at: datetime
    closed_at: datetime | None = None
    closed_by: str = ""
    closing_reason: str = ""


def append_seriousness(conn: Connection, row: SeriousnessRow) -> None:
    """Insert *row*, with its *person* as the actor of the audit."""
    audit.insert_audited(conn, seriousness, [asdict(row)], actor=row.person)


def load_seriousness(conn: Connection) -> dict[str, SeriousnessRow]:
    """Return the newest decision about each record, by record id."""
    query = select(seriousness).order_by(seriousness.c.decided_at, seriousness.c.id)
    rows = (SeriousnessRow(**row) for row in conn.execute(query).mappings())
    return {row.record: row for row in rows}


def add_clock(conn: Connection, row: ClockRow) -> None:
    """Insert *row*, with its *started_by* as the actor of the audit.

    Raises:
        sqlalchemy.exc.IntegrityError: There is one of this id.
    """
    audit.insert_audited(conn, sae_clock, [asdict(row)], actor=row.started_by)
    notify_channel(conn, ALERTS_CHANGED)


def close_clock(conn: Connection, row: ClockRow) -> bool:
    """Write the end of the clock *row*; return False when it was closed before."""
    content = asdict(row)
    query = update(sae_clock).where(sae_clock.c.id == row.id, sae_clock.c.closed_at.is_(None))
    if conn.execute(query.values(content)).rowcount != 1:
        return False
    audit.record_rows(conn, sae_clock, [content], action=audit.CHANGE, actor=row.closed_by)
    notify_channel(conn, ALERTS_CHANGED)
    return True


def load_clocks(conn: Connection, records: Sequence[str] | None = None) -> list[ClockRow]:
    """Return all clocks, or those of *records* (ids), the earliest due first."""
    query = select(sae_clock).order_by(sae_clock.c.due_at, sae_clock.c.id)
    if records is not None:
        query = query.where(sae_clock.c.record.in_(records))
    return [ClockRow(**row) for row in conn.execute(query).mappings()]
