"""Timers: instants at which something changes although no fact arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_

from services.store import audit
from services.store.messages import split_into_parts
from services.store.tables import participant_state, timer

# Since when its owner stands as the rules have it that fold them again; `states` says who waits.
REFOLD = "refold"


@dataclass(frozen=True, slots=True)
class DueTimer:
    """*owner* (a participant, an alert) asked to be looked at for *purpose* at *due_at*."""

    owner: str
    purpose: str
    due_at: datetime


def set_timers(conn: Connection, due: Mapping[str, Mapping[str, datetime]]) -> None:
    """Let *due* (by owner: instant by purpose, aware) be all the timers of its owners."""
    key = timer.c.owner, timer.c.purpose
    wanted = {(owner, p): at for owner, mine in due.items() for p, at in mine.items()}
    now: dict[tuple[str, str], datetime] = {}
    for some in split_into_parts(sorted(due)):
        query = select(*key, timer.c.due_at).where(timer.c.owner.in_(some))
        now |= {(row.owner, row.purpose): row.due_at for row in conn.execute(query)}
    changed = {one: at for one, at in sorted(wanted.items()) if now.get(one) != at}
    gone = [one for one in sorted(now) if now[one] != wanted.get(one)]
    for part in split_into_parts(gone):
        conn.execute(delete(timer).where(tuple_(*key).in_(part)))
    over = [{"owner": owner, "purpose": p} for owner, p in gone if (owner, p) not in changed]
    audit.record_deletion(conn, timer, over)
    rows = [{"owner": owner, "purpose": p, "due_at": at} for (owner, p), at in changed.items()]
    audit.insert_audited(conn, timer, rows)


def load_due_timers(conn: Connection, now: datetime, limit: int | None = None) -> list[DueTimer]:
    """Return the timers with due_at <= *now*, the earliest first; not of who is quarantined.

    Nor `REFOLD`: what is asked for of everybody may not hold up what time changes.
    """
    aside = select(participant_state.c.subject).where(
        participant_state.c.quarantined_seq.is_not(None)
    )
    query = (
        select(timer.c.owner, timer.c.purpose, timer.c.due_at)
        .where(timer.c.due_at <= now, timer.c.purpose != REFOLD, timer.c.owner.not_in(aside))
        .order_by(timer.c.due_at, timer.c.owner, timer.c.purpose)
        .limit(limit)
    )
    return [DueTimer(*row) for row in conn.execute(query)]


def load_timers(conn: Connection, owner: str) -> Mapping[str, datetime]:
    """Return the timers of *owner*: instant by purpose."""
    query = select(timer.c.purpose, timer.c.due_at).where(timer.c.owner == owner)
    return {row.purpose: row.due_at for row in conn.execute(query.order_by(timer.c.purpose))}


def find_next_due(conn: Connection) -> datetime | None:
    """Return when the earliest timer is due; None without any."""
    query = select(timer.c.due_at).order_by(timer.c.due_at).limit(1)
    return conn.scalars(query).first()
