"""Parked items in the console: a code is mapped or ignored, and a message is looked at."""

import re
from shutil import copytree

import pytest

from services.console.pages.parked import ParkedGroup
from services.ingest.intake import Submission
from services.store import acts, parking, refusals
from services.store.parking import ParkedRow
from services.vocabulary.act import ActKind
from tests.helpers.console_pages import add_everybody, open_console
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.installation import STUDY, Installation
from tests.helpers.intake import people
from tests.helpers.store import HOUR_ZERO

PERSON = "P-001,west,WMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"
REASON = "as the laboratory says"
CODE = {"site": "west", "table": "codes", "code": "XNEUT", "reason": REASON}


@pytest.fixture
def installation(tmp_path):
    study = copytree(STUDY, tmp_path / "study")
    installation = Installation(tmp_path / "data", study=study)
    from services.ingest.enrolment import import_participants  # noqa: PLC0415 (as its helper does)

    import_participants(installation.intake, people(PERSON), "test")
    for number in (1, 2):
        raw = labs(
            obx("0.49", code="XNEUT^Neutrophils^L"), control_id=str(number), sender="CERNER|WEST"
        )
        raw = raw.replace(b"NMRN", b"WMRN")
        installation.intake.accept([Submission(raw, "file")])
    add_everybody(installation.db)
    yield installation
    installation.db.close()


@pytest.fixture
def console(installation):
    with open_console(installation.context) as opened_console:
        yield opened_console


def load_items(installation):
    with installation.db.read() as conn:
        return parking.load_parked(conn)


def list_acts(installation, *kinds):
    with installation.db.read() as conn:
        return [
            (act.actor.id, act.kind, act.target, act.new_value)
            for act in acts.load_acts(conn, acts.ActFilter(kinds=kinds))
        ]


def test_a_mapped_code_is_read_again_by_the_files_that_run_then(console, installation):
    browser = console.admit("site")
    page = browser.look("/parked")
    assert "Map XNEUT" in page
    browser.send("/parked", act="map", target="neutrophils", **CODE)
    assert "Nothing is parked." in browser.look("/parked")
    expected = [("site", ActKind.MAP_CODE, "west XNEUT", "codes: neutrophils")]
    assert list_acts(installation, ActKind.MAP_CODE) == expected


def test_an_ignored_code_waits_no_more(console, installation):
    browser = console.admit("site")
    browser.look("/parked")
    browser.send("/parked", act="ignore", **CODE)
    assert load_items(installation) == []
    expected = [("site", ActKind.IGNORE_CODE, "west XNEUT", "ignored")]
    assert list_acts(installation, ActKind.IGNORE_CODE) == expected


@pytest.mark.parametrize(
    ("person", "fields", "refusal"),
    [
        ("site", {"target": "neutrofils"}, (400, "nothing is called 'neutrofils'")),
        ("site", {"target": ""}, (400, "say what the code means")),
        ("site", {"reason": "  "}, (400, "say why")),
        ("site", {"code": " "}, (400, "not blank")),
        ("site", {"table": "senders"}, (400, "codes, units, drugs, devices")),
        ("site", {"target": "alp\n    senders: [X|Y]"}, (400, "nothing is called")),
        ("site", {"site": "north"}, (404, "no such page")),
        ("auditor", {}, (404, "no such page")),
        ("operator", {}, (404, "no such page")),
        ("site", {"csrf": "0" * 64}, (403, "Nothing was done")),
    ],
)
def test_a_mapping_that_cannot_be_maps_nothing(console, installation, person, fields, refusal):
    status, problem = refusal
    file = installation.context.settings.study / "sites.yaml"
    text_before = file.read_text()
    browser = console.admit(person)
    browser.look("/worklist")
    form = {"act": "map", "target": "neutrophils"} | CODE | fields
    answer = browser.send("/parked", status, **form)
    assert problem in answer.text.replace("&#39;", "'")
    assert file.read_text() == text_before
    assert len(load_items(installation)) == 2
    assert list_acts(installation, ActKind.MAP_CODE) == []


@pytest.mark.parametrize(
    ("person", "may_look"), [("site", True), ("safety", True), ("auditor", False)]
)
@pytest.mark.part11("11.10(g)")
def test_a_message_names_its_patient_to_who_may_see_that(console, installation, person, may_look):
    item = load_items(installation)[0]
    browser = console.admit(person)
    address = f"/parked/items/{item.id}"
    page = browser.look(address)
    assert "PID, " in page
    assert "QX4711" not in page
    assert ("Show it with identifiers" in page) is may_look
    assert list_acts(installation, ActKind.LOOK_AT_MESSAGE) == []
    answer = browser.send(address, 200 if may_look else 404)
    assert ("QX4711" in answer.text) is may_look
    looks = list_acts(installation, ActKind.LOOK_AT_MESSAGE)
    assert [(look[0], look[2]) for look in looks] == ([(person, item.id)] if may_look else [])


def test_a_refused_message_shows_its_sender_to_who_may_see_that(console, installation):
    raw = labs(obx("0.49"), sender="DR-MILLER|PRIVATE")
    installation.intake.accept([Submission(raw, "file")])
    with installation.db.read() as conn:
        (refusal,) = refusals.load_refusals(conn)
    address = f"/parked/refusals/{refusal.id}"
    browser = console.admit("safety")
    assert "DR-MILLER" not in browser.look(address)
    assert "DR-MILLER" in browser.send(address, 200).text
    looks = list_acts(installation, ActKind.LOOK_AT_MESSAGE)
    assert [(look[0], look[2]) for look in looks] == [("safety", refusal.id)]
    console.admit("site").look(address, 404)  # whose site it is, nobody knows
    auditor = console.admit("auditor")
    assert "DR-MILLER" not in auditor.look(address)
    auditor.send(address, 404)


@pytest.mark.parametrize("address", ["/parked/items/none", "/parked/refusals/none"])
def test_what_is_not_there_is_not_found(console, address):
    console.admit("safety").look(address, 404)


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        (
            "no measure for XNEUT^Neutrophils^L: add it to codes of this site in sites.yaml",
            ("XNEUT", "codes", "neutrophils"),
        ),
        ("no measure for 77: add it to codes of this site in sites.yaml", ("77", "codes", "")),
        (
            "no drug for D1^tocilizumab^L: add it to drugs of this site in sites.yaml",
            ("D1", "drugs", "tocilizumab"),
        ),
        (
            "unit 'mg/dl.' is not known: add it to units of this site in sites.yaml",
            ("mg/dl.", "units", "mg/dL"),
        ),
        ("result status 'Z' says of no result how far it can be relied upon", None),
    ],
)
def test_a_group_knows_the_code_for_which_it_waits(detail, expected):
    row = ParkedRow("i", "m", "OBX[1].3", "unknown-code", detail, "west", HOUR_ZERO)
    unknown_code = ParkedGroup("west", "unknown-code", detail, (row,)).unknown_code
    if expected is None:
        assert unknown_code is None
    else:
        words = (unknown_code.code, unknown_code.table, unknown_code.suggestion)
        assert words == expected


def test_the_page_of_a_group_has_no_word_that_acts(console, installation):
    """A code with marks of HTML is text, also in the hidden fields that send it back."""
    raw = labs(obx("1", code='<b>"x^n^L'), control_id="3", sender="CERNER|WEST")
    raw = raw.replace(b"NMRN", b"WMRN")
    installation.intake.accept([Submission(raw, "file")])
    browser = console.admit("site")
    browser.look("/parked")
    assert "<b>" not in re.sub(r"<b>\d+</b>", "", browser.page)
