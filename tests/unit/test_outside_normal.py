"""Readings of grade 0 outside their limits of normal: alone, and among the values of a test."""

from dataclasses import replace
from decimal import Decimal

import pytest
from msgspec import structs

from services.safety_rules.domain.ctcae.grading import grade_reading
from services.safety_rules.domain.ctcae.outside_normal import describe_outside_normal
from services.safety_rules.domain.ctcae.prepared_grading import prepare_grading
from services.vocabulary.grade import Grade
from tests.helpers.lab_reading import find_criterion, parse_reading

ALT, ANC = "alanine-aminotransferase-increased", "neutrophil-count-decreased"

# the term of version 6 and a reading of grade 0; the side of normal
SIDES = {
    "below a lower limit": (ANC, "neutrophils 1.7 10*9/L; LLN 1.8", "below LLN"),
    "at a lower limit": (ANC, "neutrophils 1.8 10*9/L; LLN 1.8", ""),
    "beyond the limit of the other side": (ANC, "neutrophils 9.9 10*9/L; LLN 1.8; ULN 7", ""),
    "without a limit": (ANC, "neutrophils 1.7 10*9/L", ""),
    "in another unit": (ANC, "neutrophils 1700 /mm3; LLN 1.8 10*9/L", "below LLN"),
    "in a unit that is rescaled": (ANC, "neutrophils 0.17 10*4/uL; LLN 0.18 10*4/uL", "below LLN"),
    "in a unit that does not fit": (ANC, "neutrophils 1.7 U/L; LLN 1.8 U/L", ""),
    "a bound": (ANC, "neutrophils >1.6 10*9/L; LLN 1.8", ""),
    "no number": (ANC, "neutrophils HEMOLYZED 10*9/L; LLN 1.8", ""),
    "above an upper limit": (ALT, "alt 41 U/L; ULN 40; baseline 50; baseline ULN 40", "above ULN"),
    "at an upper limit": (ALT, "alt 40 U/L; ULN 40; baseline 50; baseline ULN 40", ""),
    "with an unknown baseline": (ALT, "alt 41 U/L; ULN 40; baseline unknown", "above ULN"),
}


@pytest.mark.parametrize(("slug", "text", "expected"), SIDES.values(), ids=SIDES)
def test_the_side_of_normal_is_that_of_the_criterion(slug, text, expected):
    criterion, (reading, baseline) = find_criterion("6", slug), parse_reading(text)
    assert describe_outside_normal(criterion, reading, baseline) == expected


@pytest.mark.parametrize("factor", ["0.9", "1", "1.01", "2.5", "90000"])
@pytest.mark.parametrize(("slug", "text", "_expected"), SIDES.values(), ids=SIDES)
def test_many_values_of_a_test_are_described_as_each_alone(slug, text, _expected, factor):
    criterion, (reading, baseline) = find_criterion("6", slug), parse_reading(text)
    unit = "U/L" if reading.value is None else reading.value.unit
    grading = prepare_grading(criterion, reading, baseline, unit)
    value = reading.value and structs.replace(
        reading.value, value=reading.value.value * Decimal(factor)
    )
    other_reading = replace(reading, value=value)
    outcome = grade_reading(criterion, other_reading, baseline)
    is_graded = outcome.at_most > Grade.NONE
    alone = "" if is_graded else describe_outside_normal(criterion, other_reading, baseline)
    assert grading.grade_value(value) == outcome
    assert grading.describe_outside(value, outcome) == alone
