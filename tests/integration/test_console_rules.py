"""The words about a rule and its alerts: terms of the events, and who signed an answer."""

import re
from html import unescape

import pytest
from starlette.applications import Starlette

from services.alerts import http, links
from services.alerts.delivery_context import DeliveryContext
from services.alerts.domain.routes import Channel, Recipient, Recipients
from services.alerts.load_evidence import load_evidence
from services.simulator.trial import simulate_trial
from services.store import alerts, records
from services.vocabulary.alert import Level
from tests.helpers.console_pages import Browser, add_everybody, open_console
from tests.helpers.installation import Installation
from tests.helpers.people import PASSWORD

pytestmark = pytest.mark.slow

RULE = "BLINA-HSCT.S1"


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    """A trial with a boundary that is reached."""
    installation = Installation(tmp_path_factory.mktemp("rules"))
    installation.fill(simulate_trial(8, seed=7, days=16))
    add_everybody(installation.db)
    yield installation
    installation.db.close()


@pytest.fixture
def console(installation):
    with open_console(installation.context) as opened_console:
        yield opened_console


@pytest.fixture
def study_alert(installation):
    """An alert of a rule, and the terms of the events that it counts."""
    with installation.db.read() as conn:
        alert = next(
            one
            for one in alerts.load_alerts(conn)
            if one.level is Level.STUDY and one.about == RULE
        )
        return alert, load_evidence(conn, alert).terms


def test_a_study_alert_names_the_terms_that_its_notices_name(console, study_alert):
    alert, terms = study_alert
    assert terms
    page = console.admit("safety").look(f"/alerts/by-id/{alert.id}")
    assert all(term in page for term in terms.values())


def test_the_page_of_a_link_names_them_too(installation, study_alert):
    alert, terms = study_alert
    context = installation.context
    recipient = Recipient("dsmb", "chair", Channel.EMAIL, "chair@x.org")
    desk = DeliveryContext(
        *(context.db, context.keys, context.study_id, Recipients({"dsmb": (recipient,)})),
        *({}, lambda: alert.opened_at, "http://x"),
    )
    browser = Browser(Starlette(routes=http.build_routes(desk)))
    token = links.make_token(context.keys, alert.id, "chair", alert.opened_at)
    page = browser.look(f"/alerts/{token}")
    assert all(term in page for term in terms.values())


def test_the_events_of_a_rule_have_terms_for_the_board(console, study_alert):
    _, terms = study_alert
    page = console.admit("member").look(f"/board/rules/{RULE}")
    rows = re.findall(r"<tr><td data-name=\"Grade\".*?</tr>", page)
    by_participant = {
        re.search(r'"Participant">([^<]*)', row)[1]: re.search(r'"Term">([^<]*)', row)[1]
        for row in rows
    }
    assert {one: by_participant[one] for one in terms} == terms


@pytest.mark.part11("11.50(a)")
@pytest.mark.parametrize(("reader", "address"), [("member", "/board/rules"), ("safety", "/rules")])
def test_every_determination_shows_its_whole_signature(console, installation, reader, address):
    """A later one that says otherwise hides no earlier one."""
    chair = console.admit("chair")
    reasons = {"pause": f"events differ, for {reader}", "continue": f"all explained, for {reader}"}
    for answer, reason in reasons.items():
        chair.look(f"/board/rules/{RULE}")
        form = {"answer": answer, "reason": reason, "seen": chair.find_hidden("seen")}
        chair.send(f"/board/rules/{RULE}", 303, **form, password=PASSWORD)
        installation.settle()
    page = console.admit(reader).look(f"{address}/{RULE}")
    signatures = re.findall(r'<section class="signature">.*?</section>', page, re.DOTALL)
    for answer, reason in reasons.items():
        signature = next(one for one in signatures if reason in one)
        assert f"<b>{answer}</b>" in signature
        assert re.search(
            r"chair, dsmb chair, 20[-\d]{8} [:\d]{5} UTC, signed by password, meaning approved",
            signature,
        ), signature


@pytest.mark.parametrize("difference", ["term", "grade"])
def test_records_that_are_not_alike_are_not_confirmed_together(console, installation, difference):
    with installation.db.read() as conn:
        waiting = [
            one
            for one in records.load_latest_episodes(conn)
            if not one.retracted and one.content.state == "suspected"
        ]
    one, other = next(
        (one, other)
        for one in waiting
        for other in waiting
        if (one.content.term == other.content.term) is (difference == "grade")
        and (str(one.content.worst) == str(other.content.worst)) is (difference == "term")
    )
    browser = console.admit("safety")
    browser.look("/worklist")
    answer = browser.send("/worklist/choose", 400, record=[one.id, other.id])
    assert "are not alike" in unescape(answer.text)
    browser.look(f"/records/{one.id}")
    hashes = [browser.find_hidden("seen")]
    browser.look(f"/records/{other.id}")
    hashes.append(browser.find_hidden("seen"))
    ticked = [f"{record.id}:{seen}" for record, seen in zip((one, other), hashes, strict=True)]
    signature = {"reason": "seen in the chart", "password": PASSWORD}
    refused = browser.send("/worklist/confirm", 400, record=ticked, **signature)
    assert "are not alike" in unescape(refused.text)
