"""A number as the sender reported it: nothing converted, nothing rounded."""

import re
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct


class Censoring(StrEnum):
    """The side of the reported number on which the true value lies."""

    LESS_THAN = "<"
    AT_MOST = "<="
    AT_LEAST = ">="
    MORE_THAN = ">"


# as written on keyboards without the mathematical signs, and in words
_SIGN = re.compile(
    r"(?P<at_most>≤|<\s*/?\s*=|=<|<\s*or\s*(?:=|equal to)|less than or equal to)"
    r"|(?P<at_least>≥|>\s*/?\s*=|=>|>\s*or\s*(?:=|equal to)|greater than or equal to)"
    r"|(?P<less_than><|less than)|(?P<more_than>>|greater than|more than)",
    re.IGNORECASE,
)


def split_censoring(text: str) -> tuple[Censoring | None, str]:
    """Return the sign that *text* begins with, None when it has none, and the rest.

    >>> split_censoring("<= 0.1"), split_censoring("7")
    ((<Censoring.AT_MOST: '<='>, ' 0.1'), (None, '7'))
    >>> split_censoring("> OR = 60"), split_censoring("less than 5")
    ((<Censoring.AT_LEAST: '>='>, ' 60'), (<Censoring.LESS_THAN: '<'>, ' 5'))
    """
    match = _SIGN.match(text)
    if match is None or match.lastgroup is None:
        return None, text
    return Censoring[match.lastgroup.upper()], text[match.end() :]


class Quantity(Struct, frozen=True, gc=False, omit_defaults=True):
    """A finite decimal value in a UCUM unit; an empty *unit* means that none was reported.

    >>> Quantity(Decimal("NaN"), "g/L")
    Traceback (most recent call last):
        ...
    ValueError: not a finite number: NaN

    Raises:
        ValueError: The value is infinite or not a number.
    """

    value: Decimal
    unit: str
    censoring: Censoring | None = None

    def __post_init__(self) -> None:
        if not self.value.is_finite():
            raise ValueError(f"not a finite number: {self.value}")
