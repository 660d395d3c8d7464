"""Persons of the study with their roles; who has ended stays, and may not come back."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from services.store import audit
from services.store.tables import person as person_table
from services.store.tables import person_role
from services.vocabulary.person import Person, Role

_LOCK = 0x41657065  # the advisory lock of whoever changes who there is


@dataclass(frozen=True, slots=True)
class StoredPerson:
    """A person, and since and until when they may act.

    Attributes:
        person: With the roles of today.
        added_at: Aware, as are the others.
        active_from: They may do nothing before.
        active_to: Nor from then on; None: not planned.
        ended_at: When somebody ended them; they may do nothing, whatever a clock says since.
    """

    person: Person
    added_at: datetime
    active_from: datetime
    active_to: datetime | None = None
    ended_at: datetime | None = None

    def is_active(self, instant: datetime) -> bool:
        """Return True if they may act at *instant*."""
        has_begun = self.active_from <= instant
        return self.ended_at is None and has_begun and not self._is_over(instant)

    def _is_over(self, instant: datetime) -> bool:
        return self.active_to is not None and instant >= self.active_to


def lock_people(conn: Connection) -> None:
    """Let nobody else change who there is until *conn* ends."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def has_people(conn: Connection) -> bool:
    """Return True if there is, or ever was, a person."""
    return conn.execute(select(person_table.c.id).limit(1)).first() is not None


def load_people(conn: Connection, ids: Collection[str] | None = None) -> list[StoredPerson]:
    """Return everybody, also those who ended, by id; of *ids* only, if given."""
    query, roles = select(person_table), select(person_role)
    if ids is not None:
        query = query.where(person_table.c.id.in_(ids))
        roles = roles.where(person_role.c.person.in_(ids))
    roles_of: dict[str, set[Role]] = {}
    for row in conn.execute(roles):
        roles_of.setdefault(row.person, set()).add(Role(row.role))
    return [
        StoredPerson(
            Person(row.id, row.name, row.email, frozenset(roles_of.get(row.id, ())), row.site),
            row.added_at,
            row.active_from,
            row.active_to,
            row.ended_at,
        )
        for row in conn.execute(query.order_by(person_table.c.id))
    ]


def load_person(conn: Connection, person_id: str) -> StoredPerson | None:
    """Return the person of this id; None: there is nobody of that id."""
    return next(iter(load_people(conn, [person_id])), None)


def add_person(conn: Connection, stored_person: StoredPerson, *, actor: str) -> None:
    """Let there be a person, whose id nobody has had."""
    person = stored_person.person
    row = {
        "id": person.id,
        "name": person.name,
        "email": person.email,
        "site": person.site,
        "added_at": stored_person.added_at,
        "active_from": stored_person.active_from,
        "active_to": stored_person.active_to,
        "ended_at": stored_person.ended_at,
    }
    audit.insert_audited(conn, person_table, [row], actor=actor)
    _give_roles(conn, person.id, person.roles, stored_person.added_at, actor)


def end_person(conn: Connection, person_id: str, instant: datetime, *, actor: str) -> None:
    """Let the person do nothing any more."""
    statement = update(person_table).where(person_table.c.id == person_id)
    rows = _change(conn, statement.values(ended_at=instant).returning(*person_table.c))
    audit.record_rows(conn, person_table, rows, action=audit.CHANGE, actor=actor)


def replace_roles(
    conn: Connection, person_id: str, roles: Collection[Role], instant: datetime, *, actor: str
) -> None:
    """Let the person have *roles* and no others."""
    table = person_role.c
    is_own = table.person == person_id
    earlier_roles = {Role(one) for one in conn.scalars(select(table.role).where(is_own))}
    removed_roles = [role.value for role in sorted(earlier_roles - set(roles))]
    conn.execute(delete(person_role).where(is_own, table.role.in_(removed_roles)))
    rows = [{"person": person_id, "role": role} for role in removed_roles]
    audit.record_deletion(conn, person_role, rows, actor=actor)
    _give_roles(conn, person_id, set(roles) - earlier_roles, instant, actor)


def _give_roles(
    conn: Connection, person_id: str, roles: Iterable[Role], instant: datetime, actor: str
) -> None:
    rows = [
        {"person": person_id, "role": role.value, "given_at": instant} for role in sorted(roles)
    ]
    audit.insert_audited(conn, person_role, rows, actor=actor)


def _change(conn: Connection, statement: object) -> list[Mapping[str, object]]:
    result = conn.execute(statement)  # type: ignore[call-overload] # of any kind of statement
    return [dict(row) for row in result.mappings()]
