"""Dose recommendations for grades of records, worked out from the protocol's words.

CRS 3: interrupt; 4: discontinue. Neurotoxicity 3: withhold until <= 1 and at least 3 days,
discontinue if at the lowest step (8 ug/d) or in more than 7 days; 4: discontinue. Other clinically
relevant 3: withhold until <= 1, discontinue if in more than 14 days; 4: consider discontinuing.
"""

from dataclasses import replace

import pytest

from services.safety_rules.domain.dosing.dose_rules import advise_on_records
from services.vocabulary.dosing import DoseAction
from services.vocabulary.episode import EpisodeState
from services.vocabulary.grade import Grade
from services.vocabulary.judgement import Assessment
from tests.helpers.dosing_course import case, describe_advice, fold_facts, record
from tests.helpers.fact_notes import fact, hours

CRS, ICANS = "astct-2019.crs", "astct-2019.icans"
TREMOR, DIARRHEA = "ctcae-5.0.tremor", "ctcae-5.0.diarrhea"
LIPASE, ANEMIA, FEVER = "ctcae-5.0.lipase-increased", "ctcae-5.0.anemia", "ctcae-5.0.fever"

# rates; then criterion and grades with their hours; then what is said at hour 2000
TABLE = {
    "CRS 2": ("8@0", CRS, "1@5 2@9 -@30", ""),
    "CRS 3": ("8@0", CRS, "1@5 3@9 1@20 -@30", "interrupt from 9 to 30"),
    "CRS 3, not over": ("8@0", CRS, "1@5 3@9 2@20", "interrupt from 9"),
    "CRS 4": ("8@0", CRS, "1@5 3@9 4@12 1@20 -@30", "discontinue from 9"),
    "CRS 5": ("8@0", CRS, "4@12 5@20", "discontinue from 12"),
    "CRS 3 to 4": (
        "8@0",
        CRS,
        "3-4@12 -@30",
        "interrupt from 12 to 30; maybe discontinue for want of ICE score",
    ),
    "CRS 2 to 3": (
        "8@0",
        CRS,
        "2-3@12 -@30",
        "open from 12 to 30; maybe interrupt for want of ICE score",
    ),
    "ICANS 2": ("8@0 16@48", ICANS, "2@60 -@70", ""),
    "ICANS 3, back to 1 within a day": (
        "8@0 16@48",
        ICANS,
        "3@60 1@84 -@90",
        "withhold from 60 to 132",
    ),
    "ICANS 3, back after 72 h": ("8@0 16@48", ICANS, "3@60 1@132 -@140", "withhold from 60 to 132"),
    "ICANS 3, back after 73 h": ("8@0 16@48", ICANS, "3@60 1@133 -@140", "withhold from 60 to 133"),
    "ICANS 3, 2 is not enough": (
        "8@0 16@48",
        ICANS,
        "3@60 2@84 1@150 -@160",
        "withhold from 60 to 150",
    ),
    "ICANS 3, gone at once": ("8@0 16@48", ICANS, "3@60 -@150", "withhold from 60 to 150"),
    "ICANS 3 for 7 days": ("8@0 16@48", ICANS, "3@60 1@228 -@240", "withhold from 60 to 228"),
    "ICANS 3 for more than 7 days": ("8@0 16@48", ICANS, "3@60 1@229 -@240", "discontinue from 60"),
    "ICANS 3 of which nothing more is heard": (
        "8@0 16@48",
        ICANS,
        "3@60",
        "withhold from 60; maybe discontinue for want of a reading after treatment day 3",
    ),
    "ICANS 3 twice": (
        "8@0 16@48",
        ICANS,
        "3@60 1@150 3@200 1@300 -@310",
        "withhold from 60 to 300",
    ),
    "ICANS 3, the second for long": (
        "8@0 16@48",
        ICANS,
        "3@60 1@84 3@200 1@400 -@410",
        "discontinue from 60",
    ),
    "ICANS 3 at the lowest step": ("8@0 16@48", ICANS, "3@47 1@60 -@70", "discontinue from 47"),
    "ICANS 3 at the lowest step, in milligrams": (
        "0.008:mg/d@0 16@48",
        ICANS,
        "3@47 1@60 -@70",
        "discontinue from 47",
    ),
    "ICANS 3 above the lowest step, the number smaller": (
        "0.016:mg/d@0",
        ICANS,
        "3@47 1@60 -@70",
        "withhold from 47 to 119",
    ),
    "ICANS 3 at a rate that does not convert": (
        "1:mL/h@0",
        ICANS,
        "3@60 1@84 -@90",
        "withhold from 60 to 132; maybe discontinue for want of infusion rate",
    ),
    "ICANS 3 at the first instant of the next step": (
        "8@0 16@48",
        ICANS,
        "3@48 1@60 -@70",
        "withhold from 48 to 120",
    ),
    "ICANS 3 after a restart at the lowest step": (
        "8@0 16@48 -@60 8@70",
        ICANS,
        "3@80 1@90 -@99",
        "discontinue from 80",
    ),
    "ICANS 3 after the stop at 16": (
        "8@0 16@48 -@168",
        ICANS,
        "3@170 1@190 -@200",
        "withhold from 170 to 242",
    ),
    "ICANS 3 after the stop at 8": ("8@0 -@30", ICANS, "3@40 1@50 -@60", "discontinue from 40"),
    "ICANS 3 at a rate that nobody charted": (
        "?@0",
        ICANS,
        "3@60 1@84 -@90",
        "withhold from 60 to 132; maybe discontinue for want of infusion rate",
    ),
    "ICANS 4": ("8@0 16@48", ICANS, "4@60 -@70", "discontinue from 60"),
    "ICANS 3 to 4": (
        "8@0 16@48",
        ICANS,
        "3-4@60 1@84 -@90",
        "withhold from 60 to 132; maybe discontinue for want of ICE score",
    ),
    "a term of neurotoxicity, 3": (
        "8@0 16@48",
        TREMOR,
        "3@60 1@84 -@90",
        "withhold from 60 to 132",
    ),
    "another term, 2": ("8@0", DIARRHEA, "2@60 -@84", ""),
    "another term, 3": ("8@0", DIARRHEA, "3@60 1@84 -@90", "withhold from 60 to 84"),
    "another term, 3 for 14 days": ("8@0", DIARRHEA, "3@60 1@396", "withhold from 60 to 396"),
    "another term, 3 for more than 14 days": ("8@0", DIARRHEA, "3@60 1@397", "discontinue from 60"),
    "another term, 4": ("8@0", DIARRHEA, "3@60 4@70 1@84 -@90", "consider discontinuing from 60"),
    "hematologic": ("8@0", ANEMIA, "4@60 -@84", ""),
}


def advise(*records, **inputs):
    return list(advise_on_records(case(*records, **inputs)))


@pytest.mark.parametrize(("rates", "criterion", "grades", "expected"), TABLE.values(), ids=TABLE)
def test_what_grades_ask_for(rates, criterion, grades, expected):
    advice = advise(record(criterion, grades), rates=rates)
    assert "; ".join(describe_advice(one.advice) for one in advice) == expected


# (criterion, grades, what else is said of the record), and what is asked for
WHO_SAID_SO = {
    "nobody has confirmed it": (
        CRS,
        "3@9 -@20",
        {"state": EpisodeState.SUSPECTED},
        "interrupt from 9 to 20",
    ),
    "rejected": (CRS, "3@9 -@20", {"state": EpisodeState.REJECTED}, ""),
    "before the first dose": (CRS, "3@9 -@20", {"before_exposure": True}, ""),
    "a part of a syndrome": (FEVER, "3@9 -@20", {"linked_to": CRS}, ""),
    "laboratory alone, 3": (LIPASE, "3@9 1@20 -@30", {"state": EpisodeState.SUSPECTED}, ""),
    "laboratory alone, confirmed": (LIPASE, "3@9 1@20 -@30", {}, "withhold from 9 to 20"),
    "laboratory alone, 4": (
        LIPASE,
        "3@9 4@12 1@20 -@30",
        {"state": EpisodeState.SUSPECTED},
        "consider discontinuing from 9",
    ),
}


@pytest.mark.parametrize(
    ("criterion", "grades", "fields", "expected"), WHO_SAID_SO.values(), ids=WHO_SAID_SO
)
def test_which_records_ask(criterion, grades, fields, expected):
    advice = advise(record(criterion, grades, **fields), rates="8@0")
    assert "; ".join(describe_advice(one.advice) for one in advice) == expected


@pytest.mark.parametrize(("died_hour", "expected"), [(8.9, ""), (9, ""), (9.1, "interrupt from 9")])
def test_what_began_before_death_alone_asks(died_hour, expected):
    anchors = replace(case().anchors, died_at=hours(died_hour))
    advice = advise(record(CRS, "3@9"), rates="8@0", anchors=anchors)
    assert "; ".join(describe_advice(one.advice) for one in advice) == expected


SILENT = "; maybe discontinue for want of a reading after treatment day"


@pytest.mark.parametrize(
    ("criterion", "hour", "last_seen_hour", "expected", "due"),
    [
        (ICANS, 61, 60, "withhold from 60", 228),
        (ICANS, 228, 228, "withhold from 60", 228),
        (ICANS, 229, 229, "discontinue from 60", None),
        (ICANS, 229, 228, f"withhold from 60{SILENT} 10", None),
        (ICANS, 2000, 60, f"withhold from 60{SILENT} 3", None),
        (DIARRHEA, 396, 396, "withhold from 60", 396),
        (DIARRHEA, 397, 397, "discontinue from 60", None),
        (DIARRHEA, 397, 390, f"withhold from 60{SILENT} 17", None),
        (CRS, 2000, 60, "interrupt from 60", None),
    ],
)
def test_what_lasts_too_long_is_discontinued_once_it_was_seen_to(
    criterion, hour, last_seen_hour, expected, due
):
    inputs = {"hour": hour, "last_evidence": lambda _record: hours(last_seen_hour)}
    (advice,) = advise(record(criterion, "3@60"), rates="8@0 16@48", **inputs)
    assert describe_advice(advice.advice) == expected
    if due is None:
        assert advice.due_at is None
    else:
        assert hours(due) < advice.due_at < hours(due + 1)


@pytest.mark.parametrize(
    ("last_hour", "expected"), [(396, "withhold from 60"), (397, "discontinue from 60")]
)
def test_a_reading_of_the_same_grade_shows_that_it_lasts(last_hour, expected):
    assessments = [fact(Assessment(DIARRHEA, 3, "Dr A"), hour) for hour in (60, 230, last_hour)]
    advice, _ = fold_facts(*assessments, rates="8@0").find_advice(hours(last_hour))
    assert [describe_advice(one) for one in advice if one.criterion == DIARRHEA] == [expected]


def test_what_a_grade_4_asks_for_does_not_hide_until_when_it_is_withheld():
    (advice,) = advise(record(DIARRHEA, "3@60 4@70 1@84 -@90"), rates="8@0")
    assert "grade 4 reached" in advice.advice.because[0]
    assert advice.advice.then[0].startswith(
        "grade 1 or less: on treatment day 4; restart at 8 ug/d"
    )


def test_a_record_is_spoken_of_once_by_the_first_rule_that_it_fits():
    records = [record(CRS, "4@9 -@20"), record(ICANS, "3@60 1@84"), record(TREMOR, "3@60 1@84")]
    advice = advise(*records, rates="8@0 16@48")
    assert [(one.advice.rule, one.advice.criterion) for one in advice] == [
        ("crs", CRS),
        ("neurotoxicity", ICANS),
        ("neurotoxicity", TREMOR),
    ]


def test_the_reasons_name_the_grade_the_day_and_the_rate_and_what_comes_then():
    (advice,) = advise(record(ICANS, "3@60 1@84 -@90"), rates="8@0 16@48")
    term = "Immune effector cell-associated neurotoxicity syndrome (ASTCT)"
    assert advice.advice.because == (
        f"{term}, grade 3 reached on treatment day 3, infusion running at 16 ug/d",
    )
    assert advice.advice.then == (
        (
            "grade 1 or less, and for 3 days at least: on treatment day 6; restart at 8 ug/d, up"
            " after 2 days, in the same course if the pause was no longer than 7 days (assumed, not"
            " signed)"
        ),
    )
    assert (advice.advice.transplant_day, advice.advice.treatment_day, advice.advice.over_on) == (
        72,
        3,
        6,
    )


def test_actions_are_ordered_from_the_mildest():
    assert [action.level for action in DoseAction] == [0, 1, 2, 3, 4]
    assert max(Grade) == 5  # a grade above the last that a rule names asks for what that one does
