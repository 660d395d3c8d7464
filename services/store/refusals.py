"""Refused messages: where, when and why; of their content nothing is kept.

What a sender wrote of itself is encrypted: where nobody is known, a name may stand anywhere.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from services.store import audit
from services.store.bulk import insert_if_new
from services.store.hidden_text import hide_text, reveal_text
from services.store.tables import refused_message
from services.store.vault import Keys


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A message that was answered AR.

    Args:
        id: uuid5 of channel, content and place: the same message refused again makes no new row.
        refused_at: Aware; when it was refused first.
        site: Id of the sending site; empty when it is not known.
        sender: Empty, until revealed: ``APPLICATION|FACILITY``, as far as it could be read.
        control_id: The keyed hash of MSH-10, as far as it could be read.
        source: The channel, as of raw messages.
        location: Of what is wrong, e.g. ``MSH-11``.
        problem: What is wrong and what to do, in one sentence without the words of the sender.
        hidden_words: Sender, MSH-10 and problem as the sender wrote them, for holders of the keys.
    """

    id: str
    refused_at: datetime
    site: str
    sender: str
    control_id: str
    source: str
    location: str
    problem: str
    hidden_words: str | None = None


def hide_words(keys: Keys, row: RefusalRow, words: tuple[str, str, str]) -> RefusalRow:
    """Return *row* with *words* for holders of *keys*: sender, MSH-10 and problem."""
    return replace(row, hidden_words=hide_text(keys, row.id, json.dumps(words)))


def reveal_words(keys: Keys, rows: Iterable[RefusalRow]) -> Iterator[RefusalRow]:
    """Yield *rows* with the words of their senders.

    Raises:
        VaultError: One was changed, or was written with other keys.
    """
    for row in rows:
        if row.hidden_words is None:
            yield row
        else:
            sender, control_id, problem = json.loads(reveal_text(keys, row.id, row.hidden_words))
            yield replace(
                row, sender=sender, control_id=control_id, problem=problem, hidden_words=None
            )


def add_refusals(conn: Connection, rows: Sequence[RefusalRow]) -> None:
    """Insert those of *rows* that are new."""
    for row in map(asdict, rows):
        if insert_if_new(conn, refused_message, [row]):
            audit.record_rows(conn, refused_message, [row])


def load_refusals(conn: Connection, site: str | None = None) -> list[RefusalRow]:
    """Return the refused messages, oldest first; of *site* only, if given."""
    query = select(refused_message).order_by(refused_message.c.refused_at, refused_message.c.id)
    if site is not None:
        query = query.where(refused_message.c.site == site)
    return [RefusalRow(**row) for row in conn.execute(query).mappings()]
