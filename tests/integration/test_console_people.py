"""The administrator makes, changes and ends persons in the console, each time with a signature."""

import re
from html import unescape

import pytest

from services.store import acts, people
from services.vocabulary.act import ActKind
from services.vocabulary.person import Role, SignedBy
from tests.helpers.console_pages import add_everybody, open_console
from tests.helpers.installation import Installation
from tests.helpers.people import PASSWORD

SIGNATURE = {"reason": "joins the team", "password": PASSWORD}
NEW_PERSON = {"person": "kim", "name": "Kim Roe", "email": "kim@example.org", "role": "auditor"}


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("people"))
    add_everybody(installation.db)
    yield installation
    installation.db.close()


@pytest.fixture
def console(installation):
    with open_console(installation.context) as opened_console:
        yield opened_console


def find_person(installation, person_id):
    with installation.db.read() as conn:
        return people.load_person(conn, person_id)


def find_last_act(installation, person_id):
    with installation.db.read() as conn:
        return acts.load_acts(conn, acts.ActFilter(targets=[person_id]))[-1]


def find_shown_password(answer):
    return re.search(r"signs in with <code>([^<]*)</code>", answer.text)[1]


def make_somebody(console, person_id, **fields):
    browser = console.admit("admin")
    browser.look("/people")
    form = NEW_PERSON | {"person": person_id, "name": f"Roe {person_id}"} | SIGNATURE | fields
    return browser, browser.send("/people", 200, **form)


@pytest.mark.part11("11.10(d)")
def test_who_is_made_signs_in_with_the_password_that_is_shown_once(console, installation):
    browser, answer = make_somebody(console, "kim", role=["auditor", "operator"])
    password = find_shown_password(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert find_person(installation, "kim").person.roles == {Role.AUDITOR, Role.OPERATOR}
    act = find_last_act(installation, "kim")
    assert (act.actor.id, act.kind) == ("admin", ActKind.ADD_PERSON)
    assert (act.reason, act.actor.signed_by) == ("joins the team", SignedBy.PASSWORD)
    for page in ("/people", "/people/kim", "/audit"):
        assert password not in console.admit("admin" if page != "/audit" else "auditor").look(page)
    assert "joins the team" in browser.look("/people/kim")
    console.sign_in("kim", password).look("/audit")


@pytest.mark.parametrize(
    ("fields", "status", "problem"),
    [
        ({"person": "admin"}, 400, "admin is there already"),
        ({"person": "<b>"}, 400, "an id is small letters"),
        ({"name": "x" * 101}, 400, "a name is 1 to 100"),
        ({"email": "nowhere"}, 400, "is no e-mail address"),
        ({"role": []}, 400, "give one"),
        ({"role": "site_staff"}, 400, "site staff see their own site only"),
        (
            {"role": "site_staff", "site": "nowhere"},
            400,
            "no site 'nowhere': write one",
        ),
        ({"role": "king"}, 404, "no such page"),
        ({"reason": " "}, 400, "say why"),
        ({"password": "wrong"}, 403, "Nothing is signed"),
        ({"csrf": "0" * 64}, 403, "Nothing was done"),
    ],
)
def test_who_cannot_be_made_is_not(console, installation, fields, status, problem):
    with installation.db.read() as conn:
        people_before = people.load_people(conn)
    browser = console.admit("admin")
    browser.look("/people")
    form = {**NEW_PERSON, "person": "lou"} | SIGNATURE | fields
    answer = browser.send("/people", status, **form)
    assert problem in unescape(answer.text)
    assert "<b>" not in answer.text
    with installation.db.read() as conn:
        assert people.load_people(conn) == people_before


def test_roles_are_replaced_and_hold_at_once(console, installation):
    make_somebody(console, "pat")
    own_browser = console.admit("pat")
    own_browser.look("/audit")
    browser = console.admit("admin")
    browser.look("/people/pat")
    browser.send("/people/pat", act="roles", role=["operator"], **SIGNATURE)
    own_browser.look("/audit", 404)
    act = find_last_act(installation, "pat")
    assert (act.old_value, act.new_value) == ("auditor", "operator")


def test_a_new_password_ends_the_old_one_and_every_session(console):
    _, first_answer = make_somebody(console, "sam")
    own_browser = console.admit("sam")
    own_browser.look("/audit")
    browser = console.admit("admin")
    browser.look("/people/sam")
    password = find_shown_password(browser.send("/people/sam", 200, act="reset", **SIGNATURE))
    assert password != find_shown_password(first_answer)
    assert own_browser.get("/audit").headers["location"].startswith("/sign-in")
    console.sign_in("sam", password).look("/audit")


def test_who_is_ended_is_signed_out_and_keeps_their_line(console, installation):
    make_somebody(console, "bo")
    own_browser = console.admit("bo")
    browser = console.admit("admin")
    browser.look("/people/bo")
    browser.send("/people/bo", act="end", **SIGNATURE)
    assert own_browser.get("/audit").headers["location"].startswith("/sign-in")
    assert find_person(installation, "bo").ended_at is not None
    page = browser.look("/people/bo")
    assert "ended " in page
    assert 'name="act"' not in page


@pytest.mark.parametrize(
    ("fields", "status", "problem"),
    [
        ({"act": "end"}, 400, "admin is the only administrator"),
        ({"act": "roles", "role": "auditor"}, 400, "admin is the only administrator"),
        ({"act": "roles", "role": []}, 400, "give one"),
        ({"act": "promote"}, 404, "no such page"),
        ({"act": "end", "reason": ""}, 400, "say why"),
        ({"act": "reset", "password": "wrong"}, 403, "Nothing is signed"),
    ],
)
def test_what_cannot_be_changed_stays(console, installation, fields, status, problem):
    row_before = find_person(installation, "admin")
    browser = console.admit("admin")
    browser.look("/people/admin")
    answer = browser.send("/people/admin", status, **(SIGNATURE | fields))
    assert problem in unescape(answer.text)
    assert find_person(installation, "admin") == row_before
    browser.look("/people")


@pytest.mark.parametrize("person", ["auditor", "safety", "operator", "chair"])
@pytest.mark.part11("11.10(g)")
def test_only_an_administrator_changes_people(console, installation, person):
    browser = console.admit(person)
    browser.look("/")
    browser.send("/people", 404, **(NEW_PERSON | {"person": "lou"} | SIGNATURE))
    browser.send("/people/site", 404, act="end", **SIGNATURE)
    assert find_person(installation, "lou") is None
    assert find_person(installation, "site").ended_at is None
