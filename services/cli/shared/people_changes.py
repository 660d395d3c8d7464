"""Changes of who there is, by an administrator; the first one is made on the machine itself."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from importlib import import_module

from services.acts import people_changes
from services.acts.people_changes import SOMEBODY_IS_THERE, describe_roles
from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor, find_command_session
from services.cli.shared.ask_password import read_new_password
from services.cli.shared.open_study import open_data
from services.cli.shared.sign_act import sign_as
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.stored_keys import load_stored_keys
from services.people import administration
from services.people.administration import NewPerson
from services.people.machine import MACHINE
from services.people.second_factor import make_totp_address
from services.people.second_factor_change import begin_second_factor
from services.runtime.clock import now_utc
from services.store import people
from services.store.session import Database
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor, Person, Role


def _init(args: Namespace) -> str:
    db = open_data(args).db
    with db.read() as conn:
        if people.has_people(conn):
            raise CommandError(SOMEBODY_IS_THERE)
    people_changes.add_first_person(db, MACHINE, _read_new_person(args), args.reason)
    return f"{args.person} is the first person: `aegis login {args.person}`"


def _add(args: Namespace) -> str:
    db, actor = _open(args, ActKind.ADD_PERSON)
    new_person = _read_new_person(args)
    people_changes.add_person(db, actor, new_person, args.reason)
    return f"{args.person} may sign in as {describe_roles(new_person.person.roles)}"


def _end(args: Namespace) -> str:
    people_changes.end_person(*_open(args, ActKind.END_PERSON), args.person, args.reason)
    return f"{args.person} may do nothing any more, and is signed out everywhere"


def _reset(args: Namespace) -> str:
    db, actor = _open(args, ActKind.RESET_PERSON)
    password = read_new_password(args, args.person)
    people_changes.reset_password(db, actor, args.person, password, args.reason)
    return f"{args.person} has a new password and no second factor, and is signed out everywhere"


def _replace_roles(args: Namespace) -> str:
    if args.roles is None or args.reason is None:
        raise CommandError("say which and why: --roles ROLE,ROLE --reason TEXT")
    roles = frozenset(map(Role, args.roles))
    db, actor = _open(args, ActKind.CHANGE_PERSON)
    people_changes.replace_roles(db, actor, args.person, roles, args.reason)
    return f"{args.person} is {describe_roles(roles)} from now on"


def _choose_password(args: Namespace) -> str:
    data, actor = _find_own_actor(args)
    args.password_file = args.new_password_file
    people_changes.change_own_password(data.db, actor, read_new_password(args, actor.id))
    return f"{actor.id} has a new password, and is signed out everywhere: `aegis login {actor.id}`"


def _set_up_second_factor(args: Namespace) -> str:
    data, actor = _find_own_actor(args)
    secret = begin_second_factor()
    address = make_totp_address(secret, actor.id, data.study_id)
    import_module("segno").make(address).terminal(compact=True)
    print(f"Scan it with your authenticator, or enter {secret}")
    code = input("Code that it shows now: ")
    people_changes.keep_second_factor(data.db, load_stored_keys(data), actor, secret, code.strip())
    return f"{actor.id} needs a code of the authenticator from now on"


def _find_own_actor(args: Namespace) -> tuple[StoredData, Actor]:
    """Return the signed-in person as an actor who has given their password again."""
    data = open_stored_data(args)
    person = find_command_session(data).person
    return data, sign_as(args, data, Actor(person.id, person.name, min(person.roles)))


CHANGES: Mapping[str, Callable[[Namespace], str]] = {
    "init": _init,
    "add": _add,
    "end": _end,
    "reset": _reset,
    "password": _choose_password,
    "second-factor": _set_up_second_factor,
    "roles": _replace_roles,
}


def _open(args: Namespace, kind: ActKind) -> tuple[Database, Actor]:
    data = open_stored_data(args)
    return data.db, find_actor(data, kind)


def _read_new_person(args: Namespace) -> NewPerson:
    """Return the person whom *args* describe; what is wrong is said before a password is asked."""
    roles = frozenset(map(Role, args.roles))
    person = Person(args.person, args.name, args.email, roles, args.site)
    if problem := administration.find_person_fault(person):
        raise CommandError(problem)
    password = "" if args.no_password else read_new_password(args, person.id)
    if not password and not args.no_password:
        raise CommandError("there is no password: give one, or --no-password")
    return NewPerson(person, password, args.active_from or now_utc(), args.active_until)
