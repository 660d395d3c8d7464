"""Flows of people through the console, in a real browser without JavaScript."""

import re
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings
from services.simulator.trial import simulate_trial
from services.store import acts, decisions
from services.vocabulary.act import ActKind
from tests.helpers.console_pages import EVERY_ROLE, add_everybody
from tests.helpers.installation import Installation, messages_of
from tests.helpers.people import PASSWORD

pytestmark = pytest.mark.slow

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
RULE = "BLINA-HSCT.S1"


@pytest.fixture(scope="module")
def running_console(tmp_path_factory):
    """A running service with a trial in which a boundary is reached, and a person of each role."""
    installation = Installation(tmp_path_factory.mktemp("flows"))
    trial = simulate_trial(8, seed=7, days=16)
    installation.enrol(trial)
    installation.accept(messages_of(trial))
    installation.settle()
    add_everybody(installation.db)
    ports = ProcessSettings(
        IngestSettings(mllp_port=0), HttpSettings(http_port=0), AlertSettings(smtp_port=1)
    )
    background = Background(Service(installation.context, ports))
    http_port = background.start().http
    yield installation, f"http://127.0.0.1:{http_port}"
    background.stop()
    installation.db.close()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@contextmanager
def visit(chromium, address, person, size=DESKTOP):
    """A page in which *person* has signed in; it may load nothing from elsewhere."""
    context = chromium.new_context(viewport=size, java_script_enabled=False)
    requested_urls = []
    context.on("request", lambda request: requested_urls.append(request.url))
    page = context.new_page()
    page.goto(address)
    page.get_by_label("Sign-in name").fill(person)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    yield page
    assert not [url for url in requested_urls if not url.startswith(address)]
    context.close()


def sign(page, reason, button):
    page.get_by_label("Reason", exact=True).fill(reason)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name=button, exact=True).click()


def load_acts(installation, kind):
    with installation.db.read() as conn:
        return acts.load_acts(conn, acts.ActFilter(kinds=(kind,)))


def count_confirmed(installation):
    with installation.db.read() as conn:
        rows = decisions.load_latest_decisions(conn, installation.context.study_id)
    return {row.decision.rule: row.decision.confirmed for row in rows}[RULE]


def test_the_morning_of_a_safety_officer(running_console, chromium):
    """Worklist, record, why, confirmed with a signature; the rule follows."""
    installation, address = running_console
    confirmed_before = count_confirmed(installation)
    with visit(chromium, address, "safety") as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Worklist")
        first = page.locator("tr", has_text="Cytokine release syndrome").first
        expect(first).to_contain_text(re.compile(r"[34]"))
        page.get_by_role("link", name="Cytokine release syndrome (ASTCT)").first.click()
        expect(page.get_by_role("heading", name="Why")).to_be_visible()
        expect(page.get_by_text("fever").first).to_be_visible()
        page.get_by_label("confirm").check()
        sign(page, "seen in the chart <b>&", "Sign")
        expect(page.get_by_role("status")).to_have_text("Signed: confirm.")
        expect(page.locator(".sums")).to_contain_text("confirmed")
        expect(page.locator(".signature").first).to_contain_text("signed by password")
        expect(page.locator(".signature").first).to_contain_text("seen in the chart <b>&")
        page.get_by_role("link", name="Rules").click()
        page.get_by_role("link", name=RULE).click()
    act = load_acts(installation, ActKind.ADJUDICATE)[-1]
    assert (act.actor.id, act.actor.signed_by, act.meaning) == ("safety", "password", "reviewed")
    assert len(act.seen_hash) == 64
    assert count_confirmed(installation) == confirmed_before + 1


def test_records_that_are_alike_are_confirmed_with_one_signature(running_console, chromium):
    installation, address = running_console
    with visit(chromium, address, "safety") as page:
        page.get_by_label("Words").fill("Fever")
        page.get_by_role("button", name="Show").click()
        boxes = page.get_by_role("checkbox", name=re.compile("Fever of"))
        count = min(2, boxes.count())
        for number in range(count):
            boxes.nth(number).check()
        page.get_by_role("button", name="Confirm those chosen").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"Confirm {count} record")
        sign(page, "charted by the ward", f"Sign all {count}")
        expect(page.get_by_role("status")).to_contain_text(f"{count} confirmed")
    signed = [one for one in load_acts(installation, ActKind.ADJUDICATE) if "ward" in one.reason]
    assert len({one.target for one in signed}) == count


def test_the_evening_of_a_member_of_the_board_on_a_phone(running_console, chromium):
    """Alert, chart, acknowledged by each for themselves; the chair determines."""
    installation, address = running_console
    for person in ("member", "chair"):
        with visit(chromium, address, person, PHONE) as page:
            page.get_by_role("link", name=re.compile(f"boundary reached {RULE}")).click()
            page.get_by_role("link", name="Look at the chart").click()
            expect(page.get_by_role("img", name=re.compile(RULE))).to_be_visible()
            page.go_back()
            page.get_by_role("button", name="I have seen this alert").click()
            expect(page.get_by_role("status")).to_have_text("You have seen this alert.")
            assert not re.search(r"20\d\d-\d\d-\d\d", page.locator("main").inner_text())
            page.get_by_role("link", name=re.compile(RULE)).click()
            can_determine = page.get_by_role("button", name="Sign the determination").count()
            assert can_determine == (person == "chair")
    with visit(chromium, address, "chair", PHONE) as page:
        page.goto(f"{address}/board/rules/{RULE}")
        page.get_by_label("pause").check()
        sign(page, "until the next data cut", "Sign the determination")
        expect(page.get_by_role("status")).to_have_text("Signed: pause.")
    act = load_acts(installation, ActKind.DETERMINE)[-1]
    assert (act.actor.id, act.target, act.new_value) == ("chair", RULE, "pause")


@pytest.mark.parametrize("person", EVERY_ROLE)
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_without_a_serious_finding_and_fits(running_console, chromium, person, size):
    """axe-core needs a script of its own, which the console's policy would not let in."""
    _, address = running_console
    context = chromium.new_context(viewport=size, bypass_csp=True)
    page = context.new_page()
    page.goto(address)
    check_page(page)
    page.get_by_label("Sign-in name").fill(person)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    addresses = [link.get_attribute("href") for link in page.locator("nav a").all()]
    for path in addresses:
        page.goto(f"{address}{path}")
        check_page(page)
        detail = page.locator("main a[href^='/']").first
        if detail.count():
            page.goto(f"{address}{detail.get_attribute('href')}")
            check_page(page)
    context.close()


def check_page(page):
    """Assert that axe-core finds nothing serious, and that nothing is wider than the page."""
    findings = Axe().run(page).response["violations"]
    serious = [
        (page.url, one["id"], one["nodes"][0]["html"])
        for one in findings
        if one["impact"] in ("serious", "critical")
    ]
    assert not serious
    width = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert width <= 0, page.url


def test_a_session_that_ends_in_the_middle_of_a_signature_signs_nothing(running_console, chromium):
    installation, address = running_console
    acts_before = load_acts(installation, ActKind.ADJUDICATE)
    with visit(chromium, address, "safety") as page:
        page.get_by_role("link", name=re.compile("Hypo|Hyper|increased|Anemia")).first.click()
        record_address = page.url
        page.get_by_label("confirm").check()
        page.get_by_label("Reason", exact=True).fill("seen in the chart")
        page.context.clear_cookies()
        page.get_by_label("Your password").fill(PASSWORD)
        page.get_by_role("button", name="Sign", exact=True).click()
        expect(page.get_by_role("alert")).to_contain_text("nothing was done")
        page.get_by_label("Sign-in name").fill("safety")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        assert page.url == record_address
    assert load_acts(installation, ActKind.ADJUDICATE) == acts_before
