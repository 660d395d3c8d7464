"""Values, units and ranges as laboratories write them; nothing is converted, nothing guessed."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.ingest.adapters.code_tables import load_code_tables
from services.ingest.domain.hl7.read import read_message
from services.ingest.domain.site import Sites
from services.vocabulary.fact import RANGE_NOT_READ
from services.vocabulary.number_text import NumberMarks
from services.vocabulary.quantity import Quantity
from tests.helpers.fact_notes import quantity
from tests.helpers.hl7_messages import NORTH, labs, obx, read_content, read_draft, read_parked

SITE_WITH_MARKS = "LAB|RESULTS_BY_MARKS"  # a sender whose site names its marks

# OBX-2, OBX-5, OBX-7, the number (None: it is not certain, and the result waits)
VALUES = [
    ("NM", "0.49", "", "0.49"),
    ("NM", "0.490", "", "0.490"),
    ("NM", "-1.5", "", "-1.5"),
    ("NM", "+7", "", "7"),
    ("NM", " 7.5 ", "", "7.5"),
    ("NM", "7.", "", "7"),
    ("NM", ".5", "", "0.5"),
    ("NM", "1.2E3", "", "1.2E+3"),
    ("nm", "7", "", "7"),
    ("", "7", "", "7"),
    ("NM", "1E999999999", "", None),
    ("NM", "NaN", "", None),
    ("NM", "Infinity", "", None),
    ("NM", "1_000", "", None),
    ("NM", "٣", "", None),
    ("SN", "^120", "", "120"),
    ("SN", "120", "", "120"),
    ("SN", ">^500", "", ">500"),
    ("SN", ">=^500", "", ">=500"),
    ("SN", "<^0.1", "", "<0.1"),
    ("SN", "=^7", "", "7"),
    ("SN", "^1^:^128", "", None),
    ("SN", "^120^-^130", "", None),
    ("SN", "^5^+", "", None),
    ("SN", "<>^5", "", None),
    ("SN", "1^20", "", None),
    ("SN", "-^5", "", None),
    ("SN", ">", "", None),
    ("ST", "<0.1", "", "<0.1"),
    ("ST", "<= 0.1", "", "<=0.1"),
    ("ST", "< OR = 0.1", "", "<=0.1"),
    ("ST", "less than 0.1", "", "<0.1"),
    ("ST", ">/= 60", "", ">=60"),
    ("ST", "≥20", "", ">=20"),
    ("TX", "7.2", "", "7.2"),
    ("ST", "HEMOLYZED", "", None),
    ("ST", "<", "", None),
    ("ST", "3-5", "", None),
    ("ST", "1:128", "", None),
    ("ST", "1/2", "", None),
    ("ST", "7 mg/dL", "", None),
    ("ST", "5.6 H", "", None),
    ("NM", "5.6 H", "", None),
    ("NM", "5.6*", "", None),
    ("NM", "5.6L", "", None),
    ("ST", "(5.6)", "", None),
    ("ST", "5.6^H", "", None),
    ("NM", "2.4~0.4", "", None),
    ("NM", "~0.4", "", "0.4"),
    ("NM", "2.4~2.4", "", "2.4"),
    ("ST", "<0.1~0.4", "", None),
    ("CWE", "9", "", "9"),
    ("CWE", "9^nine^LOCAL", "", None),
    ("CWE", "3^HEMOLYZED^L", "", None),
    ("CE", "373121007^Test not done^SCT", "", None),
    ("CE", "9^^L", "", None),
    ("CNE", "9^nine", "", None),
    ("CWE", "^9.0", "", None),
    ("CWE", "9^^^^^^^^nine", "", None),
    ("DT", "20260115", "", None),
    ("TM", "0715", "", None),
    ("TS", "20260115080000", "", None),
    ("DTM", "20260115", "", None),
    ("ID", "9", "", None),
    ("CQ", "9^mg", "", None),
    # a comma, without a range that tells what it is
    ("NM", "1,200", "", None),
    ("NM", "1,200", "1,000-7,000", None),
    ("SN", ">^1,200", "1,000-7,000", None),
    ("ST", "1,200", "", None),
    ("ST", "1,234,567.5", "", None),
    ("ST", "1,5", "1,0-2,0", None),
    ("ST", "12,00", "", None),
    ("ST", "0,450", "1,500-7,700", None),
    ("ST", "0,085", "0,150-0,400", None),
    ("NM", "0,780", "0,170-0,850", None),
    ("ST", "1,200", "0,5 - 1,1", None),
    ("ST", "1,200", "0.5 - 1.1", None),
    ("ST", "12,345", "see note", None),
    # thousands: the limits have them too
    ("ST", "12,345", "4,000-10,000", "12345"),
    ("ST", "145,000", "150,000 - 450,000", "145000"),
    ("ST", "<1,000", "150,000-450,000", "<1000"),
    ("ST", "1,200", "800-2,500", "1200"),
    ("ST", "1,234,567.5", "< 2,000,000", "1234567.5"),
    ("ST", "01,200", "1,000-2,000", None),
    ("ST", "1,20", "1,000-2,000", None),
    # thousands: the value lies within tenfold of the limits
    ("ST", "4,000", "150-400", "4000"),
    ("ST", "4,001", "150-400", None),
    ("ST", "1,500", "15000-45000", "1500"),
    ("ST", "1,499", "15000-45000", None),
    ("ST", "1,200", "0-400", "1200"),
    ("ST", "1,200", "<120", "1200"),
    ("ST", "1,200", "<119", None),
    ("ST", "1,200", "5-4000", None),  # and so does 1.2
]


@pytest.mark.parametrize(("kind", "text", "limits", "expected"), VALUES)
def test_a_value_is_read_with_every_digit_or_not_at_all(kind, text, limits, expected):
    result = obx(text, "U/L", kind=kind, limits=limits)
    if expected is None:
        assert read_parked(labs(result)) == [("OBX[1].5", "unreadable-value")]
    else:
        value = read_draft(result).body.value
        assert f"{value.censoring or ''}{value.value}" == expected


# code, unit, OBX-5, OBX-7 with a comma in each, and the number
LIKELY_DECIMALS = [
    ("751-8", "G/l", "3,450", "1,500-7,700", None),
    ("751-8", "K/uL", "3,450", "1,500-7,700", None),
    ("751-8", "/uL", "3,450", "1,500-7,700", "3450"),
    ("751-8", "", "3,450", "1,500-7,700", "3450"),  # in no unit, and grades nothing
    ("2823-3", "mmol/L", "4,100", "3,500-5,100", None),
    ("777-3", "10*9/L", "1,200", "150-400", "1200"),
    ("777-3", "10*9/L", "5,000", "1,500-4,000", "5000"),
    ("777-3", "10*9/L", "5,001", "1,500-4,000", None),
]


@pytest.mark.parametrize(("code", "unit", "text", "limits", "expected"), LIKELY_DECIMALS)
def test_thousands_that_no_living_person_has_are_none(code, unit, text, limits, expected):
    content = read_content(labs(obx(text, unit, kind="ST", code=f"{code}^^LN", limits=limits)))
    assert [str(draft.body.value.value) for draft in content.drafts] == (
        [expected] if expected else []
    )
    assert len(content.parked) == (expected is None)


# decimal mark and mark of thousands of the site, OBX-2, OBX-5, OBX-7; value and limits
RESULTS_BY_MARKS = [
    ((",", ""), "ST", "0,450", "1,500-7,700", ("0.450", "1.500", "7.700")),
    ((",", ""), "NM", "0,780", "0,170 - 0,850", ("0.780", "0.170", "0.850")),
    ((",", ""), "ST", "1,200", "0,5 - 1,1", ("1.200", "0.5", "1.1")),
    ((",", ""), "ST", "<13,5", "13,5-17,5", ("<13.5", "13.5", "17.5")),
    ((",", ""), "NM", "1.200", "", ("1.200", None, None)),  # HL7's own point
    ((",", ""), "ST", "1.200", "", None),
    ((",", ""), "ST", "5.6", "", ("5.6", None, None)),
    ((",", ""), "ST", "1,234,567", "", None),
    ((",", "."), "ST", "1.200,5", "150.000-450.000", ("1200.5", "150000", "450000")),
    ((",", "."), "NM", "1.200", "", ("1200", None, None)),
    ((",", "."), "NM", "1.2", "", None),
    ((",", " "), "ST", "12 500", "4 000 - 10 000", ("12500", "4000", "10000")),
    ((".", ","), "ST", "1,200", "", ("1200", None, None)),
    ((".", ","), "NM", "1,234.5", "< 2,000", ("1234.5", None, "2000")),
    ((".", ","), "ST", "0,450", "", None),
    ((".", ","), "ST", "12,00", "", None),
    ((".", ""), "ST", "1,200", "1,000-2,000", None),  # it says that it marks no thousands
    ((".", "'"), "ST", "12'500", "", ("12500", None, None)),
]


@pytest.mark.parametrize(("marks", "kind", "text", "limits", "expected"), RESULTS_BY_MARKS)
def test_a_site_says_what_its_marks_are(marks, kind, text, limits, expected):
    site = replace(NORTH, senders=(SITE_WITH_MARKS,), marks=NumberMarks(*marks))
    raw = labs(obx(text, "U/L", kind=kind, limits=limits), sender=SITE_WITH_MARKS)
    content = read_message(raw, Sites.build((site,)), load_code_tables())
    bodies = [draft.body for draft in content.drafts]
    assert [len(content.parked), len(bodies)] == ([1, 0] if expected is None else [0, 1])
    for body in bodies:
        limits_read = [one and str(one.value) for one in (body.lln, body.uln)]
        assert (f"{body.value.censoring or ''}{body.value.value}", *limits_read) == expected


# OBX-5, OBX-7; lower and upper limit
RANGES = [
    ("60", "49 - 92", "49", "92"),
    ("4", "3.5-5.0", "3.5", "5.0"),
    ("4", "3.5–5.0", "3.5", "5.0"),  # noqa: RUF001 - an en dash is the point
    ("4", "3.5—5.0", "3.5", "5.0"),
    ("4", "3.5−5.0", "3.5", "5.0"),  # noqa: RUF001 - so is a minus sign
    ("1", "0.5 to 1.2", "0.5", "1.2"),
    ("1", "0.5 bis 1.2", "0.5", "1.2"),
    ("1", "0.5..1.2", "0.5", "1.2"),
    ("1", "-2 - 2", "-2", "2"),
    ("1", ".5-1.", ".5", "1"),
    ("4", "(3.5-5.0)", "3.5", "5.0"),
    ("4", "[3.5-5.0]", "3.5", "5.0"),
    ("4", "Normal: 3.5-5.0", "3.5", "5.0"),
    ("4", "Reference range: 3.5-5.0", "3.5", "5.0"),
    ("4", "[ < 4.5]", None, "4.5"),
    ("4", "<=40", None, "40"),
    ("4", "< OR = 5.0", None, "5.0"),
    ("4", "<OR=5.0", None, "5.0"),
    ("4", "< or equal to 5.0", None, "5.0"),
    ("4", "<or= 5.0", None, "5.0"),
    ("4", "</=5.0", None, "5.0"),
    ("4", "=<5.0", None, "5.0"),
    ("4", "≤ 5.0", None, "5.0"),
    ("4", "less than 5.0", None, "5.0"),
    ("4", "less than or equal to 5.0", None, "5.0"),
    ("4", "up to 40", None, "40"),
    ("4", "Up To 40", None, "40"),
    ("4", "upto 40", None, "40"),
    ("4", "bis 40", None, "40"),
    ("4", "max. 40", None, "40"),
    ("4", ">60", "60", None),
    ("4", "(>=60)", "60", None),
    ("4", "> OR = 60", "60", None),
    ("4", "≥60", "60", None),
    ("4", "greater than 60", "60", None),
    ("4", "at least 60", "60", None),
    ("85000", "150,000-450,000", "150000", "450000"),
    ("5600", "4,000 - 10,000", "4000", "10000"),
    ("1001", "4,000 - 10,000", "4000", "10000"),
    ("4001", "<40,000", None, "40000"),
    ("4", "", None, None),
    ("4", '""', None, None),
    ("4", "N/A", None, None),
]


@pytest.mark.parametrize(("value", "text", "low", "high"), RANGES)
def test_limits_of_normal_are_read(value, text, low, high):
    draft = read_draft(obx(value, "U/L", limits=text))
    limits = tuple(Quantity(Decimal(one), "U/L") if one else None for one in (low, high))
    assert (draft.body.lln, draft.body.uln) == limits
    assert RANGE_NOT_READ not in draft.notes


# a range that names its unit: value, unit, OBX-7, lower limit
RANGES_WITH_UNITS = [
    ("4.1", "mmol/L", "3.5-5.0 mmol/L", quantity("3.5", "mmol/L")),
    ("4.1", "mmol/L", "3.5 - 5.0 meq/L", quantity("3.5", "meq/L")),
    ("4.1", "mmol/L", "3.5 - 5.0 (mmol/L)", quantity("3.5", "mmol/L")),
    ("4.1", "mmol/L", "(3.5-5.0)mmol/l", quantity("3.5", "mmol/L")),
    ("0.01", "ng/mL", ">=0 ng/mL", quantity("0", "ng/mL")),
    ("2.4", "10*3/uL", "1.5-7.5 x 10^3/uL", quantity("1.5", "10*3/uL")),
    ("20000", "/uL", "150,000-450,000", quantity("150000", "/uL")),
    ("9000", "/mm3", "150,000-450,000", quantity("150000", "/mm3")),
    ("100", "/uL", "1,500-7,700", quantity("1500", "/uL")),
    ("0.4", "10*3/uL", "1,500-7,700 cells/uL", quantity("1500", "/uL")),
    ("7.4", "[pH]", "7.35-7.45 pH units", quantity("7.35", "[pH]")),
    ("2.4", "10*3/uL", "1.5-7.5 x10^9/L", quantity("1.5", "10*9/L")),
    ("2.4", "10*3/uL", "1.5-7.5x10(3)/mcL", quantity("1.5", "10*3/uL")),
    ("14", "g/dL", "[13.5-17.5] G/DL", quantity("13.5", "g/dL")),
    ("14", "", "13.5-17.5 g/dL", quantity("13.5", "g/dL")),
    ("75", "", "> OR = 60 mL/min/1.73m2", quantity("60", "mL/min/{1.73_m2}")),
    ("130", "mm[Hg]", "(>90) mm[Hg]", quantity("90", "mm[Hg]")),
]


@pytest.mark.parametrize(("value", "unit", "text", "low"), RANGES_WITH_UNITS)
def test_limits_have_the_unit_that_stands_behind_them(value, unit, text, low):
    assert read_draft(obx(value, unit, limits=text)).body.lln == low


# OBX-5, OBX-7
UNREAD_RANGES = [
    ("4", "negative"),
    ("4", "see note"),
    ("4", "92 - 49"),
    ("4", "1.2.3 - 4"),
    ("4", "<"),
    ("4", "40"),
    ("4", "3.5-5.0 furlongs"),
    ("4", "M 13.5-17.5, F 12.0-16.0"),
    ("4", "3.5-5.0~4.0-6.0"),
    ("4", "1:40 - 1:80"),
    ("14", "13,5-17,5"),
    ("2.4", "1,500-7,700"),  # 1500 lies more than tenfold away, and 1.5 is a guess
    ("1000", "4,000 - 10,000"),  # a hundredfold of 10 with a decimal comma
    ("600", "5,000-40,000"),  # which could be fifteen times an upper limit of 40
    ("20000", "150,000-450,000"),  # without a unit of whole cells
    ("4000", "<40,000"),
    ("12000", "0,5 - 1,1"),
]


@pytest.mark.parametrize(("value", "text"), UNREAD_RANGES)
def test_a_range_that_is_not_certain_gives_no_limits_and_is_noted(value, text):
    draft = read_draft(obx(value, "U/L", limits=text))
    assert (draft.body.lln, draft.body.uln) == (None, None)
    assert RANGE_NOT_READ in draft.notes


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
    ("266016^^MDC", "mm[Hg]"),
    ("KUL^thousands per uL^L^10*3/uL^^UCUM", "10*3/uL"),
    ("KCELLS", "10*3/uL"),
    ("", ""),
    ('""', ""),
]


@pytest.mark.parametrize(("text", "unit"), UNITS)
def test_the_spelling_of_a_unit_is_normalised_and_the_value_is_not(text, unit):
    assert read_draft(obx("1.20", text)).body.value == quantity("1.20", unit)


@pytest.mark.parametrize("text", ["furlongs", "10*3/uX", "^furlongs", "^^UCUM"])
def test_an_unknown_unit_is_parked_and_a_missing_one_travels_as_missing(text):
    expected = [] if text == "^^UCUM" else [("OBX[1].6", "unknown-unit")]
    assert read_parked(labs(obx("1.20", text))) == expected


def test_limits_are_in_the_unit_of_their_value():
    body = read_draft(obx("0.49", "K/uL", limits="1.8 - 7.7")).body
    assert (body.lln, body.uln) == (quantity("1.8", "10*3/uL"), quantity("7.7", "10*3/uL"))
