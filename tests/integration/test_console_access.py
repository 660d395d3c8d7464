"""The console shows nothing without sign-in, each role its own pages, and takes its own forms."""

import re
from datetime import timedelta

import pytest

from services.console.access import AREAS
from services.console.places import PLACES
from services.people.rights import list_levels
from services.simulator.trial import simulate_trial
from services.store import alerts
from services.vocabulary.alert import Level
from services.vocabulary.person import Person
from tests.helpers.console_pages import EVERY_ROLE, add_everybody, open_console
from tests.helpers.installation import Installation
from tests.helpers.people import PASSWORD

SEEN_BY = {  # the first address of each area: who sees it, by the names of EVERY_ROLE
    "/worklist": "safety investigator site auditor statistician operator admin",
    "/board": "member chair",
    "/participants": "safety investigator site auditor",
    "/rules": "safety statistician auditor",
    "/alerts": "safety investigator site statistician auditor operator admin",
    "/clocks": "safety investigator auditor",
    "/queries": "safety investigator site auditor",
    "/parked": "safety site auditor",
    "/sites": "safety operator auditor",
    "/people": "admin auditor",
    "/audit": "auditor",
    "/health": "operator admin auditor",
    "/me": " ".join(EVERY_ROLE),
}


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("console"))
    installation.fill(simulate_trial(3, seed=5, days=8))
    with open_console(installation.context) as opened_console:
        add_everybody(installation.db)
        yield opened_console
    installation.db.close()


def test_the_table_of_this_test_has_every_area():
    named = {area.address for area in AREAS if area.name}
    assert named == SEEN_BY.keys()


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.address)
@pytest.mark.part11("11.10(d)")
def test_nothing_is_shown_without_sign_in(console, place):
    browser = console.browse()
    answer = browser.get(place.address)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")
    assert "BLINA" not in answer.text


@pytest.mark.parametrize("person", EVERY_ROLE)
@pytest.mark.part11("11.10(g)")
def test_a_role_finds_its_own_pages_and_no_others(console, person):
    browser = console.admit(person)
    for address, people in SEEN_BY.items():
        browser.look(address, 200 if person in people.split() else 404)
    page = browser.look("/")
    for address, people in SEEN_BY.items():
        assert (f'href="{address}"' in page) is (person in people.split()), address


@pytest.mark.parametrize("person", EVERY_ROLE)
def test_the_first_page_is_one_that_exists(console, person):
    browser = console.admit(person)
    browser.look("/")


@pytest.mark.parametrize("person", ["operator", "admin", "statistician"])
@pytest.mark.parametrize("address", ["/worklist", "/alerts?all=1"])
def test_who_sees_no_participants_finds_nothing_clinical(console, person, address):
    with console.context.db.read() as conn:
        participants = {row.participant for row in alerts.load_alerts(conn) if row.participant}
        levels = {row.level for row in alerts.load_alerts(conn)}
    assert Level.PARTICIPANT in levels
    whole_page = console.admit("safety").look(address)
    assert any(one in whole_page for one in participants)
    page = console.admit(person).look(address)
    assert 'class="participant"' not in page
    assert not any(one in page for one in participants)


@pytest.mark.parametrize("person", ["operator", "admin", "statistician", "safety"])
def test_an_alert_opens_for_whoever_reads_its_level(console, person):
    levels = list_levels(Person(person, "", "", frozenset(EVERY_ROLE[person])))
    with console.context.db.read() as conn:
        rows = alerts.load_alerts(conn)
    browser = console.admit(person)
    for row in rows[:6]:
        browser.look(f"/alerts/by-id/{row.id}", 200 if row.level in levels else 404)


def test_the_worklist_of_site_staff_has_their_own_work_and_no_link_that_leads_nowhere(console):
    """Records are for others to judge; the alerts, parked items and queries are theirs."""
    browser = console.admit("site")
    page = browser.look("/worklist")
    links = set(re.findall(r'href="(/(?:records|alerts/by-id|participants)/[^"]+)"', page))
    assert any(link.startswith("/alerts/by-id/") for link in links)
    for link in links:
        browser.look(link)
    parked_page = browser.look("/parked")
    assert ("parked item" in page) is ('name="item"' in parked_page)
    assert re.search(r'<a href="/queries">\d+ quer', page)


def test_site_staff_find_the_participants_of_their_site_alone(console):
    whole_list = console.admit("safety").look("/participants")
    own_page = console.admit("site")
    own_list = own_page.look("/participants")
    assert "west" in own_list
    assert "north" in whole_list
    assert "north" not in own_list
    with console.context.db.read() as conn:
        by_participant = console.context.records.load(conn)
    for participant, participant_records in by_participant.items():
        own_page.look(
            f"/participants/{participant}", 200 if participant_records.site == "west" else 404
        )


def test_every_answer_keeps_the_page_to_its_reader(console):
    browser = console.admit("safety")
    for address in ("/worklist", "/sign-in", "/people", "/static/console.css"):
        answer = browser.get(address)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.get("/worklist").headers["Cache-Control"] == "no-store"


def test_the_cookie_is_of_this_host_and_is_not_for_scripts(console):
    browser = console.browse()
    browser.look("/sign-in")
    answer = browser.send("/sign-in", person="safety", password=PASSWORD, next="/")
    cookie = next(one for one in answer.headers.get_list("set-cookie") if "__Host-aegis=" in one)
    assert {"Secure", "HttpOnly", "Path=/"} <= set(cookie.split("; "))
    assert "samesite=lax" in cookie.lower()


@pytest.mark.parametrize(
    ("person", "password"),
    [("safety", "a wrong one"), ("nobody", PASSWORD), ("<b>safety", PASSWORD), ("", "")],
)
def test_who_is_not_known_is_not_told_why(console, person, password):
    browser = console.browse()
    browser.look("/sign-in")
    answer = browser.send("/sign-in", 403, person=person, password=password, next="/")
    assert "the id, the password or the code is wrong" in answer.text
    assert "<b>safety" not in answer.text
    assert not [one for one in answer.headers.get_list("set-cookie") if "__Host-aegis=" in one]


@pytest.mark.parametrize(
    ("origin", "headers", "says_https"),
    [
        ("http://console.example", {}, True),
        ("http://192.0.2.7:8080", {}, True),
        ("http://localhost.example", {}, True),
        ("https://console.example", {}, False),
        ("http://localhost:8080", {}, False),
        ("http://127.0.0.1:8080", {}, False),
        ("http://[::1]:8080", {}, False),
        ("http://console.example", {"Sec-Fetch-Site": "none"}, False),  # behind a proxy
        ("http://console.example", {"X-Forwarded-Proto": "https"}, False),
    ],
)
def test_over_plain_http_the_page_says_that_https_is_needed(console, origin, headers, says_https):
    """There no cookie comes back, which is no page that was open for too long."""
    browser = console.browse()
    browser.origin = origin
    browser.headers = headers
    assert ("begins with https" in browser.look("/sign-in")) is says_https
    answer = browser.send("/sign-in", 403, person="safety", password=PASSWORD, csrf="0" * 64)
    assert ("begins with https" in answer.text) is says_https
    assert ("open for too long" in answer.text) is not says_https


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("kind=judge", "judge is no kind of act"),
        ("since=yesterday", "yesterday is no date"),
        ("since=2026-02-30", "2026-02-30 is no date"),
        ("persn=safety", "persn is nothing to ask by"),
        ("person=nobody", "nobody is no person"),
    ],
)
@pytest.mark.parametrize("form", ["", "/acts.csv", "/acts.jsonl"])
def test_a_question_to_the_trail_that_has_no_answer_is_refused(console, query, fault, form):
    """All acts are no answer to it, neither on the page nor in an export."""
    answer = console.admit("auditor").get(f"/audit{form}?{query}")
    assert answer.status_code == 400
    assert fault in answer.text
    assert 'data-name="Act"' not in answer.text


def test_the_trail_leads_to_its_export_as_it_is_asked_for(console):
    browser = console.admit("auditor")
    page = browser.look("/audit?kind=add-person&person=")
    assert '<a href="/audit/acts.csv?kind=add-person&person=">' in page
    assert page.index("acts.csv") < page.index('<form class="filters"')
    assert browser.get("/audit/acts.csv?kind=add-person&person=").text.startswith("at,person")


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_of_another_site_signs_nobody_in_or_out(console, token):
    browser = console.browse()
    browser.look("/sign-in")
    browser.send("/sign-in", 403, person="safety", password=PASSWORD, next="/", csrf=token)
    browser = console.admit("safety")
    browser.look("/worklist")
    session = dict(browser.cookies)
    browser.send("/sign-out", csrf=token)
    browser.cookies.update(session)  # which the browser forgot
    browser.look("/worklist")


def test_whoever_signs_out_is_signed_out_everywhere_with_that_cookie(console):
    browser = console.admit("safety")
    browser.look("/worklist")
    stolen = dict(browser.cookies)
    browser.send("/sign-out")
    thief = console.browse()
    thief.cookies.update(stolen)
    answer = thief.get("/worklist")
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/participants/P-001", "/participants/P-001"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/worklist\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_after_sign_in_a_browser_stays_at_this_console(console, target, leads_to):
    browser = console.browse()
    browser.look("/sign-in")
    answer = browser.send("/sign-in", person="safety", password=PASSWORD, next=target)
    assert answer.headers["location"] == leads_to


@pytest.mark.parametrize(
    ("later", "is_signed_in"),
    [
        (timedelta(minutes=29), True),
        (timedelta(minutes=30), False),  # idle
        (timedelta(hours=-1), False),  # the clock was set back
    ],
)
@pytest.mark.part11("11.10(d)")
def test_a_session_ends_when_it_is_not_used(console, later, is_signed_in):
    browser = console.admit("safety")
    began_at = console.clock[0]
    console.clock[0] = began_at + later
    answer = browser.get("/worklist")
    console.clock[0] = began_at
    assert (answer.status_code == 200) is is_signed_in
