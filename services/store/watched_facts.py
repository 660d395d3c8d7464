"""The places of facts and the milestones of participants, of which the views for people are made.

There are no such views on SQLite, and nothing is written.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, select, tuple_

from services.store import audit
from services.store.bulk import insert_rows, match_any, split_into_parts
from services.store.tables import fact_place, participant_milestones
from services.vocabulary.fact_place import ChangedPlaces, FactPlace

_Key = tuple[str, ...]
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class MilestoneRow:
    """The milestones of *survivor*, to whose records the facts of *subject* belong."""

    subject: str
    survivor: str
    graft_at: datetime | None = None
    first_infusion_at: datetime | None = None
    relapsed_at: datetime | None = None
    died_at: datetime | None = None


def record_places(conn: Connection, changes: Sequence[ChangedPlaces]) -> None:
    """Store the places of *changes* that are not plain; delete those that have become so."""
    subjects = {subject for change in changes for subject in change.subjects}
    places = {(p.subject, p.fact): p for change in changes for p in change.places}
    if not has_views(conn) or not (subjects or places):
        return
    stored_rows = _load_rows(conn, fact_place, subjects.union(subject for subject, _ in places))
    new_rows: dict[_Key, _Row] = {
        key: _make_place_row(place) for key, place in places.items() if not place.is_plain
    }
    stale_keys = {
        key for key in stored_rows if key[0] in subjects or key in places
    } - new_rows.keys()
    _replace_rows(conn, fact_place, stored_rows, new_rows, stale_keys)


def record_milestones(conn: Connection, milestones: Sequence[MilestoneRow]) -> None:
    """Store *milestones*, each instead of what there was of its subject."""
    if has_views(conn) and milestones:
        stored_rows = _load_rows(conn, participant_milestones, [row.subject for row in milestones])
        new_rows: dict[_Key, _Row] = {(row.subject,): asdict(row) for row in milestones}
        _replace_rows(conn, participant_milestones, stored_rows, new_rows, ())


def has_views(conn: Connection) -> bool:
    """Return True when the database has views for people who watch."""
    return conn.dialect.name == "postgresql"


def _make_place_row(place: FactPlace) -> _Row:
    return {
        "subject": place.subject,
        "fact": place.fact,
        "participant": place.participant,
        "is_promoted": place.is_promoted,
    }


def _load_rows(conn: Connection, table: Table, subjects: Iterable[str]) -> dict[_Key, _Row]:
    names = audit.find_policy(table).key
    return {
        tuple(row[name] for name in names): dict(row)
        for is_wanted in match_any(conn, table.c.subject, subjects)
        for row in conn.execute(select(table).where(is_wanted)).mappings()
    }


def _replace_rows(
    conn: Connection,
    table: Table,
    stored_rows: Mapping[_Key, _Row],
    new_rows: Mapping[_Key, _Row],
    stale_keys: Collection[_Key],
) -> None:
    """Store *new_rows* and delete *stale_keys*; what is the same stays."""
    columns = [table.c[name] for name in audit.find_policy(table).key]
    first_rows = [new_rows[key] for key in sorted(new_rows.keys() - stored_rows.keys())]
    changed_keys = sorted(
        k for k in new_rows.keys() & stored_rows.keys() if new_rows[k] != stored_rows[k]
    )
    changed_rows = [new_rows[key] for key in changed_keys]
    for part in split_into_parts([*changed_keys, *sorted(stale_keys)]):
        conn.execute(delete(table).where(tuple_(*columns).in_(part)))
    insert_rows(conn, table, [*first_rows, *changed_rows])
    audit.record_rows(conn, table, first_rows)
    audit.record_rows(conn, table, changed_rows, action=audit.CHANGE)
    audit.record_deletion(conn, table, [stored_rows[key] for key in sorted(stale_keys)])
