"""Many values of one test: each has the grade that it has alone, on both sides of every number."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.grading import grade_reading
from services.safety_rules.domain.ctcae.prepared_grading import prepare_grading
from services.vocabulary.quantity import Censoring, Quantity
from tests.helpers.lab_reading import find_criterion, parse_reading

ALT, ANC = "alanine-aminotransferase-increased", "neutrophil-count-decreased"
QTC = "electrocardiogram-qt-corrected-interval-prolonged"

# the term, a reading, and the numbers that are graded in turn: the first, the last and the step
TESTS = {
    "numbers and a limit": ("5", "anemia", "hemoglobin 9 g/dL; LLN 12", "1", "28", "0.5"),
    "without a limit": ("5", "anemia", "hemoglobin 9 g/dL", "7", "15", "0.5"),
    "in another unit": ("5", "anemia", "hemoglobin 90 kg/L; LLN 0.12", "0.07", "0.15", "0.005"),
    "a limit that is a bound": ("5", "anemia", "hemoglobin 9 g/dL; LLN <12", "9", "13", "0.5"),
    "multiples of a limit": ("5", ALT, "alt 50 U/L; ULN 40", "20", "900", "20"),
    "multiples of a baseline": (
        "5", ALT, "alt 50 U/L; ULN 40; baseline 50; baseline ULN 40", "20", "1100", "25",
    ),
    "an unknown baseline": ("5", ALT, "alt 50 U/L; ULN 40; baseline unknown", "20", "900", "20"),
    "more than a limit": (
        "5", "hemoglobin-increased", "hemoglobin 17 g/dL; ULN 16.5", "15", "23", "0.5",
    ),
    "more than a limit that is a bound": (
        "5", "hemoglobin-increased", "hemoglobin 17 g/dL; ULN <16.5", "15", "23", "0.5",
    ),
    "more than a baseline": ("5", QTC, "qtc 440 ms; baseline 440", "430", "520", "5"),
    "more than a baseline that is a bound": (
        "6", QTC, "qtc 440 ms; baseline <440", "430", "520", "5",
    ),
    "symptoms that are not known": (
        "5", "hypokalemia", "potassium 3 mmol/L; LLN 3.5", "0.5", "4", "0.1",
    ),
    "a correction": (
        "5", "hypocalcemia", "calcium 8 mg/dL; LLN 8.5; albumin 2 g/dL", "1.5", "10", "0.1",
    ),
    "a correction that is not known": (
        "5", "hypercalcemia", "calcium 8 mg/dL; ULN 10.5", "8", "30", "0.1",
    ),
    "counts in /uL": ("6", ANC, "neutrophils 90 /uL; LLN 1800 /uL", "50", "2000", "25"),
    "limits that betray another unit": (
        "5", "hypocalcemia", "calcium-corrected 2 mg/dL; LLN 2.1; ULN 2.6", "1.5", "10", "0.1",
    ),
    "an exact factor that has no end": (
        "5", "hypocalcemia", "calcium-ionized 4 mg/dL; LLN 4.6", "3", "5", "0.1",
    ),
    "below every plausible value": ("5", "hyponatremia", "sodium 135 mmol/L", "-20", "160", "5"),
}  # fmt: skip


@pytest.mark.parametrize("row", TESTS.values(), ids=TESTS)
@pytest.mark.parametrize("order", [1, -1], ids=["rising", "falling"])
def test_each_value_has_the_grade_that_it_has_alone(row, order):
    version, slug, text, *numbers = row
    criterion, (reading, baseline) = find_criterion(version, slug), parse_reading(text)
    first, last, step = map(Decimal, numbers)
    grading = prepare_grading(criterion, reading, baseline, reading.value.unit)
    numbers = [first + k * step for k in range(int((last - first) / step) + 1)]
    for number in numbers[::order]:
        value = Quantity(number, reading.value.unit)
        alone = grade_reading(criterion, replace(reading, value=value), baseline)
        assert grading.grade_value(value) == alone, number


@pytest.mark.parametrize("row", TESTS.values(), ids=TESTS)
def test_what_is_no_number_in_the_unit_is_graded_alone(row):
    version, slug, text, first, last, _ = row
    criterion, (reading, baseline) = find_criterion(version, slug), parse_reading(text)
    grading = prepare_grading(criterion, reading, baseline, reading.value.unit)
    others = [None, Quantity(Decimal(first), "U/dL")]
    others += [Quantity(Decimal(last), reading.value.unit, one) for one in Censoring]
    for value in others:
        alone = grade_reading(criterion, replace(reading, value=value), baseline)
        assert grading.grade_value(value) == alone


def test_values_between_two_numbers_share_an_interval():
    criterion, (reading, baseline) = (
        find_criterion("5", "anemia"),
        parse_reading("hemoglobin 9 g/dL; LLN 12"),
    )
    grading = prepare_grading(criterion, reading, baseline, "g/dL")
    intervals = [
        grading.find_interval(Decimal(one)) for one in ("8", "8.1", "9.9", "10", "10.1", "12")
    ]
    assert intervals[1] == intervals[2]
    assert len(set(intervals)) == len(intervals) - 1
    without_numbers = prepare_grading(criterion, reading, baseline, "U/dL")
    assert without_numbers.find_interval(Decimal(8)) is None
