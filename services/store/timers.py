"""Timers: instants at which something changes although no fact arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_

from services.store import audit
from services.store.tables import participant_state, timer


@dataclass(frozen=True, slots=True)
class DueTimer:
    """*owner* (a participant, an alert) asked to be looked at for *purpose* at *due_at*."""

    owner: str
    purpose: str
    due_at: datetime


def set_timers(conn: Connection, owner: str, due: Mapping[str, datetime]) -> None:
    """Let *due* (instant by purpose, aware) be all the timers of *owner*."""
    query = select(timer.c.purpose, timer.c.due_at).where(timer.c.owner == owner)
    now = {row.purpose: row.due_at for row in conn.execute(query)}
    changed = {p: at for p, at in due.items() if now.get(p) != at}
    gone = [purpose for purpose in now if now[purpose] != due.get(purpose)]
    if gone:
        conn.execute(
            delete(timer).where(
                tuple_(timer.c.owner, timer.c.purpose).in_([(owner, p) for p in gone])
            )
        )
    audit.record_deleted(
        conn, timer, [{"owner": owner, "purpose": p} for p in gone if p not in changed]
    )
    audit.add(
        conn,
        timer,
        [{"owner": owner, "purpose": p, "due_at": changed[p]} for p in sorted(changed)],
    )


def due_timers(conn: Connection, now: datetime, limit: int | None = None) -> list[DueTimer]:
    """Return the timers with due_at <= *now*, the earliest first; not of who is quarantined."""
    aside = select(participant_state.c.subject).where(
        participant_state.c.quarantined_seq.is_not(None)
    )
    query = (
        select(timer.c.owner, timer.c.purpose, timer.c.due_at)
        .where(timer.c.due_at <= now, timer.c.owner.not_in(aside))
        .order_by(timer.c.due_at, timer.c.owner, timer.c.purpose)
        .limit(limit)
    )
    return [DueTimer(*row) for row in conn.execute(query)]


def timers_of(conn: Connection, owner: str) -> Mapping[str, datetime]:
    """Return the timers of *owner*: instant by purpose."""
    query = select(timer.c.purpose, timer.c.due_at).where(timer.c.owner == owner)
    return {row.purpose: row.due_at for row in conn.execute(query.order_by(timer.c.purpose))}


def next_due(conn: Connection) -> datetime | None:
    """Return when the earliest timer is due; None without any."""
    query = select(timer.c.due_at).order_by(timer.c.due_at).limit(1)
    return conn.scalars(query).first()
