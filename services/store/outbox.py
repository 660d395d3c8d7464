"""The outbox: announcements for topics, written in the transaction of what they announce.

The relay deletes them once they are published. They are written only where a
relay runs (`Database.open(..., has_relay=True)`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from services.runtime.clock import now_utc
from services.runtime.topic_names import FACTS, STANDINGS
from services.store.bulk import insert_rows, match_any
from services.store.tables import outbox
from services.store.wakeups import FACTS_CHANGED, OUTBOX_CHANGED, notify_channel

LONGEST = 200_000  # characters of a payload; a record may be a megabyte

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Announcement:
    """A row of the outbox: *payload* (JSON) under *key* on *topic*."""

    id: int
    topic: str
    key: str
    payload: str
    at: datetime


def announce_facts(conn: Connection, rows: Sequence[Row]) -> None:
    """Announce rows of the journal, in their order: one payload for each message and subject.

    A message may alternate between subjects; a payload holds all its facts of one subject, so that
    no worker grades a part of them.

    A payload is ``{"message": ..., "received_at": ..., "facts": [[seq, fact], ...]}``; without any
    fact when it would be longer than `LONGEST`: the reader then loads them from the journal.
    """
    if _has_relay(conn):
        runs: dict[tuple[str, str], list[Row]] = {}
        for row in rows:
            runs.setdefault((str(row["message"]), str(row["subject"])), []).append(row)
        _append(
            conn, [_make_row(FACTS, key[1], _write_run(key[0], run)) for key, run in runs.items()]
        )
    elif rows:
        notify_channel(conn, FACTS_CHANGED)


def announce_hint(conn: Connection, subjects: Sequence[str]) -> None:
    """Announce that *subjects* are to be folded again, without any fact."""
    hint = json.dumps({"message": "", "received_at": _write_instant(now_utc()), "facts": []})
    announce(conn, FACTS, [(subject, hint) for subject in subjects])


def announce_standings(conn: Connection, study: str) -> None:
    """Announce that the standings of *study* may have changed."""
    announce(conn, STANDINGS, [(study, "{}")])


def announce(conn: Connection, topic: str, payloads: Sequence[tuple[str, str]]) -> None:
    """Announce *payloads* (key, JSON) on *topic*."""
    if _has_relay(conn):
        _append(conn, [_make_row(topic, key, payload) for key, payload in payloads])


def load_announcements(conn: Connection, after_id: int, limit: int) -> list[Announcement]:
    """Return up to *limit* announcements with id > *after_id*, the oldest first."""
    query = select(outbox).where(outbox.c.id > after_id).order_by(outbox.c.id).limit(limit)
    return [Announcement(**row) for row in conn.execute(query).mappings()]


def delete_announcements(conn: Connection, ids: Sequence[int]) -> None:
    """Delete the announcements *ids*."""
    for is_published in match_any(conn, outbox.c.id, ids):
        conn.execute(delete(outbox).where(is_published))


def count_announcements(conn: Connection) -> int:
    """Return the number of announcements that wait for the relay."""
    return int(conn.scalar(select(func.count()).select_from(outbox)) or 0)


def _append(conn: Connection, rows: Sequence[Row]) -> None:
    """Insert *rows*, and wake the relay."""
    if rows:
        insert_rows(conn, outbox, rows)
        notify_channel(conn, OUTBOX_CHANGED)


def _has_relay(conn: Connection) -> bool:
    """Return True when a relay reads the outbox; otherwise nothing is written to it."""
    return bool(conn.get_execution_options().get("has_relay"))


def _write_run(message: str, rows: Sequence[Row]) -> str:
    """Return the payload; the facts are JSON already."""
    facts = ",".join(f"[{row['seq']},{row['payload']}]" for row in rows)
    head = json.dumps({"message": message, "received_at": _write_instant(rows[0]["received_at"])})
    return f'{head[:-1]}, "facts": [{facts if len(facts) <= LONGEST else ""}]}}'


def _write_instant(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"no instant: {type(value).__name__}")
    return value.isoformat()


def _make_row(topic: str, key: str, payload: str) -> Row:
    return {"topic": topic, "key": key, "payload": payload, "at": now_utc()}
