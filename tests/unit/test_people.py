"""Persons: made, changed and ended by administrators; signed in by proof, and only while active."""

import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from services.people import administration, passwords
from services.people.administration import NewPerson, PersonRefusedError
from services.people.second_factor import make_totp_code
from services.people.second_factor_change import begin_second_factor, keep_second_factor
from services.people.sessions import (
    begin_session,
    end_session,
    find_session,
    record_session_use,
)
from services.people.sign_in import Proof, Refusal, check_proof
from services.store import people, tables
from services.store.integrity import find_faults
from services.store.seal_chain import seal_audit_rows
from services.store.sign_ins import Use
from services.vocabulary.person import Role
from tests.helpers.fact_notes import HOUR_ZERO, hours
from tests.helpers.office import LIFE_S, PASSWORD, Office
from tests.helpers.store import new_database

SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module", autouse=True)
def _quick_hashes():
    """Hashes of the least cost: what is tested here is not how long one takes."""
    cheap = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", cheap)
        yield


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    db, keys = new_database(tmp_path_factory.mktemp("people"))
    yield db, keys
    db.close()


@pytest.fixture
def office(database):
    """An office where nobody is yet."""
    office = Office(*database)
    with office.db.write() as conn:
        for table in (
            tables.person,
            tables.person_role,
            tables.credential,
            tables.sign_in,
            tables.sign_in_attempt,
            tables.audit_seal,
        ):
            conn.execute(table.delete())
        conn.execute(tables.audit.delete().where(tables.audit.c.place != "installation_key"))
    return office


def test_who_gives_the_right_password_is_signed_in_until_then(office):
    ann = office.add("ann", Role.SAFETY_OFFICER)
    session = office.sign_in("ann")
    assert session.person == ann
    office.instant = hours(1) - SECOND
    assert office.find(session).person == ann
    office.instant = hours(1)
    assert office.find(session) is None


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("ann", "correct horse Battery"),
        ("ann", ""),
        ("bob", PASSWORD),
        ("", ""),
        ("ann", "x" * 9999),
    ],
)
def test_a_wrong_password_is_refused_in_the_words_for_an_unknown_id(office, name, password):
    office.add("ann", Role.SAFETY_OFFICER)
    refusal = office.sign_in(name, password)
    assert refusal == Refusal(
        "the id, the password or the code is wrong, or they may not sign in now"
    )


def test_waits_grow_alike_for_ids_that_exist_and_others_and_the_right_password_waits_too(office):
    office.add("ann", Role.SAFETY_OFFICER)
    for name in ("ann", "nobody"):
        for _ in range(3):
            assert office.sign_in(name, "wrong password").wait_s == 0
        assert office.sign_in(name).reason == "too many attempts: try again in 1 s"
    office.instant += SECOND
    assert office.sign_in("ann").person.id == "ann"


def test_an_attack_on_everybody_locks_out_nobody(office):
    """Many failures for each id, from one place and from many: all sign in where they work."""
    names = [f"person-{n}" for n in range(3)]
    for name in names:
        office.add(name, Role.SAFETY_OFFICER)
        assert office.sign_in(name, source=f"desk of {name}").person.id == name
    for _ in range(8):
        for name in names:
            office.sign_in(name, "wrong password", source="attacker")
            office.sign_in(name, "wrong password", source=f"bot {office.instant}")
        office.instant += timedelta(hours=1)
    office.instant -= timedelta(hours=1)
    for name in names:
        assert office.sign_in(name, source=f"desk of {name}").person.id == name


def test_attempts_at_the_same_time_are_counted_before_any_is_answered(office):
    office.add("ann", Role.SAFETY_OFFICER)
    outcomes = []

    def attempt():
        outcomes.append(office.sign_in("ann", "wrong password"))

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.wait_s == 0 for one in outcomes) == 3
    assert sum(one.wait_s > 0 for one in outcomes) == 5


def test_a_person_who_ended_is_signed_out_everywhere_and_stays_out_whatever_the_clock_says(office):
    office.add("admin", Role.ADMINISTRATOR)
    office.add("ann", Role.SAFETY_OFFICER)
    session = office.sign_in("ann")
    office.instant = hours(0.5)
    office.end("ann")
    for instant in (hours(0.5), hours(0.1), hours(-1)):
        office.instant = instant
        assert office.find(session) is None
        assert isinstance(office.sign_in("ann"), Refusal)


@pytest.mark.parametrize(
    ("hour", "is_active"), [(-0.01, False), (0, True), (1.99, True), (2, False), (3, False)]
)
def test_a_person_may_sign_in_from_the_first_instant_and_not_at_the_last(office, hour, is_active):
    office.add("ann", Role.AUDITOR, active_from=hours(0), active_to=hours(2))
    office.instant = hours(hour)
    assert isinstance(office.sign_in("ann"), Refusal) is not is_active


@pytest.mark.parametrize("minutes", [29, 30])
def test_a_session_that_is_not_used_ends(office, minutes):
    office.add("ann", Role.AUDITOR)
    session = office.sign_in("ann")
    office.instant += timedelta(minutes=minutes)
    assert (office.find(session, idle_s=1800) is None) is (minutes == 30)


def test_a_session_that_is_used_is_not_idle(office):
    office.add("ann", Role.AUDITOR)
    session = office.sign_in("ann")
    for _ in range(3):
        office.instant += timedelta(minutes=15)
        assert office.find(session, idle_s=1200)
        office.try_to(record_session_use, session, office.instant)


@pytest.mark.parametrize(("minutes", "is_good"), [(0, True), (-5, True), (-6, False)])
def test_a_session_ends_when_the_clock_was_set_back(office, minutes, is_good):
    office.add("ann", Role.AUDITOR, active_from=hours(-1))
    session = office.sign_in("ann")
    office.instant += timedelta(minutes=minutes)
    assert (office.find(session) is not None) is is_good


def test_a_stolen_session_is_good_for_nothing_elsewhere_and_nothing_once_its_person_left(office):
    office.add("ann", Role.AUDITOR)
    session = office.sign_in("ann")
    assert office.find(session, use=Use.COMMAND_LINE) is None
    assert office.find(replace(session, secret=session.secret[:-1])) is None
    office.try_to(end_session, session, office.instant)
    assert office.find(session) is None


def test_what_the_database_holds_is_no_session(office):
    office.add("ann", Role.AUDITOR)
    office.sign_in("ann")
    with office.db.read() as conn:
        (row,) = conn.execute(tables.sign_in.select()).all()
        attempts = str(conn.execute(tables.sign_in_attempt.select()).all())
        assert find_session(conn, row.hash, Use.BROWSER, office.instant) is None
    assert "ann" not in attempts


def test_a_new_password_ends_every_session_and_the_old_password(office):
    office.add("ann", Role.AUDITOR)
    session = office.sign_in("ann")
    new_password = "another horse battery"  # noqa: S105
    office.try_to(administration.reset_password, "ann", new_password, office.instant, actor="admin")
    assert office.find(session) is None
    assert isinstance(office.sign_in("ann"), Refusal)
    assert office.sign_in("ann", new_password).person.id == "ann"


def test_forms_are_of_one_session(office):
    office.add("ann", Role.AUDITOR)
    first_session, second_session = office.sign_in("ann"), office.sign_in("ann")
    assert first_session.is_form_token(first_session.form_token)
    assert not first_session.is_form_token(second_session.form_token)
    assert not first_session.is_form_token("ä")


def test_nothing_that_is_shown_has_a_secret(office):
    office.add("ann", Role.AUDITOR)
    session = office.sign_in("ann")
    new_person = NewPerson(session.person, PASSWORD, HOUR_ZERO)
    shown_text = repr([session, Proof("ann", PASSWORD, "123456"), new_person])
    assert not re.search(f"{session.secret}|horse|123456", shown_text)


def test_a_second_factor_is_asked_for_once_the_password_is_right_and_each_code_once(office):
    office.add("ann", Role.SAFETY_OFFICER)
    secret = begin_second_factor()
    code = make_totp_code(secret, office.instant)

    def keep(shown_code):
        arguments = office.keys, "ann", office.instant
        return office.try_to(keep_second_factor, *arguments, secret=secret, code=shown_code)

    assert not keep("000000")
    assert keep(code)
    assert office.sign_in("ann").wants_code
    assert not office.sign_in("ann", "wrong password").wants_code
    assert isinstance(office.sign_in("ann", code=code), Refusal)  # it has been taken
    office.instant += timedelta(seconds=30)
    next_code = make_totp_code(secret, office.instant)
    assert office.sign_in("ann", code=next_code).person.id == "ann"
    assert isinstance(office.sign_in("ann", code=next_code), Refusal)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"name": "Ann\x1b[2J"}, "printable"),
        ({"name": "Ann\nSmith"}, "printable"),
        ({"name": "Ann\N{RIGHT-TO-LEFT OVERRIDE}"}, "printable"),
        ({"name": "\N{ZERO WIDTH SPACE}"}, "printable"),
        ({"name": " "}, "a name is"),
        ({"name": "x" * 101}, "1 to 100"),
        ({"email": "ann"}, "no e-mail address"),
        ({"email": "ann@example.org\nBcc: all@example.org"}, "no e-mail address"),
        ({"email": "<ann@example.org>"}, "no e-mail address"),
        ({"email": "a@b@c"}, "no e-mail address"),
        ({"email": f"{'x' * 251}@b.c"}, "no e-mail address"),
        ({"password": "short"}, "at least 8"),
        ({"password": " " * 20}, "at least 8"),
        ({"password": "x" * 257}, "at most 256"),
        ({"password": "aaaaaaaaaaaa"}, "over and over"),
        ({"password": "ann@Example.org"}, "not the id"),
        ({"password": "line\nof two"}, "one line"),
        ({"active_to": HOUR_ZERO}, "end before they begin"),
    ],
)
def test_a_person_who_cannot_be_is_refused(office, fields, problem):
    with pytest.raises(PersonRefusedError, match=problem):
        office.add("ann", Role.AUDITOR, **fields)
    with office.db.read() as conn:
        assert not people.has_people(conn)


@pytest.mark.parametrize("name", ["Ann", "1ann", "a b", "", "a" * 41, "ann\n", "ännchen", "-a"])
def test_an_id_that_cannot_be_is_refused(office, name):
    with pytest.raises(PersonRefusedError, match="an id is"):
        office.add(name, Role.AUDITOR, name="Ann", email="a@b.c")


def test_html_in_a_name_is_kept_as_it_is_for_pages_to_escape(office):
    name = "<script>alert('x')</script> O'Neill & Søn"
    assert office.add("ann", Role.AUDITOR, name=name).name == name


def test_a_person_without_a_role_and_site_staff_without_a_site_are_refused(office):
    with pytest.raises(PersonRefusedError, match="without a role"):
        office.add("ann")
    with pytest.raises(PersonRefusedError, match="--site"):
        office.add("ann", Role.SITE_STAFF)
    office.add("ann", Role.SITE_STAFF, site="west")


@pytest.mark.parametrize(
    ("roles", "problem"),
    [
        ("safety_officer dsmb_chair", "leave out safety_officer, or dsmb_chair"),
        ("investigator dsmb_member", "leave out investigator, or dsmb_member"),
        ("site_staff dsmb_member", "leave out site_staff, or dsmb_member"),
        ("administrator dsmb_chair dsmb_member", "administrator, or dsmb_chair, dsmb_member"),
        ("dsmb_chair dsmb_member statistician_unblinded", ""),
        ("dsmb_chair auditor", ""),
        ("safety_officer investigator administrator", ""),
    ],
)
def test_nobody_is_of_the_board_and_of_the_conduct(office, roles, problem):
    new_roles = frozenset(map(Role, roles.split()))
    office.add("bob", Role.AUDITOR, site="west")
    change = administration.replace_roles, "bob", new_roles, office.instant
    if problem:
        with pytest.raises(PersonRefusedError, match=problem):
            office.add("ann", *new_roles, site="west")
        with pytest.raises(PersonRefusedError, match=problem):
            office.try_to(*change, actor="admin")
    else:
        office.add("ann", *new_roles, site="west")
        office.try_to(*change, actor="admin")


@pytest.mark.part11("11.100(a)")
def test_an_id_is_never_used_again(office):
    office.add("ann", Role.AUDITOR)
    with pytest.raises(PersonRefusedError, match="never used again"):
        office.add("ann", Role.OPERATOR)
    office.end("ann")
    with pytest.raises(PersonRefusedError, match="never used again"):
        office.add("ann", Role.OPERATOR)
    with pytest.raises(PersonRefusedError, match="ended on 2026-03-01"):
        office.end("ann")


def test_there_is_always_an_administrator(office):
    office.add("ann", Role.ADMINISTRATOR)
    office.add("temp", Role.ADMINISTRATOR, active_to=hours(9))
    with pytest.raises(PersonRefusedError, match="the only administrator"):
        office.end("ann")
    with pytest.raises(PersonRefusedError, match="the only administrator"):
        office.try_to(
            administration.replace_roles,
            "ann",
            frozenset({Role.AUDITOR}),
            office.instant,
            actor="ann",
        )
    office.add("bob", Role.ADMINISTRATOR)
    office.end("ann")


def test_roles_are_those_of_today_in_a_session_that_began_before(office):
    office.add("admin", Role.ADMINISTRATOR)
    office.add("ann", Role.SAFETY_OFFICER, Role.AUDITOR)
    session = office.sign_in("ann")
    roles = frozenset({Role.AUDITOR, Role.OPERATOR})
    office.try_to(administration.replace_roles, "ann", roles, office.instant, actor="admin")
    assert office.find(session).person.roles == roles


def test_a_person_without_a_password_signs_in_with_none(office):
    office.add("ann", Role.AUDITOR, password="")
    assert isinstance(office.sign_in("ann", ""), Refusal)
    assert isinstance(office.sign_in("ann", "nobody has this password"), Refusal)


def test_everything_leaves_its_trail(office):
    office.add("admin", Role.ADMINISTRATOR)
    office.add("ann", Role.SAFETY_OFFICER)
    session = office.sign_in("ann")
    office.try_to(administration.replace_roles, "ann", {Role.AUDITOR}, hours(1), actor="admin")
    office.try_to(administration.reset_password, "ann", "x" * 8 + "y", hours(1), actor="admin")
    office.try_to(end_session, session, hours(1))
    office.end("ann")
    with office.db.write() as conn:
        while seal_audit_rows(conn, office.keys, hours(2)):
            pass
        assert list(find_faults(lambda: conn, office.keys)) == []


def test_a_signature_asks_for_the_proof_and_begins_no_session(office):
    office.add("ann", Role.SAFETY_OFFICER)
    assert check_proof(office.door(), Proof("ann", PASSWORD)).id == "ann"
    with office.db.read() as conn:
        assert conn.execute(tables.sign_in.select()).all() == []


def test_each_session_has_a_secret_of_its_own(office):
    ann = office.add("ann", Role.AUDITOR)
    secrets = {
        office.try_to(begin_session, ann, Use.BROWSER, office.instant, LIFE_S).secret
        for _ in range(9)
    }
    assert len(secrets) == 9
