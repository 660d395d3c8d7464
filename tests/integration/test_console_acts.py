"""A signature in the console is of what was seen, by whom it was seen, or there is none."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest

from services.acts.seen_content import hash_seen
from services.alerts.acknowledgement import acknowledge_within
from services.people.administration import end_person
from services.simulator.trial import simulate_trial
from services.store import acts, alert_states, alerts, journal, records, sae_clocks
from services.store.alert_states import AlertStateRow
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor, Role
from tests.helpers.console_pages import add_everybody, open_console
from tests.helpers.installation import Installation
from tests.helpers.people import PASSWORD, make_person

REASON = "seen in the chart"


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("acts"))
    installation.fill(simulate_trial(3, seed=5, days=8))
    add_everybody(installation.db)
    yield installation
    installation.db.close()


@pytest.fixture
def console(installation):
    with open_console(installation.context) as opened_console:
        yield opened_console


@pytest.fixture
def record(installation):
    """A record that nobody has judged."""
    return next(one for one in list_records(installation) if one.content.state == "suspected")


def list_records(installation):
    installation.settle()
    with installation.db.read() as conn:
        return [one for one in records.load_latest_episodes(conn) if not one.retracted]


def count_written(installation):
    with installation.db.read() as conn:
        facts = journal.load_facts_of_kind(conn, "adjudication")
        return len(facts), len(acts.load_acts(conn, acts.ActFilter(kinds=(ActKind.ADJUDICATE,))))


def judge(browser, record, status=303, **fields):
    """Look at *record* and send a verdict about it."""
    browser.look(f"/records/{record.id}")
    form = {"verdict": "confirm", "seen": browser.find_hidden("seen"), "reason": REASON}
    return browser.send(f"/records/{record.id}", status, **(form | {"password": PASSWORD} | fields))


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"password": "another one"}, (403, "Nothing is signed: the id, the password")),
        ({"password": ""}, (403, "Nothing is signed")),
        ({"reason": " \t "}, (400, "say why")),
        ({"reason": "\u2800"}, (400, "say why")),
        ({"seen": ""}, (409, "look at it first")),
        ({"seen": "0" * 64}, (409, "has changed since it was shown")),
        ({"verdict": "regrade", "grade": ""}, (400, "a grade goes with regrade")),
        ({"verdict": "regrade", "grade": "9" * 5000}, (400, "a number from 1 to 5")),
        ({"verdict": "confirm", "grade": "two"}, (400, "a number from 1 to 5")),
        ({"verdict": "confirm", "grade": "2"}, (400, "a grade goes with regrade")),
        ({"verdict": "attribute", "cause": "sepsis", "grade": "2"}, (400, "a grade goes with")),
        ({"verdict": "confirm", "cause": "sepsis"}, (400, "a cause goes with attribute")),
        ({"verdict": "regrade", "cause": "sepsis", "grade": "2"}, (400, "a cause goes with")),
        ({"verdict": "attribute", "cause": " "}, (400, "a cause goes with attribute")),
        ({"verdict": "erase"}, (404, "There is no such page")),
        ({"csrf": "0" * 64}, (403, "Nothing was done")),
        ({"csrf": ""}, (403, "Nothing was done")),
    ],
)
@pytest.mark.part11("11.200(a)")
def test_what_cannot_be_signed_leaves_nothing(console, installation, record, fields, refusal):
    status, words = refusal
    written_before = count_written(installation)
    answer = judge(console.admit("safety"), record, status, **fields)
    assert words in answer.text
    assert count_written(installation) == written_before


def test_no_verdict_is_chosen_before_the_person_chooses(console, record):
    browser = console.admit("safety")
    verdicts = re.findall(r'<input type="radio" name="verdict"[^>]*>', _look_at(browser, record))
    assert len(verdicts) == 4
    assert not [one for one in verdicts if "checked" in one]


def _look_at(browser, record):
    return browser.look(f"/records/{record.id}")


def test_a_refused_form_keeps_what_was_entered_but_for_the_password(console, record):
    answer = judge(
        console.admit("safety"),
        record,
        403,
        reason="a long reason",
        password="hidden-word",  # noqa: S106
    )
    assert "a long reason" in answer.text
    assert "hidden-word" not in answer.text


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"serious": "no", "clock": "24h"}, "not serious starts no clock"),
        ({"serious": "no", "aware": "2026-03-14 09:30"}, "needs a clock"),
        ({"serious": "yes", "aware": "2026-03-14 09:30"}, "needs a clock"),
        ({"serious": "yes", "clock": "25h", "aware": "2026-03-14 09:30"}, "called '25h'"),
        ({"serious": "yes", "clock": "24h", "aware": "1900-01-01 00:00"}, "the record begins at"),
        ({"serious": "yes", "clock": "24h", "aware": ""}, "the time of awareness is like"),
    ],
)
def test_a_form_of_seriousness_that_contradicts_itself_keeps_nothing(
    console, installation, record, fields, problem
):
    browser = console.admit("safety")
    browser.look(f"/records/{record.id}")
    answer = browser.send(f"/records/{record.id}/seriousness", 400, reason=REASON, **fields)
    assert problem in unescape(answer.text)
    with installation.db.read() as conn:
        assert sae_clocks.load_seriousness(conn) == {}
        assert sae_clocks.load_clocks(conn) == []


def find_hash_start(installation, record):
    """The first digits of the hash of *record* as it is now, which a page never has."""
    return next(hash_seen(one)[:-1] for one in list_records(installation) if one.id == record.id)


@pytest.mark.part11("11.70")
def test_a_record_that_changed_between_look_and_signature_is_shown_again(
    console, installation, record
):
    """Two people look at once; who signs second signs nothing that they have not seen."""
    make_person(installation.db, "second", Role.SAFETY_OFFICER)
    first, second = console.admit("safety"), console.admit("second")
    second.look(f"/records/{record.id}")
    seen_hash = second.find_hidden("seen")
    judge(first, record)
    installation.settle()
    written_before = count_written(installation)
    form = {"verdict": "confirm", "seen": seen_hash, "reason": REASON, "password": PASSWORD}
    short = form | {"seen": find_hash_start(installation, record)}
    assert "look at it first" in second.send(f"/records/{record.id}", 409, **short).text
    answer = second.send(f"/records/{record.id}", 409, **form)
    assert "has changed since it was shown: nothing is signed" in answer.text
    assert "confirmed" in answer.text
    assert count_written(installation) == written_before


def test_several_are_confirmed_with_one_signature_or_none_is(console, installation):
    browser = console.admit("safety")
    waiting_records = [
        one
        for one in list_records(installation)
        if one.content.state == "suspected"
        and (one.content.term, str(one.content.worst)) == ("Hypernatremia", "2")
    ]
    browser.look("/worklist")
    page = browser.send("/worklist/choose", 200, record=[one.id for one in waiting_records])
    browser.page = page.text
    ticked_fields = re.findall(r'name="record" value="([^"]*)"', page.text)
    assert len(ticked_fields) == 2
    written_before = count_written(installation)
    signature = {"reason": REASON, "password": PASSWORD}
    cut_short = [ticked_fields[0], ticked_fields[1][:-1]]
    browser.send("/worklist/confirm", 409, record=cut_short, **signature)
    browser.page = page.text
    stale = [ticked_fields[0], f"{waiting_records[1].id}:{'0' * 64}"]
    answer = browser.send("/worklist/confirm", 409, record=stale, **signature)
    assert waiting_records[1].content.term in answer.text
    assert count_written(installation) == written_before
    browser.page = answer.text
    browser.send("/worklist/confirm", 303, record=ticked_fields, **signature)
    assert count_written(installation) == tuple(count + 2 for count in written_before)
    states = {one.id: one.content.state for one in list_records(installation)}
    assert {states[one.id] for one in waiting_records} == {"confirmed"}


@pytest.mark.parametrize(
    ("person", "verdict", "status"),
    [
        ("investigator", "confirm", 303),
        ("investigator", "reject", 404),
        ("auditor", "confirm", 404),
        ("site", "confirm", 404),
        ("chair", "confirm", 404),
        ("admin", "confirm", 404),
    ],
)
@pytest.mark.part11("11.10(g)")
def test_a_verdict_is_given_in_a_role_that_may(console, installation, person, verdict, status):
    by_site = [
        one
        for one in list_records(installation)
        if one.content.state == "suspected" and find_site(installation, one) == "west"
    ]
    browser = console.admit(person)
    browser.look("/")
    token = re.findall(r'name="csrf" value="([^"]*)"', browser.page)[-1]
    owner = console.admit("safety")
    owner.look(f"/records/{by_site[0].id}")
    form = {"verdict": verdict, "seen": owner.find_hidden("seen"), "csrf": token}
    address = f"/records/{by_site[0].id}"
    browser.send(address, status, **form, reason=REASON, password=PASSWORD)


def find_site(installation, record):
    with installation.db.read() as conn:
        entry = journal.load_facts_of_kind(conn, "enrolment", record.content.participant)[0]
    return entry.fact.body.site


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("<script>alert(1)</script>", 303),
        ("</textarea><h1>x", 303),
        ("a'\"&", 303),
        ("\x1b[2Jwiped \x9b", 303),
        ("a\u202eb\u200b", 303),
        ("a\x00", 400),  # which no database keeps
    ],
)
def test_marks_in_a_reason_are_shown_and_do_nothing(console, installation, reason, status):
    record = next(one for one in list_records(installation) if one.content.state == "suspected")
    browser = console.admit("safety")
    judge(browser, record, status, reason=reason, verdict="attribute", cause=f"a{reason[:9]}")
    browser.look(f"/records/{record.id}")
    auditor = console.admit("auditor")
    auditor.look("/audit")
    for page in (browser.page, auditor.page):
        assert "<script>" not in page
        assert "<h1>x" not in page
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202e]", page)


def test_a_session_of_somebody_who_has_ended_is_over(console, installation):
    make_person(installation.db, "leaver", Role.SAFETY_OFFICER)
    browser = console.admit("leaver")
    browser.look("/worklist")
    with installation.db.write() as conn:
        end_person(conn, "leaver", datetime.now(UTC), actor="admin")
    assert browser.get("/worklist").headers["location"].startswith("/sign-in")


def test_a_form_that_comes_when_the_session_is_over_does_nothing(console, installation, record):
    browser = console.admit("safety")
    browser.look(f"/records/{record.id}")
    form = {"verdict": "confirm", "seen": browser.find_hidden("seen"), "reason": REASON}
    written_before = count_written(installation)
    thief = console.browse()
    thief.page = browser.page
    answer = thief.send(f"/records/{record.id}", 303, **form, password=PASSWORD)
    assert answer.headers["location"] == f"/sign-in?next=/records/{record.id}&over=1"
    assert "nothing was done" in thief.look(answer.headers["location"])
    assert count_written(installation) == written_before


def test_a_record_is_given_to_somebody_and_stands_in_their_worklist(console, record):
    browser = console.admit("safety")
    browser.look(f"/records/{record.id}")
    address = f"/records/{record.id}/owner"
    browser.send(address, 400, owner="safety", reason=" ")
    browser.send(address, 400, owner="nobody-of-that-name", reason="mine")
    browser.send(address, 303, owner="safety", reason="mine this week")
    assert f"/records/{record.id}" in browser.look("/worklist?owner=safety")
    assert f"/records/{record.id}" not in browser.look("/worklist?owner=-")
    console.clock[0] += timedelta(seconds=1)
    browser.send(address, 303, owner="", reason="on leave")
    assert f"/records/{record.id}" in browser.look("/worklist?owner=-")


@pytest.mark.parametrize("version", ["", "x", "9" * 5000, "-1", "1e3"])
def test_an_alert_is_acknowledged_at_the_version_that_was_shown(console, installation, version):
    with installation.db.read() as conn:
        alert = next(one for one in alerts.load_alerts(conn) if one.is_open and one.participant)
        acknowledgements = alerts.load_acknowledgements(conn)
    browser = console.admit("safety")
    browser.look(f"/alerts/by-id/{alert.id}")
    answer = browser.send(f"/alerts/by-id/{alert.id}", 409, act="acknowledge", version=version)
    assert "Nothing is acknowledged: the alert is not what the form showed" in answer.text
    with installation.db.read() as conn:
        assert alerts.load_acknowledgements(conn) == acknowledgements


def test_a_form_larger_than_any_of_ours_is_not_read(console, installation, record):
    browser = console.admit("safety")
    browser.look(f"/records/{record.id}")
    written_before = count_written(installation)
    browser.send(f"/records/{record.id}", 403, reason="x" * 1_100_000, password=PASSWORD)
    assert count_written(installation) == written_before


@pytest.mark.parametrize(
    ("state", "missing_people", "is_due"),
    [
        ("open", ("Chair", "Member"), True),
        ("open", ("Member",), True),  # the chair has acknowledged for herself alone
        ("seen", (), False),
        ("snoozed", ("Member",), False),
        ("answered", (), False),  # by the DSMB
        ("told", (), False),
    ],
)
def test_an_alert_is_due_until_everybody_who_has_to_has_seen_it(
    console, installation, state, missing_people, is_due
):
    """Another's acknowledgement, which is stored too, ends nothing by itself."""
    with installation.db.write() as conn:
        alert = next(one for one in alerts.load_alerts(conn) if one.is_open and one.participant)
        alert_states.replace_alert_states(
            conn, [AlertStateRow(alert.id, state, missing_people, datetime.now(UTC))]
        )
        actor = Actor("chair", "chair", Role.DSMB_CHAIR)
        acknowledge_within(conn, alert.id, actor, "", datetime.now(UTC))
    browser = console.admit("safety")
    due_words = f"{alert.opened_at + timedelta(seconds=alert.acknowledge_within_s):%Y-%m-%d %H:%M}"
    page = browser.look(f"/alerts/by-id/{alert.id}")
    due_line = re.search(r"<p>Due .*</p>", page)
    assert (due_line is not None) is is_due
    if due_line:
        assert due_words in due_line[0]
        assert f"waits for {', '.join(missing_people)}" in due_line[0]
    rows = re.findall(r"<tr.*?</tr>", browser.look("/alerts?all=1"), re.DOTALL)
    row = next(one for one in rows if f"/alerts/by-id/{alert.id}" in one)
    assert ('data-name="Due" class="number"><span' in row) is is_due
    items = re.findall(r"<tr.*?</tr>", browser.look("/worklist"), re.DOTALL)
    item = next(one for one in items if f"/records/{alert.about}" in one)
    assert ('data-name="Due" class="number"><span' in item) is is_due


def test_a_signature_stands_once_on_its_record_with_what_it_sets(console, installation, record):
    browser = console.admit("safety")
    judge(browser, record, verdict="attribute", cause="sepsis once", reason="cultures of today")
    installation.settle()
    page = browser.look(f"/records/{record.id}").partition("Decisions and signatures")[2]
    page = page.partition("What changed")[0]
    assert page.count("cultures of today") == 1
    assert "sets attributed to: sepsis once" in page


def test_seen_by_names_the_person(console, installation):
    make_person(installation.db, "dr7", Role.SAFETY_OFFICER, name="Robin Seen")
    with installation.db.write() as conn:
        alert = next(one for one in alerts.load_alerts(conn) if one.is_open and one.participant)
        actor = Actor("dr7", "Robin Seen", Role.SAFETY_OFFICER)
        acknowledge_within(conn, alert.id, actor, "", datetime.now(UTC))
    browser = console.admit("safety")
    for address in (f"/alerts/by-id/{alert.id}", "/alerts?all=1"):
        assert "Robin Seen" in browser.look(address)
