"""The order of a family's facts: numbered, timed and folded by one transaction at a time.

A transaction that adds facts or applies timers locks the rows of the family until it commits.

Source: docs/adr/0006-one-order-of-knowing.md
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select, update

from services.store.bulk import match_any
from services.store.tables import participant
from services.vocabulary.fact import Fact
from services.vocabulary.identity_change import Merge, Move

JOINING_KINDS = ("merge", "move")  # kinds of facts that stand in the journals of two participants
_NEXT = timedelta(microseconds=1)


@dataclass(slots=True)
class LockedRow:
    """A participant whose row is locked; *family* is None without a merge or move."""

    subject: str
    family: str | None
    last_seq: int
    last_received_at: datetime | None
    told_until: datetime | None


def compute_known_at(last: datetime | None, received_at: datetime) -> datetime:
    """Return the instant of knowledge of a message received after another, known since *last*."""
    return received_at if last is None else max(received_at, last + _NEXT)


def list_named_pairs(facts: Iterable[Fact]) -> list[tuple[str, ...]]:
    """Return the pair of participants that each merge or move of *facts* names, undone or not."""
    pairs: list[tuple[str, ...]] = []
    for fact in facts:
        match fact.body:
            case Merge(gone=first, survivor=second) | Move(source=first, target=second):
                pairs.append((first, second))
    return pairs


def lock_participants(conn: Connection, subjects: Iterable[str]) -> dict[str, LockedRow]:
    """Lock the rows of *subjects* and of their families until the transaction ends.

    Returns:
        The locked participants by subject, without unknown ones.
    """
    wanted_subjects = set(subjects)
    while True:
        locked_rows = {
            row.subject: row
            for query in _select_with_families(conn, wanted_subjects)
            for row in _hold(conn, query)
        }
        families = {row.family for row in locked_rows.values() if row.family}
        relatives = _load_members(conn, families)
        if relatives <= locked_rows.keys():
            return locked_rows
        wanted_subjects |= relatives  # a merge was committed while this waited for the lock


def join_families(locked_rows: Mapping[str, LockedRow], pairs: Iterable[Sequence[str]]) -> None:
    """Join the families of the participants of each pair of *pairs*, all of them locked."""
    for names in pairs:
        families = {locked_rows[name].family or name for name in names}
        for locked_row in locked_rows.values():
            if (locked_row.family or locked_row.subject) in families:
                locked_row.family = min(families)


def write_counters(conn: Connection, locked_rows: Iterable[LockedRow]) -> None:
    """Write the counters and families of *locked_rows*."""
    rows = [
        {
            "of": locked_row.subject,
            "seq": locked_row.last_seq,
            "at": locked_row.last_received_at,
            "with": locked_row.family,
        }
        for locked_row in locked_rows
    ]
    if rows:
        conn.execute(
            update(participant)
            .where(participant.c.subject == bindparam("of"))
            .values(
                last_seq=bindparam("seq"),
                last_received_at=bindparam("at"),
                family=bindparam("with"),
            ),
            rows,
        )


def record_told_until(conn: Connection, deadlines: Iterable[tuple[str, int, datetime]]) -> bool:
    """Record of each subject after which of its facts, and until when, timers are applied.

    Rows are locked in the order of subjects, as ingest locks them.

    Returns:
        False when later facts have come of one: the caller rolls back and folds them first.
    """
    rows = [{"of": who, "seq": seq, "until": until} for who, seq, until in sorted(deadlines)]
    is_whole = (participant.c.subject == bindparam("of")) & (
        participant.c.last_seq == bindparam("seq")
    )
    statement = update(participant).where(is_whole).values(told_until=bindparam("until"))
    return not rows or conn.execute(statement, rows).rowcount == len(rows)


def find_families(conn: Connection, subjects: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the complete families of *subjects*, each in id order."""
    group_of: dict[str, list[str]] = {}
    for query in _select_with_families(conn, set(subjects)):
        columns = participant.c.subject, participant.c.family
        for subject, family in conn.execute(query.with_only_columns(*columns)):
            group_of.setdefault(family or subject, []).append(subject)
    return sorted({tuple(sorted(set(group))) for group in group_of.values()})


def _hold(conn: Connection, query: Select[Any]) -> Iterator[LockedRow]:
    table = participant.c
    columns = table.subject, table.family, table.last_seq, table.last_received_at, table.told_until
    ordered_query = query.with_only_columns(*columns).order_by(table.subject)
    for row in conn.execute(ordered_query.with_for_update()):
        yield LockedRow(*row)


def _select_with_families(conn: Connection, subjects: Collection[str]) -> Iterator[Select[Any]]:
    """Yield queries of *subjects* and all members of their families."""
    for is_named in match_any(conn, participant.c.subject, subjects):
        families = select(participant.c.family).where(is_named, participant.c.family.is_not(None))
        yield select(participant).where(or_(is_named, participant.c.family.in_(families)))


def _load_members(conn: Connection, families: Iterable[str]) -> set[str]:
    return {
        subject
        for is_member in match_any(conn, participant.c.family, families)
        for subject in conn.scalars(select(participant.c.subject).where(is_member))
    }
