"""Values and limits of normal, as laboratories write them; what has two meanings is not read.

Source: HL7 v2.5.1, 2.A.46 (NM), 2.A.70 (SN), 2.A.13 (CWE), 7.4.2.5 and 7.4.2.7 (OBX-5, OBX-7);
docs/decisions/values.md
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from services.ingest.domain.hl7.range_text import RangeText
from services.vocabulary.number_text import (
    DECIMAL_COMMA,
    GROUPED_BY_COMMA,
    NumberMarks,
    is_grouped,
    parse_number,
)
from services.vocabulary.quantity import Censoring, Quantity, split_censoring

_SIGNED_NUMBER = "SN"
_TENFOLD, _HUNDREDFOLD = 10, 100  # a value that has lost its mark is a thousandfold away
_WHOLE_COUNTS = frozenset({"/uL", "/mm3"})  # of cells, of which there are no thousandths
_HL7_NUMBERS = frozenset({"NM", _SIGNED_NUMBER})  # which have no mark but the point
# Types of OBX-5 that may hold a number; a date or a code alone is none.
_KINDS = frozenset({"", "NM", "ST", "TX", "FT", "CWE", "CE", "CNE"})
_TENFOLD = 10  # a value that has lost its mark is a thousand times away


_NO_RANGE = RangeText("", "", None)
Limits = tuple[Quantity | None, Quantity | None]  # lower and upper


@dataclass(frozen=True, slots=True)
class ReadResult:
    """The numbers of one result; None: there is none, or not one that is certain."""

    value: Quantity | None
    lln: Quantity | None
    uln: Quantity | None


def read_result(
    kind: str,
    components: Sequence[str],
    range_text: RangeText | None,
    unit: str,
    marks: NumberMarks | None,
) -> ReadResult:
    """Return the value of an OBX-5 of type *kind* (OBX-2), and its limits.

    They are read together: where the site has not named its *marks*, a comma is a mark of
    thousands only if value and limits agree about it.

    >>> from services.ingest.domain.hl7.range_text import split_range
    >>> limits = split_range("1,500-7,700")
    >>> read_result("ST", ["2,400"], limits, "/uL", None).value.value
    Decimal('2400')
    >>> read_result("ST", ["0,450"], limits, "/uL", None).value is None
    True

    Args:
        kind: OBX-2, e.g. ``NM``.
        components: Of OBX-5, escapes undone.
        range_text: OBX-7, None when it is empty or none.
        unit: UCUM, empty when none was sent.
        marks: Those of the site; None: it has not named them.
    """
    kind = kind.strip().upper()
    censoring, number_text = _split_sign(_find_number_text(kind, components))
    limits = range_text or _NO_RANGE
    limit_unit = unit if limits.unit is None else limits.unit
    texts = number_text, limits.low, limits.high
    if marks is not None:
        value, low, high = _read_in_marks_of_site(kind, texts, marks)
    else:
        value, low, high = _read_where_certain(kind, texts, limit_unit)
    if low is not None and high is not None and low > high:
        low = high = None
    if (low is None and limits.low) or (high is None and limits.high):
        low = high = None
    return ReadResult(
        None if value is None else Quantity(value, unit, censoring),
        None if low is None else Quantity(low, limit_unit),
        None if high is None else Quantity(high, limit_unit),
    )


def read_value(
    kind: str, components: Sequence[str], unit: str, marks: NumberMarks | None
) -> Quantity | None:
    """Return the value of `read_result`: of one without a comma, or where the site has *marks*.

    *kind* is in capitals, without blanks.
    """
    censoring, text = _split_sign(_find_number_text(kind, components))
    if marks is None:
        value = parse_number(text)
    else:
        value = _read_in_marks(text, marks, is_hl7=kind in _HL7_NUMBERS)
    return None if value is None else Quantity(value, unit, censoring)


def read_fixed_limits(
    range_text: RangeText | None, unit: str, marks: NumberMarks | None
) -> Limits | None:
    """Return the limits that go with every value of `read_value`; None: they depend on it."""
    if marks is None and range_text is not None and "," in range_text.low + range_text.high:
        return None
    result = read_result("", [""], range_text, unit, marks)
    return result.lln, result.uln


def read_hl7_number(text: str, marks: NumberMarks | None) -> Decimal | None:
    """Return the number in *text*, a field of type NM, in the *marks* of the site; else None.

    >>> read_hl7_number("8,5", None), read_hl7_number("8,5", NumberMarks(","))
    (None, Decimal('8.5'))
    """
    text = text.strip()
    return parse_number(text) if marks is None else _read_in_marks(text, marks, is_hl7=True)


def _find_number_text(kind: str, components: Sequence[str]) -> str:
    """Return the text that should be a number, empty when *kind* holds none.

    The first component of a coded value is a number only when it has no text and no system.
    """
    if len(components) == 1 and kind != _SIGNED_NUMBER:
        return components[0] if kind in _KINDS else ""
    if kind == _SIGNED_NUMBER:
        sign, number, *further_parts = (*(part.strip() for part in components), "", "")
        if any(further_parts):
            return ""
        is_sign = _split_sign(sign)[1] == ""
        return f"{sign}{number}" if is_sign or not number else ""
    has_one_part = not any(part.strip() for part in components[1:])
    return components[0] if kind in _KINDS and has_one_part else ""


def _split_sign(text: str) -> tuple[Censoring | None, str]:
    """Return the side that the sign before the number in *text* names, and the number."""
    if text.isdecimal():  # as most are
        return None, text
    censoring, rest = split_censoring(text.strip())
    return censoring, (rest if censoring else rest.removeprefix("=")).strip()


_Numbers = tuple[Decimal | None, Decimal | None, Decimal | None]  # value, lower, upper limit


def _read_in_marks_of_site(kind: str, texts: tuple[str, str, str], marks: NumberMarks) -> _Numbers:
    value, low, high = texts
    return (
        _read_in_marks(value, marks, is_hl7=kind in _HL7_NUMBERS),
        _read_in_marks(low, marks),
        _read_in_marks(high, marks),
    )


def _read_where_certain(kind: str, texts: tuple[str, str, str], limit_unit: str) -> _Numbers:
    value, low, high = texts
    has_foreign_mark = kind in _HL7_NUMBERS and "," in value
    if not has_foreign_mark and _are_grouped(texts) and _agree_on_thousands(texts, limit_unit):
        return _read_each(texts, GROUPED_BY_COMMA)
    return parse_number(value), _parse_limit(low), _parse_limit(high)


def _parse_limit(text: str) -> Decimal | None:
    return parse_number(text) if text else None


def _read_each(texts: tuple[str, str, str], marks: NumberMarks) -> _Numbers:
    """Return the numbers in *texts*, those without a comma as in HL7."""
    value, low, high = (marks.parse(text) if "," in text else parse_number(text) for text in texts)
    return value, low, high


def _are_grouped(texts: Iterable[str]) -> bool:
    """Return True when there is a comma, and each may stand between thousands."""
    with_comma = [text for text in texts if "," in text]
    return bool(with_comma) and all(is_grouped(text, ",") for text in with_comma)


def _read_in_marks(text: str, marks: NumberMarks, *, is_hl7: bool = False) -> Decimal | None:
    """Return the number in *text* by the site's own *marks*, or with a point as in HL7.

    A point that could stand between thousands is read so in a number of HL7 (NM) only.
    """
    number = marks.parse(text)
    if number is not None or marks.thousands == "." or (is_grouped(text, ".") and not is_hl7):
        return number
    return parse_number(text)


def _agree_on_thousands(texts: tuple[str, str, str], limit_unit: str) -> bool:
    """Return True when value and limits only make sense with thousands marked by a comma.

    Where only the limits have commas the value says less: it may lie far beyond normal. Then the
    limits are those of whole cells, or decimals would leave the value a hundredfold away.
    """
    value, *limits = texts
    if any("," in limit for limit in limits):
        if "," in value or limit_unit in _WHOLE_COUNTS:
            return True
        distance = _HUNDREDFOLD
    else:
        distance = _TENFOLD
    as_thousands = _read_each(texts, GROUPED_BY_COMMA)
    as_decimals = _read_each(texts, DECIMAL_COMMA)
    return _is_near(as_thousands, _TENFOLD) and not _is_near(as_decimals, distance)


def _is_near(numbers: _Numbers, distance: int) -> bool:
    """Return True when the value lies within *distance* times the limits, or one part of it."""
    value, low, high = numbers
    limits = list(_list_positive(low, high))
    if value is None or not limits:
        return False
    return min(limits) <= value * distance and value <= distance * max(limits)


def _list_positive(*numbers: Decimal | None) -> Iterator[Decimal]:
    return (number for number in numbers if number is not None and number > 0)
