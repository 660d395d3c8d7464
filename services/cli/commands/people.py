"""``aegis people``: who may sign in, in which roles."""

from argparse import Namespace

from services.cli.command import CommandError
from services.cli.shared import people_changes
from services.cli.shared.columns import PEOPLE, ROLES
from services.cli.shared.json_lines import print_json_lines
from services.cli.shared.stored_data import StoredData, open_stored_data
from services.cli.shared.tables import format_utc, make_explained_table
from services.people.rights import ACTS, PAGES
from services.runtime.clock import now_utc
from services.store import people
from services.store.people import StoredPerson
from services.vocabulary.person import Role


def perform(args: Namespace) -> int:
    """List persons or roles; or make, change or end a person."""
    if args.word == "roles" and args.person is None:
        return _list_roles(args)
    if args.word == "list":
        return _list_people(args, open_stored_data(args))
    change = people_changes.CHANGES[args.word]
    print(change(args))
    return 0


def _list_people(args: Namespace, data: StoredData) -> int:
    with data.db.read() as conn:
        stored_people = people.load_people(conn)
    if args.json:
        print_json_lines(_summarize_person(row) for row in stored_people)
        return 0
    if not stored_people:
        print("there is nobody yet: `aegis people init`")
        return 0
    rows = [
        (
            row.person.id,
            row.person.name,
            row.person.email,
            ", ".join(sorted(row.person.roles)),
            row.person.site or "-",
            _name_state(row),
            format_utc(row.added_at),
        )
        for row in stored_people
    ]
    print(make_explained_table(PEOPLE, rows))
    return 0


def _summarize_person(row: StoredPerson) -> dict[str, object]:
    return {
        "person": row.person.id,
        "name": row.person.name,
        "email": row.person.email,
        "roles": sorted(row.person.roles),
        "site": row.person.site,
        "state": _name_state(row),
        "added_at": row.added_at,
        "active_from": row.active_from,
        "active_to": row.active_to,
        "ended_at": row.ended_at,
    }


def _name_state(row: StoredPerson) -> str:
    if row.ended_at is not None:
        return "ended"
    if row.is_active(now_utc()):
        return "active"
    return "not active"


def _list_roles(args: Namespace) -> int:
    if args.roles is not None:
        raise CommandError("whose roles? aegis people roles ID --roles ROLE,ROLE --reason TEXT")
    if args.json:
        print_json_lines(
            {"role": role, "does": sorted(ACTS[role]), "sees": sorted(PAGES[role])} for role in Role
        )
        return 0
    rows = [
        (role.value, ", ".join(sorted(ACTS[role])) or "-", ", ".join(sorted(PAGES[role])))
        for role in Role
    ]
    print(make_explained_table(ROLES, rows))
    return 0
