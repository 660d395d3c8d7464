"""Flows of people through the console, in a real browser without JavaScript."""

import re
from contextlib import contextmanager
from shutil import copytree

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from services.acts.study_activation import activate_study
from services.cli.process.background import Background
from services.cli.process.roles.parts import ProcessSettings
from services.cli.process.service import Service
from services.runtime.settings import AlertSettings, HttpSettings, IngestSettings
from services.simulator.trial import simulate_trial
from services.store import acts, decisions, parking
from services.vocabulary.act import ActKind
from services.vocabulary.person import Actor, Role
from tests.helpers.console_pages import EVERY_ROLE, add_everybody
from tests.helpers.installation import STUDY, Installation
from tests.helpers.people import PASSWORD

pytestmark = pytest.mark.slow

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
RULE = "BLINA-HSCT.S1"


@pytest.fixture(scope="module")
def running_console(tmp_path_factory):
    """A running service with a trial in which a boundary is reached, and a person of each role."""
    installation = Installation(tmp_path_factory.mktemp("flows"))
    installation.fill(simulate_trial(8, seed=7, days=16))
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


def make_unknown_codes():
    """Two results of *west* under a code that nobody knows."""
    sources = [one for one in simulate_trial(8, seed=7, days=16).messages if b"|WEST|" in one]
    panel = next(one for one in sources if re.search(rb"\rOBX\|1\|NM\|", one))
    unknown_code = re.sub(rb"(\rOBX\|1\|NM\|)[^|]*", rb"\1NO-SUCH-CODE^^L", panel)
    control_id = unknown_code.split(b"|")[9]
    return [unknown_code.replace(control_id, b"X%d" % number, 1) for number in (1, 2)]


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
        named = re.compile("Fever of")
        rows = page.get_by_role("row").filter(has=page.get_by_role("checkbox", name=named))
        grade = re.compile(f"^{re.escape(rows.first.locator('.grade').inner_text())}$")
        alike_rows = rows.filter(has=page.locator(".grade", has_text=grade))
        boxes = alike_rows.get_by_role("checkbox", name=named)
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


def test_a_site_clears_its_parked_codes(running_console, chromium):
    """What waits for the same is one group, read again or discarded with a reason."""
    installation, address = running_console
    installation.accept(make_unknown_codes())
    with installation.db.read() as conn:
        waiting_count = len(parking.load_parked(conn, site="west"))
    assert waiting_count >= 2
    with visit(chromium, address, "site") as page:
        page.get_by_role("navigation").get_by_role("link", name="Parked").click()
        page.get_by_role("button", name="Read again what waits at west").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Parked")
        while page.locator("section.group").count():
            page.get_by_text(re.compile("^Discard")).first.click()
            page.get_by_label("Reason").first.fill("an old analyser, checked by phone")
            page.get_by_role("button", name="Discard for good").first.click()
        expect(page.get_by_text("Nothing is parked.")).to_be_visible()
    with installation.db.read() as conn:
        assert parking.load_parked(conn, site="west") == []
    discard_acts = load_acts(installation, ActKind.DISCARD_PARKED)
    assert {one.actor.id for one in discard_acts} == {"site"}
    assert len(discard_acts) == waiting_count


def test_an_auditor_finds_who_changed_a_mapping_and_takes_it_along(
    running_console, chromium, tmp_path
):
    installation, address = running_console
    change_mapping(installation, tmp_path / "study")
    with visit(chromium, address, "auditor") as page:
        page.get_by_role("link", name="Audit").click()
        page.locator("select[name=kind]").select_option("activate-study")
        page.get_by_role("button", name="Show").click()
        newest = page.locator("table tbody tr").first
        expect(newest).to_contain_text("admin")
        expect(newest).to_contain_text("administrator")
        expect(newest).to_contain_text("a new analyser at west")
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        heading, *rows = download.value.path().read_text().splitlines()
        assert heading.startswith("at,person,name,role,act")
        assert heading.endswith("chain_head")
        assert "a new analyser at west" in rows[-1]


def change_mapping(installation, folder):
    """Activate the study with one more code at *west*, as the administrator."""
    copytree(STUDY, folder)
    file = folder / "sites.yaml"
    text = file.read_text()
    file.write_text(
        re.sub(r"(\n +codes:\n)( +)", r"\1\2NO-SUCH-CODE: potassium\n\2", text, count=1)
    )
    actor = Actor("admin", "admin", Role.ADMINISTRATOR)
    study = installation.context.study_id
    activate_study(installation.db, actor, study, folder, "a new analyser at west")


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
        links = page.locator("main a[href^='/']:not([href*='acts.'])").all()
        details = [link.get_attribute("href") for link in links]
        for detail in details if path == "/me" else details[:1]:
            page.goto(f"{address}{detail}")
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
