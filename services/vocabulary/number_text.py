"""Numbers in text from outside: the one grammar, of which every reader takes its part.

A number has ASCII digits and at most one decimal point. It has no spaces, no underscores and no
words such as ``NaN`` or ``Infinity``, and no digit of it is lost.
"""

import re
from decimal import Decimal

# Parts of a pattern; a number in a file of ours has no other form than `UNSIGNED_NUMBER`.
DIGITS = "[0-9]+"
UNSIGNED_NUMBER = rf"{DIGITS}(?:\.{DIGITS})?"
# Every form in which a number that was read is stored: longer than what is read, by its exponent.
STORED_NUMBER = rf"[+-]?{DIGITS}(\.{DIGITS})?([eE][+-]?[0-9]{{1,3}})?"
LONGEST_STORED = 110

_LONGEST = 100  # with an exponent of two digits far from where arithmetic overflows
_LONGEST_WHOLE_NUMBER = 18  # fits 64 bits
_NUMBER = re.compile(rf"[+-]?(?:{DIGITS}(?:\.[0-9]*)?|\.{DIGITS})(?:[eE][+-]?[0-9]{{1,2}})?")
_NUMBER_WITH_THOUSANDS = re.compile(rf"[+-]?[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.{DIGITS})?")
_WHOLE_NUMBER = re.compile(rf"[0-9]{{1,{_LONGEST_WHOLE_NUMBER}}}")


def parse_number(text: str) -> Decimal | None:
    """Return the number that *text* is, with every digit; None when it is none.

    >>> parse_number("-7.0"), parse_number(".5"), parse_number("7."), parse_number("1.2E3")
    (Decimal('-7.0'), Decimal('0.5'), Decimal('7'), Decimal('1.2E+3'))
    >>> {parse_number(text) for text in ("NaN", "1_0", "1,200", "٣", " 7", "1e100", "9" * 101)}
    {None}
    """
    return Decimal(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


def parse_reported_number(text: str) -> Decimal | None:
    """Return the number in *text* as laboratories report it; None when it is none.

    Commas may separate thousands, and spaces may surround it.

    >>> parse_reported_number(" 1,200 "), parse_reported_number("7.")
    (Decimal('1200'), Decimal('7'))
    >>> parse_reported_number("1,2"), parse_reported_number("HEMOLYZED")
    (None, None)
    """
    text = text.strip()
    number = parse_number(text)
    if number is None and _NUMBER_WITH_THOUSANDS.fullmatch(text):
        return parse_number(text.replace(",", ""))
    return number


def parse_whole_number(text: str) -> int | None:
    """Return the whole number that *text* is, without a sign; None when it is none.

    >>> parse_whole_number("042"), parse_whole_number("-1"), parse_whole_number("9" * 19)
    (42, None, None)
    """
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else None
