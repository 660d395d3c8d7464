"""Changes of who there is, by an administrator; the first one is made on the machine itself."""

from argparse import Namespace
from collections.abc import Callable, Mapping

from services.cli.command import CommandError
from services.cli.shared.acting_person import find_actor
from services.cli.shared.ask_password import read_new_password
from services.cli.shared.open_study import open_data
from services.cli.shared.stored_data import open_stored_data
from services.people import administration
from services.people.administration import NewPerson, PersonRefusedError
from services.people.machine import MACHINE
from services.people.rights import Act
from services.runtime.clock import now_utc
from services.store import people
from services.store.session import Connection, Database
from services.vocabulary.person import Actor, Person, Role


def _init(args: Namespace) -> str:
    if Role.ADMINISTRATOR not in args.roles:
        raise CommandError("the first person is an administrator: who else would make the others?")
    db = open_data(args).db
    refusal = "there are people already: an administrator makes others, `aegis people add`"
    with db.read() as conn:
        if people.has_people(conn):
            raise CommandError(refusal)
    new = _read_new_person(args)

    def add_first(conn: Connection, actor: Actor) -> None:
        people.lock_people(conn)
        if people.has_people(conn):
            raise PersonRefusedError(refusal)
        administration.add_person(conn, new, now_utc(), actor=actor.id)

    _change(db, MACHINE, add_first)
    return f"{new.person.id} is the first person: `aegis login {new.person.id}`"


def _add(args: Namespace) -> str:
    db, actor = _open(args)
    new = _read_new_person(args)

    def add(conn: Connection, actor: Actor) -> None:
        administration.add_person(conn, new, now_utc(), actor=actor.id)

    _change(db, actor, add)
    return f"{new.person.id} may sign in as {', '.join(sorted(new.person.roles))}"


def _end(args: Namespace) -> str:
    def end(conn: Connection, actor: Actor) -> None:
        administration.end_person(conn, args.person, now_utc(), actor=actor.id)

    _change(*_open(args), end)
    return f"{args.person} may do nothing any more, and is signed out everywhere"


def _reset(args: Namespace) -> str:
    db, actor = _open(args)
    password = read_new_password(args, args.person)

    def reset(conn: Connection, actor: Actor) -> None:
        administration.reset_password(conn, args.person, password, now_utc(), actor=actor.id)

    _change(db, actor, reset)
    return f"{args.person} has a new password and no second factor, and is signed out everywhere"


def _replace_roles(args: Namespace) -> str:
    if args.roles is None or args.reason is None:
        raise CommandError("say which and why: --roles ROLE,ROLE --reason TEXT")
    roles = frozenset(map(Role, args.roles))

    def replace(conn: Connection, actor: Actor) -> None:
        administration.replace_roles(conn, args.person, roles, now_utc(), actor=actor.id)

    _change(*_open(args), replace)
    return f"{args.person} is {', '.join(sorted(roles))} from now on"


CHANGES: Mapping[str, Callable[[Namespace], str]] = {
    "init": _init,
    "add": _add,
    "end": _end,
    "reset": _reset,
    "roles": _replace_roles,
}


def _open(args: Namespace) -> tuple[Database, Actor]:
    data = open_stored_data(args)
    return data.db, find_actor(data, Act.MANAGE_PEOPLE)


def _change(db: Database, actor: Actor, change: Callable[[Connection, Actor], None]) -> None:
    """Make *change* in one transaction.

    Raises:
        CommandError: It cannot be made; nothing is.
    """
    try:
        with db.write() as conn:
            change(conn, actor)
    except PersonRefusedError as error:
        raise CommandError(str(error)) from error


def _read_new_person(args: Namespace) -> NewPerson:
    """Return the person whom *args* describe; what is wrong is said before a password is asked."""
    roles = frozenset(map(Role, args.roles))
    person = Person(args.person, args.name, args.email, roles, args.site)
    if problem := administration.find_person_fault(person):
        raise CommandError(problem)
    password = "" if args.no_password else read_new_password(args, person.id)
    if not password and not args.no_password:
        raise CommandError("there is no password: give one, or --no-password")
    active_from = args.active_from or now_utc()
    return NewPerson(person, password, active_from, args.active_until)
