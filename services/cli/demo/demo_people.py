"""The persons of a demo, with random passwords in a file that its owner alone may read."""

from datetime import UTC, datetime
from pathlib import Path

from services.acts.people_changes import add_first_person, add_person
from services.acts.study_context import StudyContext
from services.people.administration import NewPerson, make_password
from services.people.machine import MACHINE
from services.runtime.sites_file import read_sites_file
from services.store.private_files import write_private_file
from services.vocabulary.person import Actor, Person, Role

SIGN_IN_FILE = "sign-in.txt"
_REASON = "a person of the demo"
_ACTIVE_FROM = datetime(2000, 1, 1, tzinfo=UTC)  # before its days, which are past
_ADMINISTRATOR = Person(
    "admin", "Ada Roth", "administrator@example.org", frozenset({Role.ADMINISTRATOR})
)
# At the addresses that recipients.yaml has for the time before there is anybody.
_OTHERS = (
    ("safety", "Sam Ito, MD", "safety-officer", Role.SAFETY_OFFICER),
    ("chair", "Cleo Haas, MD", "dsmb-chair", Role.DSMB_CHAIR),
    ("member", "Mina Sole, PhD", "dsmb-member", Role.DSMB_MEMBER),
    ("statistician", "Stan Lund, PhD", "statistician", Role.STATISTICIAN),
    ("site", "Sita Rao", "site", Role.SITE_STAFF),
)


def make_demo_people(context: StudyContext, folder: Path) -> None:
    """Make a person of each kind; their passwords are in *folder*, ``ID PASSWORD`` on a line."""
    others = [
        Person(name, full_name, f"{box}@example.org", frozenset({role}), _find_site(context, role))
        for name, full_name, box, role in _OTHERS
    ]
    passwords = {person.id: make_password() for person in (_ADMINISTRATOR, *others)}
    first = NewPerson(_ADMINISTRATOR, passwords[_ADMINISTRATOR.id], _ACTIVE_FROM)
    add_first_person(context.db, MACHINE, first, _REASON)
    actor = Actor(_ADMINISTRATOR.id, _ADMINISTRATOR.name, Role.ADMINISTRATOR)
    for person in others:
        new_person = NewPerson(person, passwords[person.id], _ACTIVE_FROM)
        add_person(context.db, actor, new_person, _REASON)
    lines = "".join(f"{name} {password}\n" for name, password in passwords.items())
    write_private_file(folder / SIGN_IN_FILE, lines)


def describe_sign_in(folder: Path) -> str:
    """Return the ids of the people of the demo in *folder*, and the file of their passwords."""
    names = ", ".join((_ADMINISTRATOR.id, *(name for name, *_ in _OTHERS)))
    return f"Sign in as one of {names}: passwords in {folder / SIGN_IN_FILE}"


def _find_site(context: StudyContext, role: Role) -> str:
    """Return the first site of the study for its staff; empty for everybody else."""
    if role is not Role.SITE_STAFF:
        return ""
    _, sites = read_sites_file(context.settings.study)
    return sites[0].id
