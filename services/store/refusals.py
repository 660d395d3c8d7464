"""Refused messages: where, when and why; of their content nothing is kept."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services.store import audit
from services.store.bulk import insert_if_new
from services.store.tables import refused_message


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A message that was answered AR.

    Args:
        id: uuid5 of channel, content and place: the same message refused again makes no new row.
        refused_at: Aware; when it was refused first.
        site: Id of the sending site; empty when it is not known.
        sender: ``APPLICATION|FACILITY``, as far as it could be read.
        control_id: MSH-10, as far as it could be read.
        source: The channel, as of raw messages.
        location: Of what is wrong, e.g. ``MSH-11``.
        problem: What is wrong and what to do, in one sentence.
    """

    id: str
    refused_at: datetime
    site: str
    sender: str
    control_id: str
    source: str
    location: str
    problem: str


def add_refusals(conn: Connection, rows: Sequence[RefusalRow]) -> None:
    """Insert those of *rows* that are new."""
    for row in map(asdict, rows):
        if insert_if_new(conn, refused_message, row):
            audit.record_rows(conn, refused_message, [row])


def load_refusals(conn: Connection, site: str | None = None) -> list[RefusalRow]:
    """Return the refused messages, oldest first; of *site* only, if given."""
    query = select(refused_message).order_by(refused_message.c.refused_at, refused_message.c.id)
    if site is not None:
        query = query.where(refused_message.c.site == site)
    return [RefusalRow(**row) for row in conn.execute(query).mappings()]
