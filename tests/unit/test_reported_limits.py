"""Limits of normal beside a result: possible ones, misfits, and what they say about its unit.

Source: docs/decisions/grading.md, "Numbers that cannot be", "limits that contradict the unit"
"""

from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.ranges import UNKNOWN, Range, RangeEnd
from services.safety_rules.domain.ctcae.reported_limits import (
    check_limits,
    is_plausible_in_other_unit,
    is_possible_limit,
    is_unit_doubtful,
)
from services.safety_rules.domain.ctcae.units import rescale_quantity
from services.vocabulary.grade import Input
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import quantity
from tests.helpers.random_trials import RULES

CRITERIA = {
    "potassium": "ctcae-5.0.hyperkalemia",
    "alt": "ctcae-5.0.alanine-aminotransferase-increased",
    "neutrophils": "ctcae-5.0.neutrophil-count-decreased",
    "hemoglobin": "ctcae-5.0.anemia",
    "magnesium": "ctcae-5.0.hypomagnesemia",
    "lymphocytes": "ctcae-5.0.lymphocyte-count-increased",
    "leukocytes": "ctcae-5.0.leukocytosis",
    "platelets": "ctcae-5.0.platelet-count-decreased",
    "glucose": "ctcae-5.0.hypoglycemia",
}


def find_grading(measure):
    return RULES.compiled_criteria.by_id[CRITERIA[measure]].gradings[measure]


def describe_limits(measure, unit, lln, uln):
    """``LLN 3.5, ULN 5, misfit LLN, impossible, contradicted``: what is known of them."""
    reported = check_limits(find_grading(measure), unit, quantity(lln), quantity(uln))
    words = [f"{name} {limit.value:f}" for name, limit in sorted(reported.possible.items())]
    words += [f"misfit {name}" for name in sorted(reported.misfits)]
    words += ["impossible"] if reported.has_impossible else []
    words += ["contradicted"] if reported.contradicted_range is not None else []
    return ", ".join(words)


# plausible potassium is 0.8 to 14 mmol/L, ALT 1 to 50000 U/L, a neutrophil count 0 to 600 10*9/L
LIMITS = {
    "none": ("potassium", "mmol/L", None, None, ""),
    "usual": ("potassium", "mmol/L", "3.5 mmol/L", "5 mmol/L", "LLN 3.5, ULN 5"),
    "one alone": ("potassium", "mmol/L", None, "5 mmol/L", "ULN 5"),
    "in another unit": ("potassium", "mmol/L", "3500 umol/L", "5 meq/L", "LLN 3.500, ULN 5"),
    "in a unit that does not fit": (
        "potassium", "mmol/L", "3.5 mmol/L", "20 mg/dL", "LLN 3.5, misfit ULN",
    ),
    "two that do not fit": (
        "potassium", "mmol/L", "14 mg/dL", "20 mg/dL", "misfit LLN, misfit ULN",
    ),
    "the least that can be": ("potassium", "mmol/L", "0.8 mmol/L", None, "contradicted"),
    "less than can be": ("potassium", "mmol/L", "0.7 mmol/L", "5 mmol/L", "ULN 5, impossible"),
    "more than can be": ("potassium", "mmol/L", "3.5 mmol/L", "14.1 mmol/L", "LLN 3.5, impossible"),
    "the wrong way round": ("potassium", "mmol/L", "5 mmol/L", "3.5 mmol/L", "impossible"),
    "the same twice": ("potassium", "mmol/L", "5 mmol/L", "5 mmol/L", "impossible"),
    "the wrong way round and a misfit": (
        "alt", "U/L", "40 mg/dL", "5 U/L", "ULN 5, misfit LLN",
    ),
    "a lower limit of 0": ("neutrophils", "10*9/L", "0 10*9/L", "7 10*9/L", "LLN 0, ULN 7"),
    "an upper limit of 0": ("neutrophils", "10*9/L", None, "0 10*9/L", "impossible"),
    "a lower limit of 0 where no value is so low": (
        "alt", "U/L", "0 U/L", "40 U/L", "LLN 0, ULN 40",
    ),
    "no unit, and none": ("alt", "", "5", "40", "LLN 5, ULN 40"),
    "no unit, and one": ("alt", "", "5 U/L", "40", "ULN 40, misfit LLN"),
    "of the other unit": (
        "hemoglobin", "g/dL", "120 g/dL", "160 g/dL", "impossible",
    ),
    "of the other unit, and possible": (
        "hemoglobin", "g/dL", "7.4 g/dL", "9.9 g/dL", "contradicted",
    ),
    "of men in mmol/L": ("hemoglobin", "g/dL", "8.7 g/dL", "11.2 g/dL", "contradicted"),
    "of men in mmol/L, elsewhere": ("hemoglobin", "g/dL", "8.6 g/dL", "12.1 g/dL", "contradicted"),
    "of men in g/dL": ("hemoglobin", "mmol/L", "13.5 mmol/L", "16.9 mmol/L", "contradicted"),
    "of women in g/dL": ("hemoglobin", "mmol/L", "12 mmol/L", "16 mmol/L", "contradicted"),
    "of infants": ("hemoglobin", "g/dL", "9.5 g/dL", "13.5 g/dL", "LLN 9.5, ULN 13.5"),
    "of pregnant women": ("hemoglobin", "g/dL", "10.5 g/dL", "14 g/dL", "LLN 10.5, ULN 14"),
    "normal in everybody is the lower limit of the other unit": (
        "hemoglobin", "g/dL", "9 g/dL", "12 g/dL", "contradicted",
    ),
    "normal in everybody is the upper limit of the other unit": (
        "hemoglobin", "g/dL", "7.4 g/dL", "9 g/dL", "contradicted",
    ),
    "one limit fits any unit": ("hemoglobin", "g/dL", "8.7 g/dL", None, "LLN 8.7"),
    "in g/L": ("hemoglobin", "g/L", "8.7 g/L", "11.2 g/L", "impossible"),
    "magnesium in mmol/L": ("magnesium", "mg/dL", "0.75 mg/dL", "1.25 mg/dL", "contradicted"),
    "magnesium in mmol/L, said so": (
        "magnesium", "mmol/L", "0.75 mmol/L", "1.25 mmol/L", "LLN 0.75, ULN 1.25",
    ),
    "magnesium in mg/dL": ("magnesium", "mmol/L", "1.6 mmol/L", "2.6 mmol/L", "contradicted"),
    "magnesium in mEq/L": ("magnesium", "mmol/L", "1.4 meq/L", "2.1 meq/L", "LLN 0.7, ULN 1.05"),
}  # fmt: skip


@pytest.mark.parametrize(("measure", "unit", "lln", "uln", "expected"), LIMITS.values(), ids=LIMITS)
def test_limits_that_can_be_are_kept_and_the_others_named(measure, unit, lln, uln, expected):
    assert describe_limits(measure, unit, lln, uln) == expected


def make_range(low, high):
    return Range(RangeEnd(Decimal(low)), RangeEnd(Decimal(high)))


FROM_ZERO, FROM_ABOVE, FROM_BELOW = make_range(0, 600), make_range("0.8", 14), make_range(-30, 30)
POSSIBLE = {  # plausible values, a limit of them; can it be one of normal?
    "no lower limit": (FROM_ZERO, Input.LLN, "0", True),
    "no lower limit, where no value is so low": (FROM_ABOVE, Input.LLN, "0", True),
    "no lower limit, where nothing is known": (UNKNOWN, Input.LLN, "0", True),
    "an upper limit of 0": (FROM_ZERO, Input.ULN, "0", False),
    "an upper limit just above 0": (FROM_ZERO, Input.ULN, "0.1", True),
    "an upper limit of 0, where nothing is known": (UNKNOWN, Input.ULN, "0", False),
    "an upper limit of 0, where values are negative": (FROM_BELOW, Input.ULN, "0", True),
    "a lower limit of 0, where values are negative": (FROM_BELOW, Input.LLN, "0", True),
    "the least": (FROM_ABOVE, Input.LLN, "0.8", True),
    "less": (FROM_ABOVE, Input.LLN, "0.7", False),
    "the most": (FROM_ZERO, Input.ULN, "600", True),
    "more": (FROM_ZERO, Input.ULN, "600.1", False),
}


@pytest.mark.parametrize(
    ("plausible", "name", "number", "expected"), POSSIBLE.values(), ids=POSSIBLE
)
def test_a_limit_is_plausible_and_an_upper_one_above_nothing(plausible, name, number, expected):
    assert is_possible_limit(name, quantity(f"{number} U/L"), plausible) is expected


DOUBTFUL = {  # a value with its limits; may it be in theirs?
    "limits that fit": ("potassium", "7 mmol/L", "3.5", "5", False),
    "limits that do not, a value without a grade": ("potassium", "4 mmol/L", "0.8", None, False),
    "limits that do not, a value that has one": ("potassium", "7 mmol/L", "0.8", None, True),
    "limits of another unit, a value like them": ("hemoglobin", "8.1 g/dL", "7.4", "9.9", True),
    "limits of another unit, a value of either": ("hemoglobin", "12 g/dL", "7.4", "9.9", True),
}


@pytest.mark.parametrize(
    ("measure", "value", "lln", "uln", "expected"), DOUBTFUL.values(), ids=DOUBTFUL
)
def test_a_value_may_be_in_the_unit_of_limits_that_contradict_its_own(
    measure, value, lln, uln, expected
):
    grading, result = find_grading(measure), quantity(value)
    limits = (quantity(text, result.unit) for text in (lln, uln))
    assert (
        is_unit_doubtful(grading, result, check_limits(grading, result.unit, *limits)) is expected
    )


@pytest.mark.parametrize(
    ("measure", "value", "expected"),
    [
        ("hemoglobin", "12 g/dL", True),  # 12 mmol/L
        ("hemoglobin", "270 g/dL", True),  # 270 g/L
        ("hemoglobin", "271 g/dL", False),
        ("hemoglobin", "271 g/L", False),
        ("potassium", "4 mmol/L", False),  # there is no other unit
    ],
)
def test_a_number_may_be_plausible_in_another_published_unit(measure, value, expected):
    assert is_plausible_in_other_unit(find_grading(measure), quantity(value)) is expected


# label of value and limits, value, lower and upper limit; True: the unit is in doubt
FOREIGN_LIMITS = [
    ("neutrophils", "10*9/L", "90", "1500", "7000", True),
    ("neutrophils", "10*9/L", "12.1", "1500", None, True),
    ("neutrophils", "10*9/L", "12", "1500", None, False),  # three times what is normal
    ("neutrophils", "10*9/L", "0.4", "1500", "7000", False),
    ("neutrophils", "10*9/L", "90", "800", None, True),  # a fifth of what is normal in /mm3
    ("neutrophils", "10*9/L", "90", "799", None, False),
    ("neutrophils", "10*9/L", "90", "4000", None, True),
    ("neutrophils", "10*9/L", "90", "4001", None, False),
    ("neutrophils", "10*9/L", "90", None, "20000", True),
    ("neutrophils", "10*9/L", "90", None, "20001", False),
    ("neutrophils", "10*9/L", "90", None, "4000", True),
    ("neutrophils", "10*9/L", "90", None, "3999", False),
    ("glucose", "mg/dL", "29.9", "3.9", None, True),
    ("glucose", "mg/dL", "30", "3.9", None, False),  # a third of what is normal
    ("lymphocytes", "10*9/L", "150", "1000", "4000", True),
    ("leukocytes", "10*9/L", "900", "3500", "9000", True),
    ("leukocytes", "10*3/uL", "900", "3500", "9000", True),
    ("platelets", "10*9/L", "900", "150000", "400000", True),
    ("platelets", "10*9/L", "300", "150000", "400000", False),
]


@pytest.mark.parametrize("row", FOREIGN_LIMITS)
def test_limits_that_cannot_be_in_their_unit_may_betray_another(row):
    measure, unit, value, lln, uln, expected = row
    grading = find_grading(measure)
    lower, upper = (None if one is None else Quantity(Decimal(one), unit) for one in (lln, uln))
    rescaled_values = (rescale_quantity(Quantity(Decimal(value), unit), u) for u in grading.units)
    for result in filter(None, rescaled_values):
        limits = check_limits(grading, result.unit, lower, upper)
        assert is_unit_doubtful(grading, result, limits) is expected
        assert limits.may_betray_unit or not expected
