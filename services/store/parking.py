"""Parked items: parts of accepted messages that cannot be used yet, with the reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from services.store import audit
from services.store.bulk import split_into_parts
from services.store.hidden_text import reveal_text
from services.store.tables import parked
from services.store.vault import Keys


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """An item of a message that waits for a mapping or a person.

    Args:
        id: uuid5 of message, path, reason, and how often it was parked there before.
        message: Id of the raw message, which holds the text.
        path: Where in it, e.g. ``OBX[3].5``.
        reason: A closed set; doubles as metric label.
        detail: Without the words of the sender.
        site: Id of the sending site.
        parked_at: Aware.
        resolution: Empty while open, then ``retried`` or ``discarded``.
        resolved_at: Aware; None while open.
        resolved_by: Name of the person.
        comment: Of the same person.
        hidden_detail: *detail* with the words of the sender, for holders of the keys; None: the
            sender has no words in it.
    """

    id: str
    message: str
    path: str
    reason: str
    detail: str
    site: str
    parked_at: datetime
    resolution: str = ""
    resolved_at: datetime | None = None
    resolved_by: str = ""
    comment: str = ""
    hidden_detail: str | None = None


def reveal_details(keys: Keys, rows: Iterable[ParkedRow]) -> Iterator[ParkedRow]:
    """Yield *rows* with the words of their senders in their details.

    Raises:
        VaultError: One was changed, or was written with other keys.
    """
    for row in rows:
        if row.hidden_detail is None:
            yield row
        else:
            detail = reveal_text(keys, row.message, row.hidden_detail)
            yield replace(row, detail=detail, hidden_detail=None)


def park_items(conn: Connection, rows: Sequence[ParkedRow]) -> None:
    """Insert *rows* as parked items."""
    audit.insert_audited(conn, parked, [asdict(row) for row in rows])


def load_parked(
    conn: Connection,
    *,
    site: str | None = None,
    message: str | None = None,
    still_open: bool = True,
    hold: bool = False,
) -> list[ParkedRow]:
    """Return parked items, oldest first; only the open ones unless *still_open* is False.

    With *hold* their rows stay locked until the transaction ends.
    """
    query = select(parked).order_by(parked.c.parked_at, parked.c.id)
    if site is not None:
        query = query.where(parked.c.site == site)
    if message is not None:
        query = query.where(parked.c.message == message)
    if still_open:
        query = query.where(parked.c.resolution == "")
    if hold:
        query = query.with_for_update()
    return [ParkedRow(**row) for row in conn.execute(query).mappings()]


def count_parked(conn: Connection) -> Mapping[tuple[str, str], int]:
    """Return the number of parked items by (site, reason)."""
    query = (
        select(parked.c.site, parked.c.reason, func.count())
        .where(parked.c.resolution == "")
        .group_by(parked.c.site, parked.c.reason)
    )
    return {(site, reason): count for site, reason, count in conn.execute(query)}


def resolve_parked(
    conn: Connection,
    ids: Sequence[str],
    *,
    resolution: str,
    instant: datetime,
    actor: str,
    comment: str = "",
) -> int:
    """Close the open items among *ids*, audited as done by *actor*; return their number."""
    values = {
        "resolution": resolution,
        "resolved_at": instant,
        "resolved_by": actor,
        "comment": comment,
    }
    rows: list[audit.Row] = []
    for part in split_into_parts(sorted(set(ids))):
        statement = (
            update(parked)
            .where(parked.c.id.in_(part), parked.c.resolution == "")
            .values(values)
            .returning(*parked.c)
        )
        rows += [dict(row) for row in conn.execute(statement).mappings()]
    audit.record_rows(conn, parked, rows, action=audit.CHANGE, actor=actor)
    return len(rows)
