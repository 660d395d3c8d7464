"""Limits of normal that contradict the published numbers: both sides of each comparison.

Source: docs/decisions/grading.md, "limits that contradict the unit"
"""

from decimal import Decimal

import pytest

from services.safety_rules.domain.ctcae.ranges import Range, RangeEnd
from services.safety_rules.domain.ctcae.ungraded_ranges import UngradedRanges


def make_range(low, high):
    return Range(RangeEnd(Decimal(low)), RangeEnd(Decimal(high)))


BOTH_SIDES = UngradedRanges(make_range(3, 6), make_range("2.5", 7))
FALLING_MEASURE = UngradedRanges(make_range(3, "Infinity"), make_range("2.5", "Infinity"))
FALLING_COUNT = UngradedRanges(make_range("1.5", "Infinity"), make_range("0.1", "Infinity"))
FALLING_TO_LITTLE = UngradedRanges(make_range("0.05", "Infinity"), make_range(0, "Infinity"))
FALLING_TO_NOTHING = UngradedRanges(make_range(0, "Infinity"), make_range(0, "Infinity"))
RISING_MEASURE = UngradedRanges(make_range("-Infinity", 100), make_range("-Infinity", 500))
NO_NUMBER = UngradedRanges(*[make_range("-Infinity", "Infinity")] * 2)

# numbers, lower limit, upper limit, whether the limits contradict them
TABLE = {
    "no limits": (BOTH_SIDES, None, None, False),
    "usual limits": (BOTH_SIDES, "3.5", "5", False),
    "the upper one at the first low number": (BOTH_SIDES, None, "3", False),
    "all normal is too low": (BOTH_SIDES, None, "2.9", True),
    "the lower one at the first high number": (BOTH_SIDES, "6", None, False),
    "all normal is too high": (BOTH_SIDES, "6.1", None, True),
    "the upper one at the worst number": (BOTH_SIDES, None, "7", False),
    "the worst of the high side is normal": (BOTH_SIDES, None, "7.1", True),
    "the lower one at the worst number": (BOTH_SIDES, "2.5", None, False),
    "the worst of the low side is normal": (BOTH_SIDES, "2.4", None, True),
    "a lower limit of 0 is none": (BOTH_SIDES, "0", None, False),
    "one of two contradicts": (BOTH_SIDES, "3.5", "7.1", True),
    "the other of two contradicts": (BOTH_SIDES, "2.4", "5", True),
    "ten times the first number": (FALLING_MEASURE, "30", None, False),
    "more than ten times the first number": (FALLING_MEASURE, "30.1", None, True),
    "a third of the first number": (FALLING_COUNT, "0.5", "7", False),
    "less than a third of the first number": (FALLING_COUNT, "0.49", "7", True),
    "a lower limit of 0 is no third": (FALLING_COUNT, "0", "7", False),
    "more than ten times a small number": (FALLING_TO_LITTLE, "0.6", None, True),
    "nothing is no number to compare with": (FALLING_TO_NOTHING, "1", None, False),
    "a thirtieth of the first number": (RISING_MEASURE, None, "3", False),
    "less than a thirtieth of the first number": (RISING_MEASURE, None, "2.9", True),
    "no number to compare with": (NO_NUMBER, "1", "2", False),
}


@pytest.mark.parametrize(("ranges", "lln", "uln", "expected"), TABLE.values(), ids=TABLE)
def test_limits_contradict_published_numbers(ranges, lln, uln, expected):
    limits = (None if number is None else Decimal(number) for number in (lln, uln))
    assert ranges.contradicts(*limits) is expected
