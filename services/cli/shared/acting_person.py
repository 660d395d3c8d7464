"""The actor of a command: a person who is signed in, or the machine where there is nobody yet."""

from collections.abc import Sequence
from typing import Protocol

from services.cli.command import CommandError
from services.cli.shared.token_file import read_token
from services.people.machine import MACHINE
from services.people.rights import (
    UNATTENDED_ACTS,
    covers_site,
    find_acting_role,
    find_verdict_role,
    list_roles_for,
    list_verdict_roles,
)
from services.people.sessions import Session, find_session
from services.runtime.clock import now_utc
from services.runtime.store_settings import StoreSettings
from services.store import participants, people
from services.store.session import Database
from services.store.sign_ins import Use
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Verdict
from services.vocabulary.person import Actor, Person, Role


class DataInUse(Protocol):
    """A database and the settings that name it."""

    @property
    def settings(self) -> StoreSettings:
        """Name the data folder."""

    @property
    def db(self) -> Database:
        """Keeps the persons."""


def find_actor(context: DataInUse, kind: ActKind, participant: str = "") -> Actor:
    """Return the actor of an act of *kind*, in the role that may.

    Args:
        context: Where the person is signed in.
        kind: Of the act.
        participant: Pseudonym of whom it is about; empty: of nobody alone.

    Raises:
        CommandError: Nobody is signed in, or who is may not do it; the message says who may.
    """
    with context.db.read() as conn:
        has_people = people.has_people(conn)
    if not has_people:
        if kind in UNATTENDED_ACTS:
            return MACHINE
        raise CommandError(
            "nobody is signed in, and there is nobody yet: make the first person with"
            " `aegis people init`"
        )
    person = find_command_session(context).person
    act_name = kind.replace("-", " ")
    role = find_acting_role(person, kind)
    actor = _act_as(person, role, act_name, list_roles_for(kind))
    return _require_site_of(context, actor, participant)


def find_adjudicator(context: DataInUse, verdict: Verdict, participant: str) -> Actor:
    """Return the actor who gives *verdict* about a record of *participant*; see `find_actor`.

    Raises:
        CommandError: Nobody is signed in, or who is may not give it.
    """
    find_actor(context, ActKind.ADJUDICATE)
    person = find_command_session(context).person
    role, able_roles = find_verdict_role(person, verdict), list_verdict_roles(verdict)
    actor = _act_as(person, role, f"{verdict} a record", able_roles)
    return _require_site_of(context, actor, participant)


def require_site(context: DataInUse, actor: Actor, site: str) -> None:
    """Require that *actor* may act for *site*: who is of one site may for that alone.

    Raises:
        CommandError: They are of another.
    """
    if actor.role is None:
        return
    with context.db.read() as conn:
        stored_person = people.load_person(conn, actor.id)
    if stored_person is not None and not covers_site(stored_person.person, actor.role, site):
        own_site = stored_person.person.site
        raise CommandError(f"{actor.id} is of site {own_site}, and this is of {site or 'no site'}")


def _act_as(person: Person, role: Role | None, act_name: str, able_roles: Sequence[Role]) -> Actor:
    if role is None:
        roles = ", ".join(sorted(person.roles))
        raise CommandError(f"{person.id} ({roles}) may not {act_name}: {', '.join(able_roles)} may")
    return Actor(person.id, person.name, role)


def _require_site_of(context: DataInUse, actor: Actor, participant: str) -> Actor:
    if participant:
        with context.db.read() as conn:
            row = participants.load_participant(conn, participant)
        require_site(context, actor, "" if row is None else row.site)
    return actor


def find_command_session(context: DataInUse) -> Session:
    """Return the session of who is signed in at the command line.

    Raises:
        CommandError: Nobody is, or no longer.
    """
    secret = read_token(context.settings)
    if not secret:
        raise CommandError("nobody is signed in: `aegis login ID`")
    with context.db.read() as conn:
        session = find_session(conn, secret, Use.COMMAND_LINE, now_utc())
    if session is None:
        raise CommandError("nobody is signed in any more: `aegis login ID` again")
    return session
