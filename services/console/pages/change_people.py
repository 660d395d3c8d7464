"""Persons made, given other roles or a new password, and ended: signed by the administrator."""

from starlette.responses import Response

from services.acts.people_changes import add_person, end_person, replace_roles, reset_password
from services.console.pages import people
from services.console.respond import redirect
from services.console.signing import UnsignedError, find_actor, perform_act, sign_as
from services.console.visit import NotFoundError, Visit
from services.people.administration import NewPerson, make_password
from services.vocabulary.act import ActKind
from services.vocabulary.person import Person, Role


def add(visit: Visit) -> Response:
    """Make the person of the form, and show the password with which they sign in first."""
    actor = find_actor(visit, ActKind.ADD_PERSON)
    is_of_provider = visit.offers_provider and bool(visit.read_field("is_of_provider"))
    password = "" if is_of_provider else make_password()
    try:
        person = Person(
            visit.read_field("person").strip(),
            visit.read_field("name").strip(),
            visit.read_field("email").strip(),
            _read_roles(visit),
            visit.read_field("site").strip(),
        )
        signer = sign_as(visit, actor)
        new_person = NewPerson(person, password, visit.instant)
        perform_act(
            lambda: add_person(visit.context.db, signer, new_person, visit.read_field("reason"))
        )
    except UnsignedError as error:
        return people.show(visit, error.status, str(error))
    if is_of_provider:
        return redirect(f"/people/{person.id}")
    return people.show(visit, new_password=password)


def change(visit: Visit) -> Response:
    """Give the person of the address other roles or a new password, or end them."""
    person_id = people.find_person(visit).person.id
    try:
        match visit.read_field("act"):
            case "roles":
                _replace_roles(visit, person_id)
            case "reset":
                new_password = _reset_password(visit, person_id)
                return people.show_person(visit, new_password=new_password)
            case "end":
                _end(visit, person_id)
            case _:
                raise NotFoundError
    except UnsignedError as error:
        return people.show_person(visit, error.status, str(error))
    return redirect(f"/people/{person_id}")


def _replace_roles(visit: Visit, person_id: str) -> None:
    actor = sign_as(visit, find_actor(visit, ActKind.CHANGE_PERSON))
    roles, reason = _read_roles(visit), visit.read_field("reason")
    perform_act(lambda: replace_roles(visit.context.db, actor, person_id, roles, reason))


def _reset_password(visit: Visit, person_id: str) -> str:
    """Return the new password of the person, who is signed out everywhere."""
    actor = sign_as(visit, find_actor(visit, ActKind.RESET_PERSON))
    password, reason = make_password(), visit.read_field("reason")
    perform_act(lambda: reset_password(visit.context.db, actor, person_id, password, reason))
    return password


def _end(visit: Visit, person_id: str) -> None:
    actor = sign_as(visit, find_actor(visit, ActKind.END_PERSON))
    reason = visit.read_field("reason")
    perform_act(lambda: end_person(visit.context.db, actor, person_id, reason))


def _read_roles(visit: Visit) -> frozenset[Role]:
    """Return the roles that are ticked.

    Raises:
        NotFoundError: One is none.
    """
    try:
        return frozenset(map(Role, visit.form.get("role", ())))
    except ValueError:
        raise NotFoundError from None
