"""Texts of a site in its facts are of a closed set or left out; pseudonyms have a form."""

import json

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.closed_texts import ClosedTexts
from services.ingest.domain.pseudonyms import PseudonymForm
from services.ingest.fact_names import FactNames
from services.ingest.facts import read_facts
from services.runtime.measures import load_measures
from tests.helpers.random_trials import RULES

NAME = "Jane Doe, born on 1971-12-13"
NAMES = FactNames(
    frozenset(load_measures()),
    RULES.list_criteria(),
    ClosedTexts(load_code_tables(), RULES.knows_cause_of_death),
)
SODIUM = {"kind": "observation", "measure": "sodium"}
DRUG = {"kind": "administration", "drug": "dexamethasone", "action": "given"}
TREMOR = {"kind": "assessment", "criterion": "ctcae-5.0.tremor", "grade": 2}
FINDING = {"kind": "finding", "criterion": "ctcae-5.0.lipase-increased", "symptoms": "mild"}
GRAFT = {"kind": "graft-status", "status": "failed"}

# a body as the site north sends it, and what of it is a fact
CLOSED_BODIES = {
    "a cause that is a term": ({"kind": "death", "cause": "ctcae-5.0.sepsis"},) * 2,
    "a cause of an older table": ({"kind": "death", "cause": "ctcae-4.0.sepsis"},) * 2,
    "the published term": ({"kind": "death", "cause": "Sepsis"},) * 2,
    "a cause that is a scale": ({"kind": "death", "cause": "acute-gvhd"},) * 2,
    "a cause without a term": ({"kind": "death", "cause": "relapse"},) * 2,
    "no cause": ({"kind": "death", "cause": ""},) * 2,
    "a cause in other words": (
        {"kind": "death", "cause": NAME},
        {"kind": "death", "cause": "other"},
    ),
    "a term behind other words": (
        {"kind": "death", "cause": "jane-doe.sepsis"},
        {"kind": "death", "cause": "other"},
    ),
    "a relapse": ({"kind": "relapse", "detail": NAME}, {"kind": "relapse", "detail": ""}),
    "a withdrawal": (
        {"kind": "withdrawal", "reason": NAME},
        {"kind": "withdrawal", "reason": ""},
    ),
    "an organism": (
        {"kind": "culture", "positive": True, "organism": "Escherichia coli"},
    ) * 2,
    "no organism": ({"kind": "culture", "positive": False, "organism": ""},) * 2,
    "an organism that is none": (
        {"kind": "culture", "positive": True, "organism": NAME},
        {"kind": "culture", "positive": True, "organism": "other"},
    ),
    "a charted word": (
        {"kind": "observation", "measure": "oxygen-device", "text": "nasal-cannula"},
    ) * 2,
    "a word that is none": (SODIUM | {"text": NAME}, SODIUM | {"text": "other"}),
    "a route": (DRUG | {"route": "iv"}, DRUG | {"route": "IV"}),
    "no route": (DRUG | {"route": ""},) * 2,
    "a route that is none": (DRUG | {"route": NAME}, DRUG | {"route": "other"}),
    "an assessment": (
        TREMOR | {"by": NAME, "note": NAME},
        TREMOR | {"by": "north", "note": ""},
    ),
    "a finding": (FINDING | {"by": NAME, "note": NAME}, FINDING | {"by": "north", "note": ""}),
    "the state of a graft": (
        GRAFT | {"by": NAME, "note": NAME},
        GRAFT | {"by": "north", "note": ""},
    ),
}  # fmt: skip
# bodies with a word that has to be known, and the reason for which they are parked
UNKNOWN_WORDS = {
    "a drug": (DRUG | {"drug": NAME}, "unknown-code"),
    "the unit of a dose": (DRUG | {"dose": {"value": "1", "unit": NAME}}, "unknown-unit"),
    "the unit of a value": (SODIUM | {"value": {"value": "1", "unit": NAME}}, "unknown-unit"),
    "the unit of a limit": (SODIUM | {"uln": {"value": "1", "unit": NAME}}, "unknown-unit"),
    "a measure": ({"kind": "observation", "measure": NAME}, "unknown-measure"),
    "a term": (TREMOR | {"by": "x", "criterion": NAME}, "unknown-criterion"),
}


def read(body, site="north", *, is_entered=False, **fields):
    """The content of a message with one fact."""
    line = {"subject": "P-001", "observed_at": "2026-03-01T08:00:00Z", "body": body} | fields
    actor = "" if site else "operator"
    return read_facts(json.dumps(line).encode(), site, actor, NAMES, is_entered=is_entered)


@pytest.mark.parametrize(("sent", "stored"), CLOSED_BODIES.values(), ids=CLOSED_BODIES)
def test_a_text_of_a_site_is_of_a_closed_set(sent, stored):
    (line,) = read(sent).facts
    for name, value in stored.items():
        assert getattr(line.fact.body, name) == value, name


@pytest.mark.parametrize(("body", "reason"), UNKNOWN_WORDS.values(), ids=UNKNOWN_WORDS)
def test_a_word_that_grading_needs_is_parked_and_masked(body, reason):
    content = read(body)
    assert not content.facts
    (item,) = content.parked
    assert (item.path, item.reason) == ("line 1", reason)
    assert NAME in item.detail
    assert NAME not in item.masked_detail
    assert "'...'" in item.masked_detail


def test_notes_of_a_site_are_left_out_but_for_ours():
    notes = [NAME, "reference range not read"]
    (line,) = read(SODIUM, notes=notes).facts
    assert line.fact.notes == ("reference range not read",)


def test_a_file_is_the_words_of_whoever_wrote_it():
    (line,) = read(TREMOR | {"by": NAME, "note": NAME}, site="").facts
    assert (line.fact.body.by, line.fact.body.note) == ("operator", "")
    assert not read(DRUG | {"drug": NAME}, site="").facts


def test_a_person_who_enters_a_fact_may_comment_and_names_causes_as_everybody():
    comment = {"kind": "relapse", "detail": "by flow cytometry"}
    (line,) = read(comment, site="", is_entered=True).facts
    assert line.fact.body.detail == "by flow cytometry"
    (line,) = read({"kind": "death", "cause": NAME}, site="", is_entered=True).facts
    assert line.fact.body.cause == "other"


@pytest.mark.parametrize("unit", ["ug/m2/d", "mg/m2", "ng/kg/min", "mL/kg/h", "", "10*9/L"])
def test_units_of_doses_and_results_are_known(unit):
    assert read(DRUG | {"dose": {"value": "1", "unit": unit}}).facts


@pytest.mark.parametrize(
    "pseudonym",
    ["P-001", "P-N001", "p1", "01-0042", "1001-0003", "BLN_0012", "AB-12-CD-34", "S.7", "P-123456"],
)
def test_a_pseudonym_of_the_usual_form_is_taken(pseudonym):
    assert not PseudonymForm().find_problem(pseudonym)


@pytest.mark.parametrize(
    ("pseudonym", "shape"),
    {
        "Doe": "'xxx'",
        "DOE^JANE": "'xxx^xxxx'",
        "Jane Doe 1": "'xxxx xxx 9'",
        "60413": "'99999'",
        "P-1234567": "'x-9999999'",
        "MRN60413123": "'xxx99999999'",
        "1971-12-13": "'9999-99-99'",
        "13.12.1971": "'99.99.9999'",
        "jane@doe1.org": "'xxxx@xxx9.xxx'",
        "Müller-1": "'xxxxxx-9'",
        "-1": "'-9'",
        "P-1-": "'x-9-'",
    }.items(),
)
def test_a_name_a_number_or_a_date_is_no_pseudonym_and_is_not_repeated(pseudonym, shape):
    problem = PseudonymForm().find_problem(pseudonym)
    assert problem.startswith(f"participant: {shape} is no pseudonym")
    assert pseudonym not in problem


def test_a_study_says_how_its_participants_are_called():
    form = PseudonymForm(r"BLN-\d{4}")
    assert not form.find_problem("BLN-0012")
    for other_pseudonym in ("P-001", "BLN-00123", "XBLN-0012"):
        assert r"BLN-\d{4}" in form.find_problem(other_pseudonym)
