"""Persons are the same on SQLite and on PostgreSQL: made, signed in, kept waiting, ended."""

import threading
from datetime import timedelta

import pytest

from services.people import administration
from services.people.second_factor import make_totp_code, make_totp_secret
from services.people.second_factor_change import keep_second_factor
from services.people.sessions import end_session, find_session, record_session_use
from services.people.sign_in import Refusal
from services.store import people, schema
from services.store.integrity import find_faults
from services.store.seal_chain import seal_audit_rows
from services.store.session import Database
from services.store.sign_ins import Use
from services.vocabulary.person import Role
from tests.helpers.fact_notes import hours
from tests.helpers.office import Office
from tests.helpers.store import registered_keys

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.server)])
def office(request, tmp_path):
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/a.db" if is_file else request.getfixturevalue("postgres").url
    db = Database.open(url)
    if is_file:
        schema.upgrade(db)
    yield Office(db, registered_keys(db, tmp_path / "keys"))
    db.close()


def test_a_person_from_the_first_day_to_the_last(office):
    office.add("admin", Role.ADMINISTRATOR)
    office.add("ann", Role.SAFETY_OFFICER, Role.AUDITOR, active_to=hours(100))
    assert isinstance(office.sign_in("ann", "wrong password"), Refusal)
    session = office.sign_in("ann")
    office.instant += timedelta(minutes=5)
    office.try_to(record_session_use, session, office.instant)
    secret = make_totp_secret()
    code = make_totp_code(secret, office.instant)
    arguments = office.keys, "ann", office.instant
    assert office.try_to(keep_second_factor, *arguments, secret=secret, code=code)
    assert office.sign_in("ann").wants_code
    office.instant += timedelta(seconds=30)
    assert office.sign_in("ann", code=make_totp_code(secret, office.instant)).person.id == "ann"
    roles = frozenset({Role.OPERATOR})
    office.try_to(administration.replace_roles, "ann", roles, office.instant, actor="admin")
    assert office.find(session).person.roles == roles
    office.try_to(end_session, session, office.instant)
    office.end("ann")
    with office.db.read() as conn:
        assert find_session(conn, session.secret, Use.BROWSER, office.instant) is None
        assert [one.person.id for one in people.load_people(conn)] == ["admin", "ann"]
    with office.db.write() as conn:
        while seal_audit_rows(conn, office.keys, hours(2)):
            pass
    with office.db.read() as conn:
        assert list(find_faults(lambda: conn, office.keys)) == []


def run_together(*actions):
    """Run *actions* in threads at once; return what each returned or raised."""
    outcomes = []

    def run(action):
        try:
            outcomes.append(action())
        except administration.PersonRefusedError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_attempts_at_once_are_counted_one_by_one(office):
    office.add("ann", Role.AUDITOR)
    outcomes = run_together(*[lambda: office.sign_in("ann", "wrong password")] * 6)
    assert sorted(one.wait_s > 0 for one in outcomes) == [False] * 3 + [True] * 3


def test_two_administrators_cannot_end_each_other_at_once(office):
    for name in ("ann", "ben"):
        office.add(name, Role.ADMINISTRATOR)
    outcomes = run_together(lambda: office.end("ann"), lambda: office.end("ben"))
    assert sum(isinstance(one, administration.PersonRefusedError) for one in outcomes) == 1


def test_an_id_is_given_once_to_two_who_ask_at_once(office):
    outcomes = run_together(*[lambda: office.add("ann", Role.AUDITOR)] * 2)
    assert sum(isinstance(one, administration.PersonRefusedError) for one in outcomes) == 1
