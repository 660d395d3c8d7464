"""Timers: instants at which something changes although no fact arrives."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_

from services.store import audit
from services.store.bulk import match_any, split_into_parts
from services.store.tables import participant_state, timer

ADVICE = "advice"  # the purpose of a timer after which other things may be recommended
# The purpose of a timer that dates a refold of its owner; `states` names the owners that wait.
REFOLD = "refold"


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A timer of *owner* (a participant, an alert) for *purpose*, due at *due_at*."""

    owner: str
    purpose: str
    due_at: datetime


def set_timers(conn: Connection, due: Mapping[str, Mapping[str, datetime]]) -> None:
    """Replace the timers of the owners of *due* (owner: purpose: aware instant)."""
    key = timer.c.owner, timer.c.purpose
    instants = {(owner, p): at for owner, mine in due.items() for p, at in mine.items()}
    current: dict[tuple[str, str], datetime] = {}
    for is_owner in match_any(conn, timer.c.owner, due):
        query = select(*key, timer.c.due_at).where(is_owner)
        current |= {(row.owner, row.purpose): row.due_at for row in conn.execute(query)}
    changes = {one: at for one, at in sorted(instants.items()) if current.get(one) != at}
    removals = [one for one in sorted(current) if current[one] != instants.get(one)]
    for part in split_into_parts(removals):
        conn.execute(delete(timer).where(tuple_(*key).in_(part)))
    deletions = [
        {"owner": owner, "purpose": p} for owner, p in removals if (owner, p) not in changes
    ]
    audit.record_deletion(conn, timer, deletions)
    rows = [{"owner": owner, "purpose": p, "due_at": at} for (owner, p), at in changes.items()]
    audit.insert_audited(conn, timer, rows)


def load_due_timers(
    conn: Connection, instant: datetime, limit: int | None = None
) -> list[DueTimer]:
    """Return the timers due by *instant*, the earliest first, without quarantined owners.

    `REFOLD` is left out: a refold of all participants must not delay other timers.
    """
    quarantined_subjects = select(participant_state.c.subject).where(
        participant_state.c.quarantined_seq.is_not(None)
    )
    query = (
        select(timer.c.owner, timer.c.purpose, timer.c.due_at)
        .where(
            timer.c.due_at <= instant,
            timer.c.purpose != REFOLD,
            timer.c.owner.not_in(quarantined_subjects),
        )
        .order_by(timer.c.due_at, timer.c.owner, timer.c.purpose)
        .limit(limit)
    )
    return [DueTimer(*row) for row in conn.execute(query)]


def load_timers(conn: Connection, owner: str) -> Mapping[str, datetime]:
    """Return the timers of *owner*: instant by purpose."""
    query = select(timer.c.purpose, timer.c.due_at).where(timer.c.owner == owner)
    return {row.purpose: row.due_at for row in conn.execute(query.order_by(timer.c.purpose))}
