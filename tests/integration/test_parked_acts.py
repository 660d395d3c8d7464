"""Parked items as evidence: looked at by who may, mapped, ignored or discarded as a group."""

import errno
import json
import shutil
from pathlib import Path

import pytest
import yaml

from services.acts import code_mapping
from services.acts.code_mapping import CodeMapping, add_mapping, set_mapping
from services.acts.refusal import ActRefusedError
from services.cli.main import main
from services.vocabulary.person import Role
from tests.helpers.hl7_messages import labs, obx
from tests.helpers.intake import people
from tests.helpers.people import sign_in
from tests.helpers.timeline import FOLDER

pytestmark = pytest.mark.slow

PERSON = "P-001,north,NMRN,MR,QX4711,2026-01-01T10:00,,female,1970,70.5,2025-12-20T09:00"
REASON = ["--reason", "as the laboratory says"]


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.delenv("AEGIS_STUDY", raising=False)
    return Path(shutil.copytree(FOLDER, tmp_path / "study"))


@pytest.fixture
def data(tmp_path, study):
    folder, options = tmp_path / "data", ["--study", str(study)]
    (tmp_path / "people.csv").write_bytes(people(PERSON))
    for number in (1, 2):
        raw = labs(obx("0.49", code="XNEUT^own^L"), control_id=str(number), sender="EPIC|NORTH")
        (tmp_path / f"{number}.hl7").write_bytes(raw)
    options += ["--data", str(folder)]
    assert main(["participants", "import", str(tmp_path / "people.csv"), *options]) == 0
    main(["ingest", str(tmp_path / "1.hl7"), str(tmp_path / "2.hl7"), *options])
    return folder


@pytest.fixture
def aegis(data, capsys):
    def run_command(*words):
        capsys.readouterr()
        code = main([*words, "--data", str(data)])
        return code, capsys.readouterr()

    return run_command


def list_items(aegis):
    return [json.loads(line) for line in aegis("parked", "list", "--json")[1].out.splitlines()]


def list_acts(aegis):
    lines = map(json.loads, aegis("audit", "--json")[1].out.splitlines())
    return [(line["person"], line["act"], line["about"]) for line in lines]


def test_a_mapped_code_is_read_again_and_runs(aegis, data, study):
    assert {one["reason"] for one in list_items(aegis)} == {"unknown-code"}
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    code, answer = aegis("parked", "map", "north", "XNEUT", "neutrophils", *REASON)
    assert code == 0, answer.err
    assert "north XNEUT: codes: neutrophils; 2 facts, 2 items closed" in answer.out
    assert list_items(aegis) == []
    assert ("site", "map-code", "north XNEUT") in list_acts(aegis)
    assert '"XNEUT": neutrophils' in (study / "sites.yaml").read_text()
    assert aegis("study", "diff", str(study))[0] == 0


@pytest.mark.parametrize("can_be_written", [True, False])
def test_a_folder_that_did_not_run_or_is_only_read_stays_as_it_is(
    aegis, data, study, monkeypatch, can_be_written
):
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    sites = study / "sites.yaml"
    if can_be_written:
        sites.write_text(f"# a draft\n{sites.read_text()}")
        assert aegis("parked", "retry")[0] == 0  # by a copy of the files that run
    else:
        monkeypatch.setattr(code_mapping, "replace_private_file", raise_read_only)
    texts = {file: file.read_text() for file in (sites, *data.glob("study/*/sites.yaml"))}
    assert len(texts) == 1 + can_be_written
    assert aegis("parked", "map", "north", "XNEUT", "neutrophils", *REASON)[0] == 0
    assert list_items(aegis) == []
    assert {file: file.read_text() for file in texts} == texts


def raise_read_only(*_):
    raise OSError(errno.EROFS, "Read-only file system")


def test_a_code_is_mapped_as_the_page_spells_it(aegis, data, study):
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    code, answer = aegis("parked", "map", "north", "XNEUT^L", "neutrophils", *REASON)
    assert (code, "north XNEUT: codes: neutrophils; 2 facts" in answer.out) == (0, True), answer.err
    assert '"XNEUT": neutrophils' in (study / "sites.yaml").read_text()


def test_a_wrong_mapping_is_corrected(aegis, data, study):
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    for words in (["map", "XNEUT", "potassium"], ["map", "XNEUT", "neutrophils"],
                  ["ignore", "XNEUT"], ["map", "XNEUT", "lymphocytes"]):  # fmt: skip
        code, answer = aegis("parked", words[0], "north", *words[1:], *REASON)
        assert code == 0, answer.err
    rows = yaml.safe_load((study / "sites.yaml").read_text())["sites"]
    north = next(row for row in rows if row["id"] == "north")
    assert (north["codes"]["XNEUT"], north.get("ignored")) == ("lymphocytes", None)
    code, answer = aegis("parked", "map", "north", "XNEUT", "lymphocytes", *REASON)
    assert (code, "means so already" in answer.err) == (2, True)


def test_an_ignored_code_waits_no_more(aegis, data):
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    code, answer = aegis("parked", "ignore", "north", "XNEUT", *REASON)
    assert (code, "0 facts, 2 items closed" in answer.out) == (0, True), answer.err
    assert list_items(aegis) == []
    assert ("site", "ignore-code", "north XNEUT") in list_acts(aegis)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["map", "north", "XNEUT", "neutrofils"], "nothing is called 'neutrofils'"),
        (["map", "north", "XNEUR", "neutrophils"], "nothing of north waits, or waited, for"),
        (["ignore", "north", "^L"], "is not blank"),
        (["map", "north", "XNEUT", "g/L", "--as", "units"], "in units"),
        (["map", "south", "XNEUT", "neutrophils"], "south"),
        (["map", "west", "XNEUT", "neutrophils"], "is of site north"),
    ],
)
def test_a_mapping_that_cannot_be_maps_nothing(aegis, data, study, words, problem):
    before = (study / "sites.yaml").read_text()
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    code, answer = aegis("parked", *words, *REASON)
    assert (code, problem in answer.err) == (2, True), answer.err
    assert (study / "sites.yaml").read_text() == before
    assert len(list_items(aegis)) == 2


def test_a_group_is_discarded_by_one_of_it(aegis, data):
    sign_in(data, "site", Role.SITE_STAFF, site="north")
    item = list_items(aegis)[0]["item"]
    code, answer = aegis("parked", "discard", item, "--alike", *REASON)
    assert (code, answer.out) == (0, "2 items discarded; their messages are kept\n")
    assert [act[:2] for act in list_acts(aegis)].count(("site", "discard-parked")) == 2


@pytest.mark.parametrize(
    ("role", "is_shown"), [(Role.SITE_STAFF, True), (Role.AUDITOR, False), (Role.OPERATOR, False)]
)
def test_the_message_of_an_item_names_its_patient_to_who_may_see_that(aegis, data, role, is_shown):
    sign_in(data, "lee", role, site="north")
    code, answer = aegis("parked", "show", list_items(aegis)[0]["item"])
    assert code == 0, answer.err
    assert ("QX4711" in answer.out) is is_shown
    assert "PID" in answer.out
    looks = [act for act in list_acts(aegis) if act[1] == "look-at-message"]
    assert len(looks) == int(is_shown)


@pytest.fixture
def refusal(aegis, tmp_path):
    """A message of north that was refused, as the command lists it where there is nobody yet."""
    raw = labs(obx("0.49"), control_id="7", sender="EPIC|NORTH").replace(b"|P|", b"|T|")
    (tmp_path / "test.hl7").write_bytes(raw)
    assert aegis("ingest", str(tmp_path / "test.hl7"))[0] == 1
    return list_refusals(aegis)[0]


def list_refusals(aegis):
    return [json.loads(line) for line in aegis("refused", "list", "--json")[1].out.splitlines()]


VIEWERS = [
    ((Role.SITE_STAFF, "north"), True),
    ((Role.SITE_STAFF, "west"), False),
    ((Role.SAFETY_OFFICER, ""), True),
    ((Role.OPERATOR, ""), False),
    ((Role.DSMB_CHAIR, ""), False),
    (None, False),
]


@pytest.mark.parametrize(("viewer", "is_shown"), [*VIEWERS, ((Role.AUDITOR, ""), True)])
def test_lists_show_the_words_of_senders_to_who_may_see_them(
    aegis, data, refusal, viewer, is_shown
):
    assert (refusal["sender"], refusal["control_id"]) == ("EPIC|NORTH", "7")
    items = list_items(aegis)
    assert {"XNEUT" in item["detail"] for item in items} == {True}
    role, site = viewer or (Role.SAFETY_OFFICER, "")
    sign_in(data, "lee", role, site=site)
    if viewer is None:
        assert aegis("logout")[0] == 0
    _, answer = aegis("parked", "list", "--json")
    shown_items = list(map(json.loads, answer.out.splitlines()))
    assert {"XNEUT" in item["detail"] for item in shown_items} == {is_shown}
    assert [item["item"] for item in shown_items] == [item["item"] for item in items]
    assert ("the words of senders are not shown: " in answer.err) is not is_shown
    (row,) = list_refusals(aegis)
    assert (row["sender"] == "EPIC|NORTH", row["control_id"] == "7") == (is_shown, is_shown)
    assert row["id"] == refusal["id"]
    assert ("EPIC" in aegis("refused", "list")[1].out) is is_shown


@pytest.mark.parametrize(("viewer", "is_shown"), [*VIEWERS, ((Role.AUDITOR, ""), False)])
def test_a_refused_message_names_its_sender_to_who_may_look(aegis, data, refusal, viewer, is_shown):
    if viewer is not None:
        role, site = viewer
        sign_in(data, "lee", role, site=site)
    code, answer = aegis("refused", "show", refusal["id"][:8])
    assert code == 0, answer.err
    assert "\nMSH-11: processing id " in answer.out
    assert ("sender: EPIC|NORTH\ncontrol id: 7\n" in answer.out) is is_shown
    assert ("identifiers are not shown: " in answer.out) is not is_shown
    looks = [act for act in list_acts(aegis) if act[1] == "look-at-message"]
    assert looks == [("lee", "look-at-message", refusal["id"])] * is_shown


@pytest.mark.parametrize("start", ["", "zz", "0" * 5000])
def test_a_refused_message_that_is_not_there_is_said(aegis, refusal, start):
    code, answer = aegis("refused", "show", start)
    assert (code, "no refused messages begin with" in answer.err) == (2, True)
    assert refusal["id"] not in answer.out


SITES = """sites:
  - id: north # first
    timezone: UTC
    codes: {A: alt}
  - id: west
    codes:
      B: ast
    icu: []
"""


@pytest.mark.parametrize(
    ("site", "target", "expected"),
    [
        ("north", "alp", 'codes: {"X": alp, A: alt}'),
        ("west", "alp", 'codes:\n      "X": alp\n      B: ast'),
        ("north", "", 'ignored:\n      - "X"\n    timezone'),
    ],
)
def test_a_mapping_is_added_to_its_site_alone(site, target, expected):
    text = add_mapping(SITES, CodeMapping(site, "X", "codes", target, "why"))
    assert expected in text
    neighbours = [
        [row for row in yaml.safe_load(content)["sites"] if row["id"] != site]
        for content in (text, SITES)
    ]
    assert neighbours[0] == neighbours[1]


def test_codes_are_ignored_one_after_the_other():
    text = SITES
    for code in ("X", "Y"):
        text = add_mapping(text, CodeMapping("west", code, "codes", "", "why"))
    text = add_mapping(text, CodeMapping("west", "Z", "codes", "alp", "why"))
    assert yaml.safe_load(text)["sites"][1] == {
        "id": "west",
        "ignored": ["Y", "X"],
        "codes": {"Z": "alp", "B": "ast"},
        "icu": [],
    }


def test_a_mapping_of_an_unknown_site_is_refused():
    with pytest.raises(ActRefusedError, match="no site south"):
        add_mapping(SITES, CodeMapping("south", "X", "codes", "alp", "why"))


@pytest.mark.parametrize(
    ("old_line", "new_line"),
    [
        ("    codes: {X: ast}", '    codes:\n      "X": alp'),
        ("    codes: {A: alt, X: ast}", '    codes: {"X": alp, A: alt}'),
        ("    codes: {'X': ast, A: alt}", '    codes: {"X": alp, A: alt}'),
        (
            "    codes:\n      X: ast # wrong\n      A: alt",
            '    codes:\n      "X": alp\n      A: alt',
        ),
        ("    ignored: [X]", '    codes:\n      "X": alp'),
        (
            "    ignored:\n      - X\n      - Y",
            '    codes:\n      "X": alp\n    ignored:\n      - Y',
        ),
    ],
)
def test_a_corrected_mapping_takes_the_place_of_the_wrong_one(old_line, new_line):
    head, tail = "sites:\n  - id: west\n", "\n  - id: north\n    codes: {X: ast}\n"
    text = set_mapping(head + old_line + tail, CodeMapping("west", "X", "codes", "alp", "why"))
    assert text == head + new_line + tail
