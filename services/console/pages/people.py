"""Persons of the study: who they are, in which roles, and since when."""

from starlette.responses import Response

from services.console.respond import render
from services.console.visit import NotFoundError, Visit
from services.people.rights import find_acting_role
from services.store import people
from services.store.acts import ActFilter, load_acts
from services.store.people import StoredPerson
from services.vocabulary.act import ActKind
from services.vocabulary.person import Role

_FIELDS = ("person", "name", "email", "site", "reason")


def show(visit: Visit, status: int = 200, fault: str = "", new_password: str = "") -> Response:
    """Show everybody, those who have ended last; a new password once, to who made it."""
    with visit.context.db.read() as conn:
        rows = people.load_people(conn)
    return render(
        visit,
        "people.html",
        status,
        rows=sorted(rows, key=lambda row: (not row.is_active(visit.instant), row.person.id)),
        may_add=find_acting_role(visit.person, ActKind.ADD_PERSON) is not None,
        roles=tuple(Role),
        entered={name: visit.read_field(name) for name in _FIELDS},
        entered_roles=visit.form.get("role", ()),
        new_password=new_password,
        fault=fault,
    )


def show_person(
    visit: Visit, status: int = 200, fault: str = "", new_password: str = ""
) -> Response:
    """Show one person and what was done about them; a new password once, to who made it."""
    row = find_person(visit)
    with visit.context.db.read() as conn:
        acts = load_acts(conn, ActFilter(targets=[row.person.id]))
    return render(
        visit,
        "person.html",
        status,
        row=row,
        acts=acts[::-1],
        may_change=find_acting_role(visit.person, ActKind.CHANGE_PERSON) is not None,
        roles=tuple(Role),
        entered_act=visit.read_field("act"),
        entered_roles=visit.form.get("role", row.person.roles),
        reason=visit.read_field("reason"),
        new_password=new_password,
        fault=fault,
    )


def find_person(visit: Visit) -> StoredPerson:
    """Return the person of the address.

    Raises:
        NotFoundError: There is none.
    """
    with visit.context.db.read() as conn:
        row = people.load_person(conn, visit.path["person"])
    if row is None:
        raise NotFoundError
    return row
