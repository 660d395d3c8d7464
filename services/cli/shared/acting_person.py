"""The actor of a command: a person who is signed in, or the machine where there is nobody yet."""

import getpass
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from services.cli.command import CommandError
from services.cli.shared.ask_password import read_password
from services.cli.shared.token_file import read_token
from services.people.machine import MACHINE
from services.people.rights import (
    UNATTENDED_ACTS,
    find_acting_role,
    find_verdict_role,
    list_roles_for,
    list_verdict_roles,
)
from services.people.sessions import Session, find_session
from services.people.sign_in import Door, Proof, Refusal, check_proof
from services.runtime.clock import now_utc
from services.runtime.store_settings import StoreSettings
from services.store import people
from services.store.session import Database
from services.store.sign_ins import Use
from services.store.vault import Keys, VaultError
from services.vocabulary.act import ActKind
from services.vocabulary.judgement import Verdict
from services.vocabulary.person import Actor, Person, Role, SignedBy


class DataInUse(Protocol):
    """A database and the settings that name it."""

    @property
    def settings(self) -> StoreSettings:
        """Name the data folder."""

    @property
    def db(self) -> Database:
        """Keeps the persons."""


def find_actor(context: DataInUse, kind: ActKind) -> Actor:
    """Return the actor of an act of *kind*, in the role that may.

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
    return _act_as(person, find_acting_role(person, kind), act_name, list_roles_for(kind))


def find_adjudicator(context: DataInUse, verdict: Verdict) -> Actor:
    """Return the actor who gives *verdict* about a record; see `find_actor`.

    Raises:
        CommandError: Nobody is signed in, or who is may not give it.
    """
    find_actor(context, ActKind.ADJUDICATE)
    person = find_command_session(context).person
    role = find_verdict_role(person, verdict)
    return _act_as(person, role, f"{verdict} a record", list_verdict_roles(verdict))


def _act_as(person: Person, role: Role | None, act_name: str, able_roles: Sequence[Role]) -> Actor:
    if role is None:
        roles = ", ".join(sorted(person.roles))
        raise CommandError(f"{person.id} ({roles}) may not {act_name}: {', '.join(able_roles)} may")
    return Actor(person.id, person.name, role)


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


def sign_as(args: Namespace, context: DataInUse, actor: Actor) -> Actor:
    """Return *actor* once they have given their password again, for one signed act.

    Raises:
        CommandError: It is not theirs.
    """
    proof = Proof(actor.id, read_password(args, actor.id, f"Password of {actor.id}, to sign: "))
    code = getattr(args, "code", "") or ""
    outcome = check_proof(make_door(context), replace(proof, code=code))
    if isinstance(outcome, Refusal):
        raise CommandError(f"nothing is signed: {outcome.reason}")
    return replace(actor, signed_by=SignedBy.PASSWORD)


def make_door(context: DataInUse) -> Door:
    """Return the place at which proofs are given at this command line.

    Raises:
        CommandError: A key is missing.
    """
    try:
        keys = Keys.load(context.settings.keys_folder)
    except VaultError as error:
        raise CommandError(str(error)) from error
    return Door(context.db, keys, now_utc, f"command line of {getpass.getuser()}")
