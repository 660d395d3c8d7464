"""Several readings of one instant as one grade, and what a clinician's own grade decides."""

import pytest
from msgspec.structs import replace

from services.safety_rules.domain.episodes.combined_outcomes import combine_outcomes
from services.vocabulary.grade import ExactGrade, Grade, Incomplete, Input
from services.vocabulary.judgement import Assessment
from tests.helpers.fact_notes import HOUR_ZERO, fact, lab, status

INPUTS = {
    "symptoms": Input.SYMPTOMS,
    "value": Input.VALUE,
    "core": Input.CORE_TEMPERATURE,
}


def read_outcome(text):
    """``2``, ``1-3 symptoms value``, or ``seen 2``: what is missing follows the span."""
    grades, *missing = text.removeprefix("seen ").split()
    low, _, high = grades.partition("-")
    if not high:
        return ExactGrade(Grade(int(low)), text)
    missing_inputs = frozenset(INPUTS[word] for word in missing)
    return Incomplete(Grade(int(low)), Grade(int(high)), missing_inputs, text)


def make_fact(text, number):
    if text.startswith("seen"):
        return fact(Assessment("ctcae-5.0.test", 2, "Dr A"), name=f"f{number}")
    return lab("alt", "30", name=f"f{number}")


TABLE = {  # readings of one instant; the span, its reason and what is missing
    "one": ("2", "2: 2"),
    "one interval": ("1-3 value", "1-3: 1-3 value; value"),
    "the worse of two": ("1, 3", "3: 3"),
    "the worse of three": ("1, 3, 2", "3: 3"),
    "the worst at each end": ("1-4 value, 2", "2-4: 2; value"),
    "of two as certain, the one that may be worse": ("2, 2-4 value", "2-4: 2-4 value; value"),
    "a clinician inside": ("1-3 symptoms, seen 2", "2: seen 2"),
    "a clinician at the lower end": ("1-3 symptoms, seen 1", "1: seen 1"),
    "a clinician at the upper end": ("1-3 symptoms, seen 3", "3: seen 3"),
    "a clinician above": ("1-3 symptoms, seen 4", "4: seen 4; symptoms"),
    "a clinician below": ("2-3 symptoms, seen 1", "2-3: 2-3 symptoms; symptoms"),
    "two clinicians": ("1-3 symptoms, seen 1, seen 2", "2: seen 2"),
    "a clinician who cannot know all that is missing": (
        "1-3 symptoms value, seen 2",
        "2-3: seen 2; symptoms, value",
    ),
    "a clinician beside an exact grade": ("3, seen 2", "3: 3"),
    "a skin temperature alone": ("1-3 core", "1-3: 1-3 core; core temperature"),
    "a skin temperature beside a core one": ("1-3 core, 2", "2: 2"),
    "two skin temperatures": ("1-3 core, 0-2 core", "1-3: 1-3 core; core temperature"),
}


@pytest.mark.parametrize(("readings", "expected"), TABLE.values(), ids=TABLE)
def test_readings_of_one_instant_are_one_grade(readings, expected):
    texts = readings.split(", ")
    facts = [make_fact(text, number) for number, text in enumerate(texts)]
    outcomes = [read_outcome(text) for text in texts]
    point = combine_outcomes(HOUR_ZERO, facts, outcomes, [])
    missing = f"; {', '.join(point.missing)}" if point.missing else ""
    assert f"{point.span}: {point.because}{missing}" == expected
    assert point.facts == tuple(f"f{number}" for number in range(len(texts)))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_grade_is_provisional_while_any_fact_behind_it_is(place):
    facts = [lab("alt", "30", name="a"), lab("alt", "31", name="b"), lab("alt", "32", name="c")]
    outcomes = [read_outcome("1"), read_outcome("2")]
    assert not combine_outcomes(HOUR_ZERO, facts[:2], outcomes, facts[2:]).provisional
    facts[place] = replace(facts[place], status=status("P"))
    point = combine_outcomes(HOUR_ZERO, facts[:2], outcomes, facts[2:])
    assert point.provisional
    assert point.facts == ("a", "b", "c")
