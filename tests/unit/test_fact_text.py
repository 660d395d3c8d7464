"""Facts in one line each, and many of one topic in one line."""

from decimal import Decimal

import pytest

from services.safety_rules.reports.fact_text import describe_body, summarize_facts
from services.vocabulary.clinical_fact import (
    Action,
    Administration,
    ChronicGvhd,
    Culture,
    Death,
    Enrolment,
    GvhdStage,
    Movement,
    Observation,
    Relapse,
    Transplant,
)
from services.vocabulary.grade import Symptoms
from services.vocabulary.judgement import Adjudication, Assessment, Finding, Verdict
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab

TABLE = {
    "alt 30 U/L (normal 5 to 40)": lab("alt", "30", unit="U/L", lln="5", uln="40").body,
    "alt 30 U/L (normal ? to 40)": lab("alt", "30", unit="U/L", uln="40").body,
    "alt <30 U/L": lab("alt", "<30", unit="U/L").body,
    "alt 30 (no unit)": lab("alt", "30").body,
    "potassium HEMOLYZED": Observation("potassium", text="HEMOLYZED"),
    "glucose 90 mg/dL fasting": Observation(
        "glucose", Quantity(Decimal(90), "mg/dL"), fasting=True
    ),
    "heparin start 5 U/h IV": Administration(
        "heparin", Action.START, Quantity(Decimal(5), "U/h"), "IV"
    ),
    "dexamethasone given as the protocol schedules": Administration(
        "dexamethasone", Action.DOSE, scheduled=True
    ),
    "movement to icu": Movement("icu"),
    "movement cancelled: icu": Movement("icu", cancelled=True),
    "death": Death(),
    "death of relapse": Death("relapse"),
    "transplant 1 cord": Transplant("cord"),
    "enrolment at north": Enrolment("north"),
    "culture positive E. coli": Culture(positive=True, organism="E. coli"),
    "culture negative": Culture(positive=False),
    "stages of acute GVHD: skin 2, upper gi 0": GvhdStage(skin=2, upper_gi=0),
    "chronic GVHD, mild": ChronicGvhd("mild"),
    'assessed grade 2 by lee "since noon"': Assessment("c", 2, "lee", "since noon"),
    "symptoms severe, infarction no seen by lee": Finding(
        "c", "lee", Symptoms.SEVERE, infarction=False
    ),
    "regrade by lee: seen": Adjudication("c", Verdict.REGRADE, "lee", "seen", HOUR_ZERO, 2),
    "relapse": Relapse(),
}


@pytest.mark.parametrize(("text", "body"), TABLE.items(), ids=TABLE)
def test_a_fact_in_words(text, body):
    assert describe_body(body) == text


def device(hour, name):
    return fact(Observation("oxygen-device", text=name), hour)


# several facts in time order; their line
SUMMARIES = {
    "numbers by their range": (
        [lab("sbp", value, hour, "mm[Hg]") for hour, value in enumerate(("120", "98", "104"))],
        "sbp 98 to 120 mm[Hg]: 3 from 0 to 2",
    ),
    "a bound among them": (
        [lab("alt", value, hour, "U/L") for hour, value in enumerate(("<5", "7"))],
        "alt 7 U/L (1), alt <5 U/L (1): 2 from 0 to 1",
    ),
    "two units": (
        [lab("alt", "7", 0, "U/L"), lab("alt", "7", 1, "ukat/L")],
        "alt 7 U/L (1), alt 7 ukat/L (1): 2 from 0 to 1",
    ),
    "the same word": (
        [device(hour, "room-air") for hour in range(3)], "oxygen-device room-air: 3 from 0 to 2",
    ),
    "two words": (
        [device(0, "room-air"), device(1, "cpap"), device(2, "cpap")],
        "oxygen-device cpap (2), oxygen-device room-air (1): 3 from 0 to 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "line"), SUMMARIES.values(), ids=SUMMARIES)
def test_many_facts_in_one_line(facts, line):
    def format_hour(instant):
        return f"{(instant - HOUR_ZERO).total_seconds() / 3600:.0f}"

    assert summarize_facts(facts, format_hour) == line
