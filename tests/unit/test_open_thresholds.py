"""The thresholds that an incomplete grade may still meet, each with what would decide it."""

import pytest

from services.safety_rules.adapters.criteria_files import load_table
from services.safety_rules.domain.ctcae.grading import (
    BaselineKnown,
    BaselineUnknown,
    NoBaseline,
    OwnLimits,
    Reading,
    grade_reading,
)
from services.safety_rules.domain.ctcae.open_thresholds import list_open_thresholds
from services.vocabulary.grade import Symptoms
from tests.helpers.fact_notes import quantity

TABLE_OF_CRITERIA = load_table("ctcae-5.0")


def reading(measure, value, unit, **words):
    texts = {name: quantity(words.pop(name, None), unit) for name in ("lln", "uln")}
    return Reading(measure, quantity(value, unit), **texts, **words)


NORMAL_ALT = BaselineKnown(quantity("20 U/L"), OwnLimits(None, quantity("40 U/L")))
BARE_ALT = BaselineKnown(quantity("45 U/L"), OwnLimits(None, None))

# the term, its reading and baseline; grade, what is missing, for each threshold left open
TABLE = {
    "nothing is missing": (
        "hyperkalemia", reading("potassium", "6.4", "mmol/L", uln="5.1"), NoBaseline(), [],
    ),
    "the limit of normal": (
        "hyperkalemia", reading("potassium", "5.2", "mmol/L"), NoBaseline(), [(1, {"ULN"})],
    ),
    "the number decides without a limit": (
        "hyperkalemia", reading("potassium", "6.4", "mmol/L"), NoBaseline(), [],
    ),
    "symptoms": (
        "hypokalemia", reading("potassium", "3.2", "mmol/L", lln="3.5"), NoBaseline(),
        [(2, {"symptoms"})],
    ),
    "symptoms that were looked for": (
        "hypokalemia",
        reading("potassium", "3.2", "mmol/L", lln="3.5", symptoms=Symptoms.NONE), NoBaseline(), [],
    ),
    "the count of a fever": (
        "febrile-neutropenia", reading("temperature", "39.0", "Cel"), NoBaseline(),
        [(3, {"neutrophils"})],
    ),
    "no unit": (
        "anemia", reading("hemoglobin", "7.4", ""), NoBaseline(),
        [(1, {"unit"}), (2, {"unit"}), (3, {"unit"})],
    ),
    "no number": (
        "hyperkalemia", Reading("potassium", None), NoBaseline(),
        [(grade, {"value"}) for grade in (1, 2, 3, 4)],
    ),
    "a normal baseline": (
        "alanine-aminotransferase-increased", reading("alt", "230", "U/L", uln="40"), NORMAL_ALT,
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("slug", "result", "baseline", "expected"), TABLE.values(), ids=TABLE)
def test_the_thresholds_left_open(slug, result, baseline, expected):
    criterion = TABLE_OF_CRITERIA.compiled.by_id[f"ctcae-5.0.{slug}"]
    thresholds = list_open_thresholds(criterion, result, baseline)
    open_grades = {(threshold.grade, frozenset(threshold.missing)) for threshold in thresholds}
    assert open_grades == {(grade, frozenset(missing)) for grade, missing in expected}
    assert [threshold.grade for threshold in thresholds] == sorted(
        threshold.grade for threshold in thresholds
    )


@pytest.mark.parametrize("baseline", [BARE_ALT, BaselineUnknown()], ids=["no limits", "unknown"])
def test_both_kinds_of_baseline_stay_open_while_nobody_knows_which(baseline):
    criterion = TABLE_OF_CRITERIA.compiled.by_id["ctcae-5.0.alanine-aminotransferase-increased"]
    result = reading("alt", "210", "U/L", uln="40")
    thresholds = list_open_thresholds(criterion, result, baseline)
    at_least = grade_reading(criterion, result, baseline).at_least
    assert all(threshold.grade > at_least for threshold in thresholds)
    assert (3, "> 5.0 x ULN") in {(threshold.grade, threshold.text) for threshold in thresholds}
    missing = {name for threshold in thresholds for name in threshold.missing}
    assert missing <= {"baseline", "ULN of the baseline"}


@pytest.mark.parametrize("value", ["3.2", "5.2", "6.4", "9", "90", "-1"])
@pytest.mark.parametrize("criterion", TABLE_OF_CRITERIA.compiled.by_measure["potassium"])
def test_what_is_left_open_lies_between_the_ends_of_the_grade(criterion, value):
    result = reading("potassium", value, "mmol/L")
    outcome = grade_reading(criterion, result, BaselineUnknown())
    thresholds = list_open_thresholds(criterion, result, BaselineUnknown())
    grades = {threshold.grade for threshold in thresholds}
    assert all(outcome.at_least < grade <= outcome.at_most for grade in grades)
    assert (max(grades, default=outcome.at_least)) == outcome.at_most
    missing = {name for threshold in thresholds for name in threshold.missing}
    assert missing == set(outcome.missing)
