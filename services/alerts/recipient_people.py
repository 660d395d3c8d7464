"""The persons among the recipients of a study, at the addresses that they have today."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.alerts.domain.routes import Recipient, Recipients
from services.people.rights import find_acting_role
from services.store import people
from services.store.people import StoredPerson
from services.store.session import Connection
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor


def resolve_people(conn: Connection, recipients: Recipients, instant: datetime) -> Recipients:
    """Return *recipients* with the persons who are active at *instant*, at their own addresses.

    Those who ended, or are not active yet, are absent: they get nothing, and operations get what
    they would have. Where there is nobody yet, the addresses of the file hold.
    """
    ids = {one.name for one in recipients.list_all() if one.is_person}
    if not ids or not people.has_people(conn):
        return recipients
    active_people = {
        one.person.id: one for one in people.load_people(conn, ids) if one.is_active(instant)
    }
    present_by_role = {
        role: tuple(_find_present(rows, active_people)) for role, rows in recipients.by_role.items()
    }
    absent = tuple(
        one for one in recipients.list_all() if one.is_person and one.name not in active_people
    )
    return replace(recipients, by_role=present_by_role, absent=absent)


def find_recipient_actor(conn: Connection, name: str) -> Actor:
    """Return the actor who is told as *name*: a person in their role, or the mailbox itself."""
    stored_person = people.load_person(conn, name)
    if stored_person is None:
        return Actor(name, name)
    person = stored_person.person
    return Actor(person.id, person.name, find_acting_role(person, ActKind.ACKNOWLEDGE))


def _find_present(
    rows: tuple[Recipient, ...], active_people: dict[str, StoredPerson]
) -> Iterator[Recipient]:
    for row in rows:
        if not row.is_person:
            yield row
        elif row.name in active_people:
            yield replace(row, address=active_people[row.name].person.email)
