"""Numbers in text from outside: the one grammar, of which every reader takes its part.

A number has ASCII digits and at most one decimal point. It has no spaces, no underscores and no
words such as ``NaN`` or ``Infinity``, and no digit of it is lost. ``1,200`` is 1200 in one
laboratory and 1.2 in another: a comma is read only by the marks that its writer is known to use.

Source: HL7 v2.5.1, 2.A.46 (NM); docs/decisions/values.md
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final

# Parts of a pattern; a number in a file of ours has no other form than `UNSIGNED_NUMBER`.
DIGITS = "[0-9]+"
UNSIGNED_NUMBER = rf"{DIGITS}(?:\.{DIGITS})?"
# Every form in which a number that was read is stored: longer than what is read, by its exponent.
STORED_NUMBER = rf"[+-]?{DIGITS}(\.{DIGITS})?([eE][+-]?[0-9]{{1,3}})?"
LONGEST_STORED = 110

_LONGEST = 100  # with an exponent of two digits far from where arithmetic overflows
_LONGEST_WHOLE_NUMBER = 18  # fits 64 bits
_NUMBER = re.compile(rf"[+-]?(?:{DIGITS}(?:\.[0-9]*)?|\.{DIGITS})(?:[eE][+-]?[0-9]{{1,2}})?")
_WHOLE_NUMBER = re.compile(rf"[0-9]{{1,{_LONGEST_WHOLE_NUMBER}}}")


def parse_number(text: str) -> Decimal | None:
    """Return the number that *text* is, with every digit; None when it is none.

    >>> parse_number("-7.0"), parse_number(".5"), parse_number("7."), parse_number("1.2E3")
    (Decimal('-7.0'), Decimal('0.5'), Decimal('7'), Decimal('1.2E+3'))
    >>> {parse_number(text) for text in ("NaN", "1_0", "1,200", "٣", " 7", "1e100", "9" * 101)}
    {None}
    """
    return Decimal(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


def parse_whole_number(text: str) -> int | None:
    """Return the whole number that *text* is, without a sign; None when it is none.

    >>> parse_whole_number("042"), parse_whole_number("-1"), parse_whole_number("9" * 19)
    (42, None, None)
    """
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None


@dataclass(frozen=True)
class NumberMarks:
    """The marks of a writer: before the decimals, and between groups of three digits.

    *thousands* is empty when thousands are not marked, and never the *decimal* mark.
    """

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        decimal, thousands = re.escape(self.decimal), re.escape(self.thousands)
        groups = rf"|[1-9][0-9]{{0,2}}(?:{thousands}[0-9]{{3}})+" if thousands else ""
        return re.compile(rf"[+-]?(?:(?:[0-9]+{groups})(?:{decimal}[0-9]*)?|{decimal}[0-9]+)")

    def parse(self, text: str) -> Decimal | None:
        """Return the number in *text*, None when it is none in these marks.

        >>> [str(NumberMarks(",", ".").parse(text)) for text in ("1.200,5", "0,450", "1.2")]
        ['1200.5', '0.450', 'None']
        """
        text = text.strip()
        if not self._pattern.fullmatch(text):
            return None
        digits = text.replace(self.thousands, "") if self.thousands else text
        return parse_number(digits.replace(self.decimal, "."))


GROUPED_BY_COMMA: Final = NumberMarks(thousands=",")
DECIMAL_COMMA: Final = NumberMarks(",")
_GROUPED_BY = {",": GROUPED_BY_COMMA, ".": NumberMarks(",", ".")}


def is_grouped(text: str, mark: str) -> bool:
    """Return True when *mark*, a comma or a point, may group the digits of *text* by three.

    >>> [is_grouped(text, ",") for text in ("1,200", "12,345.6", "0,450", "1,20", "1200")]
    [True, True, False, False, False]
    """
    return mark in text and _GROUPED_BY[mark].parse(text) is not None
