"""The evidence beside the facts of a grade: what had lasted, what it is compared with."""

from itertools import permutations

import pytest

from services.safety_rules.domain.episodes.course_evidence import (
    describe_side_of_baseline,
    list_baseline_facts,
    list_companions_before_exposure,
    list_lasting_facts,
    list_thresholds_left_open,
)
from services.safety_rules.domain.participant.fold import Fold
from services.vocabulary.clinical_fact import Action, Administration
from services.vocabulary.fact import Status
from services.vocabulary.judgement import Assessment
from tests.helpers.fact_notes import fact, hours, lab, status
from tests.helpers.random_trials import RULES

DOSE = fact(Administration("blinatumomab", Action.START), 0, name="dose")
COUNT = lab("neutrophils", "0.4", 50, "10*9/L", lln="1.8", name="count")
CALCIUM = lab("calcium", "7.4", 50, "mg/dL", lln="8.5", name="calcium")
ALT = {"unit": "U/L", "lln": "5", "uln": "40"}


def follow(criterion, facts):
    """The course of *criterion* after *facts*, the same in any order."""
    fold = Fold("P-001", RULES)
    for next_fact in facts:
        fold.apply([next_fact])
    return fold.find_course(f"ctcae-5.0.{criterion}")


def fever(degrees, hour):
    return lab("temperature", degrees, hour, "Cel", name=f"at-{hour}")


# temperatures by hour; the criterion, the hour of a grade, the first readings that it needs
LASTING = {
    "38.0 for longer than an hour": (
        [(48, "38.1"), (49, "38.1"), (51, "38.2")], "febrile-neutropenia", 51, ["at-48"],
    ),
    "38.3 once, after 38.0 for long": (
        [(48, "38.1"), (49, "38.1"), (51, "38.5")], "febrile-neutropenia", 51, [],
    ),
    "38.0 for exactly an hour": (
        [(48, "38.1"), (49, "38.1")], "febrile-neutropenia", 49, [],
    ),
    "a gap begins it anew": (
        [(48, "38.1"), (49, "37.0"), (50, "38.1"), (52, "38.1")], "febrile-neutropenia", 52,
        ["at-50"],
    ),
    "above 40 for longer than a day": (
        [(48, "40.5"), (60, "40.6"), (73, "40.3")], "fever", 73, ["at-48"],
    ),
    "above 40 once": ([(48, "40.5")], "fever", 48, []),
}  # fmt: skip


@pytest.mark.parametrize(("fevers", "criterion", "hour", "names"), LASTING.values(), ids=LASTING)
def test_the_first_reading_of_what_has_lasted(fevers, criterion, hour, names):
    facts = [DOSE, COUNT, *(fever(degrees, at) for at, degrees in fevers)]
    for order in (facts, facts[::-1]):
        course = follow(criterion, order)
        assert [one.id for one in list_lasting_facts(course, hours(hour))] == names


# ALT before the first dose: value, hour, status, ULN; the names of the baseline, and its side
BASELINES = {
    "the last one": ([("20", -30, "F", "40"), ("60", -5, "F", "40")], ["at--5"], "above"),
    "not above": ([("40", -5, "F", "40")], ["at--5"], "not above"),
    "just above": ([("40.1", -5, "F", "40")], ["at--5"], "above"),
    "a preliminary one is none": (
        [("20", -30, "F", "40"), ("60", -5, "P", "40")], ["at--30"], "not above",
    ),
    "at the first dose it is none": ([("20", -30, "F", "40"), ("60", 0, "F", "40")], ["at--30"],
                                     "not above"),
    "without a limit of its own": ([("60", -5, "F", None)], ["at--5"], ""),
    "none": ([], [], ""),
}  # fmt: skip


@pytest.mark.parametrize(("values", "names", "side"), BASELINES.values(), ids=BASELINES)
def test_the_value_before_exposure(values, names, side):
    facts = [
        DOSE,
        lab("alt", "400", 24, **ALT),
        *(
            lab("alt", value, hour, "U/L", uln=uln, status=status(letter), name=f"at-{hour}")
            for value, hour, letter, uln in values
        ),
    ]
    for order in permutations(facts):
        course = follow("alanine-aminotransferase-increased", order)
        assert [one.id for one in list_baseline_facts(course)] == names
        described = describe_side_of_baseline(course, hours(24))
        assert described == (f"baseline {side} its own ULN" if side else "")


def test_without_a_dose_there_is_no_baseline():
    course = follow("alanine-aminotransferase-increased", [lab("alt", "400", 24, **ALT)])
    assert list_baseline_facts(course) == []


def test_a_term_that_only_a_clinician_grades_has_no_evidence_but_the_assessment():
    course = follow("nausea", [DOSE, fact(Assessment("ctcae-5.0.nausea", 2, "lee"), 24)])
    assert list_baseline_facts(course) == []
    assert describe_side_of_baseline(course, hours(24)) == ""
    assert list_thresholds_left_open(course, hours(24)) == []
    assert list_lasting_facts(course, hours(24)) == []


def test_thresholds_of_several_readings_of_one_instant_are_named_once():
    facts = [
        DOSE,
        lab("potassium", "3.2", 24, "mmol/L", lln="3.5", name="one"),
        lab("potassium", "3.3", 24, "mmol/L", lln="3.5", name="two"),
    ]
    thresholds = list_thresholds_left_open(follow("hypokalemia", facts), hours(24))
    assert [(one.grade, one.missing) for one in thresholds] == [(2, ("symptoms",))]
    assert list_thresholds_left_open(follow("hypokalemia", facts), hours(25)) == []


# the results; the criterion, the names of what stands beside its readings before exposure
COMPANIONS = {
    "the last count before a fever": (
        [lab("neutrophils", "3.0", -90, "10*9/L", name="old"),
         lab("neutrophils", "2.4", -80, "10*9/L", name="last"),
         lab("neutrophils", "0.4", 1, "10*9/L", name="after")],
        "febrile-neutropenia", ["last"],
    ),
    "a count at the first dose is after it": (
        [lab("neutrophils", "2.4", 0, "10*9/L", name="at-dose")], "febrile-neutropenia", [],
    ),
    "a count that is not final": (
        [lab("neutrophils", "3.0", -9, "10*9/L", name="final"),
         lab("neutrophils", "2.4", -8, "10*9/L", name="early", status=Status.PRELIMINARY)],
        "febrile-neutropenia", ["final"],
    ),
    "two counts of one instant": (
        [lab("neutrophils", "2.4", -8, "10*9/L", name="a"),
         lab("neutrophils", "2.5", -8, "10*9/L", name="b")],
        "febrile-neutropenia", ["a", "b"],
    ),
    "no count": ([fever("36.8", -8)], "febrile-neutropenia", []),
    "the albumin of a calcium": (
        [lab("albumin", "4.0", -8, "g/dL", name="albumin")], "hypocalcemia", ["albumin"],
    ),
    "a term without companions": (
        [lab("albumin", "4.0", -8, "g/dL", name="albumin")], "fever", [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("results", "criterion", "names"), COMPANIONS.values(), ids=COMPANIONS)
def test_what_stands_beside_a_reading_before_exposure(results, criterion, names):
    course = follow(criterion, [DOSE, *results, fever("38.5", 50), CALCIUM])
    assert [one.id for one in list_companions_before_exposure(course)] == names
