"""Calcium corrected for albumin: total + 0.8 x (4.0 - albumin), or + 0.02 x (40 - albumin).

Source: CTCAE v5.0, Metabolism and nutrition disorders, "Hypocalcemia"; docs/decisions/grading.md
"""

from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.corrected_calcium import correct_calcium_range
from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from tests.helpers.fact_notes import quantity


def make_range(low, high, side=0):
    return Range(RangeEnd(Decimal(low)), RangeEnd(Decimal(high), side))


EXACT = make_range(8, 8)
TABLE = {  # total, unit, albumin; the corrected range
    "a normal albumin": (EXACT, "mg/dL", "4.0 g/dL", make_range(8, 8)),
    "a low albumin": (EXACT, "mg/dL", "2.0 g/dL", make_range("9.6", "9.6")),
    "a high albumin": (EXACT, "mg/dL", "5.0 g/dL", make_range("7.2", "7.2")),
    "in another unit": (EXACT, "mg/dL", "20 g/L", make_range("9.6", "9.6")),
    "in moles": (make_range(2, 2), "mmol/L", "30 g/L", make_range("2.2", "2.2")),
    "the least that is used": (EXACT, "mg/dL", "1.0 g/dL", make_range("10.4", "10.4")),
    "less": (EXACT, "mg/dL", "0.9 g/dL", make_range("6.4", "10.4")),
    "the most that is used": (EXACT, "mg/dL", "6.0 g/dL", make_range("6.4", "6.4")),
    "more": (EXACT, "mg/dL", "6.1 g/dL", make_range("6.4", "10.4")),
    "the least in moles": (make_range(2, 2), "mmol/L", "10 g/L", make_range("2.6", "2.6")),
    "the most in moles": (make_range(2, 2), "mmol/L", "60 g/L", make_range("1.6", "1.6")),
    "more in moles": (make_range(2, 2), "mmol/L", "61 g/L", make_range("1.6", "2.6")),
    "only a bound": (EXACT, "mg/dL", "<4.0 g/dL", make_range("6.4", "10.4")),
    "in a unit that does not fit": (EXACT, "mg/dL", "4 mmol/L", make_range("6.4", "10.4")),
    "none": (EXACT, "mg/dL", None, make_range("6.4", "10.4")),
    "a calcium that is not exact": (
        make_range(8, 9, side=-1),
        "mg/dL",
        "2.0 g/dL",
        make_range("9.6", "10.6", side=-1),
    ),
    "a unit without a formula": (EXACT, "g/L", "4.0 g/dL", None),
}


@pytest.mark.parametrize(("total", "unit", "albumin", "expected"), TABLE.values(), ids=TABLE)
def test_a_total_calcium_is_corrected_as_far_as_the_albumin_is_known(
    total, unit, albumin, expected
):
    assert correct_calcium_range(total, unit, quantity(albumin)) == expected
