"""Persons for tests, and who is signed in at the command line of a data folder."""

from functools import cache

from services.cli.shared.token_file import write_token
from services.people.passwords import hash_password
from services.people.sessions import begin_session
from services.runtime.clock import now_utc
from services.runtime.store_settings import read_store_settings
from services.store import people
from services.store.credentials import Credential, put_credential
from services.store.people import StoredPerson
from services.store.session import Database
from services.store.sign_ins import Use
from services.vocabulary.person import Person, Role
from tests.helpers.fact_notes import HOUR_ZERO

PASSWORD = "the same for all of them"  # noqa: S105 (of tests)
# Who does everything that a command line can: of tests that are about something else.
EVERY_ROLE = tuple(role for role in Role if role is not Role.SITE_STAFF)

_hash_once = cache(hash_password)  # which takes a fifth of a second by design


def make_person(db, person_id, *roles, site="", name=""):
    """Let there be a person, whose password is `PASSWORD`; return them."""
    person = Person(
        person_id,
        name or person_id,
        f"{person_id}@example.org",
        frozenset(roles or EVERY_ROLE),
        site,
    )
    with db.write() as conn:
        if people.load_person(conn, person_id) is None:  # nobody can have every role but in tests
            stored_person = StoredPerson(person, now_utc(), HOUR_ZERO)
            people.add_person(conn, stored_person, actor="tests")
            credential = Credential(person_id, _hash_once(PASSWORD), now_utc())
            put_credential(conn, credential, actor="tests")
    return person


def sign_in(folder, person_id, *roles, db=None, site=""):
    """Let a person, who is made if there is none of the id, be signed in at the data in *folder*.

    Returns:
        The arguments of a signed act: the file of their password.
    """
    opened_db = db or Database.open(read_store_settings(data=folder).database)
    person = make_person(opened_db, person_id, *roles, site=site)
    with opened_db.write() as conn:
        session = begin_session(conn, person, Use.COMMAND_LINE, now_utc(), 3_600)
    if db is None:
        opened_db.close()
    write_token(read_store_settings(data=folder), session.secret)
    return write_password_file(folder)


def write_password_file(folder):
    """Return the arguments of a signed act: a file of `PASSWORD` beside the data in *folder*."""
    path = folder / "password.txt"
    path.write_text(PASSWORD)
    path.chmod(0o600)
    return ("--password-file", str(path))
