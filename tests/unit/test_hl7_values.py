"""Values, units and ranges as laboratories write them; nothing is converted, nothing guessed."""

from decimal import Decimal

import pytest

from services.ingest.domain.hl7.values import read_limits, read_value
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import quantity
from tests.helpers.hl7_messages import labs, obx, read_draft, read_parked

# OBX-2, OBX-5, what it means (None: no number)
VALUES = [
    ("NM", "0.49", "0.49"),
    ("NM", "0.490", "0.490"),
    ("NM", "-1.5", "-1.5"),
    ("NM", "+7", "7"),
    ("NM", " 7.5 ", "7.5"),
    ("NM", "7.", "7"),
    ("NM", ".5", "0.5"),
    ("NM", "1.2E3", "1.2E+3"),
    ("NM", "1E999999999", None),
    ("NM", "1E100", None),
    ("NM", "9" * 101, None),
    ("NM", "NaN", None),
    ("NM", "Infinity", None),
    ("NM", "1_000", None),
    ("NM", "٣", None),
    ("SN", "^120", "120"),
    ("SN", ">^500", ">500"),
    ("SN", ">=^500", ">=500"),
    ("SN", "<^0.1", "<0.1"),
    ("SN", "=^7", "7"),
    ("SN", "^1^:^128", None),
    ("SN", "^120^-^130", None),
    ("SN", "<>^5", None),
    ("SN", ">", None),
    ("ST", "<0.1", "<0.1"),
    ("ST", "<= 0.1", "<=0.1"),
    ("ST", "≥20", ">=20"),
    ("ST", "1,200", "1200"),
    ("ST", "1,234,567.5", "1234567.5"),
    ("ST", "1,5", None),
    ("ST", "12,00", None),
    ("ST", "HEMOLYZED", None),
    ("ST", "<", None),
    ("ST", "3-5", None),
    ("ST", "7 mg/dL", None),
    ("CWE", "9^nine^LOCAL", "9"),
]


@pytest.mark.parametrize(("kind", "text", "expected"), VALUES)
def test_a_value_is_read_with_every_digit_or_not_at_all(kind, text, expected):
    value = read_value(kind, text.split("^"), "U/L")
    number = None if value is None else f"{value.censoring or ''}{value.value}"
    assert number == expected


RANGES = [
    ("49 - 92", "49", "92"),
    ("3.5-5.0", "3.5", "5.0"),
    ("3.5–5.0", "3.5", "5.0"),  # noqa: RUF001 - an en dash is the point
    ("0.5 to 1.2", "0.5", "1.2"),
    ("-2 - 2", "-2", "2"),
    ("[ < 4.5]", None, "4.5"),
    ("<=40", None, "40"),
    (">60", "60", None),
    ("(>=60)", "60", None),
    ("", None, None),
]


@pytest.mark.parametrize(("text", "low", "high"), RANGES)
def test_limits_of_normal_are_read(text, low, high):
    limits = tuple(Quantity(Decimal(one), "U/L") if one else None for one in (low, high))
    assert read_limits(text, "U/L") == limits


@pytest.mark.parametrize(
    "text", ["negative", "see note", "92 - 49", "1.2.3 - 4", "<", "3.5-5.0 g/dL", '""']
)
def test_what_is_no_range_gives_no_limits(text):
    assert read_limits(text, "U/L") is None


def test_a_range_in_words_is_noted_and_the_value_kept():
    draft = read_draft(obx("0.49", limits="see note"))
    assert (draft.body.lln, draft.body.uln) == (None, None)
    assert "reference range not read" in draft.notes


UNITS = [
    ("10*3/uL", "10*3/uL"),
    ("10*3/uL^^UCUM", "10*3/uL"),
    ("10\\S\\3/uL", "10*3/uL"),
    ("x10^3/uL", "10*3/uL"),
    ("K/uL", "10*3/uL"),
    ("x10*9/L", "10*9/L"),
    ("/mm3", "/mm3"),
    ("UMOLL", "umol/L"),
    ("µmol/l", "umol/L"),
    ("mg/dl", "mg/dL"),
    ("MDC_DIM_MMHG", "mm[Hg]"),
    ("265266^MDC_DIM_MMHG^MDC", "mm[Hg]"),
    ("degF", "[degF]"),
    ("KCELLS", "10*3/uL"),
    ("", ""),
    ('""', ""),
]


@pytest.mark.parametrize(("text", "unit"), UNITS)
def test_the_spelling_of_a_unit_is_normalised_and_the_value_is_not(text, unit):
    assert read_draft(obx("1.20", text)).body.value == quantity("1.20", unit)


@pytest.mark.parametrize("text", ["furlongs", "10*3/uX", "^^UCUM"])
def test_an_unknown_unit_is_parked_and_a_missing_one_travels_as_missing(text):
    expected = [] if text == "^^UCUM" else [("OBX[1].6", "unknown-unit")]
    assert read_parked(labs(obx("1.20", text))) == expected


def test_limits_are_in_the_unit_of_their_value():
    body = read_draft(obx("0.49", "K/uL", limits="1.8 - 7.7")).body
    assert (body.lln, body.uln) == (quantity("1.8", "10*3/uL"), quantity("7.7", "10*3/uL"))
