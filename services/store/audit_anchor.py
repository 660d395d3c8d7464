"""The head of the sealed audit trail, to be kept elsewhere, and what has happened to it since.

A seal proves that no row before it was changed. That the newest seals were not removed with their
rows, as an old copy in the place of the database would have it, only somebody else can know.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from services.store.tables import audit, audit_seal


class AnchorError(ValueError):
    """A text that is no anchor."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A seal by its last audit row and its hash; written ``ROW-HASH``.

    >>> Anchor.parse(f"1042-{'ab' * 32}").row
    1042
    >>> Anchor.parse("1042")
    Traceback (most recent call last):
    services.store.audit_anchor.AnchorError: an anchor is ROW-HASH, as `aegis verify` prints it
    """

    row: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> "Anchor":
        """Return the anchor that *text* names.

        Raises:
            AnchorError: It names none.
        """
        match = re.fullmatch(r"([0-9]{1,18})-([0-9a-f]{64})", text.strip())
        if match is None:
            raise AnchorError("an anchor is ROW-HASH, as `aegis verify` prints it")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        """As it is printed and parsed."""
        return f"{self.row}-{self.hash}"


@dataclass(frozen=True, slots=True)
class UnsealedTail:
    """The audit rows after the newest seal: their number, and when the oldest was written."""

    count: int
    since: datetime | None


def find_head(conn: Connection) -> Anchor | None:
    """Return the newest seal as an anchor; None: nothing is sealed."""
    query = select(audit_seal.c.upto, audit_seal.c.hash).order_by(audit_seal.c.upto.desc())
    row = conn.execute(query.limit(1)).one_or_none()
    return None if row is None else Anchor(row.upto, row.hash)


def find_unsealed_tail(conn: Connection) -> UnsealedTail:
    """Return the audit rows that no seal covers, but for those of the seals themselves."""
    head = find_head(conn)
    is_unsealed = audit.c.id > (head.row if head else 0)
    query = select(func.count(), func.min(audit.c.at)).where(
        is_unsealed, audit.c.place != audit_seal.name
    )
    count, since = conn.execute(query).one()
    return UnsealedTail(int(count), since)


def find_anchor_fault(conn: Connection, anchor: Anchor) -> str | None:
    """Return the fault that *anchor*, an earlier head of the audit trail, proves; None: none."""
    seal_hash = conn.scalar(select(audit_seal.c.hash).where(audit_seal.c.upto == anchor.row))
    if seal_hash == anchor.hash:
        return None
    head = find_head(conn)
    if head is None or head.row < anchor.row:
        place = f"ends at row {head.row}" if head else "has no seal"
        return (
            f"the database is older than the anchor: its sealed audit trail {place}, and row"
            f" {anchor.row} was sealed when the anchor was written"
        )
    return (
        f"the audit trail is another than that of the anchor: no seal of row {anchor.row} has its"
        " hash"
    )
