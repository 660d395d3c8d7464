"""An explained record has every fact, text, time and decision that a clinician signs for."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs

from services.cli.shared.explanation_text import write_explanation
from services.safety_rules.adapters.activated_rules import read_activated_rules
from services.safety_rules.reports.explanation import explain_record
from services.store import records
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    Death,
    GvhdStage,
    Observation,
)
from services.vocabulary.fact import Status
from services.vocabulary.judgement import Adjudication, Assessment, Verdict
from tests.helpers.fact_notes import fact, hours, lab
from tests.helpers.timeline import FOLDER, Timeline

pytestmark = pytest.mark.slow

ZONES = {"north": "America/New_York"}
COUNT = {"unit": "10*9/L", "lln": "1.5", "uln": "7.0"}
CALCIUM = {"unit": "mg/dL", "lln": "8.5", "uln": "10.5"}
POTASSIUM = {"unit": "mmol/L", "lln": "3.5", "uln": "5.0", "series": "L7"}
ALT = {"unit": "U/L", "lln": "5", "uln": "40"}
CRS = "astct-2019.crs"


def judge(minute, verdict, criterion=CRS, hour=20, **words):
    signed_at = hours(100) + timedelta(minutes=minute)
    return fact(Adjudication(criterion, verdict, "lee", "seen", signed_at, **words), hour)


MESSAGES = (
    [lab("weight", "70", -20, "kg"), lab("calcium", "9.2", -20, **CALCIUM),
     lab("neutrophils", "2.4", -20, **COUNT), lab("alt", "60", -20, **ALT),
     lab("albumin", "4.0", -20, "g/dL")],
    [lab("neutrophils", value, hour, **COUNT)
     for value, hour in (("0.1", 8), ("0.3", 9), ("0.2", 11), ("0.4", 13))],
    [lab("calcium", "7.4", 10, **CALCIUM), lab("albumin", "3.0", 9, "g/dL", lln="3.5")],
    [lab("glucose", "300", 10, "mg/dL")],
    [lab("alt", "230", 10, **ALT)],
    [lab("alt", "500", 15, **ALT)],
    [lab("temperature", "38.7", 20, "Cel"), lab("sbp", "118", 20, "mm[Hg]"),
     fact(Observation("oxygen-device", text="room-air"), 20)],
    [fact(Administration("tocilizumab", Action.DOSE), 21)],
    [lab("temperature", "36.9", 22, "Cel"),
     fact(Observation("oxygen-device", text="simple-mask"), 23)],
    [lab("weight", "62", 90, "kg")],
    [judge(1, Verdict.CONFIRM)],
    [judge(2, Verdict.REGRADE, grade=2)],
    [fact(Assessment("ctcae-5.0.nausea", 2, "lee"), 92)],
    [lab("potassium", "7.4", 93, subject="P-002", **POTASSIUM)],
    [structs.replace(
        lab("potassium", "4.4", 93, subject="P-002", status=Status.CORRECTED, **POTASSIUM),
        reported_at=hours(94),
    )],
    [lab("sbp", value, hour, "mm[Hg]", subject="P-002")
     for hour, value in ((-4, "130"), (-5, "130"), (-6, "128"))],
    [lab("temperature", "39.0", 95, "Cel", subject="P-002")],
    [lab("temperature", "36.9", 96, "Cel", subject="P-002"),
     fact(Observation("oxygen-device", text="simple-mask"), 97, subject="P-002")],
    [fact(GvhdStage(skin=1, liver=0), 96, subject="P-002")],
    [fact(Death("ctcae-5.0.sepsis"), 99, subject="P-002")],
)  # fmt: skip


@pytest.fixture(scope="module")
def explain_last(tmp_path_factory):
    """Return a function from a criterion to its last record, explained, and the lines of it."""
    trial = Timeline(tmp_path_factory.mktemp("data"))
    trial.treat("P-001", "P-002")
    for facts in MESSAGES:
        trial.say(*facts)
        trial.rules.settle()
    content = (FOLDER / "protocol.yaml").read_text()
    activated_rules = read_activated_rules(content, "1", ZONES)

    def explain(criterion, participant="P-001"):
        with trial.db.read() as conn:
            latest = records.load_latest_episodes(conn, participant)
            of_criterion = [one for one in latest if one.content.criterion == criterion]
            record = max(of_criterion, key=lambda one: one.content.onset_at)
            explanation = explain_record(conn, activated_rules, record.id)
        return explanation, list(write_explanation(explanation))

    yield explain
    trial.close()


# criterion; what some line has to say
TABLE = {
    "the count of a febrile neutropenia": (
        "ctcae-5.0.febrile-neutropenia",
        ["temperature 38.7 Cel", "neutrophils 0.4 10*9/L (normal 1.5 to 7.0)"],
    ),
    "the count before exposure": (
        "ctcae-5.0.febrile-neutropenia", ["neutrophils 2.4 10*9/L (normal 1.5 to 7.0)"],
    ),
    "the reason of a regraded version": (
        CRS, ["worst grade: 3 -> 2, because regraded by lee: seen",
              "decision: regrade by lee: seen, signed"],
    ),
    "its text": (
        "ctcae-5.0.febrile-neutropenia",
        ['CTCAE v5.0, Blood and lymphatic system disorders, "Febrile neutropenia"',
         "grade 3: ANC <1000/mm3 with a single temperature of >38.3 degrees C"],
    ),
    "the albumin of a calcium": (
        "ctcae-5.0.hypocalcemia",
        ["calcium 7.4 mg/dL (normal 8.5 to 10.5)", "albumin 3.0 g/dL (normal 3.5 to ?)"],
    ),
    "the weight before": (
        "ctcae-5.0.weight-loss",
        ["before exposure, transplant day 77:", "weight 70 kg", "weight 62 kg"],
    ),
    "a baseline with its limits, its time and the side of them": (
        "ctcae-5.0.alanine-aminotransferase-increased",
        ["before exposure, transplant day 77 (baseline above its own ULN):",
         "alt 60 U/L (normal 5 to 40), 2026-02-28 07:00 EST, final"],
    ),
    "every grade with its text and its time": (
        "ctcae-5.0.alanine-aminotransferase-increased",
        ["  2026-03-01 13:00 EST, transplant day 78, treatment day 1",
         "grade 2 until 2026-03-01 18:00 EST: > 3.0 x baseline",
         "  grade 3: > 5.0 x baseline", ">5.0 - 20.0 x ULN if baseline was normal"],
    ),
    "a version with what changed": (
        "ctcae-5.0.alanine-aminotransferase-increased",
        ["worst grade: 2 -> 3, because > 5.0 x baseline", "alt 500 U/L (normal 5 to 40)"],
    ),
    "thresholds that may still be met": (
        "ctcae-5.0.hyperglycemia",
        ["may still be grade 3: > ULN and > baseline if insulin was started (not known:",
         "grade 3 (not certain): Insulin therapy initiated"],
    ),
    "the rows of ASTCT": (
        CRS,
        ["Lee et al. 2019, Biol Blood Marrow Transplant 25:625-638, table 2 (in our words)",
         "grade 1: Fever of 38.0 °C or more", "grade 3: Fever, with hypotension that needs one"],
    ),
    "what treated the fever": (CRS, ["tocilizumab given"]),
    "readings that left the grade as it was": (
        "ctcae-5.0.neutrophil-count-decreased",
        ["later, at the same grade:",
         "neutrophils 0.2 to 0.4 10*9/L: 3 from 2026-03-01 12:00 EST to 2026-03-01 16:00 EST"],
    ),
    "what else was charted": (CRS, ["charted by then, too:", "oxygen-device room-air"]),
    "decisions in order": (
        CRS,
        ["1. confirm by lee: seen", "sets state: confirmed (set again by a later decision)",
         "2. regrade by lee: seen", "sets worst grade: 2"],
    ),
    "the grade before a person set another": (
        CRS, ["regraded by lee: seen", "by the facts alone grade 3: fever waived after treatment"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("criterion", "phrases"), TABLE.values(), ids=TABLE)
def test_the_lines_of_an_explanation(explain_last, criterion, phrases):
    _, lines = explain_last(criterion)
    for phrase in phrases:
        assert any(phrase in line for line in lines), "\n".join(lines)


@pytest.mark.parametrize("criterion", sorted({criterion for criterion, _ in TABLE.values()}))
def test_every_fact_that_is_named_is_there(explain_last, criterion):
    explanation, lines = explain_last(criterion)
    named_facts = {
        fact for one in explanation.stretches for fact in (*one.facts, *one.other_readings)
    }
    named_facts |= {
        *explanation.baseline,
        *explanation.ended_by,
        *explanation.versions[-1].content.adjudications,
    }
    assert named_facts <= explanation.facts.keys()
    assert not any("no longer known" in line for line in lines)
    assert explanation.is_current


# of another participant: criterion; what some line has to say
OTHERS = {
    "a death": (
        "ctcae-5.0.sepsis",
        ["grade 5: death adjudicated to this cause",
         "      death of ctcae-5.0.sepsis, 2026-03-05 06:00 EST, final, fact",
         'CTCAE v5.0, Infections and infestations, "Sepsis"', "grade 5: Death"],
    ),
    "a record that a correction retracted": (
        "ctcae-5.0.hyperkalemia",
        ["retracted: its facts were corrected, moved or taken back", "version 2, ",
         "potassium 7.4 mmol/L", "potassium 4.4 mmol/L (normal 3.5 to 5.0), 2026-03-05 00:00 EST,"],
    ),
    "rows of a scale that may still be met": (
        "magic-2016.acute-gvhd",
        ["grade 1-4: ", "may still be grade 2, 3, 4, as above (not known:",
         "grade 4 (not certain): Grade IV: skin, liver or lower gut of stage 4."],
    ),
    "a case that the published text does not cover": (
        CRS, ["not treated; simple-mask (missing: a published rule for signs after an untreated",
              "as above (not known: a published rule for signs after an untreated fever has gone"],
    ),
    "what was usual before exposure": (
        CRS, ["sbp 128 to 130 mm[Hg]: 3 from 2026-02-28 21:00 EST to 2026-02-28 23:00 EST"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("criterion", "phrases"), OTHERS.values(), ids=OTHERS)
def test_the_lines_of_another_participant(explain_last, criterion, phrases):
    _, lines = explain_last(criterion, "P-002")
    for phrase in phrases:
        assert any(phrase in line for line in lines), "\n".join(lines)


def test_a_term_that_a_clinician_graded(explain_last):
    _, lines = explain_last("ctcae-5.0.nausea")
    text = "\n".join(lines)
    assert "grade 2: assessed by lee\n      assessed grade 2 by lee, 2026-03-04 23:00 EST" in text
    assert "grade 2: Oral intake decreased" in text
    assert "before exposure: no value" not in text


def test_a_record_of_other_rules_says_so(explain_last):
    explanation, _ = explain_last(CRS)
    assert "aegis refold" not in "".join(write_explanation(explanation))
    assert "aegis refold" in "".join(write_explanation(replace(explanation, is_current=False)))
