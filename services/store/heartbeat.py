"""The heartbeat of the engine: a number that goes through the outbox and comes back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from services.store import outbox
from services.store.tables import heartbeat
from services.store.wakeups import FACTS_CHANGED, notify_channel

SUBJECT = "~heartbeat"  # no pseudonym begins so
_OUTWARD, _HOMEWARD = "sent", "returned"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """The last beat: its number, and when it was sent (aware)."""

    number: int
    sent_at: datetime


def find_unreturned(conn: Connection) -> Heartbeat | None:
    """Return the beat that was sent and has not come back; None: it has, or none was sent."""
    last_beat, last_return = _load(conn, _OUTWARD), _load(conn, _HOMEWARD)
    if last_beat is None or (last_return is not None and last_return.number >= last_beat.number):
        return None
    return last_beat


def send_heartbeat(conn: Connection, instant: datetime) -> None:
    """Send the next beat, or the one that has not come back again."""
    last_beat = _load(conn, _OUTWARD)
    if find_unreturned(conn) is None:
        _store(conn, _OUTWARD, Heartbeat(last_beat.number + 1 if last_beat else 1, instant))
    outbox.announce_hint(conn, [SUBJECT])
    notify_channel(conn, FACTS_CHANGED)


def return_heartbeat(conn: Connection, instant: datetime) -> bool:
    """Record that the last beat has come back; return False when it had already."""
    beat = find_unreturned(conn)
    if beat is not None:
        _store(conn, _HOMEWARD, Heartbeat(beat.number, instant))
    return beat is not None


def _load(conn: Connection, name: str) -> Heartbeat | None:
    query = select(heartbeat.c.number, heartbeat.c.beaten_at).where(heartbeat.c.name == name)
    row = conn.execute(query).one_or_none()
    return None if row is None else Heartbeat(*row)


def _store(conn: Connection, name: str, beat: Heartbeat) -> None:
    values = {"number": beat.number, "beaten_at": beat.sent_at}
    statement = update(heartbeat).where(heartbeat.c.name == name).values(values)
    if conn.execute(statement).rowcount == 0:
        conn.execute(insert(heartbeat).values(name=name, **values))
