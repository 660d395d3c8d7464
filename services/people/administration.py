"""Persons made, changed and ended by an administrator; each refusal is a sentence."""

import re
import secrets
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime

from services.people import passwords
from services.people.rights import BOARD_ROLES, CONDUCT_ROLES, OF_ONE_SITE
from services.store import credentials, people, sign_ins
from services.store.credentials import Credential
from services.store.people import StoredPerson
from services.store.session import Connection
from services.vocabulary.person import Person, Role

_ID = re.compile(r"[a-z][a-z0-9._-]{0,39}")
_LONGEST_NAME, _LONGEST_ADDRESS = 100, 254  # characters; RFC 5321 for the address


class PersonRefusedError(Exception):
    """A person cannot be made, changed or ended; the message says why."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to be made.

    Attributes:
        person: Not checked yet.
        password: Empty: they sign in at the provider of their institution only.
        active_from: Aware; they may do nothing before.
        active_to: None: not planned.
    """

    person: Person
    password: str
    active_from: datetime
    active_to: datetime | None = None

    def __repr__(self) -> str:
        """Without the password."""
        return f"NewPerson({self.person.id!r})"


def add_person(conn: Connection, new_person: NewPerson, instant: datetime, *, actor: str) -> None:
    """Let there be a person, who may sign in from now on.

    Raises:
        PersonRefusedError: The id is taken, or something about them is not as it has to be.
    """
    person = new_person.person
    if problem := find_person_fault(person):
        raise PersonRefusedError(problem)
    password_hash = _hash_chosen(person, new_person.password) if new_person.password else ""
    if new_person.active_to is not None and new_person.active_to <= new_person.active_from:
        raise PersonRefusedError("they would end before they begin")
    people.lock_people(conn)
    if people.load_person(conn, person.id) is not None:
        raise PersonRefusedError(f"{person.id} is there already, and an id is never used again")
    stored_person = StoredPerson(person, instant, new_person.active_from, new_person.active_to)
    people.add_person(conn, stored_person, actor=actor)
    credentials.put_credential(conn, Credential(person.id, password_hash, instant), actor=actor)


def end_person(conn: Connection, person_id: str, instant: datetime, *, actor: str) -> Person:
    """Let a person do nothing any more, and be signed out everywhere; return them.

    Raises:
        PersonRefusedError: There is no such person, they ended before, or nobody could make
            another any more.
    """
    people.lock_people(conn)
    stored_person = _require_person(conn, person_id)
    _require_other_administrator(conn, stored_person, instant)
    people.end_person(conn, person_id, instant, actor=actor)
    sign_ins.end_sign_ins_of(conn, person_id, instant, actor=actor)
    return stored_person.person


def replace_roles(
    conn: Connection, person_id: str, roles: frozenset[Role], instant: datetime, *, actor: str
) -> Person:
    """Let a person have *roles*, from their next act on; return them as they were.

    Raises:
        PersonRefusedError: There is no such person, the roles cannot be theirs, or nobody could
            make another any more.
    """
    people.lock_people(conn)
    stored_person = _require_person(conn, person_id)
    if problem := find_person_fault(replace(stored_person.person, roles=roles)):
        raise PersonRefusedError(problem)
    if Role.ADMINISTRATOR not in roles:
        _require_other_administrator(conn, stored_person, instant)
    people.replace_roles(conn, person_id, roles, instant, actor=actor)
    return stored_person.person


def reset_password(
    conn: Connection, person_id: str, password: str, instant: datetime, *, actor: str
) -> None:
    """Give a person a new password and nothing else to sign in with, and sign them out everywhere.

    At the provider their next sign-in binds them anew.

    Raises:
        PersonRefusedError: There is no such person, or it may not be their password.
    """
    stored_person = _require_person(conn, person_id)
    password_hash = _hash_chosen(stored_person.person, password)
    new_credential = Credential(person_id, password_hash, instant)
    credentials.put_credential(conn, new_credential, actor=actor)
    sign_ins.end_sign_ins_of(conn, person_id, instant, actor=actor)


def change_own_password(conn: Connection, person_id: str, password: str, instant: datetime) -> None:
    """Give a person the password that they chose, and sign them out everywhere.

    Raises:
        PersonRefusedError: It may not be their password, or they sign in at the provider only.
    """
    stored_person = _require_person(conn, person_id)
    password_hash = _hash_chosen(stored_person.person, password)
    earlier_credential = credentials.load_credential(conn, person_id)
    if earlier_credential is None:
        raise PersonRefusedError(f"{person_id} has no credential: an administrator resets it")
    if not earlier_credential.password_hash:
        raise PersonRefusedError(
            f"{person_id} signs in at the provider only: an administrator gives them a password"
        )
    new_credential = replace(earlier_credential, password_hash=password_hash, changed_at=instant)
    credentials.put_credential(conn, new_credential, actor=person_id)
    sign_ins.end_sign_ins_of(conn, person_id, instant, actor=person_id)


def make_password() -> str:
    """Return a new random password that can be read out and typed.

    >>> len(make_password().split("-"))
    4
    """
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def find_person_fault(person: Person) -> str:
    """Return the first fault of *person*, as a sentence; empty: there is none.

    >>> find_person_fault(Person("ann", " ", "a@b.c", frozenset({Role.AUDITOR})))
    "a name is 1 to 100 printable characters: not ' '"
    >>> find_person_fault(Person("ann", "Ann", "a@b.c", frozenset({Role.AUDITOR})))
    ''
    """
    if not _ID.fullmatch(person.id):
        return (
            "an id is small letters, digits, '.', '_' and '-', at most 40, and begins with a"
            f" letter: not {person.id[:80]!r}"
        )
    if not _is_plain_name(person.name):
        return f"a name is 1 to {_LONGEST_NAME} printable characters: not {person.name[:120]!r}"
    if not is_address(person.email):
        return f"{person.email[:120]!r} is no e-mail address"
    return _find_role_fault(person)


def _find_role_fault(person: Person) -> str:
    if not person.roles:
        return "somebody without a role can do nothing: give one"
    if person.roles & OF_ONE_SITE and not person.site:
        return "site staff see their own site only: name it with --site"
    board_roles, conduct_roles = person.roles & BOARD_ROLES, person.roles & CONDUCT_ROLES
    if board_roles and conduct_roles:
        return (
            "the DSMB judges those who conduct the trial, and nobody is of both: leave out"
            f" {', '.join(sorted(conduct_roles))}, or {', '.join(sorted(board_roles))}"
        )
    return ""


def is_address(text: str) -> bool:
    r"""Return True if *text* is an e-mail address that mail and pages can carry.

    >>> is_address("ann@example.org"), is_address("ann@example.org\n"), is_address("@x")
    (True, False, False)
    """
    name, at_sign, host = text.rpartition("@")
    plain = text.isprintable() and not set(text) & set(' <>,;:"()[]\\')
    return (
        bool(name and at_sign and host)
        and plain
        and "@" not in name
        and len(text) <= _LONGEST_ADDRESS
    )


def _is_plain_name(name: str) -> bool:
    return (
        bool(name.strip())
        and name == name.strip()
        and len(name) <= _LONGEST_NAME
        and name.isprintable()
        and unicodedata.is_normalized("NFC", name)
    )


def _hash_chosen(person: Person, password: str) -> str:
    if fault := passwords.find_password_fault(password, person.id, person.name, person.email):
        raise PersonRefusedError(fault)
    return passwords.hash_password(password)


def _require_person(conn: Connection, person_id: str) -> StoredPerson:
    stored_person = people.load_person(conn, person_id)
    if stored_person is None:
        raise PersonRefusedError(f"nobody is called {person_id[:80]!r}: `aegis people list`")
    if stored_person.ended_at is not None:
        raise PersonRefusedError(
            f"{person_id} ended on {stored_person.ended_at:%Y-%m-%d %H:%M} UTC;"
            " who is back gets a new id"
        )
    return stored_person


def _require_other_administrator(
    conn: Connection, stored_person: StoredPerson, instant: datetime
) -> None:
    """Require that there is an administrator, for good, beside *stored_person*."""
    if Role.ADMINISTRATOR not in stored_person.person.roles:
        return
    other_administrators = [
        one
        for one in people.load_people(conn)
        if one.person.id != stored_person.person.id
        and Role.ADMINISTRATOR in one.person.roles
        and one.is_active(instant)
        and one.active_to is None
    ]
    if not other_administrators:
        raise PersonRefusedError(
            f"{stored_person.person.id} is the only administrator: make another one first"
        )
