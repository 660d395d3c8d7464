"""Every attempt to sign in, in order: first that somebody tries, then that it was accepted."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, func, insert, select

from services.store import audit
from services.store.tables import sign_in_attempt as table

_LOCK = 0x41657369  # the advisory lock of attempts, beside the hash of whose they are
_NEWEST = 100  # of one person: enough for the longest wait


class AttemptOutcome(StrEnum):
    """The outcome as far as it is known: one that stays at *tried* has failed."""

    START = "tried"
    SUCCESS = "accepted"


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt of somebody at some place.

    Attributes:
        person: Their id; of an unknown id its keyed hash: what was typed may be a password.
        source: The address, or the command line of which user.
        started_at: Aware, by the clock of then.
        outcome: Tried, or accepted.
    """

    person: str
    source: str
    started_at: datetime
    outcome: AttemptOutcome


def append_attempt(conn: Connection, attempt: Attempt) -> None:
    """Add *attempt*, for good."""
    values = {
        "person": attempt.person,
        "source": attempt.source,
        "at": attempt.started_at,
        "outcome": attempt.outcome.value,
    }
    row = conn.execute(insert(table).values(values).returning(*table.c)).mappings().one()
    audit.record_rows(conn, table, [dict(row)])


def lock_attempts(conn: Connection, person: str) -> None:
    """Let nobody else try as *person* until *conn* ends."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK, func.hashtext(person))))


def load_newest_attempts(conn: Connection, person: str) -> list[Attempt]:
    """Return the last attempts of *person* from anywhere, oldest first."""
    query = select(table).where(table.c.person == person).order_by(table.c.id.desc())
    rows = conn.execute(query.limit(_NEWEST)).all()
    return [
        Attempt(row.person, row.source, row.at, AttemptOutcome(row.outcome))
        for row in reversed(rows)
    ]


def is_known_source(conn: Connection, person: str, source: str) -> bool:
    """Return True if *person* has signed in from *source* before."""
    query = select(table.c.id).where(
        table.c.person == person,
        table.c.source == source,
        table.c.outcome == AttemptOutcome.SUCCESS.value,
    )
    return conn.execute(query.limit(1)).first() is not None
